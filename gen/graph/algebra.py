"""Terms: graph nodes with arithmetic, simplified locally as they are built.

In: Python numbers and other terms. Out: a `Term`, a node of the same builder.

Each rule looks at one node and its operands, so building stays linear in the size of
the graph. Over the reals the rules are identities wherever the form as written is
finite; none introduces a division that was not there, and none undoes the sharing of
a subexpression. Numbers are exact; nothing is rounded before code is printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from gen.errors import GenError
from gen.graph.graph import (
    COMPARISONS,
    CONSTANT,
    COTANGENT,
    CUSTOM,
    INPUT,
    NUMBER,
    Builder,
)

Number = int | Fraction

# Exact arithmetic on numbers beyond this many bits is refused rather than run: float64
# itself ends at 1024 bits, and 9**9**9 would fill the memory.
_MAX_BITS = 8192
MAX_EXPONENT = 4096


@dataclass(frozen=True, slots=True)
class Term:
    """A node of `builder`, with the operators of arithmetic."""

    builder: Builder
    id: int

    @property
    def op(self) -> str:
        return self.builder.nodes[self.id].op

    @property
    def args(self) -> tuple[Term, ...]:
        return tuple([Term(self.builder, arg) for arg in self.builder.nodes[self.id].args])

    @property
    def exponent(self) -> int:
        """The exponent of an integer power."""
        payload = self.builder.nodes[self.id].payload
        assert isinstance(payload, int)
        return payload

    @property
    def number(self) -> Fraction | None:
        """The value of a number; None for everything else."""
        node = self.builder.nodes[self.id]
        return node.payload if node.op == NUMBER and isinstance(node.payload, Fraction) else None

    @property
    def is_constant(self) -> bool:
        return self.builder.is_constant(self.id)

    def like(self, value: Number) -> Term:
        """The number `value` in this term's graph."""
        return number(self.builder, value)

    def __add__(self, other: Term | Number) -> Term:
        return add(self, _lift(self, other))

    def __radd__(self, other: Number) -> Term:
        return add(_lift(self, other), self)

    def __sub__(self, other: Term | Number) -> Term:
        return sub(self, _lift(self, other))

    def __rsub__(self, other: Number) -> Term:
        return sub(_lift(self, other), self)

    def __mul__(self, other: Term | Number) -> Term:
        return mul(self, _lift(self, other))

    def __rmul__(self, other: Number) -> Term:
        return mul(_lift(self, other), self)

    def __truediv__(self, other: Term | Number) -> Term:
        return div(self, _lift(self, other))

    def __rtruediv__(self, other: Number) -> Term:
        return div(_lift(self, other), self)

    def __neg__(self) -> Term:
        return neg(self)

    def __pow__(self, exponent: Term | Number) -> Term:
        return power(self, _lift(self, exponent))

    def __lt__(self, other: Term | Number) -> Term:
        return compare("lt", self, _lift(self, other))

    def __le__(self, other: Term | Number) -> Term:
        return compare("le", self, _lift(self, other))

    def __gt__(self, other: Term | Number) -> Term:
        return compare("gt", self, _lift(self, other))

    def __ge__(self, other: Term | Number) -> Term:
        return compare("ge", self, _lift(self, other))


def _lift(like: Term, value: Term | Number) -> Term:
    return value if isinstance(value, Term) else number(like.builder, value)


def _node(op: str, *args: Term, payload: int | None = None) -> Term:
    builder = args[0].builder
    return Term(builder, builder.node(op, tuple([arg.id for arg in args]), payload))


# ---- leaves


def number(builder: Builder, value: Number) -> Term:
    if type(value) is not Fraction:
        value = Fraction(value)
    if value.numerator.bit_length() > _MAX_BITS or value.denominator.bit_length() > _MAX_BITS:
        raise GenError(f"a number needs more than {_MAX_BITS} bits; float64 ends near 1.8e308")
    return Term(builder, builder.node(NUMBER, (), value))


def constant(builder: Builder, name: str) -> Term:
    """A symbolic constant, such as pi."""
    return Term(builder, builder.node(CONSTANT, (), name))


def symbol(builder: Builder, name: str) -> Term:
    """An input of the formula."""
    return Term(builder, builder.node(INPUT, (), name))


def cotangent(builder: Builder, name: str = "grad_output") -> Term:
    """The cotangent of the output, which backward is given."""
    return Term(builder, builder.node(COTANGENT, (), name))


# ---- arithmetic


def add(a: Term, b: Term) -> Term:
    if a.id != b.id and _is_plain_term(a) and _is_plain_term(b):
        return _node("add", a, b)
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
    return _shifted(a, b, 1) or _like_terms(a, b, 1) or _joined(a, b, 1) or _node("add", a, b)


def _is_plain_term(a: Term) -> bool:
    """Whether no rule for sums looks into this operand: most are such."""
    nodes = a.builder.nodes
    op, args, _ = nodes[a.id]
    return op not in _READ_BY_SUMS and not (op == "mul" and nodes[args[0]].op == NUMBER)


