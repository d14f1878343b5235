"""The one composition of all stages: a request becomes files.

In: requests. Out: `File`s, the module of each function and the runtime beside them.
Nothing is written here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen import render
from gen.backends.base import backend as find_backend
from gen.collection import paused
from gen.errors import ExpressionError, GenError
from gen.frontend import derivatives, python, spec, text
from gen.frontend import options as options_frontend
from gen.frontend import sympy as sympy_frontend
from gen.frontend.definitions import calls_unknown
from gen.frontend.primitives import from_texts
from gen.frontend.written import Written
from gen.model import File, Formula, Kernel, Program, Request
from gen.naming import snake_case
from gen.passes.factor import factor, factor_opened
from gen.passes.pairs import share_products, share_products_opened, share_sums
from gen.passes.plan import plan
from gen.passes.portfolio import Recipe, cheapest
from gen.passes.signs import move_signs
from gen.passes.stabilise import stabilise
from gen.passes.vjp import differentiate
from gen.provenance import header, origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import sympy

# Ways to make a program cheaper; the first also rewrites the derivatives that are shown.
RECIPES: tuple[Recipe, ...] = (
    (factor,),
    (move_signs, factor, share_products, share_sums, move_signs),
    (
        *(move_signs, share_products_opened, factor_opened, share_products, factor_opened),
        *(share_products, share_sums, move_signs),
    ),
)


def request(
    name: str | Written, expr: str | sympy.Expr | None, options: Mapping[str, object]
) -> Request:
    """What Python asks for; a `sympy.Expr` becomes the text that reads as the same graph."""
    if isinstance(name, Written):
        return _of_function(name, expr, options)
    if expr is None:
        raise GenError(f"an expression is missing beside the name {name!r}")
    if isinstance(expr, str) or not hasattr(type(expr), "free_symbols"):
        return options_frontend.request(name, expr, options)
    return sympy_frontend.request(name, expr, options)


def _of_function(
    written: Written, expr: str | sympy.Expr | None, options: Mapping[str, object]
) -> Request:
    """The request of a decorated function, read once to say where faults of it stand."""
    if expr is not None:
        raise GenError(f"{written.label} is the expression itself; none is needed beside it")
    made, scripts = python.request(written, options)
    try:
        text.read(made)
    except ExpressionError as fault:
        raise scripts.located(fault) from None
    return made


def primitives(texts: Iterable[str], backends: Sequence[str]) -> Mapping[str, object]:
    """The option of that name, from the texts of the command."""
    return from_texts(texts, backends)


def beside(request: Request, folder: Path) -> Request:
    """The request with the functions of the folder's gen.toml, where it calls what is unknown.

    What is defined with it comes first.
    """
    if not calls_unknown(request):
        return request
    try:
        path = spec.find(folder)
    except GenError:
        return request
    return spec.beside(request, path)


def program(formula: Formula) -> Program:
    """The cheapest program of a formula."""
    rules = derivatives.rules(formula.request.primitives)
    return cheapest(differentiate(stabilise(formula), rules), RECIPES)


@paused()
def kernel(request: Request) -> Kernel:
    """The straight-line code of a request."""
    return plan(program(text.read(request)))


@paused()
def emit(planned: Kernel, backend: str) -> File:
    """The module of a kernel."""
    target = find_backend(backend)
    lines = header(f"{backend}/module.py.jinja", origin(planned.formula, backend))
    view = target.view(planned, lines)
    name = file_name(planned.formula.request.name, backend)
    return File(name, render.module(backend, view))


def described(request: Request) -> tuple[str, ...]:
    """What the docstring of a request's module says of it."""
    documentation: tuple[str, ...] = find_backend("torch").view(kernel(request), ()).documentation
    return documentation


def file_name(name: str, backend: str) -> str:
    """The file of a function's module."""
    return f"{snake_case(name)}{find_backend(backend).suffix}.py"


def package() -> File:
    """The file that makes the folder a package; a user's own stays in its place."""
    return File("__init__.py", render.package(), yields=True)


def runtime(backend: str) -> File:
    """The file that the modules of a backend share."""
    return File(f"_runtime{find_backend(backend).suffix}.py", render.runtime(backend))


def module(request: Request, backend: str) -> File:
    """The module of one function."""
    return emit(kernel(request), backend)


def files(request: Request, backends: Iterable[str]) -> tuple[File, ...]:
    """The modules of one function, and what they need beside them."""
    chosen = tuple(dict.fromkeys(backends))
    return (*entry(request, chosen), *shared(chosen))


def shared(backends: Iterable[str]) -> tuple[File, ...]:
    """What all modules of a folder need beside them."""
    return (*map(runtime, backends), package())


def entry(request: Request, backends: Iterable[str]) -> tuple[File, ...]:
    """The modules of one function alone."""
    planned = kernel(request)
    return tuple(emit(planned, name) for name in backends)
