"""Definitions as users write them: "P3(x) = 0.5*(5*x**3-3*x)".

In: such a text, or heads such as "P3(x)" with their expressions. Out: `Definition`s, or a
`GenError` that shows how one is written. A request of gen.toml is one, too.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from gen.errors import GenError
from gen.frontend.inputs import resolve
from gen.frontend.library import CONSTANTS, LANGUAGE_FUNCTIONS
from gen.frontend.source import Source
from gen.frontend.syntax import names, parse
from gen.model import Definition

if TYPE_CHECKING:
    from gen.model import Primitive, Request

_HEAD = re.compile(r"\s*(\w+)\s*\(([^()=]*)\)\s*")
_CALLED = re.compile(r"\b(\w+)\s*\(")
_EXAMPLE = 'as in define = {"P3(x)": "0.5*(5*x**3-3*x)"}, or --define "P3(x) = 0.5*(5*x**3-3*x)"'


def definitions(given: object) -> tuple[Definition, ...]:
    """The definitions in a mapping, or in texts.

    >>> definitions({"half(x)": "x/2"})
    (Definition(name='half', parameters=('x',), expr='x/2', outputs=()),)
    >>> definitions(["half(x) = x/2"]) == definitions({"half(x)": "x/2"})
    True
    """
    found: dict[str, Definition] = {}
    for head, expr in _pairs(given):
        one = Definition(*signature(head, "define"), expr)
        if one.name in found:
            raise GenError(f"define: {one.name} is defined twice")
        found[one.name] = one
    return tuple(found.values())


def _pairs(given: object) -> Iterable[tuple[str, str]]:
    if isinstance(given, Mapping):
        pairs = list(given.items())
    elif isinstance(given, Iterable) and not isinstance(given, str):
        pairs = [_split(text) for text in given]
    else:
        raise GenError(f"define takes functions by their heads, given {given!r}; {_EXAMPLE}")
    for head, expr in pairs:
        if not isinstance(head, str) or not isinstance(expr, str):
            raise GenError(f"define takes texts, given {head!r}: {expr!r}; {_EXAMPLE}")
    return pairs


def _split(text: object) -> tuple[object, object]:
    """Head and expression of "P3(x) = 0.5*(5*x**3-3*x)"."""
    head, sign, expr = text.partition("=") if isinstance(text, str) else ("", "", "")
    if not sign:
        raise GenError(f"define {text!r}: a head and an expression are needed, {_EXAMPLE}")
    return head, expr


def signature(head: str, option: str) -> tuple[str, tuple[str, ...]]:
    """Name and parameters of a head.

    >>> signature("P3(x, n)", "define")
    ('P3', ('x', 'n'))
    """
    found = _HEAD.fullmatch(unicodedata.normalize("NFKC", head))
    if found is None:
        raise GenError(f"{option} {head.strip()!r}: name and parameters are needed, as in P3(x)")
    name, inside = found[1], found[2].strip().removesuffix(",")
    parameters = tuple(part.strip() for part in inside.split(",")) if inside else ()
    for one in (name, *parameters):
        check_identifier(one, f"{option} {head.strip()!r}")
    if len(set(parameters)) < len(parameters):
        raise GenError(f"{option} {head.strip()!r} names one parameter twice")
    return name, parameters


def check_identifier(name: str, where: str) -> None:
    """Refuse what a call could not be written with."""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise GenError(f"{where}: {name!r} is no name")
    if name == "Piecewise":
        raise GenError(f"{where}: Piecewise is part of the language")


def of_request(request: Request) -> Definition:
    """A function of gen.toml as one that others may call.

    Its parameters are in the order of its signature; none of them may be left out.
    """
    expr, outputs = request.expr, request.outputs
    return Definition(request.name, _parameters(request), expr, outputs)


def with_candidates(
    request: Request, definitions: Iterable[Definition], primitives: Iterable[Primitive]
) -> Request:
    """The request with those functions whose names its text, or theirs, puts before a "(".

    What it brings along itself comes first.
    """
    known = {one.name: one for one in (*definitions, *request.definitions)}
    own = {one.name: one for one in (*primitives, *request.primitives)}
    found = _reached(request.expr, known, own)
    return replace(
        request,
        definitions=tuple(one for name, one in known.items() if name in found),
        primitives=tuple(one for name, one in own.items() if name in found),
    )


def calls_unknown(request: Request) -> bool:
    """Whether an expression calls what neither the language nor the request has."""
    known = {one.name for one in request.definitions} | {one.name for one in request.primitives}
    called = set(_CALLED.findall(request.expr))
    return bool(called - {*known, *LANGUAGE_FUNCTIONS, *keyword.kwlist})


def _reached(expr: str, known: Mapping[str, Definition], own: Mapping[str, Primitive]) -> set[str]:
    found: set[str] = set()
    pending = [expr]
    while pending:
        called = set(_CALLED.findall(pending.pop()))
        if called - {*known, *own, *LANGUAGE_FUNCTIONS, *keyword.kwlist}:
            return {*known, *own}  # it is refused, with a hint at what there is
        new = {name for name in called if name in known or name in own} - found
        for name in sorted(new):
            pending += [known[name].expr] if name in known else _derivatives(own[name])
        found |= new
    return found


def _derivatives(primitive: Primitive) -> list[str]:
    return [text for text in primitive.derivatives if text is not None]


def _parameters(request: Request) -> tuple[str, ...] | None:
    """None stands for the names of the expression, which is read where it is called."""
    if request.args and set(request.const) <= set(request.args):
        return request.args
    if not request.args and not set(CONSTANTS) & set(request.declared):
        return None
    try:
        source = Source(request.expr)
        found = names(parse(source), source)
        inputs = [name for name in found if name not in CONSTANTS or name in request.declared]
        return tuple(one.name for one in resolve(inputs, request))
    except GenError:
        return None  # whoever calls it is told what is wrong with it
