"""Functions of the user's own code: called as they say, differentiated as they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sympy
import torch
from scipy import special

import gen
from gen.errors import GenError
from gen.frontend.primitives import from_texts, primitives

if TYPE_CHECKING:
    from collections.abc import Callable


X = np.linspace(0.3, 4.0, 12)

SIGMOID_1 = 0.7310585786300049

STRUVE = {
    "struve": {
        "args": ["v", "x"],
        "numpy": "scipy.special.struve",
        "derivatives": [None, "struve(v - 1, x) - v*struve(v, x)/x"],
    }
}
EXPIT = {
    "own": {
        "args": "x",
        "numpy": "scipy.special.expit",
        "torch": "torch.special.expit",
        "derivatives": "own(x)*(1 - own(x))",
    }
}


def _differences(function: Callable[[Any], Any], x: Any) -> Any:
    """The derivative of an elementwise function."""
    step = 1e-6
    return (function(x + step) - function(x - step)) / (2 * step)


@pytest.mark.parametrize(
    ("expr", "plain"),
    [
        ("struve(0, x)", lambda x: special.struve(0, x)),
        ("x*struve(1, x**2)", lambda x: x * special.struve(1, x**2)),
        ("struve(2, x) + struve(2, x)**2", lambda x: (s := special.struve(2, x)) + s**2),
        ("where(x > 1, struve(0, x), x)", lambda x: np.where(x > 1, special.struve(0, x), x)),
        ("f(x) + struve(0, 2)", lambda x: special.struve(1, 2 * x) + special.struve(0, 2)),
    ],
)
def test_numpy_against_scipy_and_differences(expr: str, plain: Callable[[Any], Any]) -> None:
    cls: Any = gen.load("F", expr, primitives=STRUVE, define={"f(x)": "struve(1, 2*x)"})
    output, pullback = cls.vjp(X)
    np.testing.assert_allclose(output, plain(X), rtol=1e-14)
    (gradient,) = pullback(np.ones_like(X))
    np.testing.assert_allclose(gradient, _differences(plain, X), rtol=1e-7, atol=1e-8)


def test_a_constant_argument_needs_no_derivative() -> None:
    cls: Any = gen.load("F", "struve(n, x)", args="x", const="n", primitives=STRUVE)
    np.testing.assert_allclose(cls.apply(X, 2), special.struve(2, X), rtol=1e-14)


def test_float32_stays_float32() -> None:
    for expr in ("struve(n, x)", "struve(n, 2)*x", "struve(0, x)"):
        numbers = (1.5,) if "struve(n" in expr else ()
        const = "n" if numbers else ""
        cls: Any = gen.load("F", expr, args="x", const=const, primitives=STRUVE)
        output, pullback = cls.vjp(X.astype(np.float32), *numbers)
        assert output.dtype == pullback(np.ones_like(output))[0].dtype == np.float32


@pytest.mark.parametrize(
    ("expr", "plain"),
    [
        ("own(x)", torch.sigmoid),
        ("x*own(x)", lambda x: x * torch.sigmoid(x)),
        (
            "own(own(2*x)) + own(1)",
            lambda x: torch.sigmoid(torch.sigmoid(2 * x)) + SIGMOID_1,
        ),
    ],
)
def test_torch_against_its_own_autograd(expr: str, plain: Callable[[Any], Any]) -> None:
    cls: Any = gen.load("F", expr, backend="torch", primitives=EXPIT)
    ours, theirs = (torch.tensor(X, requires_grad=True) for _ in range(2))
    torch.testing.assert_close(cls.apply(ours), plain(theirs))
    (found,) = torch.autograd.grad(cls.apply(ours).sum(), ours)
    (expected,) = torch.autograd.grad(plain(theirs).sum(), theirs)
    torch.testing.assert_close(found, expected)
    assert torch.autograd.gradgradcheck(cls.apply, (ours,))


def test_it_goes_along_the_axes_of_tensors() -> None:
    shape = {"x": "N,I", "w": "O,I"}
    options: dict[str, Any] = {"primitives": EXPIT, "shape": shape, "backend": "torch"}
    cls: Any = gen.load("F", "sum(own(x @ w.T), axis=-1)*own(2)", **options)
    x = torch.tensor(X.reshape(4, 3) - 2, requires_grad=True)
    w = torch.tensor(np.cos(X[:6]).reshape(2, 3), requires_grad=True)
    expected = torch.sigmoid(x @ w.T).sum(-1) * torch.sigmoid(torch.tensor(2.0, dtype=x.dtype))
    torch.testing.assert_close(cls.apply(x, w), expected)
    assert torch.autograd.gradcheck(cls.apply, (x, w))


# ---- a function of one's own module, checked as strictly as what gen writes

_OWN = '''"""A function of one's own."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


