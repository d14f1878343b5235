"""Long sums and products → several statements, so that the parser need not go deep.

In: the lines of an expression. Out: rows for the parser, each with its place in the lines.
A sum of ten thousand terms is ten thousand levels deep in the syntax tree, and more than
the parser takes. Operators of one precedence are taken from left to right, so that the
first terms of a chain may stand in a statement of their own: `y = a + b + c + d` becomes
`_1 = (a + b)` and `y = (_1 + c + d)`. Whatever is replaced or inserted stands in a row
of its own, and columns stay what they are.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Chains of more operators are cut into statements of so many.
LONGEST = 250
_PIECE = 100

_OPEN, _CLOSE = "([{", ")]}"
_BOUNDS = re.compile(r"[()\[\]{};\n]|'[^'\n]*'")
_TOKEN = re.compile(
    r"(?P<number>(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)?\w*)"
    r"|(?P<word>\w+|'[^'\n]*'|\.\w+)"
    r"|(?P<sign>[-+*/@%|&^<>=!:]?=|\*\*|//|<<|>>|\.\.\.|[^\s\w])"
)
_WORDS = frozenset("and or not if else in is for lambda".split())
_SUMS, _PRODUCTS = frozenset("+-"), frozenset(("*", "/", "@", "%", "//"))
# What belongs to an operand, wherever it stands.
_INNER = frozenset(("**", "~", "..."))


class Row(NamedTuple):
    """A line for the parser."""

    text: str
    line: int  # where it comes from, from 1
    column: int  # what is its first column there
    fixed: bool = False  # whether all of it stands for that one place


def rows(lines: Sequence[str]) -> tuple[list[Row], str]:
    """The rows of lines, and what the names of inserted statements begin with; empty: none."""
    whole = [Row(text, line, 0) for line, text in enumerate(lines, 1)]
    code = "\n".join(lines)
    if sum(map(code.count, "+-*/@%")) <= LONGEST:
        return whole, ""
    spans = list(_statements(code))
    long = [sum(code.count(sign, *span) for sign in "+-*/@%") > LONGEST for span in spans]
    if not any(long) or not _is_balanced(code):
        return whole, ""
    prefix = "_part"
    while prefix in code:
        prefix = f"_{prefix}"
    cutter = _Cutter(code, prefix)
    for span, is_long in zip(spans, long, strict=True):
        cutter.statement(*span) if is_long else cutter.rows.extend(cutter.text(*span))
    return (cutter.rows, prefix) if cutter.count else (whole, "")


def _statements(code: str) -> Iterator[tuple[int, int]]:
    """Where statements begin and end, without what stands between them."""
    depth, start = 0, 0
    for match in _BOUNDS.finditer(code):
        sign = match[0]
        depth += (sign in _OPEN) - (sign in _CLOSE)
        if sign in ";\n" and depth == 0:
            yield start, match.start()
            start = match.end()
    yield start, len(code)


def _is_balanced(code: str) -> bool:
    """Whether each bracket is closed by its own kind; if not, the parser says it best."""
    opened: list[str] = []
    for match in _BOUNDS.finditer(code):
        if match[0] in _OPEN:
            opened.append(match[0])
        elif match[0] in _CLOSE and (not opened or opened.pop() != _OPEN[_CLOSE.index(match[0])]):
            return False
    return not opened


class _Swap(NamedTuple):
    """A chain of which a name stands in its place."""

    start: int
    end: int
    name: str


@dataclass(slots=True)
class _Level:
    """What is known inside one pair of brackets, since the last separator."""

    sum: int = -1  # where the current sum begins; -1: nothing yet
    product: int = -1
    sums: list[int] = field(default_factory=list)  # where its operators stand
    products: list[int] = field(default_factory=list)


class _Cutter:
    """A text on its way into rows."""

    def __init__(self, code: str, prefix: str) -> None:
        self.code = code
        self.prefix = prefix
        self.rows: list[Row] = []
        self.count = 0
        self.swaps: list[_Swap] = []
        self._starts = [0, *accumulate(len(line) + 1 for line in code.split("\n"))]

    def statement(self, start: int, end: int) -> None:
        """Add the rows of a statement, and those of its chains before."""
        body = self._chains(start, end)
        if not self.swaps:
            self.rows += self.text(start, end)
            return
        if body > start:
            head = self.text(start, body)
            self.rows += [*head[:-1], head[-1]._replace(text=f"{head[-1].text}(")]
        else:
            self.rows.append(self._fixed(start, "("))
        self.rows += [*self._parts(body, end), self._fixed(end, ")")]

    def text(self, start: int, end: int) -> list[Row]:
        """The rows of a part of the text, as it is."""
        found = []
        for text in self.code[start:end].split("\n"):
            margin = len(text) - len(text.lstrip())
            line, column = self._place(start + margin)
            found.append(Row(text.lstrip(), line, column))
            start += len(text) + 1
        return found

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1]

    def _fixed(self, offset: int, text: str) -> Row:
        return Row(text, *self._place(offset), True)

    def _parts(self, start: int, end: int) -> list[Row]:
        """The rows of a part of the text, names in the place of chains."""
        found = []
        for one in self._taken(start):
            found += self.text(start, one.start)
            found.append(self._fixed(one.start, one.name))
            start = one.end
        return [*found, *self.text(start, end)]

    # ---- finding chains

    def _chains(self, start: int, end: int) -> int:
        """Cut the long chains of a statement; where its expression begins."""
        levels, last, operand = [_Level()], start, False
        body = start
        for match in _TOKEN.finditer(self.code, start, end):
            token, place, level = match[0], match.start(), levels[-1]
            if token in _CLOSE:
                self._end_sum(level, last)
                levels.pop()
                operand = True
            elif operand and token in _SUMS:
                self._end_product(level, last)
                level.sums.append(place)
                operand = False
            elif operand and token in _PRODUCTS:
                level.products.append(place)
                operand = False
            elif token in _WORDS or (match["sign"] and not self._is_inner(token, operand)):
                self._end_sum(level, last)
                operand = False
                if token == "=" and len(levels) == 1:
                    body = match.end()
            else:
                self._begin(level, place)
                operand = bool(match["word"] or match["number"])
                if token in _OPEN:
                    levels.append(_Level())
            last = match.end()
        self._end_sum(levels[0], last)
        return body

    def _is_inner(self, token: str, operand: bool) -> bool:
        """Whether a sign belongs to an operand: a bracket, a power, a sign before it."""
        return token in _INNER or token in _OPEN or (token in "+-*" and not operand)

    def _begin(self, level: _Level, place: int) -> None:
        if level.sum < 0:
            level.sum = place
        if level.product < 0:
            level.product = place

    def _end_product(self, level: _Level, end: int) -> None:
        if len(level.products) > LONGEST:
            self._cut(level.product, level.products, end)
        level.product, level.products = -1, []

    def _end_sum(self, level: _Level, end: int) -> None:
        self._end_product(level, end)
        if len(level.sums) > LONGEST:
            self._cut(level.sum, level.sums, end)
        level.sum, level.sums = -1, []

    # ---- cutting them

    def _cut(self, start: int, signs: list[int], end: int) -> None:
        """Statements for a chain, each of which begins with the value of the one before."""
        inside = self._taken(start)[::-1]
        cuts = [start, *signs[_PIECE::_PIECE], end]
        name = ""
        for first, last in pairwise(cuts):
            before = [self._fixed(start, name)] if name else []
            self.count += 1
            name = f"{self.prefix}{self.count}"
            while inside and inside[-1].start < last:
                self.swaps.append(inside.pop())
            parts = self._parts(first, last)
            self.rows += [self._fixed(start, f"{name} = ("), *before, *parts]
            self.rows.append(self._fixed(last, ")"))
        self.swaps.append(_Swap(start, end, name))

    def _taken(self, start: int) -> list[_Swap]:
        """The swaps from `start` on, taken off."""
        place = len(self.swaps)
        while place and self.swaps[place - 1].start >= start:
            place -= 1
        taken = self.swaps[place:]
        del self.swaps[place:]
        return taken
