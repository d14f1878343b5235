"""Calls in an expression: is there such a function, and does it take these arguments?

In: a call in the syntax tree. Out: the arguments that are expressions, and the literal
options such as axis=-1; or an error with a caret under what does not fit.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from gen.errors import nearest
from gen.frontend.array_function import SYNONYMS
from gen.frontend.arrays import ARRAY_FUNCTIONS, MANY
from gen.frontend.library import CONSTANTS
from gen.graph.functions import FUNCTIONS
from gen.graph.functions import MANY as ANY_NUMBER

if TYPE_CHECKING:
    from collections.abc import Container

    from gen.errors import ExpressionError
    from gen.frontend.array_function import Literal
    from gen.frontend.library import Library
    from gen.frontend.source import Source


def is_array_call(node: ast.Call) -> bool:
    """Whether a call is one of a function of whole arrays.

    max(x, y) compares, max(x) and max(x, axis=0) reduce.
    """
    if not isinstance(node.func, ast.Name) or node.func.id not in ARRAY_FUNCTIONS:
        return False
    return node.func.id not in FUNCTIONS or len(node.args) == 1 or bool(node.keywords)


def arrays(node: ast.Call) -> list[ast.expr]:
    """The arguments of an array function that are expressions."""
    assert isinstance(node.func, ast.Name)
    start = 1 if node.func.id == "einsum" else 0
    return node.args[start : start + ARRAY_FUNCTIONS[node.func.id].arrays]


def options(node: ast.Call, source: Source) -> dict[str, Literal]:
    """The literal options of an array function, by name."""
    assert isinstance(node.func, ast.Name)
    name = node.func.id
    function = ARRAY_FUNCTIONS[name]
    if name == "einsum":
        return {"equation": _equation(node, source)}
    found: dict[str, Literal] = {}
    positional = node.args[function.arrays :]
    if len(node.args) < function.arrays or len(positional) > len(function.options):
        most = function.arrays + len(function.options)
        raise source.fault(
            node, f"{name} takes {counted(function.arrays, most)}, given {len(node.args)}"
        )
    for option, value in zip(function.options, positional, strict=False):
        found[option] = _literal(value, source)
    for keyword in node.keywords:
        option = SYNONYMS.get(keyword.arg or "", keyword.arg or "**")
        if option in found:
            raise source.fault(keyword.value, f"{name} is given {option} twice")
        if option not in function.options:
            known = ", ".join(function.options) or "none"
            raise source.fault(
                keyword.value, f"{name} has no option {keyword.arg!r}", f"it has {known}"
            )
        found[option] = _literal(keyword.value, source)
    return found


def _equation(node: ast.Call, source: Source) -> str:
    first = node.args[0] if node.args else node
    if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
        raise source.fault(
            first, "einsum begins with an equation", "as in einsum('ij,jk->ik', a, b)"
        )
    if node.keywords:
        raise source.fault(node.keywords[0].value, "einsum has no options")
    return first.value


def _literal(node: ast.expr, source: Source) -> Literal:
    """A literal: a number, True, False, None, 'inf', or a tuple of whole numbers."""
    match node:
        case ast.Constant(value=bool() | int() | None as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as value)):
            return -value
        case ast.Tuple(elts=elts):
            found = [_literal(one, source) for one in elts]
            whole = tuple(one for one in found if isinstance(one, int))
            if len(whole) == len(found):
                return whole
        case ast.Name(id="inf") | ast.Constant(value="inf"):
            return "inf"
    raise source.fault(
        node,
        "this is no value of an option",
        "there are whole numbers, True and False, as in axis=-1, axis=(0, 1), keepdims=True, "
        "and ord='inf'",
    )


def check(
    node: ast.Call, source: Source, library: Library, variables: Container[str]
) -> ExpressionError | None:
    """The fault of a call of an elementwise function, None where there is none."""
    assert isinstance(node.func, ast.Name)
    name = node.func.id
    if name not in FUNCTIONS:
        hint = nearest(
            name,
            (*FUNCTIONS, *ARRAY_FUNCTIONS, *library.definitions, *library.primitives, "Piecewise"),
        )
        if name in variables or name in CONSTANTS:
            hint = f"a product needs its sign: write {name}*(...)"
        return source.fault(node.func, f"unknown function {name!r}", hint)
    for one in node.keywords:
        what = f"{name} was given a keyword argument"
        return source.fault(one.value, what, "arguments are positional")
    function, count = FUNCTIONS[name], len(node.args)
    if not function.fewest <= count <= function.most:
        takes = counted(function.fewest, function.most)
        return source.fault(node, f"{name} takes {takes}, given {count}")
    return None


def counted(fewest: int, most: int) -> str:
    """How many arguments, in words."""
    if fewest == most:
        return "1 argument" if most == 1 else f"{most} arguments"
    if most in (MANY, ANY_NUMBER):
        return f"at least {fewest} argument{'s' if fewest > 1 else ''}"
    return f"{fewest} to {most} arguments"
