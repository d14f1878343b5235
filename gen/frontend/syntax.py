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
from gen.model import MAX_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    lines: list[str] = field(init=False)  # without their indentation
    indents: list[int] = field(init=False)

    def __post_init__(self) -> None:
        lines = split_lines(self.text)
        object.__setattr__(self, "lines", [line.lstrip() for line in lines])
        indents = [len(line) - len(line.lstrip()) for line in lines]
        object.__setattr__(self, "indents", indents)

    @property
    def code(self) -> str:
        """What the parser is given: statements all begin at the margin."""
        return "\n".join(self.lines)

    def fault(self, node: ast.expr, what: str, hint: str = "") -> ExpressionError:
        """A fault that covers a node."""
        column = self._column(node.lineno, node.col_offset)
        width = 1
        if node.end_lineno == node.lineno and node.end_col_offset is not None:
            width = self._column(node.lineno, node.end_col_offset) - column
        return self._error(what, node.lineno, column, width, hint)

    def fault_after(self, node: ast.expr, sign: str, hint: str) -> ExpressionError:
        """A fault at the operator that follows a node."""
        line = node.end_lineno or 1
        column = self._column(line, node.end_col_offset or 0)
        while sign not in self.lines[line - 1][column:]:
            line, column = line + 1, 0
        column = self.lines[line - 1].index(sign, column)
        what = f"{sign} is not part of an expression"
        return self._error(what, line, column, len(sign), hint or LANGUAGE)

    def _error(self, what: str, line: int, column: int, width: int, hint: str) -> ExpressionError:
        column += self.indents[line - 1]
        return ExpressionError(what, self.text, line, column, width, hint)

    def segment(self, node: ast.expr) -> str:
        """The text of a node that stands on one line."""
        row = self.lines[node.lineno - 1].encode()
        return row[node.col_offset : node.end_col_offset].decode()

    def _column(self, line: int, offset: int) -> int:
        """A column in characters, from one in the bytes of UTF-8 that ast counts."""
        return len(self.lines[line - 1].encode()[:offset].decode(errors="ignore"))

    def find(self, sign: str) -> tuple[int, int]:
        """Line, from 1, and column, from 0, of the first `sign`."""
        line = next(i for i, row in enumerate(self.lines) if sign in row)
        return line + 1, self.lines[line].index(sign) + self.indents[line]


class Statement(NamedTuple):
    """`name = tree`; without a name, the value that is wanted."""

    name: str | None
    tree: ast.expr


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
    statements = tuple(_statement(one, source) for one in module.body)
    if not statements:
        raise GenError("the expression is empty; write one, such as 0.5*(5*x**3-3*x)")
    _check_size([one.tree for one in statements])
    for one in statements[:-1]:
        if one.name is None:
            hint = "write name = ... before it, or join the lines inside parentheses"
            raise source.fault(one.tree, "a value that nobody uses", hint)
    return statements


def _statement(node: ast.stmt, source: Source) -> Statement:
    match node:
        case ast.Expr(value=value):
            return Statement(None, value)
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return Statement(name, value)
        case ast.Assign(targets=targets):
            hint = "write name = expression, one name at a time"
            raise source.fault(targets[0], "not a name that can be assigned", hint)
    place = ast.Constant(None, lineno=node.lineno, col_offset=node.col_offset)
    word = re.split(r"\W", source.lines[node.lineno - 1][node.col_offset :])[0]
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
    control = next(
        (c for c in text if c not in "\t\n\r " and unicodedata.category(c)[0] == "C"), ""
    )
    if control:
        place = source.find(control)
        what = f"the character U+{ord(control):04X} is not part of an expression"
        raise ExpressionError(what, text, *place)


def _too_deep() -> GenError:
    return GenError(
        f"the expression is nested too deeply; at most {MAX_DEPTH} levels are read "
        "(each term of a sum and each factor of a product is one), 200 of them parentheses"
    )


def _check_size(trees: list[ast.expr]) -> None:
    nodes, pending = 0, [(tree, 1) for tree in trees]
    while pending:
        node, depth = pending.pop()
        nodes += 1
        if depth > MAX_DEPTH:
            raise _too_deep()
        if nodes > MAX_NODES:
            raise GenError(
                f"the expression has more than {MAX_NODES} operations and operands; "
                "no more are read"
            )
        children = ast.iter_child_nodes(node)
        pending.extend((child, depth + 1) for child in children if isinstance(child, ast.expr))


def _syntax_error(source: Source, fault: SyntaxError) -> GenError:
    message = fault.msg or "invalid syntax"
    if "too many nested parentheses" in message or "too complex" in message:
        return _too_deep()
    line = min(fault.lineno or 1, len(source.lines))
    column = (fault.offset or 0) - 1 if fault.offset else len(source.lines[line - 1])
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
    return ExpressionError(f"not an expression: {message}", source.text, line, column, hint=hint)


def names(statements: Sequence[Statement], source: Source) -> list[str]:
    """The names that are read but not called, in the order in which they are read.

    Those that a statement before assigns are left out.
    """
    found: dict[str, None] = {}
    assigned: set[str] = set()
    for statement in statements:
        for node in _read(statement.tree):
            # Letters that Python takes for plain ones can spell a keyword.
            if keyword.iskeyword(node.id):
                what = f"{node.id} is a keyword of Python, and no name for an input"
                raise source.fault(node, what)
            if node.id not in assigned:
                found[node.id] = None
        if statement.name is not None:
            _check_assigned(statement, source, [*found, *assigned])
            assigned.add(statement.name)
    return list(found)


def _read(tree: ast.expr) -> list[ast.Name]:
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = [
        node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called
    ]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def _check_assigned(statement: Statement, source: Source, taken: Sequence[str]) -> None:
    name = statement.name
    if name in taken:
        hint = "each name has one value; choose another for the new one"
        raise source.fault(statement.tree, f"{name} is assigned a second value", hint)
    if name is not None and keyword.iskeyword(name):
        raise source.fault(statement.tree, f"{name} is a keyword of Python")
