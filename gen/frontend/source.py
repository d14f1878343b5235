"""The text of an expression, and where things stand in it.

In: a text. Out: the rows that the parser is given, and for a node of their trees its place
in the text, or a fault that points at it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gen.errors import ExpressionError, split_lines
from gen.frontend.chains import Row, rows

if TYPE_CHECKING:
    import ast

LANGUAGE = (
    "an expression has numbers, names, + - * / ** @, .T, comparisons, and/or/not, "
    "`a if c else b`, calls of known functions, and statements such as y = x**2 before it"
)


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
