"""The statements of an expression, as text.

In: an expression as it was written. Out: its statements, each on one line.
"""

from __future__ import annotations

import re

_ASSIGNED = re.compile(r"^(\w+) ?=(?!=) ?")


def one_line(expr: str) -> str:
    r"""The expression with each run of white space as one space.

    >>> one_line("y = x * (1 +\n  x)\nz = y")
    'y = x * (1 + x); z = y'
    """
    return "; ".join(statements(expr))


def statements(expr: str) -> list[str]:
    """The statements of an expression, each on one line; lines inside parentheses go on.

    >>> statements("c=cos(t); u=c*x")
    ['c = cos(t)', 'u = c*x']
    """
    found: list[list[str]] = [[]]
    depth = 0
    for piece in re.findall(r"[()\[\]]|[;\n\r]|[^()\[\];\n\r]+", expr):
        depth += (piece in ("(", "[")) - (piece in (")", "]"))
        if piece in (";", "\n", "\r"):
            found.append([]) if depth == 0 else None
            piece = " "
        found[-1].append(piece)
    lines = [" ".join("".join(pieces).split()) for pieces in found]
    return [_ASSIGNED.sub(r"\1 = ", line) for line in lines if line]
