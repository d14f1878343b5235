"""Terms over indices: sums, other reductions, renamings and matrices.

In: terms and the indices that an operation is about. Out: a `Term`, simplified locally as
it is built: factors that a sum does not concern stand before it, so that a product of
matrices is a chain of sums over one index each; an identity matrix inside a sum renames.
The pullbacks of all tensor operations are here too, each written once over indices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from gen.graph.algebra import Term, call, number
from gen.graph.conditions import compare, select
from gen.graph.graph import DELTA, SIZE, Builder, Node
from gen.graph.indices import (
    TENSOR_OPERATIONS,
    Index,
    Indices,
    Renaming,
    fresh,
    ordered,
    renaming,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def indices(a: Term) -> Indices:
    """The indices of a term's value."""
    return a.builder.indices[a.id]


def payload_indices(a: Term) -> tuple[Index, ...]:
    """The indices that a tensor operation is about."""
    return indices_about(a.builder.nodes[a.id])


def indices_about(node: Node) -> tuple[Index, ...]:
    """The indices that a node of a tensor operation is about."""
    assert node.op in TENSOR_OPERATIONS
    return cast("tuple[Index, ...]", node.payload)


def _node(op: str, args: tuple[Term, ...], payload: tuple[object, ...]) -> Term:
    builder = args[0].builder
    return Term(builder, builder.node(op, tuple(arg.id for arg in args), payload))


def size(builder: Builder, index: Index, inputs: Iterable[str] = ()) -> Term:
    """How many values an index takes.

    Args:
        builder: the graph.
        index: the index.
        inputs: for leading dimensions the inputs that they come from; none: all alike.
    """
    if index.size.isdigit():
        return number(builder, int(index.size))
    return Term(builder, builder.node(SIZE, (), (Index(index.size), *sorted(inputs))))


def delta(builder: Builder, i: Index, j: Index) -> Term:
    """1 where two indices are equal, 0 elsewhere: the identity matrix."""
    return Term(builder, builder.node(DELTA, (), ordered((i, j))))


def sum_over(a: Term, over: Iterable[Index]) -> Term:
    """The sum over indices; over one that the term lacks, a multiple of it."""
    wanted = frozenset(over)
    absent = wanted - indices(a)
    for index in ordered(absent):
        a = a * size(a.builder, index)
    present = wanted - absent
    return _summed(a, present) if present else a


def _summed(a: Term, over: Indices) -> Term:
    if a.op == "neg":
        return -_summed(a.args[0], over)
    if a.op == "sum":
        return _summed(a.args[0], over | frozenset(payload_indices(a)))
    if a.op == "rename":
        names = {new: old for old, new in _pairs(a)}
        kept = {old: new for old, new in _pairs(a) if new not in over}
        return rename(_summed(a.args[0], frozenset(names.get(one, one) for one in over)), kept)
    if a.op == "mul":
        u, v = a.args
        return _sum_of_product(u, v, over)
    if a.op == "div" and not over & indices(a.args[1]):
        return _summed(a.args[0], over) / a.args[1]
    if a.op == DELTA:
        rest = over if len(over) == 1 else frozenset(ordered(over)[1:])
        return sum_over(number(a.builder, 1), over - rest)
    return _node("sum", (a,), ordered(over))


def _sum_of_product(a: Term, b: Term, over: Indices) -> Term:
    only_a, only_b = over - indices(b), over - indices(a)
    if only_a or only_b:
        # Each sum stands around the factors that it concerns, no others.
        inner_a = _summed(a, only_a) if only_a else a
        inner_b = _summed(b, only_b) if only_b else b
        return sum_over(inner_a * inner_b, over - only_a - only_b)
    for one, other in ((a, b), (b, a)):
        found = _identified(one, other, over)
        if found is not None:
            return found
    return _node("sum", (a * b,), ordered(over))


def _identified(identity: Term, other: Term, over: Indices) -> Term | None:
    """The sum over j of delta(i, j) * f(j) is f(i), where f has no i of its own."""
    if identity.op != DELTA:
        return None
    for i, j in (payload_indices(identity), payload_indices(identity)[::-1]):
        if j in over and j in indices(other) and i not in indices(other):
            return sum_over(rename(other, {j: i}), over - {j})
    return None


def rename(a: Term, names: Mapping[Index, Index]) -> Term:
    """The same value with other names for its indices, all renamed at once."""
    pairs = renaming((old, new) for old, new in names.items() if old in indices(a))
    if not pairs:
        return a
    if a.op == "rename":
        inner = dict(_pairs(a))
        mapping = dict(pairs)
        whole = {old: mapping.get(new, new) for old, new in inner.items()}
        whole |= {old: new for old, new in pairs if old not in inner.values()}
        return rename(a.args[0], whole)
    if a.op == DELTA:
        i, j = (dict(pairs).get(one, one) for one in payload_indices(a))
        return delta(a.builder, i, j)
    if a.op in ("neg", "mul") and (a.op == "neg" or a.args[0].is_constant):
        *scale, rest = a.args
        moved = rename(rest, names)
        return scale[0] * moved if scale else -moved
    return _node("rename", (a,), pairs)


