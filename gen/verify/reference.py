"""A formula as it was read, evaluated by plain PyTorch: what emitted code is held against.

In: a formula, before any pass, and inputs. Out: its values in float64, through which
PyTorch's own autograd differentiates. No pass, no rule of a derivative and no printer of
gen has a part in it. Axes are known by name here: each operation aligns its operands.
"""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, cast

import mpmath
import numpy as np
import torch
from torch import Tensor

from gen.errors import GenError
from gen.graph.evaluate import CONSTANTS, evaluate
from gen.graph.graph import CONSTANT, COTANGENT, CUSTOM, DELTA, INPUT, LEAVES, NUMBER, SIZE, Node
from gen.graph.indices import (
    ELLIPSIS,
    MATRICES,
    NORMALISATIONS,
    REDUCTIONS,
    TENSOR_OPERATIONS,
    Index,
)
from gen.graph.operations import STEPS
from gen.verify.along import matrix, normalised, reduced
from gen.verify.declared import declared
from gen.verify.plain import PLAIN, distance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gen.model import Formula, Input, Output

_OPTIONAL = {"optional_add": "add", "optional_sub": "sub", "optional_mul": "mul"}


class Value(NamedTuple):
    """A tensor whose axes have names; "..." comes first, and is any number of them."""

    data: Tensor
    order: tuple[Index, ...] = ()

    @property
    def leading(self) -> int:
        """How many leading dimensions it has."""
        return self.data.ndim - sum(axis != ELLIPSIS for axis in self.order)

    def places(self, axes: Iterable[Index]) -> list[int]:
        """The dimensions of these axes; of "..." all leading ones."""
        found: list[int] = []
        shift = self.leading - (ELLIPSIS in self.order)
        for axis in axes:
            one = [shift + self.order.index(axis)]
            found += list(range(self.leading)) if axis == ELLIPSIS else one
        return found

    def in_order(self, order: Sequence[Index]) -> Tensor:
        """The tensor with these axes, 1 where it lacks one; leading ones as they are."""
        known = [axis for axis in order if axis in self.order]
        moved = self.data.permute(self.places(known))
        for place, axis in enumerate(order):
            if axis != ELLIPSIS and axis not in self.order:
                before = sum(one != ELLIPSIS for one in order[:place])
                moved = moved.unsqueeze(before + self.leading * (ELLIPSIS in order[:place]))
        return moved


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
        tensors = [_whole(inputs[place]) for place in places]
        return declared(lambda *given: self.plain(*filled(given)), rules, bounds, tensors)

    def plain(self, *inputs: object) -> tuple[Tensor, ...]:
        """The outputs, differentiated by PyTorch; a primitive in their place if there is one."""
        run = _Run(self, inputs)
        run.evaluate()
        found = tuple(map(run.finished, self.formula.outputs))
        if not self.formula.primitives:
            return found
        slopes = tuple(map(run.finished, self.formula.differentiated.outputs))
        # It adds 0, which has the derivative of the primitive.
        pairs = zip(found, slopes, strict=True)
        return tuple(one.detach() + (slope - slope.detach()) for one, slope in pairs)

    def _ruled(self, inputs: Sequence[object], grads: Sequence[Tensor]) -> dict[str, Tensor]:
        """The gradients that are declared by a rule, in the shapes of their inputs."""
        run = _Run(self, inputs)
        run.evaluate()
        run.values.clear()
        for one, grad in zip(self.formula.outputs, grads, strict=True):
            order = tuple(axis for axis in one.order if axis is not None)
            run.given[one.grad] = Value(grad, order)
        nodes = dict(self.formula.gradients)
        run.fill(tuple(nodes.values()))
        named = {
            one.name: (one, value) for one, value in zip(self.formula.inputs, inputs, strict=True)
        }
        return {name: run.gradient(node, *named[name]) for name, node in nodes.items()}

    def margin(self, *inputs: object) -> float:
        """How far these inputs are from the nearest kink of the formula."""
        run = _Run(self, inputs)
        run.evaluate()
        return run.margin

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


def is_plain(op: str) -> bool:
    """Whether PyTorch has an operation."""
    known = (CUSTOM, "pow", "true", "false", *LEAVES, *_OPTIONAL, *TENSOR_OPERATIONS)
    return op in known or op in PLAIN


def _whole(value: object) -> Tensor:
    return torch.as_tensor(value, dtype=torch.float64)


