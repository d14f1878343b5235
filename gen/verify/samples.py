"""Inputs to try a function at: small, of a fixed seed, where the formula is smooth.

In: a formula and its reference. Out: `Sample`s, with the shapes that the formula declares,
in the first range where its values and derivatives are finite and no kink is near.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor

from gen.graph.graph import FLAG
from gen.graph.indices import ELLIPSIS, MATRICES
from gen.verify.fault import ConformanceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gen.model import Formula, Input
    from gen.verify.reference import Reference

Shape: TypeAlias = tuple[int, ...]
Fixed: TypeAlias = tuple[tuple[str, object], ...]  # inputs by name

RANGES = ((-2.0, 2.0), (0.1, 1.9), (0.1, 0.9), (1.1, 3.0), (-0.9, -0.1), (2.5, 4.0), (0.3, 0.6))
_CONSTANTS = ((0.7, 1.3, 0.4, 1.9), (2, 3, 1, 4), (0.2, 0.9, 0.5, 0.3))
_SIZES = (3, 2, 4, 5, 6, 7)
_SEEDS = 5

# Leading dimensions of the inputs in turn, so that they have to be broadcast.
_LEADING: tuple[Shape, ...] = ((2,), (), (1,), (2,))
# The same for formulas that work element by element, where they are all there is.
_ELEMENTWISE: tuple[Shape, ...] = ((2, 3), (3,), (2, 1), ())

# How far from a kink is far enough for differences, and what is too steep for them.
_MARGIN, _STEEP = 0.02, 1e4


@dataclass(frozen=True)
class Sample:
    """Inputs of a function, in the order of its signature."""

    names: tuple[str, ...]
    values: tuple[object, ...]  # a tensor, a plain number for a constant, None for one left out

    @property
    def places(self) -> tuple[int, ...]:
        """Which inputs are tensors."""
        return tuple(k for k, one in enumerate(self.values) if isinstance(one, Tensor))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The inputs that are tensors."""
        return tuple(one for one in self.values if isinstance(one, Tensor))

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the inputs that are tensors."""
        return tuple(self.names[place] for place in self.places)

    def filled(self, tensors: Iterable[object]) -> tuple[object, ...]:
        """The inputs with others in place of the tensors."""
        rest = iter(tensors)
        return tuple(next(rest) if isinstance(one, Tensor) else one for one in self.values)

    def having(self, tensors: Iterable[object]) -> Sample:
        """The same with other tensors."""
        return replace(self, values=self.filled(tensors))

    def leaves(self) -> Sample:
        """The same with tensors of their own that ask for a gradient."""
        return self.having(one.detach().clone().requires_grad_() for one in self.tensors)

    def to(self, dtype: torch.dtype) -> Sample:
        """The same, rounded to a dtype."""
        return self.having(one.to(dtype) for one in self.tensors)

    def __str__(self) -> str:
        pairs = zip(self.names, self.values, strict=True)
        return "\n".join(f"{name} = {_shown(value)}" for name, value in pairs)


def _shown(value: object) -> str:
    if not isinstance(value, Tensor):
        return repr(value)
    kind = f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    if type(value) is not Tensor or value.device.type != "cpu" or value.numel() > 12:
        return kind
    return f"{kind} {value.detach().tolist()}"


@dataclass(frozen=True)
class Draw:
    """What samples are drawn from."""

    formula: Formula
    range: tuple[float, float]
    constants: tuple[float, ...] = _CONSTANTS[0]
    seed: int = 0

    def sample(
        self,
        leading: Sequence[Shape] | None = None,
        sizes: Sequence[int] = _SIZES,
        fixed: Fixed = (),
    ) -> Sample:
        """Inputs in this range.

        Args:
            leading: leading dimensions of the inputs in turn.
            sizes: those of the declared letters in turn.
            fixed: inputs that are given, among them those to leave out as None.
        """
        generator = torch.Generator().manual_seed(self.seed + 1)
        chosen = {**self._constants(), **dict(fixed)}
        inputs = self.formula.inputs
        values: list[object] = []
        for one, shape in zip(inputs, self._shapes(leading, sizes), strict=True):
            # Drawn in any case, so that the others are the same.
            drawn = self._tensor(one, shape, generator) if one.differentiable else None
            values.append(chosen.get(one.name, drawn))
        return Sample(tuple(one.name for one in inputs), tuple(values))

    def _constants(self) -> dict[str, object]:
        """What the constants are: their defaults, else numbers in turn, true, or a word."""
        numbers = itertools.cycle(self.constants)
        found: dict[str, object] = {}
        for one in self.formula.inputs:
            if not one.differentiable:
                number = next(numbers)
                known = settings(self.formula, one) or (number,)
                found[one.name] = known[0] if one.default is None else one.default
        return found

    def _tensor(self, one: Input, shape: Shape, generator: torch.Generator) -> Tensor:
        low, high = self.range
        drawn = low + (high - low) * torch.rand(shape, generator=generator, dtype=torch.float64)
        square = len(shape) > 1 and shape[-1] == shape[-2]
        if not (square and any(node.op in MATRICES for node in self.formula.graph.nodes)):
            return drawn
        # A matrix that may be solved with, and that has a logarithm of its determinant.
        return drawn @ drawn.mT + shape[-1] * torch.eye(shape[-1], dtype=torch.float64)

    def _shapes(self, leading: Sequence[Shape] | None, sizes: Sequence[int]) -> Iterator[Shape]:
        known = _sizes(self.formula, sizes)
        plain = _LEADING if self.formula.has_tensors else _ELEMENTWISE
        turns = itertools.cycle(plain if leading is None else leading)
        for one in self.formula.inputs:
            before = next(turns) if leads(one) else ()
            yield (*before, *(known[size] for size in _declared(one)))


def leads(one: Input) -> bool:
    """Whether an input has any leading dimensions."""
    if one.dimensions is not None:
        return one.dimensions[:1] == ("...",)
    return one.differentiable and one.order[:1] == (ELLIPSIS,)


def _declared(one: Input) -> list[str]:
    """The dimensions of an input behind the leading ones."""
    if one.dimensions is not None:
        return [size.rstrip("?") for size in one.dimensions if size != "..."]
    return ["1" if axis is None else axis.size for axis in one.order if axis != ELLIPSIS]


def letters(formula: Formula) -> list[str]:
    """The declared dimensions that may be of any size."""
    sizes = (size for one in formula.inputs for size in _declared(one))
    return list(dict.fromkeys(size for size in sizes if not size.isdigit()))


def _sizes(formula: Formula, sizes: Sequence[int]) -> dict[str, int]:
    found = dict(zip(letters(formula), itertools.cycle(sizes), strict=False))
    numbers = {size for one in formula.inputs for size in _declared(one) if size.isdigit()}
    return found | {size: int(size) for size in numbers}


def settled(formula: Formula, reference: Reference) -> Draw:
    """The first draw at which the formula is smooth."""
    for constants, range_ in itertools.product(_CONSTANTS, RANGES):
        for seed in range(_SEEDS):
            draw = Draw(formula, range_, constants, seed)
            if is_smooth(reference, draw.sample()):
                return draw
        if not formula.request.const and constants is not _CONSTANTS[0]:
            break
    raise ConformanceError(
        f"no inputs were found at which {formula.request.name} and its derivatives are finite"
    )


def is_smooth(reference: Reference, sample: Sample) -> bool:
    """Whether values and derivatives are finite, and kinks far."""
    if reference.margin(*sample.values) < _MARGIN:
        return False
    given = sample.leaves()
    found = reference(*given.values)
    for _ in range(3):
        if not all(_is_tame(one) for one in found):
            return False
        total = torch.stack([(one * _weights(one)).sum() for one in found]).sum()
        if not total.requires_grad:
            return True
        slopes = torch.autograd.grad(total, given.tensors, create_graph=True, allow_unused=True)
        found = tuple(one for one in slopes if one is not None)
    return all(map(_is_tame, found))


def _weights(like: Tensor) -> Tensor:
    """Numbers of either sign, so that no derivative falls out of their sum."""
    return torch.linspace(-0.6, 1.0, like.numel(), dtype=torch.float64).reshape(like.shape)


def _is_tame(value: Tensor) -> bool:
    return bool((value.detach().abs() < _STEEP).all())  # which NaN is not


def settings(formula: Formula, one: Input) -> tuple[object, ...]:
    """What a constant that chooses a branch may be; nothing for a number."""
    if one.kind == "bool":
        return (True, False)
    nodes = formula.graph.nodes
    leaves = {place for place, node in enumerate(nodes) if node.payload == one.name}
    asked = {str(node.payload) for node in nodes if node.op == FLAG and leaves & {*node.args}}
    return tuple(sorted({*one.words, *asked})) if one.kind == "str" else ()


def variants(formula: Formula) -> list[Fixed]:
    """Inputs to leave out, each alone and then all, and each branch that constants choose."""
    inputs = formula.inputs
    left: list[Fixed] = [((one.name, None),) for one in inputs if one.optional]
    everything: Fixed = tuple((one.name, None) for one in inputs if one.optional)
    chosen: list[Fixed] = [
        ((one.name, setting),)
        for one in inputs
        if not one.differentiable
        for setting in settings(formula, one)
    ]
    return list(dict.fromkeys([(), *left, everything, *chosen]))
