"""One evaluation of a formula's graph in plain PyTorch, for the reference alone.

In: a formula and values of its inputs. Out: the value of each node that is asked for, each
operation on operands whose axes are aligned by name, and how near a kink was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import mpmath
import numpy as np
import torch
from torch import Tensor

from gen.graph.evaluate import CONSTANTS, evaluate
from gen.graph.graph import (
    CONSTANT,
    COTANGENT,
    CUSTOM,
    DELTA,
    FLAG,
    INPUT,
    LEAVES,
    NUMBER,
    SIZE,
    Node,
)
from gen.graph.indices import (
    ELLIPSIS,
    MATRICES,
    NORMALISATIONS,
    REDUCTIONS,
    TENSOR_OPERATIONS,
    Index,
)
from gen.graph.operations import STEPS
from gen.verify.along import normalised, reduced
from gen.verify.named import Value, of_matrices, united
from gen.verify.plain import PLAIN, distance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gen.model import Formula, Input

_OPTIONAL = {"optional_add": "add", "optional_sub": "sub", "optional_mul": "mul"}


def is_plain(op: str) -> bool:
    """Whether PyTorch has an operation."""
    known = (CUSTOM, "pow", "true", "false", FLAG, *LEAVES, *_OPTIONAL, *TENSOR_OPERATIONS)
    return op in known or op in PLAIN


def whole(value: object) -> Tensor:
    """A tensor of float64."""
    return torch.as_tensor(value, dtype=torch.float64)


@dataclass
class Evaluation:
    """The values of nodes, as far as they were asked for."""

    formula: Formula
    inputs: Sequence[object]
    own: Callable[[str, list[Tensor]], Tensor]  # calls a function of the user's own
    values: dict[int, Value | None] = field(default_factory=dict)  # None: an input left out
    sizes: dict[str, int] = field(default_factory=dict)
    leading: dict[str, torch.Size] = field(default_factory=dict)  # of each input
    given: dict[str, Value | None] = field(default_factory=dict)
    settings: dict[str, bool | str] = field(default_factory=dict)  # constants of other kinds
    margin: float = math.inf

    def __post_init__(self) -> None:
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
        if isinstance(value, bool | str):
            self.leading[one.name] = torch.Size()
            self.settings[one.name] = value
            return Value(torch.tensor(bool(value)))
        data = whole(value)
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
            return Value(torch.eye(self.extent(i), dtype=torch.float64), (i, j))
        if op == FLAG:
            setting = self.settings[str(self.formula.graph[args[0]].payload)]
            return Value(torch.tensor(setting == payload if payload else bool(setting)))
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
            return of_matrices(op, operands, rows, columns)
        return self._elementwise(node, operands)

    def _elementwise(self, node: Node, operands: list[Value]) -> Value:
        order = united(operands)
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
            return self.own(str(payload), operands)
        if op in PLAIN:
            return PLAIN[op](*operands)
        return _by_mpmath(Node(op, tuple(range(len(args))), payload), operands)

    def _along(self, op: str, one: Value, axes: tuple[Index, ...]) -> Value:
        if op in NORMALISATIONS:
            return Value(normalised(op, one.data, one.places(axes)), one.order)
        data, margin = reduced(op, one.data, one.places(axes))
        self.margin = min(self.margin, margin)
        return Value(data, tuple(axis for axis in one.order if axis not in axes))

    # ---- sizes

    def extent(self, index: Index) -> int:
        """How many values an index takes."""
        return int(index.size) if index.size.isdigit() else self.sizes[index.size]

    def common(self, names: Iterable[str]) -> torch.Size:
        """The leading dimensions that inputs have together."""
        return torch.Size(np.broadcast_shapes(*(tuple(self.leading[name]) for name in names)))

    def _count(self, index: Index, *names: str) -> Tensor:
        if index != ELLIPSIS:
            return whole(self.extent(index))
        return whole(math.prod(self.common(names or self.leading)))

    def _spread(self, one: Value, names: Iterable[str]) -> Value:
        order = (ELLIPSIS, *(axis for axis in one.order if axis != ELLIPSIS))
        data = one.in_order(order)
        behind = data.shape[data.ndim - len(order) + 1 :]
        return Value(data.expand((*self.common(names), *behind)), order)


def _constant(op: str, payload: object) -> Tensor:
    if op in ("true", "false"):
        return torch.tensor(op == "true")
    if isinstance(payload, Fraction):
        return whole(payload.numerator / payload.denominator)
    return whole(float(getattr(mpmath, CONSTANTS[str(payload)])))


def _by_mpmath(node: Node, operands: list[Tensor]) -> Tensor:
    """What PyTorch has no function for, element by element and without a derivative."""
    arrays = np.broadcast_arrays(*(one.detach().numpy() for one in operands))
    leaves = [Node(INPUT, (), str(place)) for place in range(len(operands))]
    nodes = [*leaves, node]
    found = [
        evaluate(nodes, (len(leaves),), {str(k): mpmath.mpf(float(v)) for k, v in enumerate(row)})
        for row in zip(*(one.ravel() for one in arrays), strict=True)
    ]
    flat = [float(mpmath.re(value)) for (value,) in found]
    return whole(flat).reshape(arrays[0].shape)
