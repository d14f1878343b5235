"""Inputs that are no tensors: numbers, flags and words that choose a branch, and defaults."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from torch.func import grad, jacfwd, jvp, vmap

import gen

# PyTorch's own, of what Dynamo and forward mode do inside.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

GELU = (
    "x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))/2 if approximate == 'tanh' "
    "else x*(1 + erf(x/sqrt(2)))/2"
)
LEAKY = "x if x > 0 else (slope*x if leaky else 0*x)"

gelu_of_torch = torch.nn.functional.gelu


def _gelu(backend: str = "torch") -> Any:
    options: dict[str, Any] = {"const": "approximate", "default": {"approximate": "none"}}
    return gen.module("GELU", GELU, backend=backend, **options).gelu


def _leaky(backend: str = "torch") -> Any:
    options: dict[str, Any] = {"const": "slope,leaky", "default": ["slope=0.1", "leaky=true"]}
    return gen.module("Rectifier", LEAKY, backend=backend, **options).rectifier


def _x() -> torch.Tensor:
    return torch.linspace(-3, 3, 20, dtype=torch.float64)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_a_word_chooses_the_branch(approximate: str) -> None:
    gelu, x = _gelu(), _x()

    def plain(x: torch.Tensor) -> torch.Tensor:
        return gelu_of_torch(x, approximate=approximate)

    def ours(x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = gelu(x, approximate=approximate)
        return found

    torch.testing.assert_close(ours(x), plain(x), rtol=1e-12, atol=1e-14)
    for transform in (lambda f: grad(lambda x: f(x).sum()), jacfwd, lambda f: vmap(grad(f))):
        torch.testing.assert_close(transform(ours)(x), transform(plain)(x), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(
        jvp(ours, (x,), (x,))[1], jvp(plain, (x,), (x,))[1], rtol=1e-9, atol=1e-12
    )
    found = _gelu("numpy")(x.numpy(), approximate=approximate)
    np.testing.assert_allclose(found, plain(x).numpy(), rtol=1e-12, atol=1e-14)


def test_it_compiles_and_is_exported() -> None:
    gelu, x = _gelu(), _x()
    torch._dynamo.reset()
    compiled: Any = torch.compile(gelu, fullgraph=True, backend="aot_eager")
    for approximate in ("none", "tanh"):
        leaf = x.clone().requires_grad_()
        torch.autograd.backward(compiled(leaf, approximate).sum())
        expected = grad(lambda x, a=approximate: gelu_of_torch(x, approximate=a).sum())(x)
        torch.testing.assert_close(leaf.grad, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_defaults_and_types_stand_in_the_signature(backend: str) -> None:
    shown = str(inspect.signature(_gelu(backend)))
    assert "approximate: str = 'none'" in shown
    shown = str(inspect.signature(_leaky(backend)))
    assert "slope: float = 0.1, leaky: bool = True" in shown


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_flag_chooses_the_branch(backend: str) -> None:
    leaky, x = _leaky(backend), _x()
    given = x if backend == "torch" else x.numpy()
    for value, options in ((0.1, {}), (0.3, {"slope": 0.3}), (0.0, {"leaky": False})):
        found = leaky(given, **options)
        expected = torch.where(x > 0, x, value * x)
        np.testing.assert_allclose(np.asarray(found), expected.numpy())


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_what_is_no_such_constant(backend: str) -> None:
    x = torch.ones(2) if backend == "torch" else np.ones(2)
    with pytest.raises(ValueError, match=r"^one of none, tanh is needed, given 'sigmoid'$"):
        _gelu(backend)(x, approximate="sigmoid")
    with pytest.raises(TypeError, match=r"^True or False is needed, given 1$"):
        _leaky(backend)(x, leaky=1)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_values_of_different_shapes_still_broadcast(backend: str) -> None:
    f = gen.module("F", "x*y if both else x", backend=backend, const="both").f
    x, y = torch.ones(3, dtype=torch.float64), torch.full((2, 3), 2.0, dtype=torch.float64)
    given = (x, y) if backend == "torch" else (x.numpy(), y.numpy())
    assert np.asarray(f(*given, True)).tolist() == [[2.0] * 3] * 2
    assert np.asarray(f(*given, False)).tolist() == [[1.0] * 3] * 2


def test_gradients_of_a_branch_that_does_not_have_the_input() -> None:
    f = gen.module("F", "x**2 if square else 3", backend="torch", const="square").f
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    assert torch.autograd.grad(f(x, True).sum(), x)[0].tolist() == [2.0, 4.0]
    output = f(x, False)
    assert output.tolist() == [3.0, 3.0]
    assert torch.autograd.grad(output.sum(), x)[0].tolist() == [0.0, 0.0]


def test_a_branch_that_is_not_taken_makes_no_nan() -> None:
    f = gen.module("F", "log(x) if logarithm else x", backend="torch", const="logarithm").f
    x = torch.tensor([-1.0, 0.0, 2.0], requires_grad=True)
    assert torch.autograd.grad(f(x, False).sum(), x)[0].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("expr", "options", "message"),
    [
        ("x*a if a else x", {"const": "a"}, "--const a is used as bool and as float"),
        (
            "x if y == 'q' else x*2",
            {},
            "only a constant is compared with 'q' (column 6)\n"
            "    x if y == 'q' else x*2\n"
            "         ^^^^^^^^\n"
            "declare it by --const",
        ),
        (
            "x*a*b",
            {"const": "a,b", "default": {"a": 1}, "args": "x,a,b"},
            "--default a: b stands behind it and has none; --args says in which order the "
            "inputs are",
        ),
        (
            "x*a",
            {"const": "a", "default": {"a": "w"}},
            "--default a: the expression uses it as float, given 'w'",
        ),
        (
            "x*a",
            {"default": {"a": 1}},
            "--default a: only a constant has one; declare it by --const",
        ),
        (
            "x*a",
            {"const": "a", "default": "a"},
            "default takes an input and what it is, as in beta=1.0, given 'a'",
        ),
    ],
)
def test_what_cannot_be(expr: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(gen.GenError) as fault:
        gen.source("F", expr, **options)
    assert str(fault.value) == message
