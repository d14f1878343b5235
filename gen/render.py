"""Strings → text: fills the templates.

In: a backend's name and a frozen dataclass of strings. Out: the text of a file. The
templates lie in `gen/templates` of an installed package, and beside `gen/` in a checkout.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gen.provenance import header

if TYPE_CHECKING:
    from gen.backends.base import View


@dataclass(frozen=True, slots=True)
class Shared:
    """The placeholders of runtime.py.jinja and package.py.jinja."""

    header: tuple[str, ...]


def module(backend: str, view: View) -> str:
    """The text of a function's module."""
    return _environment().get_template(f"{backend}/module.py.jinja").render(module=view)


def runtime(backend: str) -> str:
    """The text of the file that a backend's modules share."""
    name = f"{backend}/runtime.py.jinja"
    return _environment().get_template(name).render(runtime=Shared(header(name)))


def package() -> str:
    """The text of the file that makes a folder of modules a package."""
    name = "package.py.jinja"
    return _environment().get_template(name).render(package=Shared(header(name)))


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(templates()),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def templates() -> Path:
    """The folder of templates."""
    packaged = Path(__file__).parent / "templates"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "templates"
