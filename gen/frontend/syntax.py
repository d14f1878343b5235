"""Text → syntax tree: the limits, and where things stand.

In: the text of an expression, or of statements of which the last ones are wanted. Out:
the trees that the standard library's parser makes of them, of bounded size, and a `Source`
that turns a node of one into the place of an error.
"""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gen.errors import ExpressionError, GenError, split_lines
from gen.frontend.chains import Row, rows
from gen.model import MAX_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_DEPTH = 2000
MAX_NODES = 2_000_000
MAX_DIGITS = 1000

LANGUAGE = (
    "an expression has numbers, names, + - * / ** @, .T, comparisons, and/or/not, "
    "`a if c else b`, calls of known functions, and statements such as y = x**2 before it"
)

# The parser skips these two, and they would reach the docstring of what is emitted.
_SKIPPED = (("#", "a comment"), ("\\", "a backslash"))


@dataclass(frozen=True, slots=True)
class Source:
    """The text of an expression, and places in it."""

    text: str
    rows: list[Row] = field(init=False)  # what the parser is given, without indentation
    hidden: str = field(init=False)  # what the names of inserted statements begin with
    indents: list[int] = field(init=False)  # of the lines of the text
    _bytes: dict[int, bytes] = field(init=False, default_factory=dict)  # of rows asked for

    def __post_init__(self) -> None:
        lines = split_lines(self.text)
        bare = [line.lstrip() for line in lines]
        found, hidden = rows(bare)
        object.__setattr__(self, "rows", found)
        object.__setattr__(self, "hidden", hidden)
        indents = [len(line) - len(one) for line, one in zip(lines, bare, strict=True)]
        object.__setattr__(self, "indents", indents)

    @property
    def code(self) -> str:
        """What the parser is given: statements all begin at the margin."""
        return "\n".join(row.text for row in self.rows)

    def is_hidden(self, name: str) -> bool:
        """Whether a name is that of an inserted statement."""
        return bool(self.hidden) and name.startswith(self.hidden)

    def place(self, node: ast.expr) -> tuple[int, int]:
        """Line, from 1, and column, from 0, where a node begins in the text."""
        return self._place(node.lineno, self._column(node.lineno, node.col_offset))

    def _place(self, row: int, column: int) -> tuple[int, int]:
        """A place in the text, from one in the rows; columns are characters."""
        _, line, start, fixed = self.rows[row - 1]
        return line, start + (0 if fixed else column) + self.indents[line - 1]

    def fault(self, node: ast.expr, what: str, hint: str = "") -> ExpressionError:
        """A fault that covers a node."""
        line, column = self.place(node)
        width = 1
        if node.end_lineno is not None and node.end_col_offset is not None:
            end = self._column(node.end_lineno, node.end_col_offset)
            last, stop = self._place(node.end_lineno, end)
            width = stop - column if last == line else 1
        return ExpressionError(what, self.text, line, column, width, hint)

    def fault_after(self, node: ast.expr, sign: str, hint: str) -> ExpressionError:
        """A fault at the operator that follows a node."""
        row = node.end_lineno or 1
        column = self._column(row, node.end_col_offset or 0)
        while sign not in self.rows[row - 1].text[column:]:
            row, column = row + 1, 0
        line, column = self._place(row, self.rows[row - 1].text.index(sign, column))
        what = f"{sign} is not part of an expression"
        return ExpressionError(what, self.text, line, column, len(sign), hint or LANGUAGE)

    def fault_at(self, row: int, column: int | None, what: str, hint: str) -> ExpressionError:
        """A fault at a place in the rows, at the end of one where no column is known."""
        row = min(max(row, 1), len(self.rows))
        place = self._place(row, len(self.rows[row - 1].text) if column is None else column)
        return ExpressionError(what, self.text, *place, hint=hint)

    def segment(self, node: ast.expr) -> str:
        """The text of a node that stands in one row."""
        return self._encoded(node.lineno)[node.col_offset : node.end_col_offset].decode()

    def _column(self, row: int, offset: int) -> int:
        """A column in characters, from one in the bytes of UTF-8 that ast counts."""
        text = self.rows[row - 1].text
        if text.isascii():
            return offset
        return len(self._encoded(row)[:offset].decode(errors="ignore"))

    def _encoded(self, row: int) -> bytes:
        # A row may be the whole text: it is encoded once, not once for each number in it.
        if row not in self._bytes:
            self._bytes[row] = self.rows[row - 1].text.encode()
        return self._bytes[row]

    def find(self, sign: str) -> tuple[int, int]:
        """Line, from 1, and column, from 0, of the first `sign`."""
        lines = split_lines(self.text)
        line = next(i for i, text in enumerate(lines) if sign in text)
        return line + 1, lines[line].index(sign)


