"""Rules of sums and differences, and of signs.

In: terms. Out: a term of the same graph. Numbers are gathered, and multiples of one term.
See algebra.py for what all rules keep to.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from gen.graph.conditions import select
from gen.graph.graph import NUMBER
from gen.graph.products import div, mul

if TYPE_CHECKING:
    from gen.graph.algebra import Term


def add(a: Term, b: Term) -> Term:
    if a.id != b.id and _is_plain_term(a) and _is_plain_term(b):
        return a.node("add", a, b)
    if a.number is not None and b.number is not None:
        return a.like(a.number + b.number)
    if a.number == 0:
        return b
    if b.number == 0:
        return a
    if b.op == "neg":
        return sub(a, b.args[0])
    if a.op == "neg":
        return sub(b, a.args[0])
    if b.number is not None and b.number < 0:
        return sub(a, a.like(-b.number))
    if a.number is not None and a.number < 0:
        return sub(b, a.like(-a.number))
    return _shifted(a, b, 1) or _like_terms(a, b, 1) or _joined(a, b, 1) or a.node("add", a, b)


def _is_plain_term(a: Term) -> bool:
    """Whether no rule for sums looks into this operand: most are such."""
    nodes = a.builder.nodes
    op, args, _ = nodes[a.id]
    return op not in _READ_BY_SUMS and not (op == "mul" and nodes[args[0]].op == NUMBER)


_READ_BY_SUMS = frozenset({NUMBER, "neg", "select"})


def sub(a: Term, b: Term) -> Term:
    if a.id != b.id and _is_plain_term(a) and _is_plain_term(b):
        return a.node("sub", a, b)
    if a.number is not None and b.number is not None:
        return a.like(a.number - b.number)
    if a.number == 0:
        return neg(b)
    if b.number == 0:
        return a
    if b.op == "neg":
        return add(a, b.args[0])
    if a.op == "neg":
        return neg(add(a.args[0], b))
    if b.number is not None and b.number < 0:
        return add(a, a.like(-b.number))
    return _shifted(a, b, -1) or _like_terms(a, b, -1) or _joined(a, b, -1) or a.node("sub", a, b)


def neg(a: Term) -> Term:
    if a.number is not None:
        return a.like(-a.number)
    if a.op == "neg":
        return a.args[0]
    if a.op == "sub":
        return sub(a.args[1], a.args[0])
    if a.op in ("mul", "div") and a.args[0].number is not None:
        first, second = a.args
        return mul(neg(first), second) if a.op == "mul" else div(neg(first), second)
    return a.node("neg", a)


def _shifted(a: Term, b: Term, sign: int) -> Term | None:
    """Gather numbers: (x + 1) + 2 -> x + 3."""
    if a.number is not None and sign > 0:
        return _shifted(b, a, 1) if b.op in ("add", "sub") else None
    if b.number is None or a.op not in ("add", "sub"):
        return None
    x, y = a.args
    if y.number is not None:
        inner = y.number if a.op == "add" else -y.number
        return add(x, a.like(inner + sign * b.number))
    if x.number is not None:
        total = a.like(x.number + sign * b.number)
        return add(total, y) if a.op == "add" else sub(total, y)
    return None


def _like_terms(a: Term, b: Term, sign: int) -> Term | None:
    """2*x + 3*x -> 5*x."""
    (m, u), (n, v) = _coefficient(a), _coefficient(b)
    return mul(a.like(m + sign * n), u) if u == v else None


def _coefficient(a: Term) -> tuple[Fraction, Term]:
    if a.op == "mul" and (k := a.args[0].number) is not None:
        return k, a.args[1]
    if a.op == "neg":
        return Fraction(-1), a.args[0]
    return Fraction(1), a


def _joined(a: Term, b: Term, sign: int) -> Term | None:
    """where(c, p, 0) + where(c, 0, q) -> where(c, p, q), at most one addition inside."""
    if a.op != "select" or b.op != "select" or a.args[0] != b.args[0]:
        return None
    (condition, p, q), (_, r, s) = a.args, b.args
    if 0 not in (p.number, q.number, r.number, s.number):
        return None
    combine = add if sign > 0 else sub
    return select(condition, combine(p, r), combine(q, s))
