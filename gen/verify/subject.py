"""What is verified: an emitted module, and the formula that it was made from.

In: a module and a formula. Out: a `Subject`, with the reference and where to try both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, cast

import torch

from gen.errors import GenError
from gen.graph.graph import CUSTOM
from gen.graph.indices import MATRICES
from gen.naming import snake_case
from gen.verify.compare import (
    EXACT,
    Tolerance,
    check_all,
    cotangents,
    pulled,
    pulled_again,
    several,
    wave,
)
from gen.verify.evaluation import is_plain
from gen.verify.fault import at
from gen.verify.reference import Reference
from gen.verify.samples import Draw, Sample, settled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from torch import Tensor

    from gen.graph.graph import Graph
    from gen.model import Formula


@dataclass(frozen=True)
class Subject:
    """A function to verify."""

    module: ModuleType
    cls: type  # the public class: P3
    entry: Callable[..., object]  # the plain function: p3
    formula: Formula  # as it was read
    backend: str
    reference: Reference = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reference", Reference(self.formula, self.backend))

    # cached_property writes into __dict__, which a frozen class without slots has.
    @cached_property
    def draw(self) -> Draw:
        """Where to try it."""
        return settled(self.formula, self.reference)

    @cached_property
    def sample(self) -> Sample:
        """All inputs, in shapes that have to be broadcast where they may be."""
        return self.draw.sample()

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs."""
        return tuple(one.name for one in self.formula.outputs)

    @cached_property
    def is_elementwise(self) -> bool:
        return not self.formula.has_tensors

    @cached_property
    def has_products(self) -> bool:
        """Whether it has products of matrices, or solves with them."""
        graph = self.formula.graph
        nodes = [graph[node] for node in graph.order(self.formula.roots)]
        if any(node.op in MATRICES for node in nodes):
            return True
        sums = [node for node in nodes if node.op == "sum"]
        return any(_is_contracted(graph, node.args[0]) for node in sums)

    @property
    def is_declared(self) -> bool:
        """Whether its gradient is declared, and not the derivative."""
        return self.formula.request.gradient.is_declared

    @property
    def is_once(self) -> bool:
        """Whether a second derivative is refused."""
        return self.formula.request.gradient.once

    @cached_property
    def is_linear(self) -> bool:
        """Whether its gradient is linear in the cotangents, and so has a transpose."""
        if self.formula.request.gradient.clamp is not None:
            return False
        given = self.sample.leaves()
        outputs = self.reference(*given.values)
        first, other = cotangents(outputs), [wave(one, 2.0) for one in outputs]
        mixed = [3 * a - 50 * b for a, b in zip(first, other, strict=True)]
        a, b, c = (pulled_again(outputs, given.tensors, one) for one in (first, other, mixed))
        return all((3 * x - 50 * y).allclose(z) for x, y, z in zip(a, b, c, strict=True))

    @cached_property
    def reference_differentiates(self) -> bool:
        """Whether PyTorch has all of the reference's operations, and their derivatives."""
        graph = self.formula.graph
        nodes = [graph[node] for node in graph.order(self.formula.roots)]
        own = self.backend != "torch" and any(node.op == CUSTOM for node in nodes)
        return not own and all(is_plain(node.op) for node in nodes)

    def values(self, sample: Sample) -> tuple[Tensor, ...]:
        """What the entry function returns."""
        with at(sample):
            return several(self.entry(*sample.values))

    def of_tensors(self, sample: Sample) -> Callable[..., tuple[Tensor, ...]]:
        """The entry function of the tensors alone, the other inputs held."""
        return lambda *tensors: several(self.entry(*sample.filled(tensors)))

    def plain_of_tensors(self, sample: Sample) -> Callable[..., tuple[Tensor, ...]]:
        """The same of the reference."""
        return lambda *tensors: self.reference(*sample.filled(tensors))

    def single(self, sample: Sample) -> Callable[..., Tensor | tuple[Tensor, ...]]:
        """The entry function of the tensors alone, one output as itself."""
        return lambda *tensors: cast("Tensor", self.entry(*sample.filled(tensors)))

    def check(self, sample: Sample, what: str, tolerance: Tolerance = EXACT) -> None:
        """Values and gradients at a sample, against the reference."""
        given = sample.leaves()
        found = self.values(given)
        self.check_values(found, sample, what, tolerance)
        self.check_gradients(found, given, self.gradients(sample), what, tolerance)

    def check_values(
        self, found: Sequence[Tensor], sample: Sample, what: str, tolerance: Tolerance = EXACT
    ) -> None:
        """Outputs against the reference."""
        names = [f"{what}: {one}" for one in self.outputs]
        check_all(found, self.expected(sample), names, sample, tolerance)

    def check_gradients(
        self,
        found: Sequence[Tensor],
        given: Sample,
        expected: Sequence[Tensor],
        what: str,
        tolerance: Tolerance = EXACT,
    ) -> None:
        """Gradients of outputs, pulled back here, against others."""
        labels = [f"{what}: the gradient of {name}" for name in given.labels]
        check_all(pulled(found, given.tensors), expected, labels, given, tolerance)

    def expected(self, sample: Sample) -> tuple[Tensor, ...]:
        """The values of the reference."""
        with torch.no_grad():
            return self.reference(*sample.values)

    def has_value(self, sample: Sample) -> bool:
        """Whether the reference has finite values and gradients at a sample."""
        try:
            found = [*self.expected(sample), *self.gradients(sample)]
        except (IndexError, RuntimeError):
            return False
        return all(bool(one.isfinite().all()) for one in found)

    def gradients(self, sample: Sample) -> list[Tensor]:
        """The gradients of the reference, for the cotangents of `cotangents`."""
        given = sample.having(one.contiguous() for one in sample.tensors)
        given = given.to(torch.float64).leaves()
        return pulled(self.reference(*given.values), given.tensors)


def _is_contracted(graph: Graph, node: int) -> bool:
    """Whether what is summed is a product of factors whose axes differ."""
    while graph[node].op == "rename":
        (node,) = graph[node].args
    if graph[node].op != "mul":
        return False
    a, b = (graph.indices[arg] for arg in graph[node].args)
    return bool(a - b) and bool(b - a)


def subject(module: ModuleType, formula: Formula, backend: str) -> Subject:
    """The class and the entry function of a formula in a module."""
    name = formula.request.name
    snake = snake_case(name)
    # Where the class has that name already, or the module needs it, the entry has another.
    places = (getattr(module, one, None) for one in (f"apply_{snake}", snake))
    entry = next((one for one in places if callable(one) and not isinstance(one, type)), None)
    cls = getattr(module, name, None)
    if entry is None or not isinstance(cls, type):
        raise GenError(f"{module.__name__} has no class {name} with a function {snake} beside it")
    return Subject(module, cls, cast("Callable[..., object]", entry), formula, backend)
