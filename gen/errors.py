"""What users are told when something they gave cannot be used.

In: what was given, where it stands, what is supported instead.
Out: a `GenError`, whose text is the whole message; the command prints it and exits with 2.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# A line of the user's text is cut to this many columns around the caret, so that one
# message stays readable when the expression has a hundred thousand characters.
_EXCERPT = 72


class GenError(Exception):
    """Bad input: says what was given, where, and what is supported."""


class ExpressionError(GenError):
    """A fault at one place of an expression: shows its line with a caret under the column.

    Args:
        fault: what is wrong there.
        text: the whole expression.
        line: line of the fault, counted from 1.
        column: column of the fault in characters, counted from 0.
        width: how many characters the fault covers.
        hint: what would be right.
    """

    def __init__(
        self, fault: str, text: str, line: int, column: int, width: int = 1, hint: str = ""
    ) -> None:
        self.what, self.line, self.column, self.hint = fault, line, column, hint
        lines = split_lines(text)
        line = min(max(line, 1), len(lines))
        place = f"line {line}, column {column + 1}" if len(lines) > 1 else f"column {column + 1}"
        excerpt, indent = _excerpt(lines[line - 1], column)
        carets = "^" * max(1, min(width, len(excerpt) - indent))
        shown = [f"{fault} ({place})", f"    {excerpt}", f"    {' ' * indent}{carets}", hint]
        super().__init__("\n".join(row for row in shown if row))


class DefinitionError(ExpressionError):
    """A fault inside a function that the expression calls.

    Args:
        where: the function, such as "the function P3".
        fault: what is wrong there.
    """

    def __init__(self, where: str, fault: GenError) -> None:
        Exception.__init__(self, f"in {where}: {fault}")
        self.what, self.line, self.column, self.hint = str(self), 0, 0, ""


class CalledError(DefinitionError):
    """The same, with what says where the function stands.

    Args:
        name: the function, such as "P3".
        fault: what is wrong there.
    """

    def __init__(self, name: str, fault: GenError) -> None:
        super().__init__(f"the function {name}", fault)
        self.name, self.fault = name, fault


def split_lines(text: str) -> list[str]:
    """The lines of an expression as Python's parser counts them."""
    return re.split(r"\r\n|\r|\n", text)


def _excerpt(line: str, column: int) -> tuple[str, int]:
    """The part of `line` around `column`, and where the column stands in it."""
    start = max(0, column - _EXCERPT // 2) if len(line) > _EXCERPT else 0
    stop = start + _EXCERPT
    before = "..." if start else ""
    after = "..." if stop < len(line) else ""
    shown = "".join(c if c.isprintable() else " " for c in line[start:stop])
    return f"{before}{shown}{after}", column - start + len(before)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the known word nearest to `word`; empty where none is near.

    >>> nearest("sinn", ["sin", "cosh"])
    "did you mean 'sin'?"
    """
    by_lower = {name.lower(): name for name in sorted(known, reverse=True)}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"did you mean '{by_lower[near[0]]}'?" if near else ""
