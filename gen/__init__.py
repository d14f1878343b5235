"""gradsmith: a formula goes in, the autograd function that an expert would write comes out.

Importing this imports neither sympy nor torch; a function does when it needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar, overload

from gen.errors import ExpressionError, GenError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    import sympy

    from gen.decorator import Function
    from gen.frontend.written import Written
    from gen.verify.gradcheck import DifferentiableFunction, GradcheckError, gradcheck

P = ParamSpec("P")
R = TypeVar("R")

__all__ = [
    "ExpressionError",
    "GenError",
    "GradcheckError",
    "function",
    "gradcheck",
    "load",
    "module",
    "source",
    "write",
]


@overload
def function(function: Callable[P, R], /) -> Function[P, R]: ...


@overload
def function(**options: object) -> Callable[[Callable[P, R]], Function[P, R]]: ...


def function(
    function: Callable[P, R] | None = None, /, **options: object
) -> Function[P, R] | Callable[[Callable[P, R]], Function[P, R]]:
    """Take a Python function's body for a formula; it is read, never executed.

    A body has assignments, if and else, and return. It may call functions of math, numpy,
    torch and sympy that expressions have too, and other decorated functions; of what
    stands outside it, it may read plain numbers.

    Args:
        function: the function; its parameters are the inputs, None the one default.
        options: name of the class (else lennard_jones makes LennardJones), and what
            `source` takes.

    Returns:
        What `source`, `load`, `module` and `write` take in place of a name and an
        expression; called, it evaluates the module for numpy.
    """
    from gen.decorator import decorated

    if function is None:
        return lambda inner: decorated(inner, options)
    return decorated(function, options)


def source(
    name: str | Written,
    expr: str | sympy.Expr | None = None,
    *,
    backend: str = "numpy",
    **options: object,
) -> str:
    """The text of a function's module.

    Args:
        name: the name of the class, such as P3; or a function that `gen.function` decorates.
        expr: the formula, as text or as a `sympy.Expr`; None beside a decorated function.
        backend: "numpy" or "torch".
        options: args, const and optional name inputs, as "x,y" or a list; shape gives
            their last dimensions, as {"weight": "O,I"}; outputs names which of the names
            that the formula assigns are its values; define gives functions that it may
            call, as {"P3(x)": "0.5*(5*x**3-3*x)"}; primitives functions of your own code,
            as {"f": {"args": ["x"], "numpy": "mylib.f", "derivatives": ["2*x"]}}; beside
            a `sympy.Expr`, printers does so for its classes, whose `fdiff` is asked:
            {MyFunction: {"numpy": "mylib.f"}}.

    Raises:
        GenError: for what is not part of the language, or an option that does not fit.

    >>> print(source("Square", "x**2").splitlines()[-1].strip())
    return Square.apply(x)
    """
    from gen import pipeline

    return pipeline.module(pipeline.request(name, expr, options), backend).text


def module(
    name: str | Written,
    expr: str | sympy.Expr | None = None,
    *,
    backend: str = "numpy",
    **options: object,
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
    name: str | Written,
    expr: str | sympy.Expr | None = None,
    *,
    backend: str = "numpy",
    **options: object,
) -> type[DifferentiableFunction]:
    """The class of a function.

    >>> output, pullback = load("P3", "0.5*(5*x**3-3*x)").vjp(2.0)
    >>> output, pullback(1.0)
    (np.float64(17.0), (np.float64(28.5),))
    """
    label = name if isinstance(name, str) else name.class_name
    whole = module(name, expr, backend=backend, **options)
    found: type[DifferentiableFunction] = getattr(whole, label)
    return found


def write(
    name: str | Written,
    expr: str | sympy.Expr | None = None,
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
