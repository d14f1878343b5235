"""What the names in a Python function's body stand for, without executing any of it.

In: a function, a name or a dotted name in its body. Out: a function of the language, a
number, or another function that `gen.function` decorates; names are looked up where
Python would.
"""

from __future__ import annotations

import ast
import builtins
import math
import sys
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, TypeAlias

from gen.errors import nearest
from gen.frontend.arrays import ARRAY_FUNCTIONS
from gen.frontend.written import Written
from gen.graph.functions import FUNCTIONS

if TYPE_CHECKING:
    from gen.frontend.written import Place

# What a call calls: a function of the language, by name, or one of the user's.
Callee: TypeAlias = str | Written

# Libraries whose functions the language has under the same names.
_LIBRARIES = frozenset({"math", "numpy", "scipy", "torch", "sympy", "builtins"})
_ROOMS = ("", ".linalg", ".special", ".nn.functional")

_CONSTANTS = {"pi": "pi", "e": "E", "E": "E"}

_MISSING = object()


@dataclass(frozen=True, slots=True)
class Scope:
    """The names around a function."""

    function: FunctionType
    place: Place
    given: frozenset[str]  # functions that options bring along

    def callee(self, node: ast.expr) -> Callee:
        """What a call's function is."""
        if isinstance(node, ast.Name) and node.id in self.given:
            return node.id
        if isinstance(node, ast.Name):
            found = self._look(node.id)
            if isinstance(found, Written):
                return found
            if found is _MISSING:
                return self._known(node, node.id)
            if (name := _name_in_library(found)) is not None:
                return self._known(node, name)
            hint = "decorate it with @gen.function, and its body is read too"
            raise self.place.fault(node, f"{node.id} is no function that gen reads", hint)
        owner, name = self._dotted(node)
        found = vars(owner).get(name)
        if isinstance(found, Written):
            return found
        if owner.__name__.split(".")[0] not in _LIBRARIES:
            hint = f"functions of {', '.join(sorted(_LIBRARIES - {'builtins'}))} are"
            raise self.place.fault(node, f"{ast.unparse(node)} is no function that gen reads", hint)
        return self._known(node, name)

    def value(self, node: ast.Name | ast.Attribute) -> ast.expr:
        """The number, or the constant of the language, that a name outside the body is."""
        if isinstance(node, ast.Name):
            found, name = self._look(node.id), node.id
        else:
            owner, name = self._dotted(node)
            if owner.__name__.split(".")[0] in _LIBRARIES and name in _CONSTANTS:
                return ast.copy_location(ast.Name(_CONSTANTS[name]), node)
            found = vars(owner).get(name, _MISSING)
        return self._number(node, found)

    def _number(self, node: ast.expr, found: object) -> ast.expr:
        shown = ast.unparse(node)
        if found is _MISSING:
            raise self.place.fault(node, f"{shown} is not known here")
        if not isinstance(found, int | float) or isinstance(found, bool):
            hint = "what a body reads from outside are plain numbers; make it a parameter"
            raise self.place.fault(node, f"{shown} is {type(found).__name__}, no number", hint)
        # As the plain type: a subclass may do what it likes.
        value = int.__pos__(found) if isinstance(found, int) else float.__pos__(found)
        if not math.isfinite(value):
            raise self.place.fault(node, f"{shown} is no finite number")
        if value == math.pi:
            return ast.copy_location(ast.Name("pi"), node)
        size = ast.copy_location(ast.Constant(abs(value)), node)
        negative = ast.copy_location(ast.UnaryOp(ast.USub(), size), node)
        return negative if math.copysign(1, value) < 0 else size

    def _known(self, node: ast.expr, name: str) -> str:
        """The name of a function of the language."""
        if name not in FUNCTIONS and name not in ARRAY_FUNCTIONS and name != "Piecewise":
            hint = nearest(name, (*FUNCTIONS, *ARRAY_FUNCTIONS))
            raise self.place.fault(node, f"unknown function {ast.unparse(node)!r}", hint)
        return name

    def _dotted(self, node: ast.expr) -> tuple[ModuleType, str]:
        """The module and the last name of `np.linalg.norm`."""
        if not isinstance(node, ast.Attribute):
            raise self.place.fault(node, "this is not part of a function's body")
        parts: list[str] = []
        root: ast.expr = node.value
        while isinstance(root, ast.Attribute):
            parts.insert(0, root.attr)
            root = root.value
        owner = self._look(root.id) if isinstance(root, ast.Name) else _MISSING
        if not isinstance(owner, ModuleType):
            known = node.attr in FUNCTIONS or node.attr in ARRAY_FUNCTIONS
            hint = f"write {node.attr}(...)" if known else "there are .T, a transpose, and .mT"
            what = f"the attribute .{node.attr} is not part of a function's body"
            raise self.place.fault(node, what, hint)
        for part in parts:
            # A part that is not there yet is imported when it is asked for; never by us.
            inner = vars(owner).get(part)
            owner = inner if isinstance(inner, ModuleType) else owner
        return owner, node.attr

    def _look(self, name: str) -> object:
        code, cells = self.function.__code__, self.function.__closure__ or ()
        for free, cell in zip(code.co_freevars, cells, strict=True):
            if free == name:
                try:
                    return cell.cell_contents
                except ValueError:  # not assigned yet
                    return _MISSING
        found = self.function.__globals__.get(name, _MISSING)
        return vars(builtins).get(name, _MISSING) if found is _MISSING else found


def _name_in_library(found: object) -> str | None:
    """The name of a function that was imported by itself, as in `from math import exp`."""
    name = getattr(found, "__name__", None)
    for library in sorted(_LIBRARIES):
        for room in _ROOMS:
            module = sys.modules.get(library + room)
            if module is not None and isinstance(name, str) and vars(module).get(name) is found:
                return name
    return None
