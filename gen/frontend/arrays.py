"""Functions of whole arrays that expressions may call: sums, norms, matrices, einsum.

In: views and literal options such as axis=-1. Out: a view, or a `GenError` that names the
function and the shape it was given. Names and defaults are numpy's; PyTorch's `dim`,
`keepdim` and `correction` are understood too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from gen.errors import GenError
from gen.frontend.einsum import einsum
from gen.frontend.views import MisfitError, Space, View, show
from gen.graph.algebra import Term, call, number
from gen.graph.indices import ELLIPSIS, Index, Indices, fresh
from gen.graph.products import power
from gen.graph.tensors import indices, matrix, reduced, rename, size, sum_over

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gen.frontend.views import Order

# A literal option: an axis or several, a switch, a number, the text of an einsum.
Literal: TypeAlias = "int | float | bool | str | tuple[int, ...] | None"
Options: TypeAlias = Mapping[str, Literal]

# How many values indices take together.
Count: TypeAlias = Callable[[Indices], Term]

# Other names of an option, and what it stands for.
SYNONYMS = {"dim": "axis", "keepdim": "keepdims", "correction": "ddof"}


@dataclass(frozen=True, slots=True)
class ArrayFunction:
    """One function: how many arrays it takes, which options, and what it makes of them."""

    arrays: int
    options: tuple[str, ...]  # in the order of positional ones
    build: Callable[[Space, str, Sequence[View], Options], View]


def _axis(options: Options, default: int | None = None) -> int | tuple[int, ...] | None:
    given = options.get("axis", default)
    assert given is None or isinstance(given, int | tuple)
    return given


def _reduction(reduce: Callable[[Term, Indices, Count], Term]) -> ArrayFunction:
    """A function that takes away the axes that it is told, or all."""

    def build(space: Space, name: str, views: Sequence[View], options: Options) -> View:
        (view,) = views
        places = space.axes(view, _axis(options), name)
        over = _indices(view, places)
        order = space.without(view, places, bool(options.get("keepdims")), name)
        value = reduce(_operand(space, view, over), over, _count(space, view))
        return view.placed(value, order)

    return ArrayFunction(1, ("axis", "keepdims"), build)


def _indices(view: View, places: Iterable[int]) -> Indices:
    """The indices at some places of a view."""
    return frozenset(a for i in places if (a := view.order[i]) is not None)


def _operand(space: Space, view: View, over: Indices) -> Term:
    """The term of a view that is reduced over indices, those that it lacks left to a `Count`."""
    return space.whole(view) if ELLIPSIS in over & indices(view.term) else view.term


def _count(space: Space, view: View) -> Count:
    """How many values indices of a view take together."""

    def count(over: Indices) -> Term:
        found = number(space.builder, 1)
        for index in sorted(over):
            inputs = space.inputs(view) if index == ELLIPSIS else ()
            found = found * size(space.builder, index, inputs)
        return found

    return count


def _over(op: str) -> Callable[[Term, Indices, Count], Term]:
    """An operation over indices that the term has; over others it is the term itself."""

    def reduce(term: Term, over: Indices, count: Count) -> Term:
        return reduced(op, term, over & indices(term))

    return reduce


def _sum(term: Term, over: Indices, count: Count) -> Term:
    present = over & indices(term)
    return sum_over(term, present) * count(over - present)


def _mean(term: Term, over: Indices, count: Count) -> Term:
    return _sum(term, over, count) / count(over)


def _prod(term: Term, over: Indices, count: Count) -> Term:
    present = over & indices(term)
    return power(reduced("prod", term, present), count(over - present))


def _logsumexp(term: Term, over: Indices, count: Count) -> Term:
    present = over & indices(term)
    absent = over - present
    whole = reduced("logsumexp", term, present)
    return whole + call("log", count(absent)) if absent else whole


class _Deviation(NamedTuple):
    """How far elements are from their mean, and what a variance divides by."""

    term: Term
    over: Indices
    size: Count  # the number of elements along axes
    divisor: Term
    order: Order  # of what is left without the axes


def _var(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    """The mean square deviation, its divisor less by ddof (0, as in numpy)."""
    one = _deviation(space, name, views[0], options)
    value = _sum(one.term**2, one.over, one.size) / one.divisor
    return views[0].placed(value, one.order)


def _std(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    """The root of the variance, by a norm: where all elements are equal it has a gradient."""
    one = _deviation(space, name, views[0], options)
    value = _euclidean(one.term, one.over, one.size) / call("sqrt", one.divisor)
    return views[0].placed(value, one.order)


def _deviation(space: Space, name: str, view: View, options: Options) -> _Deviation:
    places = space.axes(view, _axis(options), name)
    over, count = _indices(view, places), _count(space, view)
    less = options.get("ddof", 0)
    if not isinstance(less, int):
        raise GenError(f"{name}: ddof is a whole number, given {less!r}")
    term = _operand(space, view, over)
    divisor = count(over) - less if less else count(over)
    order = space.without(view, places, bool(options.get("keepdims")), name)
    return _Deviation(term - _mean(term, over, count), over, count, divisor, order)


def _norm(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    """The norm of vectors: Euclidean, or of order 1 or infinity."""
    order = options.get("ord")
    kinds: dict[Literal, Callable[[Term, Indices, Count], Term]] = {
        None: _euclidean,
        2: _euclidean,
        1: lambda term, over, count: _sum(call("abs", term), over, count),
        "inf": lambda term, over, count: _over("amax")(call("abs", term), over, count),
    }
    if order not in kinds:
        raise GenError(f"{name} has the orders 1, 2 and 'inf', given {order!r}")
    return _reduction(kinds[order]).build(space, name, views, options)


def _euclidean(term: Term, over: Indices, count: Count) -> Term:
    present = over & indices(term)
    whole = reduced("norm", term, present) if present else call("abs", term)
    absent = over - present
    return whole * call("sqrt", count(absent)) if absent else whole


def _normalisation(
    op: str, zero: Callable[[Term], Term], alike: Callable[[Term, Term], Term]
) -> ArrayFunction:
    """A function that relates the elements along its axes to each other; -1 by default.

    Args:
        op: the operation.
        zero: its value over no axis at all.
        alike: its value over so many more values, all of which are the same.
    """

    def build(space: Space, name: str, views: Sequence[View], options: Options) -> View:
        (view,) = views
        places = space.axes(view, _axis(options, -1), name)
        over = _indices(view, places)
        present = over & indices(view.term)
        whole = reduced(op, view.term, present) if present else zero(view.term)
        more = _count(space, view)(over - present)
        return view.with_term(alike(whole, more) if over - present else whole)

    return ArrayFunction(1, ("axis",), build)


# ---- products and matrices


def _product(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    a, b = views
    return space.product(a, b, name)


def _dot(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    """The inner product of two vectors; of matrices, their product, as in numpy."""
    for view in views:
        if view.leads or len(view.order) not in (1, 2):
            space.needs(name, [view])
    a, b = views
    return space.product(a, b, name)


def _outer(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    a, b = views
    if any(view.leads or len(view.order) != 1 for view in views):
        space.needs(f"{name} of two vectors", views)
    (u, v), order = space.aligned([a.placed(a.term, (*a.order, None)), b], name)
    return a.placed(u * v, order, b)


def _square(space: Space, name: str, view: View) -> tuple[Order, Index, Index]:
    """The axes of a stack of square matrices: those before, rows and columns."""
    if len(view.tail) < 2:
        space.needs(name, [view])
    *before, i, j = view.order
    if i is None or j is None or i.size != j.size:
        raise GenError(f"{name} needs square matrices, given the shape {show(view.order)}")
    return tuple(before), i, j


def _matrices(space: Space, name: str, view: View) -> tuple[Order, Index, Index]:
    """The same, where each axis has its own values: the matrices may be invertible."""
    before, i, j = _square(space, name, view)
    if not {i, j} <= indices(view.term):
        raise GenError(f"{name}: the matrix is the same along an axis, and singular")
    return before, i, j


def _trace(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    (view,) = views
    before, i, j = _square(space, name, view)
    return view.placed(sum_over(space.diagonal(view.term, i, j), {i}), before)


def _determinant(op: str) -> ArrayFunction:
    def build(space: Space, name: str, views: Sequence[View], options: Options) -> View:
        (view,) = views
        before, i, j = _matrices(space, name, view)
        return view.placed(matrix(op, i, j, view.term), before)

    return ArrayFunction(1, (), build)


def _inverse(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    (view,) = views
    before, i, j = _matrices(space, name, view)
    return view.placed(matrix("inv", i, j, view.term), (*before, j, i))


def _solve(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    """The x of a @ x = b, for one right-hand side or a matrix of them."""
    a, b = views
    before, i, j = _matrices(space, name, a)
    if not b.tail:
        space.needs(name, [b])
    b = _apart(b, indices(a.term))
    rows = b.order[-1] if len(b.tail) == 1 else b.order[-2]
    if rows is None or rows.size != i.size:
        raise MisfitError([a.order, b.order], name)
    # The columns of b are nothing to a: with an axis of size 1 in their place, a's rows
    # and what is before them meet those of b.
    columns = b.order[-1:] if len(b.tail) > 1 else ()
    left = a.placed(a.term, (*before, i, *(None for _ in columns)))
    (_, right), order = space.aligned([left, b], name)
    if order[len(order) - len(columns) - 1] != i:
        raise GenError(f"{name}: the batches of {show(a.order)} and {show(b.order)} do not fit")
    solution = matrix("solve", i, j, a.term, right)
    at = len(order) - len(columns) - 1
    return a.placed(solution, (*order[:at], j, *order[at + 1 :]), b)


def _apart(view: View, taken: Indices) -> View:
    """The view with other names for these indices, which mean something else to it."""
    names: dict[Index, Index] = {}
    used = taken | indices(view.term) | {axis for axis in view.order if axis}
    for axis in view.order:
        if axis in taken and axis is not None and axis != ELLIPSIS:
            names[axis] = fresh(axis, {*used, *names.values()})
    order = tuple(axis and names.get(axis, axis) for axis in view.order)
    return view.placed(rename(view.term, names), order)


def _transpose(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    (view,) = views
    return transposed(view)


def transposed(view: View) -> View:
    """The view with its axes in reverse, `.T`."""
    if view.leads:
        given = "any shape" if view.is_free else show(view.order)
        raise GenError(
            f".T needs an operand of declared dimensions, given {given}; declare them, as in "
            "--shape x=N,I, or swap the last two with .mT"
        )
    return view.placed(view.term, view.order[::-1])


def swapped(view: View) -> View:
    """The view with its last two axes swapped, `.mT`."""
    if len(view.tail) < 2:
        raise GenError(f".mT needs two declared dimensions, given {show(view.order)}")
    *before, i, j = view.order
    return view.placed(view.term, (*before, j, i))


def _einsum(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    return einsum(space, str(options["equation"]), views)


def _cosine(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    """x.y / (|x| |y|) along an axis, the last by default."""
    terms, both = space.united(views, name)
    (place, *more) = space.axes(both, _axis(options, -1), name)
    axis = both.order[place]
    if more or axis is None:
        raise GenError(f"{name} takes one axis, given {options.get('axis')!r}")
    x, y = terms
    count = _count(space, both)
    norms = [_euclidean(term, frozenset({axis}), count) for term in terms]
    value = sum_over(x * y, {axis}) / (norms[0] * norms[1])
    return both.placed(value, space.without(both, (place,), False, name))


MANY = 1_000

_SUM = _reduction(_sum)
_MAX, _MIN = _reduction(_over("amax")), _reduction(_over("amin"))

# By spelling. Those of one argument that FUNCTIONS has too mean the reduction only where
# there is an axis, or nothing to compare with.
ARRAY_FUNCTIONS: dict[str, ArrayFunction] = {
    "sum": _SUM,
    "mean": _reduction(_mean),
    "prod": _reduction(_prod),
    "amax": _MAX,
    "amin": _MIN,
    "max": _MAX,
    "min": _MIN,
    "var": ArrayFunction(1, ("axis", "keepdims", "ddof"), _var),
    "std": ArrayFunction(1, ("axis", "keepdims", "ddof"), _std),
    "norm": ArrayFunction(1, ("ord", "axis", "keepdims"), _norm),
    "logsumexp": _reduction(_logsumexp),
    "softmax": _normalisation(
        "softmax", lambda term: term.like(1), lambda whole, more: whole / more
    ),
    "log_softmax": _normalisation(
        "log_softmax",
        lambda term: term.like(0),
        lambda whole, more: whole - call("log", more),
    ),
    "matmul": ArrayFunction(2, (), _product),
    "dot": ArrayFunction(2, (), _dot),
    "outer": ArrayFunction(2, (), _outer),
    "trace": ArrayFunction(1, (), _trace),
    "det": _determinant("det"),
    "logdet": _determinant("logdet"),
    "inv": ArrayFunction(1, (), _inverse),
    "solve": ArrayFunction(2, (), _solve),
    "transpose": ArrayFunction(1, (), _transpose),
    "einsum": ArrayFunction(MANY, (), _einsum),
    "cosine_similarity": ArrayFunction(2, ("axis",), _cosine),
}
