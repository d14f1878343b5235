"""Long bodies: dead arrays are deleted, and very long ones are cut into functions.

In: the lines of straight-line code that gives each name one value, with the type of each
name. Out: the lines of the body, and those of the functions that it calls. A cut lies
where few values are needed behind it; what a piece is given are its parameters, what is
needed behind it its results.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from gen.backends.layout import BODY, WIDTH, assigned, called, listed, returning

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

# A body of more operations deletes what is dead; one of more than these is cut.
FREED = 100
LARGEST = 1000

# How many lines a piece has.
_FEWEST, _MOST = 150, 300

# So many dead arrays are deleted together.
_TOGETHER = 6

# No attributes, keywords of calls, nor letters in the equation of an einsum.
_NAME = re.compile(r"(?<![\w.])[^\W\d]\w*+(?!=)")
_QUOTED = re.compile(r'"[^"]*"')
_ASSIGNED = re.compile(r"( *)([^\W\d]\w*)(?:: [^=]+)? = ")


class Step(NamedTuple):
    """Lines that stay together: one assignment, or a condition with what it guards."""

    lines: tuple[str, ...]
    writes: tuple[str, ...]  # the names that have a value afterwards
    inner: tuple[str, ...]  # those assigned under its condition alone
    reads: tuple[str, ...]  # all names in it, each once


@dataclass(frozen=True, slots=True)
class Scope:
    """The names of a body.

    Attributes:
        given: the type of each name that has a value before, in order.
        made: the type of each that the lines assign.
        arrays: those among them that are worth deleting.
    """

    given: Mapping[str, str]
    made: Mapping[str, str]
    arrays: Container[str]

    def type_of(self, name: str) -> str:
        return self.made.get(name) or self.given[name]


def step(lines: Sequence[str]) -> Step:
    """A step from its lines."""
    writes: list[str] = []
    inner: list[str] = []
    reads: list[str] = []
    for line in lines:
        if match := _ASSIGNED.match(line):
            (inner if match[1] else writes).append(match[2])
        reads += _names(line)
    own = tuple([name for name in inner if name not in writes])
    return Step(tuple(lines), tuple(writes), own, tuple(dict.fromkeys(reads)))


def _names(line: str) -> list[str]:
    return _NAME.findall(_QUOTED.sub("", line) if '"' in line else line)


def steps(lines: Iterable[str]) -> list[Step]:
    """The steps of a body: what is indented belongs to the line before it."""
    groups: list[list[str]] = []
    for line in lines:
        if groups and line[:1] in (" ", ")"):
            groups[-1].append(line)
        else:
            groups.append([line])
    return [step(group) for group in groups]


def cut(
    name: str, whole: Sequence[Step], tail: Sequence[str], scope: Scope
) -> tuple[list[Step], list[str]]:
    """The calls that a long body is made of, and the lines of the functions that they call.

    Args:
        name: what these functions are called, but for a number.
        whole: the steps of the body.
        tail: code behind them that reads names too.
        scope: its names.
    """
    calls: list[Step] = []
    functions: list[str] = []
    lasts = _last_reads(whole, tail)
    for start, stop in _pieces(whole, lasts):
        part = tuple(whole[start:stop])
        results = tuple(one for each in part for one in each.writes if lasts[one] >= stop)
        piece = _Piece.of(f"{name}_{len(calls) + 1}", part, results, scope)
        calls.append(piece.call())
        functions += piece.function()
    return calls, functions


# ---- what is dead


def freed(
    whole: Sequence[Step], tail: Sequence[str], arrays: Container[str], ends: bool = True
) -> list[str]:
    """The lines of steps, arrays deleted once nothing reads them any more.

    Args:
        whole: the steps.
        tail: code behind them that reads names too.
        arrays: the names worth deleting.
        ends: whether the body ends with the tail, and with it all names.
    """
    lasts = _last_reads(whole, tail)
    dying: dict[int, list[str]] = {}
    for one in whole:
        for name in one.writes:
            if name in arrays:
                dying.setdefault(lasts[name], []).append(name)
    lines: list[str] = []
    dead: list[str] = []
    for place, one in enumerate(whole, 1):
        lines += one.lines
        dead += dying.get(place - 1, ())
        enough = len(dead) >= _TOGETHER if place < len(whole) else dead and not ends
        if enough:
            lines += _deleted(dead)
            dead = []
    return lines


def _last_reads(whole: Sequence[Step], tail: Sequence[str]) -> dict[str, int]:
    """The place of the last step that names each name; behind all where the tail does."""
    found = {name: place for place, one in enumerate(whole) for name in one.reads}
    return found | dict.fromkeys(step(tail).reads, len(whole))


def _deleted(names: Sequence[str]) -> list[str]:
    lines = [f"del {names[0]}"]
    for name in names[1:]:
        if len(lines[-1]) + len(name) + 2 > WIDTH - 2 * BODY:
            lines.append(f"del {name}")
        else:
            lines[-1] += f", {name}"
    return lines


# ---- where to cut


def _pieces(whole: Sequence[Step], lasts: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    """The bounds of pieces, each cut where the fewest values are needed behind it."""
    crossing = _crossing(whole, lasts)
    ends = list(accumulate(len(one.lines) for one in whole))
    start, done = 0, 0
    while ends[-1] - done > _MOST:
        stop, best = start + 1, start + 1
        while stop < len(whole) and ends[stop - 1] - done <= _MOST:
            if ends[stop - 1] - done < _FEWEST or crossing[stop] <= crossing[best]:
                best = stop
            stop += 1
        yield start, best
        start, done = best, ends[best - 1]
    if start < len(whole):
        yield start, len(whole)


def _crossing(whole: Sequence[Step], lasts: Mapping[str, int]) -> list[int]:
    """How many values are needed on both sides of a cut before each step."""
    changes = [0] * (len(whole) + 2)
    for place, one in enumerate(whole):
        for name in one.writes:
            changes[place + 1] += 1
            changes[lasts[name] + 1] -= 1
    return list(accumulate(changes))


# ---- a piece


@dataclass(frozen=True, slots=True)
class _Piece:
    """Steps that become a function."""

    name: str
    steps: tuple[Step, ...]
    parameters: list[str]  # what the steps read and do not make, in order
    results: tuple[str, ...]
    scope: Scope

    @classmethod
    def of(
        cls, name: str, steps: tuple[Step, ...], results: tuple[str, ...], scope: Scope
    ) -> _Piece:
        own = {name for one in steps for name in (*one.writes, *one.inner)}
        read = dict.fromkeys(name for one in steps for name in one.reads)
        known = [name for name in read if name in scope.made or name in scope.given]
        return cls(name, steps, [name for name in known if name not in own], results, scope)

    def call(self) -> Step:
        """The step that calls the function."""
        source = called(self.name, self.parameters)
        if len(self.results) == 1:
            lines = called(f"{self.results[0]} = {self.name}", self.parameters)
        else:
            lines = [*assigned(list(self.results), source[0]), *source[1:]]
        return Step(tuple(lines), self.results, (), (*self.results, *self.parameters))

    def function(self) -> list[str]:
        """The lines of the function, two empty ones before it."""
        start = f"def {self.name}("
        typed = [f"{name}: {self.scope.type_of(name)}" for name in self.parameters]
        kind = self._type()
        # Beside a type of several lines the parameters stand in lines of their own too.
        room = WIDTH if "\n" in kind else len(f") -> {kind}:")
        head = f"{start}{listed(typed, len(start), room, 0)}) -> {kind}:".split("\n")
        number = self.name.rpartition("_")[2]
        lines = [f'"""Return part {number} of what is computed."""', *self._lines()]
        inner = [f"    {line}" for line in [*lines, *returning(list(self.results))]]
        return ["", "", *head, *inner]

    def _lines(self) -> list[str]:
        lines = freed(self.steps, self.results, self.scope.arrays)
        if len(self.results) > 1:
            return lines
        # One value alone would be Any where the library does not say what it returns.
        (name,) = self.results
        place = next(i for i, line in enumerate(lines) if line.startswith(f"{name} = "))
        kind = self.scope.type_of(name)
        lines[place] = lines[place].replace(" = ", f": {kind} = ", 1)
        return lines

    def _type(self) -> str:
        kinds = [self.scope.type_of(name) for name in self.results]
        if len(kinds) == 1:
            return kinds[0]
        if len(set(kinds)) == 1:
            return f"tuple[{kinds[0]}, ...]"
        return "tuple[\n" + "".join(f"    {kind},\n" for kind in kinds) + "]"
