"""The inputs of a formula, from the names in it and the options of the request.

In: names in order of appearance, a `Request`. Out: a tuple of `Input`, or a `GenError`
that says which option names something that is not there.
"""

from __future__ import annotations

import keyword
from dataclasses import replace
from typing import TYPE_CHECKING

from gen.errors import GenError, nearest
from gen.graph.graph import FLAG, INPUT
from gen.model import Input, Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gen.graph.graph import Node
    from gen.model import Constant

# The verbs of the command, present and announced: a function of that name could be
# written from Python but never from the command line.
VERBS = frozenset({"audit", "build", "check", "init", "list", "report", "show", "verify", "watch"})


def check_name(name: str) -> None:
    """Refuse a function's name that could not be a class in a module of its own."""
    if not name.isidentifier() or keyword.iskeyword(name) or not name.isascii():
        raise GenError(
            f"{name!r} is no name for a function: a Python identifier is needed, such as P3"
        )
    reasons = {
        "starts with an underscore": name.startswith("_"),
        "is a verb of gen": name.lower() in VERBS,
        "reads as a number": name in ("l", "O", "I"),
    }
    for why, holds in reasons.items():
        if holds:
            raise GenError(f"{name!r} cannot name a function: it {why}; choose another, such as P3")


def resolve(found: Sequence[str], request: Request) -> tuple[Input, ...]:
    """The inputs in the order of the signature.

    Args:
        found: the names in the expression, in order of first appearance.
        request: args fixes the order; const, optional and shape describe inputs.
    """
    # Constants that args does not place follow behind.
    behind = [name for name in found if name in request.const and name not in request.args]
    order = [*request.args, *behind] if request.args else list(found)
    _check_args(order, found, request)
    shapes = dict(request.shape)
    for option, names in (
        ("const", request.const),
        ("optional", request.optional),
        ("shape", tuple(shapes)),
        ("default", tuple(name for name, _ in request.default)),
        ("parameter", tuple(name for name, _ in request.forms.parameters)),
    ):
        for name in names:
            _check_declared(option, name, order)
    if not order:
        raise GenError(
            f"{request.expr!r} has no input; an expression needs one, such as x, "
            "or one declared by --args"
        )
    if set(order) <= set(request.const):
        raise GenError("all inputs are constants; at least one needs a gradient")
    for name in sorted(set(request.const) & {*request.optional, *shapes}):
        raise GenError(f"--const {name} is a plain number: it can have no shape, nor be None")
    learnt = {name for name, _ in request.forms.parameters}
    for name in sorted(learnt & {*request.const, *request.optional}):
        raise GenError(f"--parameter {name}: what is learnt is a tensor, and always there")
    if learnt and learnt >= set(order) - set(request.const):
        raise GenError("--parameter: a module learns some of its inputs, not all of them")
    inputs = [Input(name, name not in request.const, name in request.optional) for name in order]
    return _with_defaults(inputs, dict(request.default))


def _with_defaults(inputs: Sequence[Input], defaults: Mapping[str, Constant]) -> tuple[Input, ...]:
    """The inputs with what they are if they are left out."""
    for name in defaults:
        if not any(one.name == name and not one.differentiable for one in inputs):
            raise GenError(f"--default {name}: only a constant has one; declare it by --const")
    needed = [one.name for one in inputs if not one.optional and one.name not in defaults]
    names = [one.name for one in inputs]
    for name in defaults:
        behind = [other for other in needed if names.index(other) > names.index(name)]
        if behind:
            raise GenError(
                f"--default {name}: {behind[0]} stands behind it and has none; "
                "--args says in which order the inputs are"
            )
    return tuple(replace(one, default=defaults.get(one.name)) for one in inputs)


def with_kinds(
    inputs: Sequence[Input], nodes: Sequence[Node], order: Sequence[int]
) -> tuple[Input, ...]:
    """The inputs with what the constants among them are, as the expression uses them.

    Args:
        inputs: all of them.
        nodes: those of the expression's graph.
        order: the ones that its outputs need.
    """
    asked: dict[str, set[object]] = {}
    for node in order:
        op, args, payload = nodes[node]
        for arg in args:
            if nodes[arg].op == INPUT:
                use = payload if op == FLAG and payload else (op == FLAG)
                asked.setdefault(str(nodes[arg].payload), set()).add(use)
    return tuple(
        one if one.differentiable else _with_kind(one, asked.get(one.name, set())) for one in inputs
    )


def _with_kind(one: Input, uses: set[object]) -> Input:
    """A constant as what it is used: words it is compared with, True as a condition."""
    words = {use for use in uses if isinstance(use, str)}
    kinds = {"bool" if use is True else "str" if use in words else "float" for use in uses}
    if len(kinds) > 1:
        raise GenError(f"--const {one.name} is used as {' and as '.join(sorted(kinds))}")
    kind = kinds.pop() if kinds else "float"
    default = one.default
    fits = {"float": type(default) in (int, float), "bool": type(default) is bool}
    if default is not None and not fits.get(kind, isinstance(default, str)):
        raise GenError(f"--default {one.name}: the expression uses it as {kind}, given {default!r}")
    if kind == "str" and default is not None:
        words |= {str(default)}
    # Of one word alone nobody knows what the others are called.
    known = tuple(sorted(map(str, words))) if default is not None and len(words) > 1 else ()
    return replace(one, kind=kind, words=known if kind == "str" else ())


def _check_args(order: Sequence[str], found: Sequence[str], request: Request) -> None:
    for name in order:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise GenError(f"--args: {name!r} is no name for an input")
    given = set(order)
    missing = [name for name in found if name not in given]
    if missing:
        raise GenError(
            f"--args {','.join(request.args)} leaves out {', '.join(missing)}, "
            "which the expression uses"
        )


def _check_declared(option: str, name: str, order: Sequence[str]) -> None:
    if not name:
        raise GenError(f"--{option}: the name of an input is missing")
    if name not in order:
        hint = nearest(name, order) or f"its inputs are {', '.join(order)}"
        raise GenError(f"--{option} {name}: the expression has no input {name!r}; {hint}")
