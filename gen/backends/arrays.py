"""Operations on whole arrays as code: what numpy and PyTorch spell alike.

In: a laid-out operation, the codes of its operands, and how to ask for the shape of what
is given. Out: a text. Reductions, contractions and matrices are left to the dialect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from gen.graph.graph import EXTENT, EYE, INPUT
from gen.graph.infix import ATOM, Text, enclose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gen.graph.graph import Node

# Laid-out operations that this file writes; `matmul` is arithmetic to infix.py.
ARRAY_OPERATIONS = frozenset(
    {
        "view",
        "reduce",
        "normalise",
        "einsum",
        "contract",
        "linalg",
        EYE,
        "expand",
        "spread",
        "gather",
        EXTENT,
    }
)


class Operand(NamedTuple):
    """An operand's code, and whether it is a plain number rather than an array."""

    text: Text
    is_number: bool


class ArrayDialect(Protocol):
    """How a library spells what works along axes."""

    @property
    def keep(self) -> str:
        """The option by which a reduction keeps its axis."""

    def scalar(self, number: Text) -> Text:
        """A plain number as an array of the dtype that the block computes in."""

    def reduce(self, kind: str, operand: Text, axes: str) -> Text:
        """A reduction over axes, such as "-1" or "(-2, -1)"; over all where there are none.

        What follows the axes are further options.
        """

    def normalise(self, kind: str, operand: Text, axes: str) -> Text:
        """A normalisation along axes."""

    def einsum(self, equation: str, operands: Sequence[Text]) -> Text:
        """A contraction."""

    def linalg(self, kind: str, operands: Sequence[Text]) -> Text:
        """An operation on the matrices of the last two axes."""

    def runtime_call(self, function: str, operands: Sequence[Text]) -> Text:
        """A call of a function of the runtime."""

    def eye(self, size: Text) -> Text:
        """An identity matrix."""


def array_operation(
    node: Node,
    operands: Sequence[Operand],
    dialect: ArrayDialect,
    shape: Callable[[str, str], str],
) -> Operand:
    """The code of a laid-out operation.

    Args:
        node: the operation.
        operands: the codes of its operands.
        dialect: how the library spells it.
        shape: the code of the shape of an input or a cotangent, by kind and name.
    """
    payload = node.payload
    texts = [dialect.scalar(one.text) if one.is_number else one.text for one in operands]
    if not isinstance(payload, tuple):
        return Operand(_untupled(node, texts, dialect), False)
    match node.op:
        case "reduce":
            return Operand(_reduction(dialect, payload, texts[0]), False)
        case "normalise":
            return Operand(dialect.normalise(str(payload[0]), texts[0], _axes(payload[1])), False)
        case "linalg":
            return Operand(dialect.linalg(str(payload[0]), texts), False)
        case "eye":
            return Operand(dialect.eye(Text(_size(payload[0], shape))), False)
        case "expand":
            whole = Text(_shape(payload, dialect, shape))
            return Operand(dialect.runtime_call("expand_to", [texts[0], whole]), False)
        case "spread" | "gather":
            leading, behind = payload
            args = [texts[0], Text(str(behind)), Text(_leading(leading, dialect, shape))]
            return Operand(dialect.runtime_call(f"{node.op}_leading", args), False)
    return Operand(_extent(payload, dialect, shape), True)


def _extent(
    payload: tuple[object, ...], dialect: ArrayDialect, shape: Callable[[str, str], str]
) -> Text:
    """The code of the size of an axis, or of all leading dimensions together."""
    if payload[0] != "...":
        return Text(_size(payload, shape))
    return dialect.runtime_call("volume", [Text(_leading(payload, dialect, shape))])


def _untupled(node: Node, texts: Sequence[Text], dialect: ArrayDialect) -> Text:
    """The code of an operation that a text says all about, or nothing."""
    if node.op == "contract":
        return dialect.runtime_call("contract", texts)
    if node.op == "einsum":
        return dialect.einsum(str(node.payload), texts)
    assert node.op == "view"
    return Text(f"{enclose(texts[0], ATOM)}{node.payload}")


def _axes(axes: object) -> str:
    """Axes as an argument: one alone needs no parentheses."""
    assert isinstance(axes, tuple)
    if len(axes) == 1:
        return str(axes[0])
    return f"({', '.join(map(str, axes))})" if axes else ""


def _reduction(dialect: ArrayDialect, payload: tuple[object, ...], operand: Text) -> Text:
    kind, axes, behind, *keeps = payload
    assert isinstance(axes, tuple)
    if "..." not in axes:
        option = f", {dialect.keep}" if keeps else ""
        return dialect.reduce(str(kind), operand, _axes(axes) + option)
    # Only sums run over leading dimensions while others stay.
    assert kind == "sum"
    rest = axes[1:]
    if rest:
        operand = dialect.reduce("sum", operand, _axes(rest))
    count = Text(str(int(str(behind)) - len(rest)))
    return dialect.runtime_call("sum_leading", [operand, count])


def _leading(piece: object, dialect: ArrayDialect, shape: Callable[[str, str], str]) -> str:
    """The code of the leading dimensions that inputs have together."""
    shapes = _leading_shapes(piece, shape)
    if len(shapes) == 1:
        return shapes[0]
    return dialect.runtime_call("common_shape", list(map(Text, shapes))).code


def _leading_shapes(piece: object, shape: Callable[[str, str], str]) -> list[str]:
    assert isinstance(piece, tuple)
    _, names, behind = piece
    pairs = zip(names, behind, strict=True)
    return [shape(INPUT, name) + (f"[:-{count}]" if count else "") for name, count in pairs]


def _shape(
    pieces: tuple[object, ...], dialect: ArrayDialect, shape: Callable[[str, str], str]
) -> str:
    """The code of a shape from its pieces."""
    match pieces:
        case ((str() as op, str() as name),):
            return shape(op, name)
        case (("...", *_) as leading,):
            return _leading(leading, dialect, shape)
    parts = [_piece(one, dialect, shape) for one in pieces]
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def _piece(piece: object, dialect: ArrayDialect, shape: Callable[[str, str], str]) -> str:
    if isinstance(piece, tuple) and piece[0] == "...":
        return f"*{_leading(piece, dialect, shape)}"
    return _size(piece, shape)


def _size(piece: object, shape: Callable[[str, str], str]) -> str:
    """The code of one size: a number, or that of an axis."""
    if isinstance(piece, int):
        return str(piece)
    assert isinstance(piece, tuple)
    (op, name), axis = piece
    return f"{shape(op, name)}[{axis}]"


def method(operand: Text, name: str, axes: str) -> Text:
    """A call of a method, as in x.sum(-1)."""
    return Text(f"{enclose(operand, ATOM)}.{name}({axes})", ATOM)
