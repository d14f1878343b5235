"""The one composition of all stages: a request becomes files.

In: requests. Out: `File`s, the module of each function and the runtime beside them.
Nothing is written here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen import render
from gen.backends.base import backend as find_backend
from gen.backends.names import snake_case
from gen.frontend import options as options_frontend
from gen.frontend import sympy as sympy_frontend
from gen.frontend import text
from gen.model import File, Kernel, Program, Request
from gen.passes.factor import factor
from gen.passes.plan import joint_operations, plan, weight
from gen.passes.vjp import differentiate
from gen.provenance import header, origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import sympy

    from gen.frontend.spec import Entry


def request(name: str, expr: str | sympy.Expr, options: Mapping[str, object]) -> Request:
    """What Python asks for; a `sympy.Expr` becomes the text that reads as the same graph."""
    written = expr if isinstance(expr, str) else sympy_frontend.to_text(expr)
    return options_frontend.request(name, written, options)


def program(request: Request) -> Program:
    """The cheapest program of a request."""
    candidates = differentiate(text.read(request), sympy_frontend.partial)
    return min(map(factor, candidates), key=lambda one: (weight(one), joint_operations(one)))


def kernel(request: Request) -> Kernel:
    """The straight-line code of a request."""
    return plan(program(request))


def module_name(request: Request, backend: str) -> str:
    """The name of a function's module: p3, p3_torch."""
    return f"{snake_case(request.name)}{find_backend(backend).suffix}"


def module(request: Request, backend: str) -> File:
    """The module of one function."""
    return _module(kernel(request), backend)


def runtime(backend: str) -> File:
    """The file that the modules of a backend share."""
    return File(f"_runtime{find_backend(backend).suffix}.py", render.runtime(backend))


def files(requests: Iterable[Request], backends: Iterable[str]) -> tuple[File, ...]:
    """The modules of functions for the same backends, and their runtimes."""
    chosen = tuple(dict.fromkeys(backends))
    modules = [_module(one, name) for one in map(kernel, requests) for name in chosen]
    return (*modules, *map(runtime, chosen))


def entry(one: Entry) -> tuple[File, ...]:
    """The modules of one function of a spec."""
    planned = kernel(one.request)
    return tuple(_module(planned, name) for name in one.backends)


def _module(planned: Kernel, name: str) -> File:
    target = find_backend(name)
    lines = header(name, "module.py.jinja", origin(planned.formula, name))
    view = target.view(planned, lines)
    return File(f"{module_name(planned.formula.request, name)}.py", render.module(name, view))