@dataclass
class _Run:
    """One evaluation."""

    reference: Reference
    inputs: Sequence[object]
    values: dict[int, Value | None] = field(default_factory=dict)  # None: an input left out
    sizes: dict[str, int] = field(default_factory=dict)
    leading: dict[str, torch.Size] = field(default_factory=dict)  # of each input
    given: dict[str, Value | None] = field(default_factory=dict)
    margin: float = math.inf

    @property
    def formula(self) -> Formula:
        return self.reference.formula

    def evaluate(self) -> None:
        pairs = list(zip(self.formula.inputs, self.inputs, strict=True))
        # Sizes are those of inputs that have all their axes.
        for one, value in sorted(pairs, key=lambda pair: pair[0].loose):
            self.given[one.name] = self._given(one, value)
        self.fill((*self.formula.roots, *self.formula.primitives))

    def fill(self, roots: tuple[int, ...]) -> None:
        """Evaluate what these nodes need."""
        for node in self.formula.graph.order(roots):
            self.values[node] = self._value(self.formula.graph[node])

    def _given(self, one: Input, value: object) -> Value | None:
        if value is None:
            self.leading[one.name] = torch.Size()
            return None
        data = _whole(value)
        tail = [axis for axis in one.order if axis != ELLIPSIS]
        if one.loose:
            data = self._filled(data, tail)
        split = data.ndim - len(tail)
        self.leading[one.name] = data.shape[:split]
        for axis, size in zip(tail, data.shape[split:], strict=True):
            if axis is not None:
                self.sizes.setdefault(axis.size, size)
        ones = [split + place for place, axis in enumerate(tail) if axis is None]
        named = tuple(axis for axis in one.order if axis is not None)
        return Value(data.squeeze(tuple(ones)) if ones else data, named)

    def _filled(self, data: Tensor, tail: Sequence[Index | None]) -> Tensor:
        """An input that may lack axes, repeated along these."""
        missing = max(len(tail) - data.ndim, 0)
        data = data.reshape((1,) * missing + tuple(data.shape))
        sizes = [
            1 if axis is None else self._size(axis, data, place - len(tail))
            for place, axis in enumerate(tail)
        ]
        return data.expand((*data.shape[: data.ndim - len(tail)], *sizes))

    def _size(self, axis: Index, data: Tensor, place: int) -> int:
        if axis.size.isdigit():
            return int(axis.size)
        return self.sizes.get(axis.size, data.shape[place])

    # ---- nodes

    def _value(self, node: Node) -> Value | None:
        op, args, payload = node
        if op in (NUMBER, CONSTANT, "true", "false"):
            return Value(_constant(op, payload))
        if op in (INPUT, COTANGENT):
            return self.given[str(payload)]
        if op == SIZE:
            return Value(self._count(*cast("tuple[Index, str]", payload)))
        if op == DELTA:
            i, j = cast("tuple[Index, Index]", payload)
            return Value(torch.eye(self._extent(i), dtype=torch.float64), (i, j))
        operands = [self.values[arg] for arg in args]
        if op in _OPTIONAL:
            if operands[1] is None:
                return operands[0]
            op = _OPTIONAL[op]
        if any(one is None for one in operands):
            return None
        return self._computed(Node(op, args, payload), cast("list[Value]", operands))

    def _computed(self, node: Node, operands: list[Value]) -> Value:
        op, _, payload = node
        if op == "rename":
            names = dict(cast("tuple[tuple[Index, Index], ...]", payload))
            order = tuple(names.get(axis, axis) for axis in operands[0].order)
            return Value(operands[0].data, order)
        if op == "spread":
            return self._spread(operands[0], cast("tuple[str, ...]", payload))
        if op in REDUCTIONS or op in NORMALISATIONS:
            return self._along(op, operands[0], cast("tuple[Index, ...]", payload))
        if op in MATRICES:
            rows, columns = cast("tuple[Index, Index]", payload)
            return _matrix(op, operands, rows, columns)
        return self._elementwise(node, operands)

    def _elementwise(self, node: Node, operands: list[Value]) -> Value:
        order = _united(operands)
        aligned = [one.in_order(order) for one in operands]
        self.margin = min(self.margin, distance(node.op, aligned))
        found = self._plain(node, aligned)
        if node.op in STEPS and self.formula.request.gradient.straight_through:
            found = aligned[0] + (found - aligned[0]).detach()
        return Value(found, order)

    def _plain(self, node: Node, operands: list[Tensor]) -> Tensor:
        op, args, payload = node
        if op == "pow":
            return operands[0] ** cast("int", payload)
        if op == CUSTOM:
            return self._own(str(payload), operands)
        if op in PLAIN:
            return PLAIN[op](*operands)
        return _by_mpmath(Node(op, tuple(range(len(args))), payload), operands)

    def _own(self, name: str, operands: list[Tensor]) -> Tensor:
        function = self.reference.own(name)
        if self.reference.backend == "torch":
            return cast("Tensor", function(*operands))
        return _whole(function(*(one.detach().numpy() for one in operands)))

    def _along(self, op: str, one: Value, axes: tuple[Index, ...]) -> Value:
        if op in NORMALISATIONS:
            return Value(normalised(op, one.data, one.places(axes)), one.order)
        data, margin = reduced(op, one.data, one.places(axes))
        self.margin = min(self.margin, margin)
        return Value(data, tuple(axis for axis in one.order if axis not in axes))

    # ---- sizes

    def _extent(self, index: Index) -> int:
        return int(index.size) if index.size.isdigit() else self.sizes[index.size]

    def _common(self, names: Iterable[str]) -> torch.Size:
        return torch.Size(np.broadcast_shapes(*(tuple(self.leading[name]) for name in names)))

    def _count(self, index: Index, *names: str) -> Tensor:
        if index != ELLIPSIS:
            return _whole(self._extent(index))
        return _whole(math.prod(self._common(names or self.leading)))

    def _spread(self, one: Value, names: Iterable[str]) -> Value:
        order = (ELLIPSIS, *(axis for axis in one.order if axis != ELLIPSIS))
        data = one.in_order(order)
        behind = data.shape[data.ndim - len(order) + 1 :]
        return Value(data.expand((*self._common(names), *behind)), order)

    def gradient(self, node: int, one: Input, value: object) -> Tensor:
        """A declared gradient in the shape of its input."""
        found = self.values[node]
        assert found is not None
        order = tuple(axis for axis in one.order if axis is not None)
        shape = _whole(value).shape
        data = found.in_order(order)
        whole = np.broadcast_shapes(tuple(data.shape), tuple(shape))
        return data.expand(whole).sum_to_size(shape)

    def finished(self, output: Output) -> Tensor:
        """An output with exactly the axes that it is to have."""
        value = self.values[output.node]
        assert value is not None
        tail = [axis for axis in output.order if axis is not None and axis != ELLIPSIS]
        order = (*((ELLIPSIS,) if ELLIPSIS in output.order else ()), *tail)
        data = value.in_order(order)
        leading = np.broadcast_shapes(
            tuple(data.shape[: data.ndim - len(tail)]), tuple(self._common(output.leading))
        )
        sizes = tuple(map(self._extent, tail))
        data = data.expand((*leading, *sizes))
        if ELLIPSIS in output.order:
            before = sum(axis is not None for axis in output.order[: output.order.index(ELLIPSIS)])
            behind = list(range(len(leading), data.ndim))
            data = data.permute(behind[:before] + list(range(len(leading))) + behind[before:])
        for place, axis in enumerate(output.order):
            if axis is None:
                shift = len(leading) - 1 if ELLIPSIS in output.order[:place] else 0
                data = data.unsqueeze(place + shift)
        return data.clone()


