"""Products of arrays, and functions of matrices.

In: views. Out: a view, or a `GenError` that names the function and the shape it was given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.errors import GenError
from gen.frontend.array_function import ArrayFunction
from gen.frontend.views import MisfitError, Space, View, show
from gen.graph.indices import ELLIPSIS, Index, Indices, fresh
from gen.graph.tensors import indices, matrix, rename, sum_over

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.frontend.array_function import Options
    from gen.frontend.views import Order


def product(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    a, b = views
    return space.product(a, b, name)


def dot(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    """The inner product of two vectors; of matrices, their product, as in numpy."""
    for view in views:
        if view.leads or len(view.order) not in (1, 2):
            space.needs(name, [view])
    a, b = views
    return space.product(a, b, name)


def outer(space: Space, name: str, views: Sequence[View], options: Options) -> View:
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


def trace(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    (view,) = views
    before, i, j = _square(space, name, view)
    return view.placed(sum_over(space.diagonal(view.term, i, j), {i}), before)


def determinant(op: str) -> ArrayFunction:
    def build(space: Space, name: str, views: Sequence[View], options: Options) -> View:
        (view,) = views
        before, i, j = _matrices(space, name, view)
        return view.placed(matrix(op, i, j, view.term), before)

    return ArrayFunction(1, (), build)


def inverse(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    (view,) = views
    before, i, j = _matrices(space, name, view)
    return view.placed(matrix("inv", i, j, view.term), (*before, j, i))


def solve(space: Space, name: str, views: Sequence[View], options: Options) -> View:
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


def transpose(space: Space, name: str, views: Sequence[View], options: Options) -> View:
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