def bump(x: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return x**2 / (1 + x**2)."""
    return x**2 / (1 + x**2)


def bump_torch(x: Tensor) -> Tensor:
    """Return the same of a tensor."""
    return x**2 / (1 + x**2)
'''
_SPEC = """
[gen]
out = "ops"
backends = ["numpy", "torch"]

[primitives.bump]
args = ["x"]
numpy = "mylib.functions.bump"
torch = "mylib.functions.bump_torch"
derivatives = ["2*x/(1 + x**2)**2"]

[functions.Bumpy]
expr = "mylib*bump(a*x) + bump(2)"
"""
_USE = """
import numpy as np, torch
from ops.bumpy import Bumpy
from ops.bumpy_torch import bumpy
output, pullback = Bumpy.vjp(3.0, 2.0, np.array([0.5, 1.0]))
print(*output, *(float(np.sum(one)) for one in pullback(np.ones(2))))
inputs = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (3.0, 2.0, [0.5, 1.0])]
output = bumpy(*inputs)
output.sum().backward()
print(*output.tolist(), *(one.grad.sum().item() for one in inputs))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a module of its own and a gen.toml that names it, built."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "mylib").mkdir()
    (folder / "mylib/__init__.py").write_text('"""One\'s own."""\n')
    (folder / "mylib/functions.py").write_text(_OWN)
    (folder / "gen.toml").write_text(_SPEC)
    from gen import pipeline
    from gen.files import write
    from gen.frontend.spec import read

    found = read(folder / "gen.toml")
    for entry in found.entries:
        write(pipeline.files(entry.request, entry.backends), found.out)
    return folder


