"""Einstein summation: `einsum('ij,jk->ik', a, b)`.

In: the text of an equation, and views. Out: a view; a letter stands for one index in all
operands, those that the result lacks are summed, one that an operand has twice takes its
diagonal. Without `->`, letters that occur once make the result, in alphabetical order.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen.errors import GenError
from gen.frontend.views import MisfitError, Space, View, show
from gen.graph.indices import ELLIPSIS, Index, fresh
from gen.graph.tensors import rename, sum_over

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.frontend.views import Order
    from gen.graph.algebra import Term
    from gen.model import Axis

_SIDE = re.compile(r"[A-Za-z]*(\.\.\.)?[A-Za-z]*\Z")


def einsum(space: Space, equation: str, views: Sequence[View]) -> View:
    """The view that an equation makes of others."""
    inputs, output = _read(equation, len(views))
    letters: dict[str, Index] = {}
    spread = [_labelled(one, view, equation) for one, view in zip(inputs, views, strict=True)]
    _check_sizes(spread, equation)
    reserved = [axis for axes in spread for letter, axis in axes if letter == "." and axis]
    terms = [
        _named(space, axes, view, letters, reserved)
        for axes, view in zip(spread, views, strict=True)
    ]
    batches = [
        view.placed(term, tuple(axis for letter, axis in axes if letter == "."))
        for term, axes, view in zip(terms, spread, views, strict=True)
    ]
    aligned, batch = _batched(space, batches)
    product = aligned[0]
    for term in aligned[1:]:
        product = product * term
    wanted = tuple(letters[letter] for letter in output.replace("...", ""))
    at = output.find("...")
    kept = batch if at >= 0 else ()
    order: Order = (*wanted[: max(at, 0)], *kept, *wanted[max(at, 0) :])
    over = {axis for axis in (*letters.values(), *batch) if axis is not None} - {*order}
    whole = batches[0].placed(product, batch, *batches[1:])
    term = space.whole(whole) if ELLIPSIS in over else product
    return whole.placed(sum_over(term, over), order)


def _read(equation: str, count: int) -> tuple[list[str], str]:
    left, arrow, right = equation.replace(" ", "").partition("->")
    inputs = left.split(",")
    for side in (*inputs, right):
        if not _SIDE.match(side):
            raise GenError(f"{equation!r} is no equation; letters are needed, as in 'ij,jk->ik'")
    if len(inputs) != count:
        raise GenError(f"the equation {equation!r} is for {len(inputs)} operands, given {count}")
    if not arrow:
        found = left.replace(".", "").replace(",", "")
        single = sorted(letter for letter in set(found) if found.count(letter) == 1)
        right = ("..." if "." in left else "") + "".join(single)
    for letter in right.replace(".", ""):
        if right.count(letter) > 1:
            raise GenError(f"the equation {equation!r} has {letter!r} twice in its result")
        if letter not in left:
            raise GenError(f"the equation {equation!r} has {letter!r} in its result alone")
    return inputs, right


def _labelled(letters: str, view: View, equation: str) -> list[tuple[str, Axis]]:
    """The axes of a view with their letters; "." for those that the dots stand for."""
    before, dots, after = letters.partition("...")
    spare = len(view.order) - len(before) - len(after)
    if spare < 0 or (spare and not dots) or (view.leads and (before or not dots)):
        raise GenError(
            f"the shape {show(view.order)} does not fit {letters!r} of the equation {equation!r}"
        )
    return list(zip([*before, *"." * spare, *after], view.order, strict=True))


def _check_sizes(spread: Sequence[list[tuple[str, Axis]]], equation: str) -> None:
    """Refuse a letter that is two sizes."""
    sizes: dict[str, str] = {}
    for axes in spread:
        for letter, axis in axes:
            if letter == "." or axis is None:
                continue
            known = sizes.setdefault(letter, axis.size)
            if known != axis.size:
                orders = [tuple(axis for _, axis in one) for one in spread]
                both = f"{letter!r} is {known} and {axis.size}"
                raise MisfitError(orders, f"{equation!r}, where {both}")


def _named(
    space: Space,
    axes: list[tuple[str, Axis]],
    view: View,
    letters: dict[str, Index],
    reserved: Sequence[Index],
) -> Term:
    """A term whose indices are those of its letters, the same in all operands."""
    names: dict[Index, Index] = {}
    repeated: list[tuple[Index, Index]] = []
    for letter, axis in axes:
        if letter == "." or axis is None:
            continue
        known = letter in letters
        taken = [*letters.values(), *reserved, *names.values()]
        index = letters.setdefault(letter, fresh(axis, taken))
        if known and index in names.values():
            again = fresh(axis, [*letters.values(), *reserved, *names, *names.values()])
            repeated.append((index, again))
            index = again
        names[axis] = index
    term = rename(view.term, names)
    for index, again in repeated:
        term = space.diagonal(term, index, again)
    return term


def _batched(space: Space, views: Sequence[View]) -> tuple[list[Term], Order]:
    """The operands with what the dots stand for aligned, from the right."""
    if not any(view.order for view in views):
        return [view.term for view in views], ()
    return space.aligned(views, "einsum")
