"""Orders of axes: one for all, and the steps from one to another.

In: orders of axes, None for an axis of size 1. Out: a place for each index; the views
that bring an array from one order to another; whether two arrays multiply as matrices.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from gen.graph.indices import ELLIPSIS, Index, Indices

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen.model import Axis

Order: TypeAlias = "tuple[Axis, ...]"


def arranged(orders: Iterable[Order]) -> dict[Index, int]:
    """A place for each index such that as many orders as possible are kept.

    The first orders count most: what contradicts them is left out.
    """
    after: dict[Index, set[Index]] = {}
    seen: list[Index] = []
    for order in orders:
        axes = [axis for axis in order if axis is not None]
        for axis in axes:
            if axis not in after:
                after[axis] = set()
                seen.append(axis)
        for left, right in pairwise(axes):
            if left not in _reached(right, after):
                after[left].add(right)
    return {axis: place for place, axis in enumerate(_sorted(seen, after))}


def _reached(start: Index, after: dict[Index, set[Index]]) -> set[Index]:
    found: set[Index] = set()
    pending = [start]
    while pending:
        one = pending.pop()
        if one not in found:
            found.add(one)
            pending.extend(after[one])
    return found


def _sorted(seen: list[Index], after: dict[Index, set[Index]]) -> Iterator[Index]:
    """Topological, what was seen first before the rest."""
    before = {axis: sum(axis in rest for rest in after.values()) for axis in seen}
    waiting = list(seen)
    while waiting:
        axis = next(one for one in waiting if before[one] == 0)
        waiting.remove(axis)
        for one in after[axis]:
            before[one] -= 1
        yield axis


def pattern(have: Order, target: Order) -> Order:
    """The axes that an array needs to broadcast to `target`, without leading ones of size 1."""
    wanted = [axis if axis in have and axis is not None else None for axis in target]
    while wanted and wanted[0] is None:
        wanted.pop(0)
    return tuple(wanted)


def broadcasts(have: Order, target: Order) -> bool:
    """Whether an array of these axes, of which some may be missing, broadcasts as it is."""
    if len(have) > len(target):
        return False
    pairs = zip(have, target[len(target) - len(have) :], strict=True)
    return all(mine is None or mine == axis for mine, axis in pairs)


def moved(have: Order, want: Order) -> list[tuple[str, str]]:
    """The operations, each with its payload, from one order of the same indices to another."""
    steps: list[tuple[str, str]] = []
    plain = tuple(axis for axis in have if axis is not None)
    goal = tuple(axis for axis in want if axis is not None)
    if plain != goal:
        if plain != have:
            steps.append(("view", _index(have, plain)))
        steps.append(_permuted(plain, goal))
        have = goal
    if have != want:
        steps.append(("view", _index(have, want)))
    return steps


def _permuted(have: tuple[Index, ...], want: tuple[Index, ...]) -> tuple[str, str]:
    if len(have) == 2 and ELLIPSIS not in have:
        return ("view", ".T")
    if have[:-2] == want[:-2] and have[-1] == want[-2] and ELLIPSIS not in have[-2:]:
        return ("view", ".mT")
    letters = {axis: "..." if axis == ELLIPSIS else chr(97 + i) for i, axis in enumerate(have)}
    left, right = ("".join(letters[axis] for axis in order) for order in (have, want))
    return ("einsum", f"{left}->{right}")


def _index(have: Order, want: Order) -> str:
    """The subscript that adds and drops axes of size 1."""
    items: list[str] = []
    rest, goal = list(have), list(want)
    while rest or goal:
        if goal and goal[0] is None and not (rest and rest[0] is None):
            items.append("None")
            goal.pop(0)
        elif rest and rest[0] is None and not (goal and goal[0] is None):
            items.append("0")
            rest.pop(0)
        else:
            items.append("..." if rest[0] == ELLIPSIS else ":")
            rest.pop(0)
            goal.pop(0)
    return f"[{', '.join(_shortened(items))}]"


def _shortened(items: list[str]) -> list[str]:
    """The same subscript without what goes without saying."""
    if "..." not in items:
        while items and items[-1] == ":":
            items.pop()
        return items
    while len(items) > 1 and items[1] == ":":
        items.pop(1)
    return items


@dataclass(frozen=True, slots=True)
class MatrixProduct:
    """How two arrays are multiplied as matrices."""

    flips: tuple[bool, bool]  # which of them is transposed
    swapped: bool  # whether the second comes first


def matrix_product(
    a: tuple[Index, ...], b: tuple[Index, ...], over: Indices, result: Order
) -> MatrixProduct | None:
    """How to contract two arrays by @, None where einsum is needed."""
    if len(over) != 1 or ELLIPSIS in over:
        return None
    (k,) = over
    for swapped, (left, right) in ((False, (a, b)), (True, (b, a))):
        flips = _flips(left, right, k, result)
        if flips is not None:
            return MatrixProduct(flips[::-1] if swapped else flips, swapped)
    return None


def outer_rows(
    a: tuple[Index, ...], b: tuple[Index, ...], over: Indices, result: Order
) -> MatrixProduct | None:
    """How to sum the outer products of rows over all leading dimensions, None elsewhere."""
    if over != {ELLIPSIS} or len(a) != 2 or len(b) != 2 or ELLIPSIS not in (a[0], b[0]):
        return None
    if a[0] != b[0] or a[1] == b[1]:
        return None
    return MatrixProduct((False, False), result == (b[1], a[1]))


def _flips(left: Order, right: Order, k: Index, result: Order) -> tuple[bool, bool] | None:
    """Whether left and right must be transposed for left @ right to be the result."""
    for flip_left in (False, True):
        for flip_right in (False, True):
            one, other = _flipped(left, flip_left), _flipped(right, flip_right)
            if one and other and _product(one, other, k) == result:
                return flip_left, flip_right
    return None


def _flipped(order: Order, flip: bool) -> Order | None:
    matrix = len(order) - (order[:1] == (ELLIPSIS,)) >= 2
    if not flip:
        return order
    return (*order[:-2], order[-1], order[-2]) if matrix else None


def _product(left: Order, right: Order, k: Index) -> Order | None:
    """The axes of left @ right, None where that is no contraction over k alone."""
    if left[-1] != k or ELLIPSIS in (left[-1], right[-1]):
        return None
    vector = len(right) == 1
    if (right[-1] if vector else right[-2]) != k:
        return None
    if vector:
        return left[:-1]
    rows = left[-2:-1] if len(left) > 1 and left[-2] != ELLIPSIS else ()
    batch, other = left[: len(left) - 1 - len(rows)], right[:-2]
    if rows and rows[0] == right[-1]:
        return None
    if batch and other and batch != other:
        return None
    if not rows and (batch or other):
        # A vector has no axis that a batch could stand before.
        return None if other else (*batch, right[-1])
    return (*(batch or other), *rows, right[-1])
