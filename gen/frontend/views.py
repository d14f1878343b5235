"""Arrays as users see them: a term with its axes in order.

In: views, and what is done to them. Out: views, or a `GenError` that names both shapes
where they do not fit. Users align axes by position, from the right, as numpy and PyTorch
do; the graph knows indices by name. A `Space` stands between the two: it gives axes that
meet the same index.

An undeclared input has leading dimensions alone. Where it meets axes with names, it takes
them over, each of which may be missing in it: the space notes that, and the expression
is read once more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gen.errors import GenError
from gen.graph.algebra import symbol
from gen.graph.indices import ELLIPSIS, Index, fresh
from gen.graph.leading import Leading
from gen.graph.tensors import delta, indices, rename, spread, sum_over

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gen.graph.algebra import Term
    from gen.graph.graph import Builder
    from gen.model import Axis

Order = tuple["Axis", ...]


class View(NamedTuple):
    """A term, and the order of its axes."""

    term: Term
    order: Order = ()
    free: frozenset[str] = frozenset()  # the undeclared inputs that it depends on
    sources: int = 0  # the inputs that it has leading dimensions from, a bit for each

    @property
    def tail(self) -> Order:
        """The axes behind the leading dimensions."""
        return self.order[1:] if self.leads else self.order

    @property
    def leads(self) -> bool:
        """Whether it has leading dimensions."""
        return self.order[:1] == (ELLIPSIS,)

    @property
    def is_free(self) -> bool:
        """Whether its axes are any, since all come from undeclared inputs."""
        return bool(self.free) and self.order == (ELLIPSIS,)

    def with_term(self, term: Term) -> View:
        return View(term, self.order, self.free, self.sources)

    def placed(self, term: Term, order: Order, *beside: View) -> View:
        """A term with axes of its own, made of this view and of those beside it."""
        free, sources = self.free, self.sources
        for view in beside:
            free, sources = free | view.free, sources | view.sources
        return View(term, order, free, sources if ELLIPSIS in order else 0)


def show(order: Order) -> str:
    """A shape as users write it.

    >>> show((ELLIPSIS, Index("N"), None))
    '(..., N, 1)'
    """
    shown = ", ".join("1" if axis is None else axis.size for axis in order)
    return f"({shown},)" if len(order) == 1 and order != (ELLIPSIS,) else f"({shown})"


class MisfitError(GenError):
    """Shapes that cannot meet.

    Args:
        orders: the axes of the operands.
        what: the operation.
    """

    def __init__(self, orders: Iterable[Order], what: str) -> None:
        shapes = list(dict.fromkeys(show(order) for order in orders if order))
        super().__init__(f"shapes {' and '.join(shapes)} do not fit {what}")
        self.what = what


class Undeclared(Exception):  # noqa: N818 -- no fault: the reader declares the axes and goes on
    """An undeclared input has an axis after all.

    Args:
        names: the inputs.
        count: how many axes behind the leading dimensions they need.
    """

    def __init__(self, names: Iterable[str], count: int) -> None:
        super().__init__(f"{sorted(names)} need {count} axes")
        self.names = sorted(names)
        self.count = count


@dataclass(slots=True)
class Space:
    """Where views meet."""

    builder: Builder
    leading: Leading = field(init=False)
    met: dict[str, list[Order]] = field(default_factory=dict)  # by undeclared inputs
    summed: set[str] = field(default_factory=set)  # undeclared inputs reduced by themselves

    def __post_init__(self) -> None:
        self.leading = Leading(self.builder, {})

    # ---- elementwise

    def aligned(self, views: Sequence[View], what: str) -> tuple[list[Term], Order]:
        """The terms of views in common indices, and the order of their axes together."""
        common = _common(views)
        if common is not None:
            return [view.term for view in views], common
        views = self._settled(views)
        rank = max(len(view.tail) for view in views)
        leads = any(view.leads for view in views)
        if leads and rank > _shortest(views):
            self._refuse(views, what)
        order: list[Axis] = []
        for place in range(rank):
            order.append(self._met(views, place, order, what))
        whole = tuple(reversed(order))
        terms = [_renamed(view, whole) for view in views]
        return terms, (ELLIPSIS, *whole) if leads else whole

    def united(self, views: Sequence[View], what: str) -> tuple[list[Term], View]:
        """The same, with a view to take the axes of a result from."""
        terms, order = self.aligned(views, what)
        free, sources = views[0].free, 0
        for view in views:
            sources |= view.sources
            if not view.free <= free:
                free |= view.free
        return terms, View(terms[0], order, free, sources)

    def _settled(self, views: Sequence[View]) -> Sequence[View]:
        """Undeclared inputs take over the axes that they meet."""
        named = [view for view in views if view.order and not view.is_free]
        if not named or not any(view.is_free for view in views):
            return views
        longest = max((view.order for view in named), key=len)
        for view in views:
            if view.is_free:
                for name in view.free:
                    self.met.setdefault(name, []).append(longest)
        return [View(view.term) if view.is_free else view for view in views]

    def _met(self, views: Sequence[View], place: int, taken: list[Axis], what: str) -> Axis:
        """The index of one position, counted from the right."""
        axes = [view.tail[-1 - place] for view in views if len(view.tail) > place]
        found = [axis for axis in axes if axis is not None]
        if not found:
            return None
        if any(axis.size != found[0].size for axis in found):
            self._refuse(views, what)
        free = next((axis for axis in found if axis not in taken), None)
        if free is not None:
            return free
        everything = [one for view in views for one in indices(view.term)]
        return fresh(found[0], [*found, *everything, *(one for one in taken if one is not None)])

    def _refuse(self, views: Sequence[View], what: str) -> None:
        raise MisfitError([view.order for view in views], what)

    # ---- axes

    def axes(self, view: View, axis: int | tuple[int, ...] | None, what: str) -> tuple[int, ...]:
        """The positions, counted from 0, of some axes; of all where None is asked."""
        if axis is None:
            self.summed |= view.free if view.is_free else set()
            return tuple(range(len(view.order)))
        wanted = (axis,) if isinstance(axis, int) else axis
        if view.is_free and all(one < 0 for one in wanted):
            raise Undeclared(view.free, -min(wanted))
        found = [self._axis(view, one, what) for one in wanted]
        if len(set(found)) < len(found):
            raise GenError(f"{what}: an axis is named twice in {wanted}")
        return tuple(sorted(found))

    def _axis(self, view: View, axis: int, what: str) -> int:
        rank = len(view.order)
        if view.leads and (axis >= 0 or -axis > rank - 1):
            raise GenError(
                f"{what}: axis {axis} of the shape {show(view.order)} lies among the leading "
                "dimensions; count from the end, as in axis=-1, or declare them"
            )
        if not -rank <= axis < rank:
            raise GenError(f"{what}: the shape {show(view.order)} has no axis {axis}")
        return axis % rank

    def without(self, view: View, places: Sequence[int], keepdims: bool, what: str) -> Order:
        """The order that is left without some axes; with `keepdims`, those are 1."""
        if keepdims and view.leads and 0 in places:
            raise GenError(
                f"{what}: keepdims needs declared dimensions, the shape is {show(view.order)}"
            )
        if keepdims:
            return tuple(None if i in places else axis for i, axis in enumerate(view.order))
        return tuple(axis for i, axis in enumerate(view.order) if i not in places)

    # ---- products

    def product(self, a: View, b: View, what: str = "@") -> View:
        """The matrix product a @ b, as numpy and PyTorch define it."""
        if not a.tail or not b.tail:
            self.needs(what, [one for one in (a, b) if not one.tail])
        *_, k = a.tail
        inner, outer = (b.tail[-2], b.tail[-1:]) if len(b.tail) > 1 else (b.tail[-1], ())
        if (k and k.size) != (inner and inner.size):
            self._refuse([a, b], what)
        names = {inner: k} if k and inner else {}  # over an axis of size 1 nothing is summed
        columns = tuple(_own(axis, a, b, names) for axis in outer)
        rows = a.order[len(a.order) - min(len(a.tail), 2) : -1]
        batch = self._batch(a, b, names, what)
        term = sum_over(a.term * rename(b.term, names), {k} if k else set())
        return a.placed(term, (*batch, *rows, *columns), b)

    def _batch(self, a: View, b: View, names: dict[Index, Index], what: str) -> Order:
        """The axes before those of the matrices, b's renamed to those of a."""
        left, right = (one.order[: len(one.order) - min(len(one.tail), 2)] for one in (a, b))
        found: list[Axis] = []
        for place in range(1, max(len(left), len(right)) + 1):
            mine = left[-place] if place <= len(left) else None
            theirs = right[-place] if place <= len(right) else None
            if theirs is not None and mine is None:
                mine = _own(theirs, a, b, names)
            elif theirs is not None and mine is not None and theirs.size != mine.size:
                self._refuse([View(b.term, left), View(b.term, right)], what)
            elif theirs is not None and mine is not None:
                names[theirs] = mine
            found.append(mine)
        return tuple(reversed(found))

    # ---- leading dimensions

    def given(self, name: str, order: Order, free: bool) -> View:
        """An input."""
        term = symbol(self.builder, name)
        known = frozenset({name} if free else ())
        return View(term, order, known, self.leading.sources(term.id))

    def whole(self, view: View) -> Term:
        """The term in all leading dimensions that it has as written: x + 0*y is x, but longer."""
        if self.leading.sources(view.term.id) == view.sources:
            return view.term
        return spread(view.term, self.inputs(view))

    def inputs(self, view: View) -> tuple[str, ...]:
        """The inputs that a view has its leading dimensions from, as written."""
        return tuple(sorted(self.leading.names(view.sources)))

    def needs(self, what: str, views: Sequence[View]) -> None:
        """Refuse operands whose dimensions would have to be declared."""
        given = " and ".join("any shape" if one.is_free else show(one.order) for one in views)
        raise GenError(
            f"{what} needs operands of declared dimensions, given {given}; "
            "declare them, as in --shape x=N,I --shape w=O,I"
        )

    def diagonal(self, term: Term, i: Index, j: Index) -> Term:
        """The elements where two indices are equal, under the name of the first."""
        return sum_over(term * delta(self.builder, i, j), {j})


def _common(views: Sequence[View]) -> Order | None:
    """The axes that all views have, numbers aside; None where they differ."""
    found: Order = ()
    for view in views:
        if view.order and view.order is not found and view.order != found:
            if found:
                return None
            found = view.order
    return found


def _own(axis: Axis, a: View, b: View, names: dict[Index, Index]) -> Axis:
    """An axis of b that is none of a's; `names` says what b's are called."""
    if axis is None:
        return None
    taken = {*a.order, *names.values()}
    if axis in taken:
        everything = [one for one in (*taken, *b.order) if one is not None]
        names[axis] = fresh(axis, everything)
    return names.get(axis, axis)


def _shortest(views: Sequence[View]) -> int:
    """How many axes behind the leading ones all views with leading ones have."""
    return min(len(view.tail) for view in views if view.leads)


def _renamed(view: View, whole: Order) -> Term:
    tail = view.tail
    pairs = zip(tail, whole[len(whole) - len(tail) :], strict=True)
    names = {old: new for old, new in pairs if old is not None and new is not None}
    return rename(view.term, names)
