"""Graph → text in the language of expressions.

In: a graph and a node. Out: an expression that reads back as the same graph, but for the
grouping of products; None where it would be longer than asked for. It is what docstrings
show of derivatives, and how an expression from SymPy is written.
"""

from __future__ import annotations

from fractions import Fraction

from gen.graph.graph import CONSTANT, EXTENT, EYE, GIVEN, NUMBER, Graph, Node, reachable
from gen.graph.infix import (
    AND,
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
    if node.op == CONSTANT or node.op in GIVEN:
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
    if node.op in ("true", "false"):
        return Text(node.op.title())
    return _array(node, operands) or _call(node, operands)


def _array(node: Node, operands: list[Text]) -> Text | None:
    """A laid-out operation; None for every other."""
    if node.op in ("expand", "spread", "gather"):
        return operands[0]
    if node.op == "einsum":
        return _called("einsum", [f"'{node.payload}'", *(one.code for one in operands)])
    if not isinstance(node.payload, tuple):
        return None
    if node.op in ("reduce", "normalise"):
        kind, axes, _ = node.payload
        return _called(str(kind), [operands[0].code, *_axis(axes)])
    if node.op == "linalg":
        return _called(str(node.payload[0]), [one.code for one in operands])
    if node.op == EYE:
        return _called("eye", [_extent(node.payload[0])])
    return Text(_extent(node.payload)) if node.op == EXTENT else None


def _axis(axes: object) -> list[str]:
    assert isinstance(axes, tuple)
    if not axes:
        return []
    shown = str(axes[0]) if len(axes) == 1 else f"({', '.join(map(str, axes))})"
    return [f"axis={shown}"]


def _extent(payload: object) -> str:
    """A size, as in x.shape[-1]."""
    if isinstance(payload, int):
        return str(payload)
    assert isinstance(payload, tuple)
    if payload[0] == "...":
        return f"{payload[1][0]}.size"
    (_, name), axis = payload
    return f"{name}.shape[{axis}]"


def _called(name: str, arguments: list[str]) -> Text:
    return Text(f"{name}({', '.join(arguments)})")


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
