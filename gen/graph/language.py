"""Graph → text in the language of expressions.

In: a graph and a node. Out: an expression that reads back as the same graph, but for the
grouping of products; None where it would be longer than asked for. It is what docstrings
show of derivatives, and how an expression from SymPy is written.
"""

from __future__ import annotations

from fractions import Fraction

from gen.graph.graph import CONSTANT, NUMBER, VARIABLES, Graph, Node, reachable
from gen.graph.infix import (
    AND,
    ATOM,
    COMPARE,
    NOT,
    OR,
    QUOTIENT,
    SIGN,
    Text,
    decimal,
    divided,
    enclose,
    infix,
    raised,
    third,
)
from gen.graph.operations import OPERATIONS

_NAMES = {"maximum": "Max", "minimum": "Min", "heaviside": "Heaviside", "log": "log"}
_WORDS = {"and": AND, "or": OR}
_OPTIONAL = {"optional_add": "add", "optional_sub": "sub", "optional_mul": "mul"}


def express(graph: Graph, root: int, longest: int) -> str | None:
    """The expression of `root`, None if it has more than `longest` characters."""
    texts: dict[int, Text] = {}
    for index in reachable(graph.nodes, [root]):
        text = _text(graph, graph[index], [texts[arg] for arg in graph[index].args])
        if len(text.code) > longest:
            return None
        texts[index] = text
    return texts[root].code


def _text(graph: Graph, node: Node, operands: list[Text]) -> Text:
    if node.op == NUMBER:
        assert isinstance(node.payload, Fraction)
        return _number(node.payload)
    if node.op == CONSTANT or node.op in VARIABLES:
        return Text(str(node.payload))
    fraction = third(graph, node)
    if fraction is not None:
        return divided(operands[1], fraction)
    arithmetic = infix(node._replace(op=_OPTIONAL.get(node.op, node.op)), operands)
    if arithmetic is not None:
        return arithmetic
    if node.op in _WORDS:
        binding = _WORDS[node.op]
        parts = (enclose(operand, COMPARE) for operand in operands)
        return Text(f" {node.op} ".join(parts), binding)
    if node.op == "not":
        return Text(f"not {enclose(operands[0], COMPARE)}", NOT)
    if node.op == "power":
        return raised(*operands)
    if node.op == "contract":
        a, b = operands
        return Text(f"{enclose(a, ATOM)}.T @ {enclose(b, SIGN)}", QUOTIENT)
    if node.op in ("true", "false"):
        return Text(node.op.title())
    return _call(node, operands)


def _call(node: Node, operands: list[Text]) -> Text:
    if node.op == "select":
        name = "where"
    else:
        spellings = OPERATIONS[node.op].spellings or (node.op,)
        name = _NAMES.get(node.op, spellings[0])
    return Text(f"{name}({', '.join(operand.code for operand in operands)})")


def _number(value: Fraction) -> Text:
    code = decimal(value)
    if code is None:
        return Text(f"{value.numerator}/{value.denominator}", QUOTIENT)
    return Text(code, SIGN if value < 0 else Text("").binding)
