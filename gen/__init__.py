"""gradsmith: a formula goes in, the autograd function that an expert would write comes out.

Importing this imports neither sympy nor torch; a function does when it needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.errors import ExpressionError, GenError

if TYPE_CHECKING:
    import os
    from pathlib import Path
    from types import ModuleType

    import sympy

    from gen.verify.gradcheck import DifferentiableFunction, GradcheckError, gradcheck

__all__ = [
    "ExpressionError",
    "GenError",
    "GradcheckError",
    "gradcheck",
    "load",
    "module",
    "source",
    "write",
]


def source(name: str, expr: str | sympy.Expr, *, backend: str = "numpy", **options: object) -> str:
    """The text of a function's module.

    Args:
        name: the name of the class, such as P3.
        expr: the formula, as text or as a `sympy.Expr`.
        backend: "numpy" or "torch".
        options: args, const and optional name inputs, as "x,y" or a list; shape gives
            their last dimensions, as {"weight": "O,I"}.

    Raises:
        GenError: for what is not part of the language, or an option that does not fit.

    >>> print(source("Square", "x**2").splitlines()[-1].strip())
    return Square.apply(x)
    """
    from gen import pipeline

    return pipeline.module(pipeline.request(name, expr, options), backend).text


def module(
    name: str, expr: str | sympy.Expr, *, backend: str = "numpy", **options: object
) -> ModuleType:
    """The imported module of a function, with its class and the plain function beside it.

    >>> module("P3", "0.5*(5*x**3-3*x)").p3(2.0)
    np.float64(17.0)
    """
    from gen import pipeline
    from gen.importer import load as load_files

    request = pipeline.request(name, expr, options)
    return load_files(pipeline.module(request, backend), pipeline.runtime(backend))


def load(
    name: str, expr: str | sympy.Expr, *, backend: str = "numpy", **options: object
) -> type[DifferentiableFunction]:
    """The class of a function.

    >>> output, pullback = load("P3", "0.5*(5*x**3-3*x)").vjp(2.0)
    >>> output, pullback(1.0)
    (np.float64(17.0), (np.float64(28.5),))
    """
    found: type[DifferentiableFunction] = getattr(
        module(name, expr, backend=backend, **options), name
    )
    return found


def write(
    name: str,
    expr: str | sympy.Expr,
    *,
    backend: str = "numpy",
    out: str | os.PathLike[str] = "generated",
    **options: object,
) -> Path:
    """Write a function's module into the folder `out`, the runtime beside it.

    Returns:
        The path of the module.
    """
    from pathlib import Path

    from gen import pipeline
    from gen.files import write as write_files

    request = pipeline.request(name, expr, options)
    return write_files(pipeline.files(request, [backend]), Path(out))[0].path


def __getattr__(name: str) -> object:
    # gradcheck needs numpy, which the command's help does not.
    if name in ("gradcheck", "GradcheckError"):
        from gen.verify import gradcheck as room

        return getattr(room, name)
    raise AttributeError(f"module 'gen' has no attribute {name!r}")
