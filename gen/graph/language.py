"""Graph → text in the language of expressions.

In: a graph and a node. Out: an expression that reads back as the same graph, but for the
grouping of products; None where it would be longer than asked for. It is what docstrings
show of derivatives, and how an expression from SymPy is written.

A graph that is large, deep or shared is written as statements instead, which stay linear
in its size: `t1 = x**2; t2 = t1 + 1; t1*t2`, the last one the value.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate, count
from typing import TYPE_CHECKING

from gen.graph.functions import FUNCTIONS
from gen.graph.graph import (
    BOOLEANS,
    CONSTANT,
    CUSTOM,
    EXTENT,
    EYE,
    FLAG,
    GIVEN,
    INPUT,
    LEAVES,
    NUMBER,
    Graph,
    Node,
    use_counts,
)
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
    flag,
    infix,
    raised,
    third,
)
from gen.graph.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

_NAMES = {"maximum": "Max", "minimum": "Min", "heaviside": "Heaviside", "log": "log"}
_WORDS = {"and": AND, "or": OR}
_OPTIONAL = {"optional_add": "add", "optional_sub": "sub", "optional_mul": "mul"}

# One statement has at most about this many characters and operations inside each other.
_LONG, _DEEP = 160, 40
# One expression has at most these, so that people can read it, and parsers do.
_LONGEST, _DEEPEST, _MOST_PARENTHESES = 10_000, 1500, 180


def express(graph: Graph, root: int, longest: int) -> str | None:
    """The expression of `root`, None if it has more than `longest` characters."""
    return express_all(graph, [root], longest)[0]


def express_all(graph: Graph, roots: Sequence[int], longest: int) -> tuple[str | None, ...]:
    """The same for several nodes, in one pass over what they need."""
    texts: dict[int, Text] = {}
    for index in graph.order(roots):
        node = graph[index]
        # What is longer has no text, nor has what is made of it.
        if all(arg in texts for arg in node.args):
            text = _text(graph, node, [texts[arg] for arg in node.args])
            if len(text.code) <= longest:
                texts[index] = text
    return tuple(texts[root].code if root in texts else None for root in roots)


def express_shortest(graph: Graph, root: int, taken: Collection[str] = ()) -> str:
    """One expression where it is no longer than statements would be, else statements.

    Args:
        graph: the graph.
        root: the node that is the value.
        taken: names that no statement may define, besides those of the graph's inputs.
    """
    statements = express_statements(graph, root, taken)
    # So long that without any sharing one expression would be too.
    if len(statements) > 2 * _LONGEST:
        return statements
    single = express(graph, root, min(len(statements), _LONGEST))
    if single is None or _parentheses(single) > _MOST_PARENTHESES:
        return statements
    return statements if _depth(graph, root) > _DEEPEST else single


def express_statements(graph: Graph, root: int, taken: Collection[str] = ()) -> str:
    """Statements that name what is used more than once or long, and the value last.

    Args:
        graph: the graph.
        root: the node that is the value.
        taken: names that no statement may define, besides those of the graph's inputs.
    """
    order = graph.order([root])
    uses = use_counts(graph.nodes, order, [root])
    names = _names(graph, order, taken)
    texts: dict[int, Text] = {}
    depths: dict[int, int] = {}
    statements: list[str] = []
    for index in order:
        node = graph[index]
        text = _text(graph, node, [texts[arg] for arg in node.args])
        depths[index] = 1 + max((depths[arg] for arg in node.args), default=0)
        if index != root and _is_named(node, text, uses[index], depths[index]):
            name = next(names)
            statements.append(f"{name} = {text.code}")
            text, depths[index] = Text(name), 0
        texts[index] = text
    return "; ".join([*statements, texts[root].code])


def _is_named(node: Node, text: Text, uses: int, depth: int) -> bool:
    if node.op in LEAVES or not node.args:
        return False
    length = len(text.code)
    if length > _LONG or depth > _DEEP:
        return True
    # Naming a condition saves little and hides what a branch depends on.
    return uses > 1 and node.op not in BOOLEANS and (uses - 1) * length > 2 * uses + 6


def _names(graph: Graph, order: Iterable[int], taken: Collection[str]) -> Iterator[str]:
    used = {str(graph[index].payload) for index in order if graph[index].op == INPUT}
    used |= {*taken, *FUNCTIONS}
    return (name for number in count(1) if (name := f"t{number}") not in used)


def _parentheses(code: str) -> int:
    """How many parentheses are open at once, at most."""
    return max(accumulate((sign == "(") - (sign == ")") for sign in code))


def _depth(graph: Graph, root: int) -> int:
    depths: dict[int, int] = {}
    for index in graph.order([root]):
        depths[index] = 1 + max((depths[arg] for arg in graph[index].args), default=0)
    return depths[root]


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
    if node.op == FLAG:
        return flag(node, operands[0], "'")
    return _array(node, operands) or _call(node, operands)


def _array(node: Node, operands: list[Text]) -> Text | None:
    """A laid-out operation; None for every other."""
    if node.op in ("expand", "spread", "gather"):
        return operands[0]
    if node.op == "contract":
        a, b = operands
        return Text(f"{enclose(a, ATOM)}.T @ {enclose(b, SIGN)}", QUOTIENT)
    if node.op == "einsum":
        return _called("einsum", [f"'{node.payload}'", *(one.code for one in operands)])
    if not isinstance(node.payload, tuple):
        return None
    if node.op in ("reduce", "normalise"):
        kind, axes, _, *keeps = node.payload
        options = [*_axis(axes), *(["keepdims=True"] if keeps else [])]
        return _called(str(kind), [operands[0].code, *options])
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
    if node.op == CUSTOM:
        name = str(node.payload)
    elif node.op == "select":
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