def _united(operands: Iterable[Value]) -> tuple[Index, ...]:
    found = {axis for one in operands for axis in one.order}
    return (*((ELLIPSIS,) if ELLIPSIS in found else ()), *sorted(found - {ELLIPSIS}))


def _constant(op: str, payload: object) -> Tensor:
    if op in ("true", "false"):
        return torch.tensor(op == "true")
    if isinstance(payload, Fraction):
        return _whole(payload.numerator / payload.denominator)
    return _whole(float(getattr(mpmath, CONSTANTS[str(payload)])))


def _matrix(op: str, operands: list[Value], rows: Index, columns: Index) -> Value:
    """An operation on matrices with these rows and columns."""
    before = tuple(axis for axis in _united(operands) if axis not in (rows, columns))
    if op != "solve":
        before = tuple(axis for axis in before if axis in operands[0].order)
        data = matrix(op, operands[0].in_order((*before, rows, columns)))
        return Value(data, (*before, columns, rows) if op == "inv" else before)
    a = operands[0].in_order((*before, rows, columns))
    b = operands[1].in_order((*before, rows))
    b = b.expand(*b.shape[:-1], a.shape[-1]).unsqueeze(-1)
    leading = np.broadcast_shapes(tuple(a.shape[:-2]), tuple(b.shape[:-2]))
    found = torch.linalg.solve(a.expand(*leading, *a.shape[-2:]), b.expand(*leading, *b.shape[-2:]))
    return Value(found.squeeze(-1), (*before, columns))


def _by_mpmath(node: Node, operands: list[Tensor]) -> Tensor:
    """What PyTorch has no function for, element by element and without a derivative."""
    whole = np.broadcast_arrays(*(one.detach().numpy() for one in operands))
    leaves = [Node(INPUT, (), str(place)) for place in range(len(operands))]
    nodes = [*leaves, node]
    found = [
        evaluate(nodes, (len(leaves),), {str(k): mpmath.mpf(float(v)) for k, v in enumerate(row)})
        for row in zip(*(one.ravel() for one in whole), strict=True)
    ]
    flat = [float(mpmath.re(value)) for (value,) in found]
    return _whole(flat).reshape(whole[0].shape)
