"""A formula as it was read, evaluated by plain PyTorch: what emitted code is held against.

In: a formula, before any pass, and inputs. Out: its values in float64, through which
PyTorch's own autograd differentiates. No pass, no rule of a derivative and no printer of
gen has a part in it.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from torch import Tensor

from gen.errors import GenError
from gen.graph.indices import ELLIPSIS
from gen.verify.declared import declared
from gen.verify.evaluation import Evaluation, whole
from gen.verify.named import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gen.graph.indices import Index
    from gen.model import Axis, Formula, Input, Output


@dataclass(frozen=True)
class Reference:
    """The values of a formula: called with inputs, a tuple of tensors."""

    formula: Formula
    backend: str = "torch"  # whose functions the user's own are

    def __call__(self, *inputs: object) -> tuple[Tensor, ...]:
        """The outputs."""
        gradient = self.formula.request.gradient
        if not gradient.backward and gradient.clamp is None:
            return self.plain(*inputs)
        places = [k for k, one in enumerate(inputs) if isinstance(one, Tensor)]

        def filled(tensors: Sequence[Tensor]) -> list[object]:
            values = list(inputs)
            for place, one in zip(places, tensors, strict=True):
                values[place] = one
            return values

        def rules(given: Sequence[Tensor], grads: Sequence[Tensor]) -> list[Tensor | None]:
            found = self._ruled(filled(given), grads)
            return [found.get(self.formula.inputs[place].name) for place in places]

        bounds = gradient.clamp and (float(gradient.clamp[0]), float(gradient.clamp[1]))
        tensors = [whole(inputs[place]) for place in places]
        return declared(lambda *given: self.plain(*filled(given)), rules, bounds, tensors)

    def plain(self, *inputs: object) -> tuple[Tensor, ...]:
        """The outputs, differentiated by PyTorch; a primitive in their place if there is one."""
        run = self._evaluation(inputs)
        found = tuple(_finished(run, one) for one in self.formula.outputs)
        if not self.formula.primitives:
            return found
        slopes = tuple(_finished(run, one) for one in self.formula.differentiated.outputs)
        # It adds 0, which has the derivative of the primitive.
        pairs = zip(found, slopes, strict=True)
        return tuple(one.detach() + (slope - slope.detach()) for one, slope in pairs)

    def _ruled(self, inputs: Sequence[object], grads: Sequence[Tensor]) -> dict[str, Tensor]:
        """The gradients that are declared by a rule, in the shapes of their inputs."""
        run = self._evaluation(inputs)
        run.values.clear()
        for one, grad in zip(self.formula.outputs, grads, strict=True):
            order = tuple(axis for axis in one.order if axis is not None)
            run.given[one.grad] = Value(grad, order)
        nodes = dict(self.formula.gradients)
        run.fill(tuple(nodes.values()))
        named = {
            one.name: (one, value) for one, value in zip(self.formula.inputs, inputs, strict=True)
        }
        return {name: _gradient(run, node, *named[name]) for name, node in nodes.items()}

    def margin(self, *inputs: object) -> float:
        """How far these inputs are from the nearest kink of the formula."""
        return self._evaluation(inputs).margin

    def _evaluation(self, inputs: Sequence[object]) -> Evaluation:
        return Evaluation(self.formula, inputs, self._own)

    def _own(self, name: str, operands: list[Tensor]) -> Tensor:
        function = self.own(name)
        if self.backend == "torch":
            return cast("Tensor", function(*operands))
        return whole(function(*(one.detach().numpy() for one in operands)))

    def own(self, name: str) -> Callable[..., object]:
        """A function of the user's own code."""
        (found,) = (one for one in self.formula.request.primitives if one.name == name)
        path = dict(found.spellings).get(self.backend, "")
        module, _, attribute = path.rpartition(".")
        try:
            function = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError, ValueError) as fault:
            raise GenError(
                f"{path}, which {name} stands for, cannot be imported: {fault}"
            ) from None
        return cast("Callable[..., object]", function)


def _named(order: Sequence[Axis]) -> tuple[Index, ...]:
    """Axes without those of size 1, "..." first."""
    named = [axis for axis in order if axis is not None]
    return tuple(sorted(named, key=lambda axis: axis != ELLIPSIS))


def _gradient(run: Evaluation, node: int, one: Input, value: object) -> Tensor:
    """A declared gradient in the shape of its input."""
    found = run.values[node]
    assert found is not None
    shape = whole(value).shape
    data = found.in_order(_named(one.order))
    common = np.broadcast_shapes(tuple(data.shape), tuple(shape))
    return data.expand(common).sum_to_size(shape)


def _finished(run: Evaluation, output: Output) -> Tensor:
    """An output with exactly the axes that it is to have."""
    value = run.values[output.node]
    assert value is not None
    order = _named(output.order)
    data = value.in_order(order)
    sizes = [run.extent(axis) for axis in order if axis != ELLIPSIS]
    own = tuple(data.shape[: data.ndim - len(sizes)])
    leading = np.broadcast_shapes(own, tuple(run.common(output.leading)))
    return _placed(data.expand((*leading, *sizes)), output.order, len(leading)).clone()


def _placed(data: Tensor, order: Sequence[Axis], leading: int) -> Tensor:
    """A tensor whose leading dimensions stand where "..." does, with axes of size 1."""
    if ELLIPSIS in order:
        before = sum(axis is not None for axis in order[: order.index(ELLIPSIS)])
        behind = list(range(leading, data.ndim))
        data = data.permute(behind[:before] + list(range(leading)) + behind[before:])
    for place, axis in enumerate(order):
        if axis is None:
            shift = leading - 1 if ELLIPSIS in order[:place] else 0
            data = data.unsqueeze(place + shift)
    return data
