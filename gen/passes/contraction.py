"""In which order a product of several factors is summed, and how a pair is written.

In: the axes of the factors, the indices that are summed. Out: the pair to contract first;
the equation of an einsum.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from gen.graph.indices import ELLIPSIS, Index, Indices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.passes.axes import Order


def cheapest_pair(factors: Sequence[Indices], over: Indices) -> tuple[int, int]:
    """The two factors that run over the fewest indices together, then leave the fewest."""

    def cost(pair: tuple[int, int]) -> tuple[int, int]:
        a, b = pair
        whole = factors[a] | factors[b]
        return len(whole), len(whole - summed(factors, pair, over))

    return min(combinations(range(len(factors)), 2), key=cost)


def summed(factors: Sequence[Indices], pair: tuple[int, int], over: Indices) -> Indices:
    """The indices that can be summed once a pair is multiplied, as no other has them."""
    rest = (one for place, one in enumerate(factors) if place not in pair)
    return over - frozenset().union(*rest)


def is_plain(a: Indices, b: Indices) -> bool:
    """Whether multiplying out costs no memory, as in sum(x*y, axis=-1)."""
    return a == b and not (len(a) == 1 and ELLIPSIS not in a)


def equation(operands: Sequence[Order], result: Order) -> str:
    """The einsum that multiplies operands and sums what the result lacks."""
    letters: dict[Index, str] = {}
    parts = [_named(order, letters) for order in (*operands, result)]
    return f"{','.join(parts[:-1])}->{parts[-1]}"


def _named(order: Order, letters: dict[Index, str]) -> str:
    return "".join(_letter(axis, letters) for axis in order if axis is not None)


def _letter(axis: Index, letters: dict[Index, str]) -> str:
    """A letter for an index: that of its size where it is free."""
    if axis == ELLIPSIS:
        return "..."
    if axis not in letters:
        own = axis.size[0].lower() if axis.size[0].isalpha() else "i"
        alphabet = [own, *"ijklmnopqrstuvwxyzabcdefgh"]
        letters[axis] = next(one for one in alphabet if one not in letters.values())
    return letters[axis]