def _pairs(a: Term) -> Renaming:
    return renaming_of(a.builder.nodes[a.id])


def renaming_of(node: Node) -> Renaming:
    """The old and new names of a renaming."""
    assert node.op == "rename"
    return cast("Renaming", node.payload)


def reduced(op: str, a: Term, over: Iterable[Index]) -> Term:
    """A reduction or normalisation over indices, each of which the term is given."""
    wanted = ordered(over)
    assert indices(a).issuperset(wanted)
    return _node(op, (a,), wanted) if wanted else a


def spread(a: Term, inputs: Iterable[str]) -> Term:
    """A term in the leading dimensions that these inputs have together."""
    return _node("spread", (a,), tuple(sorted(inputs)))


def gather(a: Term, inputs: Iterable[str]) -> Term:
    """A term summed to the leading dimensions that these inputs have together."""
    return _node("gather", (a,), tuple(sorted(inputs)))


def names_of(node: Node) -> tuple[str, ...]:
    """The inputs to whose leading dimensions a node is spread or gathered."""
    assert node.op in ("spread", "gather")
    return cast("tuple[str, ...]", node.payload)


def size_of(node: Node) -> tuple[Index, tuple[str, ...]]:
    """The index that a node is the size of, and for leading ones their inputs."""
    assert node.op == SIZE
    index, *inputs = cast("tuple[Index, str]", node.payload)
    return index, tuple(inputs)


def matrix(op: str, i: Index, j: Index, *args: Term) -> Term:
    """An operation on a matrix with rows i and columns j.

    The inverse has rows j and columns i, the cofactors have those of the matrix; solving
    A x = b turns the i of b into a j.
    """
    return _node(op, args, (i, j))


# ---- pullbacks: given the cotangent g, the operands and the output y


def sum_pullback(g: Term, a: Term, y: Term) -> tuple[Term]:
    return (g,)


def rename_pullback(g: Term, a: Term, y: Term) -> tuple[Term]:
    return (rename(g, {new: old for old, new in _pairs(y)}),)


def extremum_pullback(g: Term, a: Term, y: Term) -> tuple[Term]:
    """Equal shares for all elements that attain the extremum, as torch's amax."""
    attained = select(compare("eq", a, y), a.like(1), a.like(0))
    share = g / sum_over(attained, payload_indices(y))
    return (select(compare("eq", a, y), share, a.like(0)),)


def prod_pullback(g: Term, a: Term, y: Term) -> tuple[Term]:
    """The product of all other elements: y / a would be 0/0 where one is 0."""
    return (g * reduced("prod_others", a, payload_indices(y)),)


def logsumexp_pullback(g: Term, a: Term, y: Term) -> tuple[Term]:
    return (g * reduced("softmax", a, payload_indices(y)),)


def norm_pullback(g: Term, a: Term, y: Term) -> tuple[Term]:
    """Along a / |a|; 0 at the origin, as torch's vector_norm."""
    zero = compare("eq", y, y.like(0))
    return (g * (a / select(zero, y.like(1), y)),)


def softmax_pullback(g: Term, a: Term, y: Term) -> tuple[Term]:
    return (y * (g - sum_over(g * y, payload_indices(y))),)


def log_softmax_pullback(g: Term, a: Term, y: Term) -> tuple[Term]:
    return (g - call("exp", y) * sum_over(g, payload_indices(y)),)


def inv_pullback(g: Term, a: Term, y: Term) -> tuple[Term]:
    """d(B) = -B dA B for the inverse B: with rows j and columns i, -B.T @ g @ B.T."""
    i, j = payload_indices(y)
    k = fresh(j, indices(y) | indices(g))
    m = fresh(j, indices(y) | indices(g) | {k})
    inner = sum_over(rename(y, {j: k}) * rename(g, {j: k, i: m}), {k})
    return (-sum_over(inner * rename(y, {i: m}), {m}),)


def det_pullback(g: Term, a: Term, y: Term) -> tuple[Term]:
    """d(det) = tr(C.T dA) for the cofactors C, which singular matrices have too."""
    i, j = payload_indices(y)
    return (g * matrix("cofactor", i, j, a),)


def logdet_pullback(g: Term, a: Term, y: Term) -> tuple[Term]:
    i, j = payload_indices(y)
    return (g * matrix("inv", i, j, a),)


def solve_pullback(g: Term, a: Term, b: Term, y: Term) -> tuple[Term, Term]:
    """Dx = inv(A) (db - dA x): w = inv(A.T) g for b, and -w x.T for A."""
    i, j = payload_indices(y)
    w = matrix("solve", j, i, a, g)
    return -(w * y), w
