"""Arithmetic as text: the syntax that Python, numpy, torch and the language share.

In: an operation and the texts of its operands. Out: a text with the precedence of its
outermost operator, so that whoever uses it knows whether to put parentheses around it.
A formatter leaves the result as it is.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from gen.graph.evaluate import as_float
from gen.graph.graph import NUMBER, Graph, Node

if TYPE_CHECKING:
    from collections.abc import Callable

# Outermost operators from weak to strong, in Python's order. A product binds as a
# quotient does, but a * (b / c) is not a * b / c once it is rounded.
CHOICE, OR, AND, NOT, COMPARE, BIT_OR, BIT_AND = range(7)
SUM, QUOTIENT, PRODUCT, SIGN, POWER, ATOM = range(7, 13)

_LONGEST_DECIMAL = 17

_SIMPLE = re.compile(r"-?[\w.]+\Z")

_SIGNS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}


class Text(NamedTuple):
    """A piece of code and how tightly its outermost operator binds."""

    code: str
    binding: int = ATOM
    starts_with_power: bool = False  # as in x**2 * y, which a sign before it would split


def enclose(text: Text, binding: int) -> str:
    """The code of `text`, in parentheses where it binds more weakly than `binding`."""
    return text.code if text.binding >= binding else f"({text.code})"


def infix(node: Node, operands: list[Text]) -> Text | None:
    """The text of an arithmetic operation or comparison; None for everything else."""
    write = _INFIX.get(node.op)
    if write is not None:
        return write(*operands)
    match node.op:
        case "pow":
            return raised(operands[0], Text(str(node.payload)))
        case "view":
            return Text(f"{enclose(operands[0], ATOM)}{node.payload}")
    return None


def flag(node: Node, name: Text, quote: str) -> Text:
    """The text of the question whether a constant is true, or is some text."""
    if node.payload is None:
        return name
    return Text(f"{enclose(name, SUM)} == {quote}{node.payload}{quote}", COMPARE)


def _added(sign: str) -> Callable[[Text, Text], Text]:
    return lambda a, b: Text(f"{enclose(a, SUM)} {sign} {enclose(b, QUOTIENT)}", SUM)


def _compared(sign: str) -> Callable[[Text, Text], Text]:
    return lambda a, b: Text(f"{enclose(a, SUM)} {sign} {enclose(b, SUM)}", COMPARE)


def _quotient(a: Text, b: Text) -> Text:
    return Text(f"{enclose(a, QUOTIENT)} / {enclose(b, SIGN)}", QUOTIENT, _leads(a))


def _matrix_product(a: Text, b: Text) -> Text:
    return Text(f"{enclose(a, QUOTIENT)} @ {enclose(b, SIGN)}", QUOTIENT)


def _product(a: Text, b: Text) -> Text:
    # A leading number scales: 2 * x / y reads better than 2 * (x / y).
    right = QUOTIENT if _is_number(a) else PRODUCT
    binding = QUOTIENT if QUOTIENT in (a.binding, b.binding) else PRODUCT
    return Text(f"{enclose(a, QUOTIENT)} * {enclose(b, right)}", binding, _leads(a))


def _leads(a: Text) -> bool:
    """Whether a product or quotient that begins with `a` begins with a power."""
    return a.starts_with_power and a.binding >= QUOTIENT


def negated(a: Text) -> Text:
    """The text of -a."""
    if a.binding == SIGN and a.code.startswith("-"):
        return Text(a.code[1:], SIGN)
    if a.binding < QUOTIENT or a.starts_with_power:
        return Text(f"-({a.code})", SIGN)
    # -a * b is (-a) * b, which rounds as -(a * b) does.
    return Text(f"-{a.code}", min(a.binding, SIGN))


_INFIX: dict[str, Callable[..., Text]] = {
    "add": _added("+"),
    "sub": _added("-"),
    "mul": _product,
    "div": _quotient,
    "matmul": _matrix_product,
    "neg": negated,
    **{op: _compared(sign) for op, sign in _SIGNS.items()},
}


def _is_number(text: Text) -> bool:
    return text.code.lstrip("-")[:1].isdigit() and text.binding in (ATOM, SIGN)


def raised(base: Text, exponent: Text) -> Text:
    """base**exponent, spaced as formatters do: tight around simple operands only."""
    left, right = enclose(base, ATOM), enclose(exponent, SIGN)
    tight = _SIMPLE.match(left) and _SIMPLE.match(right)
    return Text(f"{left}**{right}" if tight else f"{left} ** {right}", POWER, True)


def decimal(value: Fraction) -> str | None:
    """`value` as a short decimal that is exactly it; None where there is none."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1 or abs(value) >= 10**_LONGEST_DECIMAL:
        return None
    if value.denominator == 1:
        return str(value.numerator)
    text = repr(float(value))
    return text if Fraction(text) == value else None


def literal(graph: Graph, node: int) -> Text:
    """A constant node as the literal of the float64 nearest to it."""
    payload = graph[node].payload
    short = decimal(payload) if graph[node].op == NUMBER and isinstance(payload, Fraction) else None
    # Whole numbers beyond these are floats, which no integer conversion can reject.
    if short is None or (len(short.lstrip("-")) > 6 and "." not in short):
        short = repr(as_float(graph.nodes, node))
    code = short.replace("e+", "e")
    return Text(code, SIGN if code.startswith("-") else ATOM)


def third(graph: Graph, node: Node) -> Fraction | None:
    """The factor of a product that is better written as a divisor: x / 3, no decimal."""
    value = graph.nodes[node.args[0]].payload if node.op == "mul" else None
    # Not isinstance, which asks the abstract classes that Fraction is registered with.
    if type(value) is not Fraction or abs(value.numerator) != 1:
        return None
    return value if value.denominator > 1 and decimal(value) is None else None


def divided(a: Text, value: Fraction) -> Text:
    """The product of `a` and a fraction of one, written as a quotient."""
    numerator = a if value > 0 else negated(a)
    return Text(f"{enclose(numerator, QUOTIENT)} / {value.denominator}", QUOTIENT, _leads(a))