class Statement(NamedTuple):
    """`name = tree`; without a name, the value that is wanted."""

    name: str | None
    tree: ast.expr
    nodes: tuple[ast.expr, ...]  # all that the tree is made of, each before its own parts
    is_hidden: bool = False  # inserted for the first terms of a long sum or product

    @property
    def reads(self) -> list[ast.Name]:
        """The names in it that are not called."""
        called = {id(one.func) for one in self.nodes if type(one) is ast.Call}
        return [one for one in self.nodes if type(one) is ast.Name and id(one) not in called]


def parse(source: Source) -> tuple[Statement, ...]:
    """The statements of a text, at least one.

    Raises:
        GenError: where it is none, or larger or deeper than can be read.
    """
    _check_characters(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the parser warns of literals refused later
            module = ast.parse(source.code)
    except SyntaxError as fault:
        raise _syntax_error(source, fault) from None
    except (RecursionError, MemoryError):
        raise _too_deep() from None
    except ValueError as fault:  # null bytes, lone surrogates
        raise GenError(f"the expression cannot be read as text: {fault}") from None
    if not module.body:
        raise GenError("the expression is empty; write one, such as 0.5*(5*x**3-3*x)")
    statements = _statements(module.body, source)
    for one in statements[:-1]:
        if one.name is None:
            hint = "write name = ... before it, or join the lines inside parentheses"
            raise source.fault(one.tree, "a value that nobody uses", hint)
    return statements


def _statements(body: Iterable[ast.stmt], source: Source) -> tuple[Statement, ...]:
    found: list[Statement] = []
    room = MAX_NODES
    for one in body:
        name, tree = _assigned(one, source)
        nodes = _nodes(tree, room)
        room -= len(nodes)
        found.append(Statement(name, tree, nodes, name is not None and source.is_hidden(name)))
    return tuple(found)


def _assigned(node: ast.stmt, source: Source) -> tuple[str | None, ast.expr]:
    """The expression of a statement, and the name that it is assigned to."""
    match node:
        case ast.Expr(value=value):
            return None, value
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, value
        case ast.Assign(targets=targets):
            hint = "write name = expression, one name at a time"
            raise source.fault(targets[0], "not a name that can be assigned", hint)
    place = ast.Constant(None, lineno=node.lineno, col_offset=node.col_offset)
    word = re.split(r"\W", source.rows[node.lineno - 1].text[node.col_offset :])[0]
    what = f"{word or 'this statement'} is not part of an expression"
    hint = "lambda is a keyword of Python; call the input lambda_" if word == "lambda" else ""
    raise source.fault(place, what, hint or LANGUAGE)


def check_quotes(source: Source) -> None:
    """Refuse what no valid expression contains, before any of it is printed in a docstring."""
    for sign in ('"', "`", "$"):
        if sign in source.text:
            place = source.find(sign)
            raise ExpressionError(f"{sign} is not part of an expression", source.text, *place)


def _check_characters(source: Source) -> None:
    text = source.text
    if not text:
        raise GenError("the expression is empty; write one, such as 0.5*(5*x**3-3*x)")
    if len(text) > MAX_CHARACTERS:
        raise GenError(
            f"the expression has {len(text)} characters; at most {MAX_CHARACTERS} are read"
        )
    for sign, what in _SKIPPED:
        if sign in text:
            place = source.find(sign)
            raise ExpressionError(f"{what} is not part of an expression", text, *place)
    if re.sub(r"[\t\n\r]", "", text).isprintable():
        return
    control = next(
        (c for c in text if c not in "\t\n\r " and unicodedata.category(c)[0] == "C"), ""
    )
    if control:
        place = source.find(control)
        what = f"the character U+{ord(control):04X} is not part of an expression"
        raise ExpressionError(what, text, *place)


def _too_deep() -> GenError:
    return GenError(
        f"the expression is nested too deeply; at most {MAX_DEPTH} levels are read, "
        "200 of them parentheses (sums and products may have any number of operands)"
    )


def _nodes(tree: ast.expr, room: int) -> tuple[ast.expr, ...]:
    """All expressions that a tree is made of, level by level, if there are no more than `room`."""
    found: list[ast.expr] = []
    level = [tree]
    for _ in range(MAX_DEPTH):
        found += level
        if len(found) > room:
            raise GenError(
                f"the expression has more than {MAX_NODES} operations and operands; "
                "no more are read"
            )
        below: list[ast.expr] = []
        for node in level:
            kind = type(node)
            if kind is ast.BinOp:
                below += (node.left, node.right)  # type: ignore[attr-defined]
            elif kind is not ast.Name and kind is not ast.Constant:
                below += _parts(node)
        if not below:
            return tuple(found)
        level = below
    raise _too_deep()


def _parts(node: ast.expr) -> list[ast.expr]:
    """The expressions that a node is made of, in the order of the text."""
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            found.append(child)
        elif isinstance(child, ast.keyword):
            found.append(child.value)
    return found


def _syntax_error(source: Source, fault: SyntaxError) -> GenError:
    message = re.sub(r" \(detected at line \d+\)", "", fault.msg or "invalid syntax")
    if "too many nested parentheses" in message or "too complex" in message:
        return _too_deep()
    hint = LANGUAGE
    if re.search(r"\blambda\b", source.text):
        hint = "lambda is a keyword of Python; call the input lambda_"
    elif "decimal literal" in message:
        hint = "a product needs its sign, as in 2*x"
    elif "cannot assign" in message or "'='" in message:
        hint = "comparing is ==; what is assigned is one name, as in y = x**2"
    elif "was never closed" in message or "unmatched" in message:
        hint = ""
    elif "Maybe you meant" in message or "forgot a comma" in message:
        message = "invalid syntax"
    elif "integer string conversion" in message:
        message, hint = "a number is too long", f"at most {MAX_DIGITS} digits are read"
    column = fault.offset - 1 if fault.offset else None
    return source.fault_at(fault.lineno or 1, column, f"not an expression: {message}", hint)


def names(statements: Sequence[Statement], source: Source) -> list[str]:
    """The names that are read but not called, in the order in which they are read.

    Those that a statement before assigns are left out.
    """
    found: dict[str, None] = {}
    assigned: set[str] = set()
    read: list[ast.Name] = []
    for statement in statements:
        read += statement.reads
        if statement.name is not None and statement.is_hidden:
            assigned.add(statement.name)
            continue
        for node in sorted(read, key=source.place):
            # Letters that Python takes for plain ones can spell a keyword.
            if keyword.iskeyword(node.id):
                what = f"{node.id} is a keyword of Python, and no name for an input"
                raise source.fault(node, what)
            if node.id not in assigned:
                found[node.id] = None
        read = []
        if statement.name is not None:
            is_taken = statement.name in found or statement.name in assigned
            _check_assigned(statement, source, is_taken)
            assigned.add(statement.name)
    return list(found)


def _check_assigned(statement: Statement, source: Source, is_taken: bool) -> None:
    name = statement.name
    if is_taken:
        hint = "each name has one value; choose another for the new one"
        raise source.fault(statement.tree, f"{name} is assigned a second value", hint)
    if name is not None and keyword.iskeyword(name):
        raise source.fault(statement.tree, f"{name} is a keyword of Python")
