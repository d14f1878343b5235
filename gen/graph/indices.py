"""Named indices: what tells the dimensions of a tensor apart.

In: an operation, its payload, the indices of its operands. Out: the indices of its value.
A value of the graph is a function of its indices, as in A[i, j]; in which order they are
laid out in memory is settled when code is written. Elementwise operations pair equal
indices and broadcast over the others, so that the adjoint of an operation is summed over
the indices that its operand lacks, and the adjoint of a sum is a broadcast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Index(NamedTuple):
    """One dimension of a value."""

    size: str  # the dimension as declared: a letter or a number
    number: int = 0  # tells indices of the same size apart, as the two of a square matrix

    def __str__(self) -> str:
        return f"{self.size}{self.number}" if self.number else self.size


# All leading dimensions together, however many a value has of them.
ELLIPSIS = Index("...")

Indices: TypeAlias = frozenset[Index]
Renaming: TypeAlias = tuple[tuple[Index, Index], ...]

NONE: Indices = frozenset()
LEADING: Indices = frozenset({ELLIPSIS})

# Operations that remove the indices of their payload, or keep all of them.
REDUCTIONS = frozenset({"sum", "amax", "amin", "prod", "logsumexp", "norm"})
NORMALISATIONS = frozenset({"softmax", "log_softmax", "prod_others"})
MATRICES = frozenset({"inv", "det", "cofactor", "logdet", "solve"})

# Operations that tell indices apart: everything else is elementwise.
TENSOR_OPERATIONS = (
    REDUCTIONS | NORMALISATIONS | MATRICES | {"rename", "delta", "size", "spread", "gather"}
)


def ordered(indices: Iterable[Index]) -> tuple[Index, ...]:
    """The indices in an order that depends on nothing but themselves."""
    return tuple(sorted(indices))


def renaming(pairs: Iterable[tuple[Index, Index]]) -> Renaming:
    """A simultaneous renaming, without what stays as it is."""
    return tuple(sorted((old, new) for old, new in pairs if old != new))


def fresh(like: Index, taken: Iterable[Index]) -> Index:
    """An index of the same size that is not among `taken`."""
    used = {one.number for one in taken if one.size == like.size}
    return Index(like.size, next(n for n in range(len(used) + 1) if n not in used))


def indices_of(op: str, payload: object, operands: Sequence[Indices]) -> Indices:
    """The indices of the value of a tensor operation."""
    assert isinstance(payload, tuple)
    match op:
        case "delta":
            return frozenset(payload)
        case "size":
            return NONE
        case "rename":
            names = dict(payload)
            return frozenset(names.get(one, one) for one in operands[0])
        case "solve":
            row, column = payload
            return (operands[0] - {row}) | (operands[1] - {row}) | {column}
        case "inv" | "cofactor" | "gather":
            return operands[0]
        case "spread":
            return operands[0] | LEADING
    return operands[0] if op in NORMALISATIONS else operands[0] - frozenset(payload)
