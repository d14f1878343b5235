"""gen.toml → requests.

In: a file, gen.toml or a pyproject.toml with [tool.gen]. Out: a `Spec`, its functions in
alphabetical order, or a `GenError` that names the key at fault and the ones there are.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gen.errors import GenError, nearest
from gen.frontend.definitions import of_request, with_candidates
from gen.frontend.options import FORMS, GRADIENT, request
from gen.frontend.primitives import primitives
from gen.naming import snake_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from gen.model import Primitive, Request

_TABLES = ("gen", "functions", "primitives")
_SETTINGS = ("out", "backends")
_OPTIONS = (
    *("expr", "args", "const", "optional", "shape", "outputs", "save", "backends", "default"),
    *FORMS,
    *GRADIENT,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One function of a spec."""

    request: Request
    backends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spec:
    """A spec file, understood."""

    path: Path
    out: Path  # the folder of the modules
    entries: tuple[Entry, ...]
    primitives: tuple[Primitive, ...] = ()  # functions of the user's own code

    @property
    def backends(self) -> tuple[str, ...]:
        """All backends that some function asks for."""
        return tuple(dict.fromkeys(name for entry in self.entries for name in entry.backends))


def find(start: Path) -> Path:
    """The spec of a folder: its gen.toml, or its pyproject.toml with [tool.gen]."""
    if (start / "gen.toml").is_file():
        return start / "gen.toml"
    project = start / "pyproject.toml"
    if project.is_file() and "gen" in _table(_load(project), "tool", project):
        return project
    raise GenError(f"no gen.toml in {start}, and no [tool.gen] in its pyproject.toml")


def read(path: Path) -> Spec:
    """The functions that a spec file asks for."""
    content = _load(path)
    if path.name == "pyproject.toml":
        content = _table(_table(content, "tool", path), "gen", path)
        tables: Mapping[str, object] = {
            "gen": {key: value for key, value in content.items() if key not in _TABLES[1:]},
            **{key: content.get(key, {}) for key in _TABLES[1:]},
        }
    else:
        tables = content
    _check_keys(tables, _TABLES, f"{path}")
    settings = _table(tables, "gen", path)
    _check_keys(settings, _SETTINGS, f"{path}: [gen]")
    out = settings.get("out", "generated")
    if not isinstance(out, str):
        raise GenError(f"{path}: [gen] out is the name of a folder, given {out!r}")
    backends = _names(settings.get("backends", ["numpy"]), f"{path}: [gen] backends")
    functions = _table(tables, "functions", path)
    entries = [_entry(name, functions[name], backends, path) for name in sorted(functions)]
    _check_distinct(entries, path)
    try:
        own = primitives(_table(tables, "primitives", path))
        return Spec(path, path.parent / out, _linked(entries, own), own)
    except GenError as fault:
        raise GenError(f"{path}: {fault}") from None


def _linked(entries: Sequence[Entry], own: Sequence[Primitive]) -> tuple[Entry, ...]:
    """The entries, with the functions that they may call."""
    definitions = [of_request(entry.request) for entry in entries]
    return tuple(
        replace(entry, request=with_candidates(entry.request, definitions, own))
        for entry in entries
    )


def beside(request: Request, path: Path) -> Request:
    """A request with the functions of a spec, as an entry of it would have them."""
    found = read(path)
    definitions = [of_request(entry.request) for entry in found.entries]
    return with_candidates(request, definitions, found.primitives)


def _entry(name: str, options: object, backends: tuple[str, ...], path: Path) -> Entry:
    where = f"{path}: [functions.{name}]"
    if not isinstance(options, dict):
        raise GenError(f"{where} is a table with expr, given {options!r}")
    _check_keys(options, _OPTIONS, where)
    expr = options.get("expr")
    if not isinstance(expr, str):
        raise GenError(f'{where} needs an expression: expr = "x**2"')
    chosen = _names(options.get("backends", list(backends)), f"{where} backends")
    rest = {key: value for key, value in options.items() if key not in ("expr", "backends")}
    try:
        return Entry(request(name, expr, rest), chosen)
    except GenError as fault:
        raise GenError(f"{where}: {fault}") from None


def _check_distinct(entries: Iterable[Entry], path: Path) -> None:
    """Two names that give one module would overwrite each other."""
    seen: dict[str, str] = {}
    for entry in entries:
        name = entry.request.name
        other = seen.setdefault(snake_case(name), name)
        if other != name:
            raise GenError(f"{path}: {other} and {name} would both be {snake_case(name)}.py")


def _load(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise GenError(f"{path} is not there") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise GenError(f"{path} cannot be read: {fault}") from None
    except RecursionError:
        raise GenError(f"{path} is nested too deeply") from None
    except ValueError as fault:  # no TOML, or a number that is too long
        raise GenError(f"{path} is no TOML: {fault}") from None


def _table(content: Mapping[str, object], key: str, path: Path) -> dict[str, object]:
    table = content.get(key, {})
    if not isinstance(table, dict):
        raise GenError(f"{path}: [{key}] is a table, given {table!r}")
    return table


def _names(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise GenError(f'{where} is a list of names such as ["numpy"], given {value!r}')
    return tuple(value)


def _check_keys(given: Iterable[str], known: tuple[str, ...], where: str) -> None:
    for key in given:
        if key not in known:
            hint = nearest(key, known) or f"there are {', '.join(known)}"
            raise GenError(f"{where} has an unknown key {key!r}; {hint}")
