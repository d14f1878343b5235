"""Tensors whose axes have names, for the reference alone.

In: values, and the axes that an operation wants. Out: plain tensors that broadcast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from gen.graph.indices import ELLIPSIS, Index
from gen.verify.along import matrix

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import Tensor


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


def united(operands: Iterable[Value]) -> tuple[Index, ...]:
    """The axes that operands have together."""
    found = {axis for one in operands for axis in one.order}
    return (*((ELLIPSIS,) if ELLIPSIS in found else ()), *sorted(found - {ELLIPSIS}))


def of_matrices(op: str, operands: list[Value], rows: Index, columns: Index) -> Value:
    """An operation on matrices with these rows and columns."""
    before = tuple(axis for axis in united(operands) if axis not in (rows, columns))
    if op != "solve":
        data = matrix(op, operands[0].in_order((*before, rows, columns)))
        return Value(data, (*before, columns, rows) if op == "inv" else before)
    a = operands[0].in_order((*before, rows, columns))
    b = operands[1].in_order((*before, rows))
    b = b.expand(*b.shape[:-1], a.shape[-1]).unsqueeze(-1)
    leading = np.broadcast_shapes(tuple(a.shape[:-2]), tuple(b.shape[:-2]))
    found = torch.linalg.solve(a.expand(*leading, *a.shape[-2:]), b.expand(*leading, *b.shape[-2:]))
    return Value(found.squeeze(-1), (*before, columns))
