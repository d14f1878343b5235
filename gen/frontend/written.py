"""A Python function whose body is a formula: where it stands, and its parameters.

In: a function. Out: the syntax of its definition, from the file that it was written in;
faults with their line of that file. Nothing is ever called.
"""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gen.errors import DefinitionError, ExpressionError, GenError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FunctionType


class Written:
    """A function that `gen.function` decorates.

    Args:
        function: the Python function.
        options: name, and the options of a function from Python.
    """

    def __init__(self, function: FunctionType, options: Mapping[str, object]) -> None:
        self.function = function
        self.options = options

    @property
    def label(self) -> str:
        """The name of the Python function."""
        return self.function.__name__

    @property
    def class_name(self) -> str:
        """The name of the class that is emitted: lennard_jones gives LennardJones."""
        given = self.options.get("name")
        if given is not None:
            return str(given)
        parts = self.label.split("_")
        return "".join(part[:1].upper() + part[1:] for part in parts)


@dataclass(frozen=True, slots=True)
class Place:
    """The file that a function stands in."""

    file: str  # "potentials.py"
    text: str

    def fault(self, node: ast.AST, what: str, hint: str = "") -> DefinitionError:
        """A fault that covers a node of the file."""
        line, end = getattr(node, "lineno", 1), getattr(node, "end_lineno", 1)
        column = self._column(line, getattr(node, "col_offset", 0))
        width = self._column(line, getattr(node, "end_col_offset", 0)) - column
        width = width if end == line else 1
        fault = ExpressionError(what, self.text, line, column, width, hint)
        return DefinitionError(self.file, fault)

    def _column(self, line: int, offset: int) -> int:
        """A column in characters, from one in the bytes of UTF-8 that ast counts."""
        row = self.text.split("\n")[line - 1]
        return len(row.encode()[:offset].decode(errors="ignore"))


def syntax(written: Written) -> tuple[Place, ast.FunctionDef]:
    """The definition of a function, in the syntax of its whole file."""
    function, label = written.function, written.label
    try:
        lines, _ = inspect.findsource(function)
        tree = ast.parse("".join(lines))
    except (OSError, TypeError, SyntaxError) as fault:
        raise GenError(
            f"the source of {label} cannot be read ({fault}); define it in a file"
        ) from None
    place = Place(Path(function.__code__.co_filename).name, "".join(lines))
    first = function.__code__.co_firstlineno
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and _first_line(node) == first:
            return place, node
    raise GenError(f"{label} is no function written with def; write one")


def _first_line(node: ast.FunctionDef) -> int:
    return min([node.lineno, *(one.lineno for one in node.decorator_list)])


def parameters(node: ast.FunctionDef, place: Place) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The parameters of a function, and those that may be None."""
    given = node.args
    for one in (given.vararg, given.kwarg, *given.kwonlyargs):
        if one is not None:
            hint = "write each input as a parameter of its own, which is given by position"
            raise place.fault(one, "a parameter that is no input", hint)
    plain = [*given.posonlyargs, *given.args]
    behind = plain[len(plain) - len(given.defaults) :]
    for default in given.defaults:
        if not (isinstance(default, ast.Constant) and default.value is None):
            hint = "the one default there is, is None: such an input may be left out"
            raise place.fault(default, "an input has no default", hint)
    return tuple(one.arg for one in plain), tuple(one.arg for one in behind)
