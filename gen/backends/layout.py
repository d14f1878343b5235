"""Lists on one line, or one item a line with the comma that formatters keep.

In: items of code. Out: lines of at most 88 columns that no formatter joins or breaks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

WIDTH = 88

_CALL = re.compile(r" *\w+(: \w+)? = [\w.]+\(")
BODY = 8  # how far the body of a method is indented


def listed(items: list[str], before: int, after: int, indent: int) -> str:
    """The items between two parentheses."""
    line = ", ".join(items)
    if before + len(line) + after <= WIDTH:
        return line
    inner = " " * (indent + 4)
    return "\n" + "".join(f"{inner}{item},\n" for item in items) + " " * indent


def assigned(targets: list[str], source: str) -> list[str]:
    """Lines that unpack `source`."""
    if len(targets) == 1:
        return [f"({targets[0]},) = {source}"]
    line = f"{', '.join(targets)} = {source}"
    if len(line) + BODY <= WIDTH:
        return [line]
    return ["(", *(f"    {target}," for target in targets), f") = {source}"]


def called(start: str, items: list[str]) -> list[str]:
    """Lines of a call: `start` is what stands before its parenthesis."""
    line = f"{start}({', '.join(items)})"
    if len(line) + BODY <= WIDTH and "\n" not in line:
        return [line]
    inner = [f"    {line}" for item in items for line in f"{item},".split("\n")]
    return [f"{start}(", *inner, ")"]


def broken(line: str) -> list[str]:
    """An assignment, with one argument a line where what it assigns is too long a call."""
    return [line] if _fits(line) or not _CALL.match(line) else _spread(line)


def _fits(line: str) -> bool:
    """Whether a line of a body is short enough, also one under a condition."""
    return len(line) + BODY + 4 <= WIDTH


def _spread(line: str) -> list[str]:
    """A call or a tuple, and what is too long in it, with one item a line."""
    start, parenthesis, rest = line.partition("(")
    if _fits(line) or not parenthesis:
        return [line]
    items, depth, begin = [], 0, 0
    for place, sign in enumerate(rest):
        depth += (sign in "([{") - (sign in ")]}")
        if depth < 0 and rest[place + 1 :] not in ("", ","):
            return [line]  # the call is but a part
        if depth < 0 or (sign == "," and depth == 0):
            items.append(rest[begin:place].strip())
            begin = place + 1
        if depth < 0:
            break
    indent = " " * (len(line) - len(line.lstrip()))
    inner = [row for item in items for row in _spread(f"{indent}    {item},")]
    return [f"{start}(", *inner, f"{indent}){',' if line.endswith(',') else ''}"]


def returning(items: list[str]) -> list[str]:
    line = f"return {', '.join(items)}"
    if len(line) + BODY <= WIDTH:
        return [line]
    return ["return (", *(f"    {item}," for item in items), ")"]


def imported(module: str, names: Iterable[str]) -> list[str]:
    """A from-import, sorted as isort does: classes before functions."""
    ordered = sorted(names, key=lambda name: (not name[0].isupper(), name))
    line = f"from {module} import {', '.join(ordered)}"
    if len(line) <= WIDTH:
        return [line]
    return [f"from {module} import (", *(f"    {name}," for name in ordered), ")"]


def none(names: list[str]) -> list[str]:
    line = f"{' = '.join(names)} = None"
    return [line] if len(line) + BODY <= WIDTH else [f"{name} = None" for name in names]
