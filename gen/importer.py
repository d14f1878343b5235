"""Files → a Python module in memory.

In: the text of a module and of the runtime beside it, or the path of a module on disk.
Out: the imported module. The import system runs them as it runs any file; only code that
gen itself wrote gets here.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from contextlib import ExitStack
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING

from gen.errors import GenError

if TYPE_CHECKING:
    from pathlib import Path

    from gen.model import File

_PACKAGE = "gen_loaded"


class _TextLoader(InspectLoader):
    """Loads one module from its text, which tracebacks and inspect find here too."""

    def __init__(self, text: str) -> None:
        self.text = text

    def get_source(self, fullname: str) -> str:
        return self.text

    def is_package(self, fullname: str) -> bool:
        return not self.text


def load(file: File, runtime: File) -> ModuleType:
    """Import `file`, whose relative imports find `runtime`.

    The same text gives the same module, so that its class is the same class.
    """
    digest = hashlib.sha256(f"{file.name}\0{file.text}\0{runtime.text}".encode()).hexdigest()[:16]
    package = f"{_PACKAGE}_{digest}"
    _module(package, "")
    _module(f"{package}.{_stem(runtime)}", runtime.text)
    return _module(f"{package}.{_stem(file)}", file.text)


def _stem(file: File) -> str:
    return file.name.removesuffix(".py")


def _module(name: str, text: str) -> ModuleType:
    if name in sys.modules:
        return sys.modules[name]
    loader = _TextLoader(text)
    spec = ModuleSpec(name, loader, origin=f"<{name}>", is_package=not text)
    spec.has_location = False
    module = importlib.util.module_from_spec(spec)
    module.__file__ = f"<{name}>"
    with ExitStack() as undo:
        sys.modules[name] = module
        undo.callback(sys.modules.pop, name)
        loader.exec_module(module)
        undo.pop_all()  # it is whole, and stays
    return module


def load_file(path: Path) -> ModuleType:
    """Import an emitted module from disk, whose relative imports find what is beside it.

    The folder becomes a package of another name, so that no `__init__.py` of it runs.

    Raises:
        GenError: where the file cannot be imported.
    """
    place = path.resolve()
    digest = hashlib.sha256(f"{place.parent}\0{path.read_text()}".encode()).hexdigest()[:16]
    package = f"{_PACKAGE}_{digest}"
    if package not in sys.modules:
        parent = ModuleType(package)
        parent.__path__ = [str(place.parent)]
        sys.modules[package] = parent
    try:
        return importlib.import_module(f"{package}.{path.stem}")
    except (ImportError, SyntaxError) as fault:
        raise GenError(f"{path} cannot be imported: {fault}") from None