_READ_BY_SUMS = frozenset({NUMBER, "neg", "select"})


def sub(a: Term, b: Term) -> Term:
    if a.id != b.id and _is_plain_term(a) and _is_plain_term(b):
        return _node("sub", a, b)
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
    return _shifted(a, b, -1) or _like_terms(a, b, -1) or _joined(a, b, -1) or _node("sub", a, b)


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
    return _node("neg", a)


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


def mul(a: Term, b: Term) -> Term:
    if a.id != b.id and _is_plain_factor(b):
        if _is_plain_factor(a):
            return _node("mul", a, b)
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
        return _node("mul", k, m)
    if m.op == "div" and m.args[0].number is not None:
        return div(k.like(k.number * m.args[0].number), m.args[1])
    inner, rest = (m.args[0], m.args[1]) if m.op == "mul" else (m, None)
    if rest is not None and inner.number is not None:
        k, m = k.like(k.number * inner.number), rest
    return m if k.number == 1 else _node("mul", k, m)


def _scaled(factor: Term | None, rest: Term | None) -> Term:
    """The constant `factor` times `rest`, the constant first."""
    if factor is None or rest is None:
        whole = factor or rest
        assert whole is not None
        return whole
    if factor.number == 1:
        return rest
    if factor.number == -1:
        return neg(rest)
    if rest.op == "div" and rest.args[0].is_constant:
        return div(mul(factor, rest.args[0]), rest.args[1])
    return _node("mul", factor, rest)


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
    return _node("mul", u, v)


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
        return numerator if v.number == 1 else _node("div", numerator, v)
    assert u is not None
    return _scaled(_ratio(k or a.like(1), m), _quotient(u, v))


def _reciprocal(b: Term) -> Term:
    return b.like(1 / b.number) if b.number else _node("div", b.like(1), b)


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
    return _node("div", u, v)


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
        return inner if n % 2 == 0 else neg(inner)
    if x.op == "div" and x.args[0].number == 1:
        return integer_power(x.args[1], -n)
    return _node("pow", x, payload=n)


def _number_power(x: Term, n: int) -> Term:
    base = x.number
    assert base is not None
    if base == 0 and n < 0:
        raise GenError(f"division by zero: 0**{n}")
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if base not in (0, 1, -1) and (bits - 1) * abs(n) > _MAX_BITS:
        raise GenError(
            f"a constant power needs more than {_MAX_BITS} bits; float64 ends near 1.8e308"
        )
    return x.like(base**n)


def power(x: Term, y: Term) -> Term:
    """The power x**y: integer ones, square roots and exp as such, others as written."""
    n = y.number
    if n is not None and n.denominator == 1:
        return integer_power(x, n.numerator)
    if n == Fraction(1, 2):
        return call("sqrt", x)
    if x.op == CONSTANT and x.builder.nodes[x.id].payload == "E":
        return call("exp", y)
    return _node("power", x, y)


# ---- functions, conditions


def call(name: str, *args: Term) -> Term:
    """The function `name` of the table of operations, applied."""
    return _node(name, *args)


def custom(name: str, *args: Term) -> Term:
    """A function of the user's own, applied."""
    builder = args[0].builder
    return Term(builder, builder.node(CUSTOM, tuple(arg.id for arg in args), name))


def compare(op: str, a: Term, b: Term) -> Term:
    assert op in COMPARISONS
    if a.number is not None and b.number is not None:
        less, same = a.number < b.number, a.number == b.number
        holds = {"lt": less, "le": less or same, "gt": not less and not same}
        holds |= {"ge": not less, "eq": same, "ne": not same}
        return truth(a.builder, holds[op])
    if a.is_constant and not b.is_constant:
        return _node(MIRRORED[op], b, a)
    return _node(op, a, b)


# The same comparison with its operands swapped.
MIRRORED = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le", "eq": "eq", "ne": "ne"}


def truth(builder: Builder, value: bool) -> Term:
    return Term(builder, builder.node("true" if value else "false"))


def both(a: Term, b: Term) -> Term:
    if "false" in (a.op, b.op):
        return truth(a.builder, False)
    return b if a.op == "true" else a if b.op == "true" or a == b else _node("and", a, b)


def either(a: Term, b: Term) -> Term:
    if "true" in (a.op, b.op):
        return truth(a.builder, True)
    return b if a.op == "false" else a if b.op == "false" or a == b else _node("or", a, b)


def negated(a: Term) -> Term:
    if a.op in ("true", "false"):
        return truth(a.builder, a.op == "false")
    # A negated order is no order: not (x < 0) holds for NaN, x >= 0 does not.
    opposite = {"eq": "ne", "ne": "eq"}.get(a.op)
    if opposite:
        return _node(opposite, *a.args)
    return a.args[0] if a.op == "not" else _node("not", a)


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
    return _node("select", condition, yes, no)


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