def _run(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=cwd, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_both_backends_call_the_users_module(project: Path) -> None:
    first, second = _run("-c", _USE, cwd=project).splitlines()
    u = np.array([1.0, 2.0])  # a*x
    bump, slope = u**2 / (1 + u**2), 2 * u / (1 + u**2) ** 2
    x = np.array([0.5, 1.0])
    value = 3 * bump + 0.8
    expected = [*value, bump.sum(), (3 * slope * x).sum(), (3 * slope * 2).sum()]
    np.testing.assert_allclose([float(one) for one in first.split()], expected, rtol=1e-12)
    np.testing.assert_allclose([float(one) for one in second.split()], expected, rtol=1e-12)


# The one that the tests of emitted modules fill.
CACHE = ("--cache-dir", str(Path(__file__).resolve().parents[2] / ".mypy_cache/emitted"))


def test_such_a_module_passes_strict_checkers(project: Path) -> None:
    rules = "E,F,W,I,UP,B,D,RUF,SIM,TC,PT,C4"
    settings = ("--config", "lint.pydocstyle.convention='google'")
    check = ("-m", "ruff", "check", "--isolated", "--no-cache", "--select", rules, *settings)
    assert _run(*check, "ops", cwd=project) == "All checks passed!\n"
    assert "5 files already" in _run(
        "-m", "ruff", "format", "--isolated", "--no-cache", "--check", "ops", cwd=project
    )
    found = _run("-m", "mypy", "--strict", "--config-file", "", *CACHE, "ops", cwd=project)
    assert found.startswith("Success")


def test_the_module_says_what_it_calls(project: Path) -> None:
    text = (project / "ops/bumpy_torch.py").read_text()
    assert text.startswith(
        "# @generated by gradsmith 0.1.0, templates/torch/module.py.jinja. DO NOT EDIT.\n"
        '#     gen Bumpy "mylib*bump(a*x) + bump(2)" --backend torch \\\n'
        '#         --import "bump(x) = mylib.functions.bump_torch; 2*x/(1 + x**2)**2"\n'
    )
    assert "\nbump is mylib.functions.bump_torch.\n" in text
    assert "\nmylib is called mylib_ in the code.\n" in text


# ---- SymPy


class logistic(sympy.Function):  # type: ignore[misc]  # noqa: N801 -- as SymPy's own
    """A function that SymPy does not have."""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return self * (1 - self)


class Weighted(sympy.Function):  # type: ignore[misc]
    """exp(x) * b, with b taken for a constant order of which nobody knows a derivative."""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        if argindex == 1:
            return Weighted(*self.args) + 0 * logistic(self.args[0])
        raise sympy.core.function.ArgumentIndexError(self, argindex)


class Plain(sympy.Function):  # type: ignore[misc]
    """No derivative at all."""


PRINTERS: dict[Any, dict[str, str]] = {
    logistic: {"numpy": "scipy.special.expit", "torch": "torch.special.expit"},
    Weighted: {"numpy": "numpy.multiply"},
    Plain: {"numpy": "numpy.sin"},
}
x, n = sympy.symbols("x n")


def test_sympys_function_is_differentiated_by_its_fdiff() -> None:
    cls: Any = gen.load("F", logistic(x) ** 2 + logistic(2), printers=PRINTERS)
    output, pullback = cls.vjp(X)
    np.testing.assert_allclose(output, special.expit(X) ** 2 + special.expit(2), rtol=1e-14)
    slope = _differences(lambda x: special.expit(x) ** 2, X)
    np.testing.assert_allclose(pullback(np.ones_like(X))[0], slope, rtol=1e-7)


def test_sympys_function_in_torch() -> None:
    cls: Any = gen.load("F", x * logistic(3 * x), backend="torch", printers=PRINTERS)
    tensor = torch.tensor(X, requires_grad=True)
    torch.testing.assert_close(cls.apply(tensor), tensor * torch.sigmoid(3 * tensor))
    assert torch.autograd.gradcheck(cls.apply, (tensor,))
    assert torch.autograd.gradgradcheck(cls.apply, (tensor,))


def test_sympys_classes_are_written_as_the_command_takes_them() -> None:
    text = gen.source("F", Weighted(x, n) * logistic(x), const="n", printers=PRINTERS)
    imports = [line for line in text.splitlines() if "--import" in line]
    assert imports == [
        '#         --import "Weighted(x1, x2) = numpy.multiply; Weighted(x1, x2); None" \\',
        '#         --import "logistic_(x) = scipy.special.expit; (1 - logistic_(x)) *\\',
    ]


@pytest.mark.parametrize(
    ("expr", "printers", "message"),
    [
        (
            Plain(x),
            {},
            "SymPy's Plain is not part of the language; "
            "say what code calls, as in printers={Plain: {'numpy': 'mylib.ops.f'}}",
        ),
        (
            Plain(x),
            PRINTERS,
            "Plain has no derivative in x; what stands there must be a constant, "
            "as declared by --const",
        ),
        (
            Plain(x) + Plain(x, n),
            PRINTERS,
            "Plain has 1 and 2 arguments; one number of them is needed",
        ),
        (x, {3: {}}, "printers takes subclasses of sympy.Function, given 3"),
        (
            x,
            [Plain],
            "printers takes paths by class, as in {MyFunction: {'numpy': 'mylib.ops.f'}}, "
            "given [Plain]",
        ),
        (
            Plain(x),
            {Plain: "numpy.sin"},
            "printers of Plain are paths by backend, given 'numpy.sin'",
        ),
    ],
)
def test_messages_of_sympys_functions(expr: Any, printers: object, message: str) -> None:
    with pytest.raises(GenError) as fault:
        gen.source("F", expr, printers=printers)
    assert str(fault.value) == message


# ---- what is refused


def test_the_texts_of_the_command_make_the_same() -> None:
    (found,) = primitives(from_texts(["f(x, n) = a.b; n*x; None"], ("torch", "numpy")))
    table = {"args": ["x", "n"], "numpy": "a.b", "torch": "a.b", "derivatives": ["n*x", None]}
    assert (found,) == primitives({"f": table})


def _table(**changed: object) -> dict[str, object]:
    return {"f": {"args": ["x"], "numpy": "a.f", "derivatives": ["1"], **changed}}


@pytest.mark.parametrize(
    ("expr", "given", "message"),
    [
        (
            "f(x, x)",
            _table(),
            "f takes 1 argument, given 2 (column 1)\n    f(x, x)\n    ^^^^^^^\nit is f(x)",
        ),
        (
            "struve(x, x)",
            STRUVE,
            "struve has no derivative in v; what stands there must be a constant, "
            "as declared by --const",
        ),
        (
            "f(x)",
            {"f": {"args": "x", "torch": "a.f", "derivatives": "1"}},
            'the numpy backend has no spelling of f; give it one, as in numpy = "mylib.ops.f"',
        ),
        (
            "f(x)",
            _table(derivatives=["quux(x)"]),
            "in the derivative of f in x: unknown function 'quux' (column 1)\n"
            "    quux(x)\n    ^^^^",
        ),
        (
            "f(x)",
            _table(derivatives=["x ^ 2"]),
            "in the derivative of f in x: ^ is not part of an expression (column 3)\n"
            "    x ^ 2\n      ^\ndid you mean `**`?",
        ),
        (
            "f(x)",
            _table(derivatives=["y"]),
            "in the derivative of f in x: there is no 'y'; its args are x",
        ),
        (
            "f(x)",
            _table(derivatives=["sum(x)"]),
            "in the derivative of f in x: a derivative is elementwise (column 1)\n"
            "    sum(x)\n    ^^^^^^",
        ),
        (
            "f(x)",
            _table(derivatives=["t = x; t"]),
            "in the derivative of f in x: a derivative is one expression, without a name",
        ),
        (
            "f(x)",
            _table(derivatives=["1", "2"]),
            "the primitive f has 1 args and 2 derivatives; one each is needed, "
            "None where there is none",
        ),
        (
            "f(x)",
            _table(args=[]),
            'the primitive f needs args, the names of its arguments, as in args = ["x"]',
        ),
        ("f(x)", _table(args=["2"]), "the primitive f: args: '2' is no name"),
        (
            "f(x)",
            _table(numpy="f"),
            "the primitive f: numpy is the path of a function, such as mylib.ops.f, given 'f'",
        ),
        (
            "f(x)",
            _table(numpy="os.system('rm') or a.f"),
            "the primitive f: numpy is the path of a function, such as mylib.ops.f, "
            "given \"os.system('rm') or a.f\"",
        ),
        (
            "f(x)",
            _table(derivative="1"),
            "the primitive f has an unknown key 'derivative'; did you mean 'derivatives'?",
        ),
        (
            "f(x)",
            {"f": "a.f"},
            'the primitive f is a table such as {"args": ["x"], "numpy": "mylib.ops.f", '
            '"derivatives": ["2*x"]}, given \'a.f\'',
        ),
        (
            "f(x)",
            3,
            'primitives takes tables by name, as in {\'f\': {"args": ["x"], '
            '"numpy": "mylib.ops.f", "derivatives": ["2*x"]}}',
        ),
    ],
)
def test_messages(expr: str, given: object, message: str) -> None:
    with pytest.raises(GenError) as fault:
        gen.source("F", expr, primitives=given)
    assert str(fault.value) == message


def test_a_name_is_one_thing() -> None:
    with pytest.raises(GenError) as fault:
        gen.source("F", "f(x)", primitives=_table(), define={"f(x)": "x"})
    assert str(fault.value) == "f is a function and a primitive; one of them needs another name"
