"""Rules of comparisons, of and, or and not, and of selecting by them.

In: terms. Out: a term of the same graph. See algebra.py for what all rules keep to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.graph.graph import COMPARISONS

if TYPE_CHECKING:
    from gen.graph.algebra import Term

# The same comparison with its operands swapped.
MIRRORED = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le", "eq": "eq", "ne": "ne"}


def compare(op: str, a: Term, b: Term) -> Term:
    assert op in COMPARISONS
    if a.number is not None and b.number is not None:
        less, same = a.number < b.number, a.number == b.number
        holds = {"lt": less, "le": less or same, "gt": not less and not same}
        holds |= {"ge": not less, "eq": same, "ne": not same}
        return _truth(a, holds[op])
    if a.is_constant and not b.is_constant:
        return b.node(MIRRORED[op], b, a)
    return a.node(op, a, b)


def both(a: Term, b: Term) -> Term:
    if "false" in (a.op, b.op):
        return _truth(a, False)
    return b if a.op == "true" else a if b.op == "true" or a == b else a.node("and", a, b)


def either(a: Term, b: Term) -> Term:
    if "true" in (a.op, b.op):
        return _truth(a, True)
    return b if a.op == "false" else a if b.op == "false" or a == b else a.node("or", a, b)


def negated(a: Term) -> Term:
    if a.op in ("true", "false"):
        return _truth(a, a.op == "false")
    # A negated order is no order: not (x < 0) holds for NaN, x >= 0 does not.
    opposite = {"eq": "ne", "ne": "eq"}.get(a.op)
    if opposite:
        return a.node(opposite, *a.args)
    return a.args[0] if a.op == "not" else a.node("not", a)


def select(condition: Term, yes: Term, no: Term) -> Term:
    """`yes` where `condition` holds, `no` elsewhere."""
    if condition.op == "true" or yes == no:
        return yes
    if condition.op == "false":
        return no
    # A second question about the same condition has the same answer.
    if yes.op == "select" and yes.args[0] == condition:
        yes = yes.args[1]
    if no.op == "select" and no.args[0] == condition:
        no = no.args[2]
    return condition.node("select", condition, yes, no)


def masked(g: Term, partial: Term) -> Term:
    """The product g * partial, with g moved into a partial that is piecewise constant.

    A cotangent of inf times a mask of 0 would be NaN; selected, it is 0.
    """
    if not _is_mask(partial):
        return g * partial
    condition, yes, no = partial.args
    return select(condition, masked(g, yes), masked(g, no))


def _is_mask(a: Term) -> bool:
    return a.op == "select" and all(x.number is not None or _is_mask(x) for x in a.args[1:])


def _truth(like: Term, value: bool) -> Term:
    return like.node("true" if value else "false")
