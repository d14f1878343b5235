"""Terms: graph nodes with arithmetic, simplified locally as they are built.

In: Python numbers and other terms. Out: a `Term`, a node of the same builder.

Each rule looks at one node and its operands, so building stays linear in the size of
the graph. Over the reals the rules are identities wherever the form as written is
finite; none introduces a division that was not there, and none undoes the sharing of
a subexpression. Numbers are exact; nothing is rounded before code is printed.

The rules are in sums.py, products.py and conditions.py: operators call them, and they
know a term by what it can do.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from gen.errors import GenError
from gen.graph.conditions import compare
from gen.graph.graph import (
    CONSTANT,
    COTANGENT,
    CUSTOM,
    INPUT,
    NUMBER,
    Builder,
)
from gen.graph.products import MAX_BITS, div, mul, power
from gen.graph.sums import add, neg, sub

Number = int | Fraction


@dataclass(frozen=True, slots=True)
class Term:
    """A node of `builder`, with the operators of arithmetic."""

    builder: Builder
    id: int

    def node(self, op: str, *args: Term, payload: int | str | None = None) -> Term:
        """An operation in this term's graph, as it is asked for: rules end with it."""
        ids = tuple([arg.id for arg in args])
        return Term(self.builder, self.builder.node(op, ids, payload))

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


# ---- leaves


def number(builder: Builder, value: Number) -> Term:
    if type(value) is not Fraction:
        value = _fraction(value)
    if value.numerator.bit_length() > MAX_BITS or value.denominator.bit_length() > MAX_BITS:
        raise GenError(f"a number needs more than {MAX_BITS} bits; float64 ends near 1.8e308")
    return Term(builder, builder.node(NUMBER, (), value))


@lru_cache(maxsize=1024)
def _fraction(value: int) -> Fraction:
    return Fraction(value)


def constant(builder: Builder, name: str) -> Term:
    """A symbolic constant, such as pi."""
    return Term(builder, builder.node(CONSTANT, (), name))


def symbol(builder: Builder, name: str) -> Term:
    """An input of the formula."""
    return Term(builder, builder.node(INPUT, (), name))


def cotangent(builder: Builder, name: str = "grad_output") -> Term:
    """The cotangent of the output, which backward is given."""
    return Term(builder, builder.node(COTANGENT, (), name))


def truth(builder: Builder, value: bool) -> Term:
    return Term(builder, builder.node("true" if value else "false"))


# ---- functions


def call(name: str, *args: Term) -> Term:
    """The function `name` of the table of operations, applied."""
    return args[0].node(name, *args)


def custom(name: str, *args: Term) -> Term:
    """A function of the user's own, applied."""
    builder = args[0].builder
    return Term(builder, builder.node(CUSTOM, tuple(arg.id for arg in args), name))
