"""Expressions in a Python function's body → those of the language.

In: an expression, what the names of the body stand for, and what is outside it. Out: the
same expression with all of them in their place, each node where it stands in the file.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from gen.errors import ExpressionError, GenError
from gen.frontend.refusals import WRONG_NODES
from gen.frontend.written import Written

if TYPE_CHECKING:
    from gen.frontend.scope import Scope
    from gen.frontend.written import Place

# What names stand for; None: assigned in one branch alone.
Names: TypeAlias = dict[str, "ast.expr | None"]
# How a call of another decorated function is written: its name, its parameters.
Called: TypeAlias = Callable[[Written], tuple[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Values:
    """The expressions of one function."""

    scope: Scope
    place: Place
    called: Called

    def read(self, node: ast.expr, names: Names) -> ast.expr:
        """An expression with what its names stand for in their place."""
        match node:
            case ast.Name():
                return self._name(node, names)
            case ast.Attribute(value=value, attr="T" | "mT" as attr):
                inner = self.read(value, names)
                return ast.copy_location(ast.Attribute(inner, attr), node)
            case ast.Attribute():
                self._no_value(node, names)
                return self._constant(node, self.scope.value(node), names)
            case ast.Call():
                return self._call(node, names)
            case ast.Subscript(value=value, slice=index):
                inner = self.read(value, names)
                return ast.copy_location(ast.Subscript(inner, index), node)
            case ast.Constant():
                return node
        return self._operation(node, names)

    def _operation(self, node: ast.expr, names: Names) -> ast.expr:
        """The same operation on translated operands."""

        def of(one: ast.expr) -> ast.expr:
            return self.read(one, names)

        found: ast.expr
        match node:
            case ast.BinOp(left=left, op=op, right=right):
                found = ast.BinOp(of(left), op, of(right))
            case ast.UnaryOp(op=sign, operand=operand):
                found = ast.UnaryOp(sign, of(operand))
            case ast.Compare(left=left, ops=ops, comparators=rest):
                found = ast.Compare(of(left), ops, list(map(of, rest)))
            case ast.BoolOp(op=word, values=values):
                found = ast.BoolOp(word, list(map(of, values)))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                parts = of(test), of(body), of(orelse)
                conditions = all(map(is_condition, parts))
                found = either_holds(*parts) if conditions else ast.IfExp(*parts)
            case _:
                what, hint = WRONG_NODES.get(type(node), (type(node).__name__, ""))
                raise self.place.fault(node, f"{what} is not part of a function's body", hint)
        return ast.copy_location(found, node)

    def _name(self, node: ast.Name, names: Names) -> ast.expr:
        if node.id not in names:
            return self._constant(node, self.scope.value(node), names)
        found = names[node.id]
        if found is None:
            hint = "assign it in both, or before"
            raise self.place.fault(node, f"{node.id} is assigned in one branch alone", hint)
        if isinstance(found, ast.Name):
            return ast.copy_location(ast.Name(found.id), node)
        return found

    def _constant(self, node: ast.expr, value: ast.expr, names: Names) -> ast.expr:
        if isinstance(value, ast.Name) and value.id in names:
            what = f"{ast.unparse(node)}, and an input or variable {value.id}"
            raise self.place.fault(node, what, f"{value.id} is a constant; rename the other")
        return value

    def _no_value(self, node: ast.expr, names: Names) -> None:
        """Refuse an attribute of a value, such as x.shape."""
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name) and root.id in names:
            assert isinstance(node, ast.Attribute)
            what = f"the attribute .{node.attr} is not part of a function's body"
            hint = f"there are .T, a transpose, and .mT; functions are called as in {node.attr}(x)"
            raise self.place.fault(node, what, hint)

    def _call(self, node: ast.Call, names: Names) -> ast.expr:
        self._no_value(node.func, names)
        if isinstance(node.func, ast.Name) and node.func.id in names:
            raise self.place.fault(node.func, f"{node.func.id} is a value, no function")
        for one in node.args:
            if isinstance(one, ast.Starred):
                raise self.place.fault(one, "an unpacked argument is not part of a call")
        callee = self.scope.callee(node.func)
        if isinstance(callee, str):
            return self._language_call(node, callee, names)
        name, parameters = self._own(node, callee)
        given = [*node.args, *self._by_keyword(node, name, parameters)]
        arguments = [self.read(one, names) for one in given]
        func = ast.copy_location(ast.Name(name), node.func)
        return ast.copy_location(ast.Call(func, arguments, []), node)

    def _own(self, node: ast.Call, callee: Written) -> tuple[str, tuple[str, ...]]:
        """How a call of another decorated function is written."""
        try:
            return self.called(callee)
        except ExpressionError:
            raise
        except GenError as fault:
            raise self.place.fault(node.func, str(fault)) from None

    def _language_call(self, node: ast.Call, name: str, names: Names) -> ast.expr:
        arguments = [self._argument(one, names) for one in node.args]
        func = ast.copy_location(ast.Name(name), node.func)
        return ast.copy_location(ast.Call(func, arguments, node.keywords), node)

    def _argument(self, node: ast.expr, names: Names) -> ast.expr:
        """An argument; pairs, as in Piecewise, texts and literal axes are ones too."""
        if isinstance(node, ast.Tuple):
            inner = [self._argument(one, names) for one in node.elts]
            return ast.copy_location(ast.Tuple(inner), node)
        return self.read(node, names)

    def _by_keyword(self, node: ast.Call, name: str, parameters: tuple[str, ...]) -> list[ast.expr]:
        """The arguments of a call that are given by name, in order."""
        given = {one.arg: one.value for one in node.keywords}
        behind = parameters[len(node.args) :]
        if given and sorted(map(str, given)) != sorted(behind):
            hint = f"it is {name}({', '.join(parameters)})"
            raise self.place.fault(node, f"{name} is not given what it takes", hint)
        return [given[one] for one in behind] if given else []


def is_condition(tree: ast.expr) -> bool:
    """Whether an expression is true or false."""
    if isinstance(tree, ast.UnaryOp):
        return isinstance(tree.op, ast.Not)
    return isinstance(tree, ast.Compare | ast.BoolOp)


def either_holds(test: ast.expr, yes: ast.expr, no: ast.expr) -> ast.expr:
    """The condition `yes if test else no`."""
    fails = ast.copy_location(ast.UnaryOp(ast.Not(), test), test)
    first = ast.copy_location(ast.BoolOp(ast.And(), [test, yes]), yes)
    second = ast.copy_location(ast.BoolOp(ast.And(), [fails, no]), no)
    return ast.copy_location(ast.BoolOp(ast.Or(), [first, second]), test)
