"""Functions of the user's own: how each backend calls them, and their derivatives.

In: tables as in gen.toml, or the texts of `--import`. Out: `Primitive`s, or a `GenError`.
A path is a module and a name in it, nothing else, and a derivative is an expression of the
language: no text of either is ever evaluated.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Iterable, Mapping, Sequence

from gen.errors import DefinitionError, GenError, nearest
from gen.frontend.calls import is_array_call
from gen.frontend.definitions import check_identifier, signature
from gen.frontend.source import Source
from gen.frontend.syntax import check_quotes, names, parse
from gen.model import Primitive

# A path stands in a line of code, which is never broken.
_LONGEST = 60

_KEYS = ("args", "derivatives")
_TABLE = '{"args": ["x"], "numpy": "mylib.ops.f", "derivatives": ["2*x"]}'
_TEXT = 'as in --import "f(x) = mylib.ops.f; 2*x"'


def primitives(given: object) -> tuple[Primitive, ...]:
    """The functions in tables by name.

    >>> (one,) = primitives({"f": {"args": "x", "numpy": "mylib.f", "derivatives": "2*x"}})
    >>> one.spellings, one.derivatives
    ((('numpy', 'mylib.f'),), ('2*x',))
    """
    if not isinstance(given, Mapping):
        raise GenError(f"primitives takes tables by name, as in {{'f': {_TABLE}}}")
    return tuple(_primitive(str(name), table) for name, table in given.items())


def _primitive(name: str, table: object) -> Primitive:
    where = f"the primitive {name}"
    check_identifier(name, "primitives")
    if not isinstance(table, Mapping):
        raise GenError(f"{where} is a table such as {_TABLE}, given {table!r}")
    args = table.get("args", ())
    parameters = _texts(args.split(",") if isinstance(args, str) else args, f"{where}: args")
    for one in parameters:
        check_identifier(one, f"{where}: args")
    if not parameters or len(set(parameters)) < len(parameters):
        raise GenError(f'{where} needs args, the names of its arguments, as in args = ["x"]')
    derivatives = _texts(table.get("derivatives", ()), f"{where}: derivatives")
    if len(derivatives) != len(parameters):
        raise GenError(
            f"{where} has {len(parameters)} args and {len(derivatives)} derivatives; "
            "one each is needed, None where there is none"
        )
    spellings = _spellings(table, where)
    pairs = zip(derivatives, parameters, strict=True)
    checked = tuple(_derivative(text, name, one, parameters) for text, one in pairs)
    return Primitive(name, parameters, spellings, checked)


def _texts(value: object, where: str) -> tuple[str, ...]:
    found = (value,) if isinstance(value, str) else value
    if not isinstance(found, Iterable):
        raise GenError(f"{where} is a list of texts, given {value!r}")
    texts = tuple("None" if one is None else one for one in found)
    if not all(isinstance(one, str) for one in texts):
        raise GenError(f"{where} is a list of texts, given {value!r}")
    return tuple(str(one).strip() for one in texts)


def _spellings(table: Mapping[object, object], where: str) -> tuple[tuple[str, str], ...]:
    """The paths, by backend: what is no other key names one."""
    found = []
    for key, path in table.items():
        if key in _KEYS:
            continue
        if hint := nearest(str(key), _KEYS):
            raise GenError(f"{where} has an unknown key {key!r}; {hint}")
        if not isinstance(path, str) or not _is_path(path):
            raise GenError(
                f"{where}: {key} is the path of a function, such as mylib.ops.f, given {path!r}"
            )
        found.append((str(key), path))
    return tuple(sorted(found))


def _is_path(path: str) -> bool:
    parts = path.split(".")
    is_name = all(one.isidentifier() and not keyword.iskeyword(one) for one in parts)
    return is_name and path.isascii() and len(parts) > 1 and len(path) <= _LONGEST


def _derivative(text: str, name: str, parameter: str, parameters: Sequence[str]) -> str | None:
    """The expression of a derivative, checked; None where there is none."""
    if text == "None":
        return None
    source = Source(text.replace('"', "'"))
    try:
        (statement, *more) = parse(source)
        check_quotes(source)
        if more or statement.name is not None:
            raise GenError("a derivative is one expression, without a name")
        unknown = [one for one in names([statement], source) if one not in (*parameters, "pi", "E")]
        if unknown:
            raise GenError(f"there is no {unknown[0]!r}; its args are {', '.join(parameters)}")
        _check_elementwise(statement.tree, source)
    except GenError as fault:
        raise DefinitionError(f"the derivative of {name} in {parameter}", fault) from None
    return source.text


def _check_elementwise(tree: ast.expr, source: Source) -> None:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute() | ast.Subscript() | ast.BinOp(op=ast.MatMult()):
                raise source.fault(node, "a derivative is elementwise")
            case ast.Call() if is_array_call(node):
                raise source.fault(node, "a derivative is elementwise")


# ---- the command


def from_texts(texts: Iterable[str], backends: Sequence[str]) -> dict[str, dict[str, object]]:
    """The tables of texts such as "f(x, n) = mylib.ops.f; 2*x; None".

    A path counts for all backends that are asked for.
    """
    tables: dict[str, dict[str, object]] = {}
    for text in texts:
        head, sign, rest = text.partition("=")
        if not sign:
            raise GenError(f"--import {text}: a head, a path and derivatives are needed, {_TEXT}")
        name, parameters = signature(head, "--import")
        path, *derivatives = (part.strip() for part in rest.split(";"))
        if name in tables:
            raise GenError(f"--import {name} is given twice")
        tables[name] = {"args": parameters, "derivatives": derivatives}
        tables[name] |= dict.fromkeys(backends, path)
    return tables
