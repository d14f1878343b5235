"""What a backend is, and which there are.

A backend is a module of this package with a `BACKEND`, and a folder of templates of the
same name. It is found by looking: adding one touches no other file.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Protocol

import gen.backends
from gen.errors import GenError, nearest

if TYPE_CHECKING:
    from types import ModuleType

    from gen.model import Kernel


class View(Protocol):
    """The strings that a template needs: a frozen dataclass of strings and their tuples."""

    @property
    def documentation(self) -> tuple[str, ...]:
        """The body of the module's docstring."""


class Backend(Protocol):
    """Turns a kernel into the strings of one module."""

    @property
    def name(self) -> str:
        """Its name on the command line, and of its folder of templates."""

    @property
    def suffix(self) -> str:
        """What the names of its files end with before `.py`."""

    def view(self, kernel: Kernel, header: tuple[str, ...]) -> View:
        """What its module template is filled with."""


def backend_names() -> tuple[str, ...]:
    """The backends that there are, numpy, the default, first."""
    found = [one.name for one in pkgutil.iter_modules(gen.backends.__path__)]
    names = [name for name in found if hasattr(_load(name), "BACKEND")]
    return tuple(sorted(names, key=lambda name: (name != "numpy", name)))


def backend(name: str) -> Backend:
    """The backend of that name.

    Raises:
        GenError: where there is none.
    """
    names = backend_names()
    if name not in names:
        hint = nearest(str(name), names) or f"there are {', '.join(names)}"
        raise GenError(f"unknown backend {name!r}; {hint}")
    found: Backend = _load(name).BACKEND
    return found


def _load(name: str) -> ModuleType:
    return importlib.import_module(f"gen.backends.{name}")
