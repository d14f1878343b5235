"""Rules of products, quotients and powers.

In: terms. Out: a term of the same graph. A constant factor stands first, and powers of
one base are gathered. See algebra.py for what all rules keep to.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from gen.errors import GenError
from gen.graph.graph import CONSTANT

if TYPE_CHECKING:
    from gen.graph.algebra import Term

# Exact arithmetic on numbers beyond this many bits is refused rather than run: float64
# itself ends at 1024 bits, and 9**9**9 would fill the memory.
MAX_BITS = 8192
MAX_EXPONENT = 4096


def mul(a: Term, b: Term) -> Term:
    if a.id != b.id and _is_plain_factor(b):
        if _is_plain_factor(a):
            return a.node("mul", a, b)
        if a.number is not None:
            return _scaled(a, b) if a.number else a
    if a.number is not None and b.number is not None:
        return a.like(a.number * b.number)
    if a.number == 0 or b.number == 0:
        return a.like(0)
    (k, u), (m, v) = _split(a), _split(b)
    factor = _constant_product(k, m)
    if u is None or v is None:
        return _scaled(factor, u or v)
    return _scaled(factor, _product(u, v))


def _is_plain_factor(a: Term) -> bool:
    """Whether no rule for products looks into this operand: most are such."""
    op, args, _ = a.builder.nodes[a.id]
    first = args[0] if op == "mul" else a.id
    return op not in _READ_BY_PRODUCTS and not a.builder.is_constant(first)


_READ_BY_PRODUCTS = frozenset({"neg", "div", "pow"})


def _split(a: Term) -> tuple[Term | None, Term | None]:
    """`a` as a constant times the rest; None stands for a factor of one."""
    if a.is_constant:
        return a, None
    if a.op == "mul" and a.args[0].is_constant:
        return a.args[0], a.args[1]
    if a.op == "neg":
        return a.like(-1), a.args[0]
    return None, a


def _constant_product(k: Term | None, m: Term | None) -> Term | None:
    if k is None or m is None:
        return k or m
    if k.number is not None and m.number is not None:
        return k.like(k.number * m.number)
    if m.number is not None:
        k, m = m, k
    if k.number is None:
        return k.node("mul", k, m)
    if m.op == "div" and m.args[0].number is not None:
        return div(k.like(k.number * m.args[0].number), m.args[1])
    inner, rest = (m.args[0], m.args[1]) if m.op == "mul" else (m, None)
    if rest is not None and inner.number is not None:
        k, m = k.like(k.number * inner.number), rest
    return m if k.number == 1 else k.node("mul", k, m)


def _scaled(factor: Term | None, rest: Term | None) -> Term:
    """The constant `factor` times `rest`, the constant first."""
    if factor is None or rest is None:
        whole = factor or rest
        assert whole is not None
        return whole
    if factor.number == 1:
        return rest
    if factor.number == -1:
        return -rest
    if rest.op == "div" and rest.args[0].is_constant:
        return div(mul(factor, rest.args[0]), rest.args[1])
    return factor.node("mul", factor, rest)


def _product(u: Term, v: Term) -> Term:
    """The product of two terms that carry no constant factor."""
    for one, other in ((u, v), (v, u)):
        if one.op == "div":
            over, under = one.args
            if under == other:
                return over
            if over.is_constant:
                return mul(over, div(other, under))
    (base, m), (same, n) = _base(u), _base(v)
    if base == same and (m > 0) == (n > 0):
        return integer_power(base, m + n)
    return u.node("mul", u, v)


def _base(a: Term) -> tuple[Term, int]:
    return (a.args[0], a.exponent) if a.op == "pow" else (a, 1)


def div(a: Term, b: Term) -> Term:
    if b.number == 0:
        raise GenError("division by zero: the expression divides by a constant that is 0")
    if a.number == 0 or b.number == 1:
        return a
    if a.number is not None and b.number is not None:
        return a.like(a.number / b.number)
    if b.is_constant and not a.is_constant:
        return mul(_reciprocal(b), a)
    if a.is_constant and b.op == "pow" and not b.is_constant:
        return mul(a, integer_power(b.args[0], -b.exponent))
    (k, u), (m, v) = _split(a), _split(b)
    if a.is_constant or v is None:
        u, v = None, (b if v is None else v)
        numerator = a if m is None or b.is_constant else _ratio(a, m)
        return numerator if v.number == 1 else numerator.node("div", numerator, v)
    assert u is not None
    return _scaled(_ratio(k or a.like(1), m), _quotient(u, v))


def _reciprocal(b: Term) -> Term:
    return b.like(1 / b.number) if b.number else b.node("div", b.like(1), b)


def _ratio(k: Term, m: Term | None) -> Term:
    if m is None:
        return k
    product = _constant_product(k, _reciprocal(m))
    assert product is not None
    return product


def _quotient(u: Term, v: Term) -> Term:
    """The quotient of two terms that carry no constant factor."""
    if u == v:
        return u.like(1)
    if u.op == "mul" and v in u.args:
        return u.args[1] if u.args[0] == v else u.args[0]
    (base, m), (same, n) = _base(u), _base(v)
    if base == same and m > 0 and n > 0:
        return integer_power(base, m - n)
    return u.node("div", u, v)


def integer_power(x: Term, n: int) -> Term:
    if n == 0:
        return x.like(1)
    if n == 1:
        return x
    if x.number is not None:
        return _number_power(x, n)
    if abs(n) > MAX_EXPONENT:
        shown = str(n) if abs(n) < 10**12 else f"{n.bit_length()} bits"
        raise GenError(f"an exponent of {shown}; integer exponents go up to {MAX_EXPONENT}")
    if n == -1:
        return div(x.like(1), x)
    if x.op == "pow":
        return integer_power(x.args[0], x.exponent * n)
    if x.op == "neg":
        inner = integer_power(x.args[0], n)
        return inner if n % 2 == 0 else -inner
    if x.op == "div" and x.args[0].number == 1:
        return integer_power(x.args[1], -n)
    return x.node("pow", x, payload=n)


def _number_power(x: Term, n: int) -> Term:
    base = x.number
    assert base is not None
    if base == 0 and n < 0:
        raise GenError(f"division by zero: 0**{n}")
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if base not in (0, 1, -1) and (bits - 1) * abs(n) > MAX_BITS:
        raise GenError(
            f"a constant power needs more than {MAX_BITS} bits; float64 ends near 1.8e308"
        )
    return x.like(base**n)


def power(x: Term, y: Term) -> Term:
    """The power x**y: integer ones, square roots and exp as such, others as written."""
    n = y.number
    if n is not None and n.denominator == 1:
        return integer_power(x, n.numerator)
    if n == Fraction(1, 2):
        return x.node("sqrt", x)
    if x.op == CONSTANT and x.builder.nodes[x.id].payload == "E":
        return y.node("exp", y)
    return x.node("power", x, y)
