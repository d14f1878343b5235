"""Functions that take axes away, or relate the elements along them to each other.

In: views and options. Out: a view. An axis that a value is the same along counts as often
as it is long, without the value's being repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from gen.errors import GenError
from gen.frontend.array_function import ArrayFunction
from gen.graph.algebra import Term, call, number
from gen.graph.indices import ELLIPSIS, Indices
from gen.graph.products import power
from gen.graph.tensors import indices, reduced, size, sum_over

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gen.frontend.array_function import Literal, Options
    from gen.frontend.views import Order, Space, View

# How many values indices take together.
Count: TypeAlias = Callable[[Indices], Term]


def _axis(options: Options, default: int | None = None) -> int | tuple[int, ...] | None:
    given = options.get("axis", default)
    assert given is None or isinstance(given, int | tuple)
    return given


def reduction(reduce: Callable[[Term, Indices, Count], Term]) -> ArrayFunction:
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


def extremum(op: str) -> Callable[[Term, Indices, Count], Term]:
    """An operation over indices that the term has; over others it is the term itself."""

    def reduce(term: Term, over: Indices, count: Count) -> Term:
        return reduced(op, term, over & indices(term))

    return reduce


def total(term: Term, over: Indices, count: Count) -> Term:
    present = over & indices(term)
    return sum_over(term, present) * count(over - present)


def mean(term: Term, over: Indices, count: Count) -> Term:
    return total(term, over, count) / count(over)


def product(term: Term, over: Indices, count: Count) -> Term:
    present = over & indices(term)
    return power(reduced("prod", term, present), count(over - present))


def logsumexp(term: Term, over: Indices, count: Count) -> Term:
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


def variance(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    """The mean square deviation, its divisor less by ddof (0, as in numpy)."""
    one = _deviation(space, name, views[0], options)
    value = total(one.term**2, one.over, one.size) / one.divisor
    return views[0].placed(value, one.order)


def deviation(space: Space, name: str, views: Sequence[View], options: Options) -> View:
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
    return _Deviation(term - mean(term, over, count), over, count, divisor, order)


def norm(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    """The norm of vectors: Euclidean, or of order 1 or infinity."""
    order = options.get("ord")
    kinds: dict[Literal, Callable[[Term, Indices, Count], Term]] = {
        None: _euclidean,
        2: _euclidean,
        1: lambda term, over, count: total(call("abs", term), over, count),
        "inf": lambda term, over, count: extremum("amax")(call("abs", term), over, count),
    }
    if order not in kinds:
        raise GenError(f"{name} has the orders 1, 2 and 'inf', given {order!r}")
    return reduction(kinds[order]).build(space, name, views, options)


def _euclidean(term: Term, over: Indices, count: Count) -> Term:
    present = over & indices(term)
    whole = reduced("norm", term, present) if present else call("abs", term)
    absent = over - present
    return whole * call("sqrt", count(absent)) if absent else whole


def normalisation(
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


def cosine_similarity(space: Space, name: str, views: Sequence[View], options: Options) -> View:
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
