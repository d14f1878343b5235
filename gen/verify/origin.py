"""An emitted module on disk: the command in its header, and the module imported.

In: the path of a file. Out: the words of the command that made it, and the module. The
text of the header is read as a shell would, and goes through the options of the command;
nothing of it is evaluated.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shlex
import sys
from contextlib import ExitStack
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING

from gen.errors import GenError
from gen.provenance import is_generated

if TYPE_CHECKING:
    from pathlib import Path

_COMMAND = re.compile(r"^#     gen .*(?:\n# (?!expression sha256 ).*)*", re.MULTILINE)


def command(path: Path) -> tuple[str, ...]:
    """The words behind `gen` of the command that made a module.

    Raises:
        GenError: where the file is none that gen wrote.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise GenError(f"{path} is not there") from None
    except (OSError, ValueError) as fault:
        raise GenError(f"{path} cannot be read: {fault}") from None
    found = _COMMAND.search(text)
    if not is_generated(text) or found is None:
        raise GenError(
            f"{path} is no module that gen wrote: its header has no command that makes it"
        )
    return words(found[0], path)


def words(comment: str, path: Path) -> tuple[str, ...]:
    """The words of a command that stands in comments; a backslash at an end joins lines."""
    lines = [line.removeprefix("# ") for line in comment.splitlines()]
    try:
        gen, *rest = shlex.split("\n".join(lines).replace("\\\n", ""))
    except ValueError as fault:
        raise GenError(f"{path}: the command in its header cannot be read: {fault}") from None
    if gen != "gen" or len(rest) < 2:
        raise GenError(f"{path}: the command in its header has no name and no expression")
    return tuple(rest)


def imported(path: Path) -> ModuleType:
    """The module of a file; what it imports relatively stands beside it.

    The folder becomes a package of its own name, so that no `__init__.py` of it runs.
    """
    folder = path.resolve().parent
    text = path.read_bytes()
    digest = hashlib.sha256(str(folder).encode() + text).hexdigest()[:16]
    package = f"gen_verified_{digest}"
    name = f"{package}.{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise GenError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    with ExitStack() as undo:
        for one, part in ((package, _package(package, folder)), (name, module)):
            sys.modules[one] = part
            undo.callback(sys.modules.pop, one)
        try:
            spec.loader.exec_module(module)
        except (ImportError, SyntaxError) as fault:
            raise GenError(f"{path} cannot be imported: {fault}") from None
        undo.pop_all()
    return module


def _package(name: str, folder: Path) -> ModuleType:
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    package.__spec__ = ModuleSpec(name, None, is_package=True)
    return package
