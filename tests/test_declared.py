"""Gradients that are not the derivative: what was declared is what every transform gives."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.func import grad, jacfwd, jacrev, jvp, vmap

import gen

if TYPE_CHECKING:
    from collections.abc import Callable

# PyTorch's own, of what Dynamo and export do inside.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")


@dataclass(frozen=True)
class Declared:
    """A formula, what is declared, and the slope that backward multiplies grad_output with."""

    expr: str
    options: dict[str, Any]
    value: Callable[..., Tensor]
    slopes: tuple[Callable[..., Tensor], ...]  # one for each input with a gradient
    constants: tuple[float, ...] = ()
    inputs: tuple[tuple[float, ...], ...] = field(default=((-2.5, -0.7, 0.3, 0.6, 1.4, 2.2),))

    def tensors(self) -> list[Tensor]:
        return [torch.tensor(one, dtype=torch.float64) for one in self.inputs]


def _step(x: Tensor) -> Tensor:
    return (x >= 0).to(x.dtype)


CASES = {
    "arctan": Declared(
        "heaviside(x, 1)",
        {"primitive": "atan(pi/2*alpha*x)/pi + 1/2", "const": "alpha"},
        lambda x, alpha: _step(x),
        (lambda x, alpha: alpha / 2 / (1 + (math.pi / 2 * alpha * x) ** 2),),
        (2.0,),
    ),
    "fast_sigmoid": Declared(
        "heaviside(x, 1)",
        {"backward": "grad_output/(1 + slope*abs(x))**2", "const": "slope"},
        lambda x, slope: _step(x),
        (lambda x, slope: 1 / (1 + slope * x.abs()) ** 2,),
        (3.0,),
    ),
    "erfc": Declared(
        "heaviside(x, 1)",
        {"primitive": "erfc(-alpha*x)/2", "const": "alpha"},
        lambda x, alpha: _step(x),
        (lambda x, alpha: alpha / math.sqrt(math.pi) * torch.exp(-((alpha * x) ** 2)),),
        (2.0,),
    ),
    "triangular": Declared(
        "heaviside(x, 1)",
        {"backward": "grad_output*Max(1 - abs(x), 0)"},
        _step,
        (lambda x: (1 - x.abs()).clamp(min=0),),
    ),
    "straight_through_round": Declared(
        "round(x)", {"straight_through": True}, torch.round, (torch.ones_like,)
    ),
    "learnt_step_size": Declared(
        "round(x/s)*s",
        {"straight_through": True},
        lambda x, s: torch.round(x / s) * s,
        (lambda x, s: torch.ones_like(x), lambda x, s: torch.round(x / s) - x / s),
        inputs=((-2.5, -0.7, 0.31, 2.2), (0.5, 0.6, 0.7, 0.8)),
    ),
    "sign": Declared("sign(x)", {"straight_through": True}, torch.sign, (torch.ones_like,)),
    "trunc_exp": Declared(
        "exp(x)",
        {"backward": "grad_output*exp(clamp(x, -15, 15))"},
        torch.exp,
        (lambda x: torch.exp(x.clamp(-15, 15)),),
        inputs=((-20.0, -1.0, 0.5, 16.0),),
    ),
    "pact": Declared(
        "clamp(x, 0, alpha)",
        {"backward": {"alpha": "grad_output*where(x >= alpha, 1, 0)"}},
        lambda x, alpha: torch.minimum(x.clamp(min=0), alpha),
        (
            lambda x, alpha: ((x >= 0) & (x <= alpha)).to(x.dtype),
            lambda x, alpha: (x >= alpha).to(x.dtype),
        ),
        inputs=((-1.0, 0.4, 0.9, 2.0), (1.0, 1.0, 1.0, 1.0)),
    ),
    "in_the_output": Declared(
        "tanh(x)", {"backward": "grad_output*(1 - output)"}, torch.tanh, (lambda x: 1 - x.tanh(),)
    ),
    "one_of_two": Declared(
        "x*exp(y)",
        {"backward": "y = grad_output*x"},
        lambda x, y: x * y.exp(),
        (lambda x, y: y.exp(), lambda x, y: x),
        inputs=((1.0, 2.0), (0.5, -0.5)),
    ),
    "by_name_of_a_statement": Declared(
        "s = sin(x); y = s*x",
        {"backward": "grad_output*s"},
        lambda x: x.sin() * x,
        (torch.sin,),
    ),
}


def _module(case: Declared, backend: str = "torch") -> Any:
    return gen.module("Case", case.expr, backend=backend, **case.options)


def _parametrize(function: Callable[..., None]) -> Callable[..., None]:
    mark: Callable[..., Any] = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
    found: Callable[..., None] = mark(function)
    return found


def _cotangent(output: Tensor) -> Tensor:
    return torch.linspace(0.5, 1.5, output.numel(), dtype=output.dtype).reshape(output.shape)


@_parametrize
def test_values_and_gradients_are_those_declared(case: Declared) -> None:
    inputs = [one.requires_grad_() for one in case.tensors()]
    output = _module(case).case(*inputs, *case.constants)
    torch.testing.assert_close(output, case.value(*inputs, *case.constants))
    cotangent = _cotangent(output)
    found = torch.autograd.grad(output, inputs, cotangent)
    for one, slope in zip(found, case.slopes, strict=True):
        torch.testing.assert_close(one, cotangent * slope(*inputs, *case.constants))


@_parametrize
def test_numpy_gives_the_same(case: Declared) -> None:
    inputs = [one.numpy() for one in case.tensors()]
    cls = _module(case, "numpy").Case
    output, pullback = cls.vjp(*inputs, *case.constants)
    tensors = case.tensors()
    np.testing.assert_allclose(output, case.value(*tensors, *case.constants).numpy(), rtol=1e-14)
    cotangent = _cotangent(torch.tensor(output))
    found = pullback(cotangent.numpy())
    for one, slope in zip(found, case.slopes, strict=False):
        expected = cotangent * slope(*tensors, *case.constants)
        np.testing.assert_allclose(one, expected.numpy(), rtol=1e-13, atol=1e-300)


def _of_first(case: Declared, function: Any) -> tuple[Callable[[Tensor], Tensor], Tensor, Tensor]:
    """The function of its first input alone, its point and the declared slope there."""
    first, *rest = case.tensors()

    def alone(x: Tensor) -> Tensor:
        found: Tensor = function(x, *rest, *case.constants)
        return found

    return alone, first, case.slopes[0](first, *rest, *case.constants)


@_parametrize
def test_every_transform_gives_it(case: Declared) -> None:
    alone, x, slope = _of_first(case, _module(case).case)
    torch.testing.assert_close(jacrev(alone)(x), torch.diag(slope))
    torch.testing.assert_close(jacfwd(alone)(x), torch.diag(slope))
    torch.testing.assert_close(grad(lambda x: alone(x).sum())(x), slope)
    torch.testing.assert_close(jvp(alone, (x,), (x,))[1], slope * x)


@_parametrize
def test_compiled_transforms_and_exported_programs_keep_it(case: Declared) -> None:
    alone, x, slope = _of_first(case, _module(case).case)

    def gradient(x: Tensor) -> Tensor:
        found: Tensor = grad(lambda x: alone(x).sum())(x)
        return found

    def pushed(x: Tensor) -> Tensor:
        found: Tensor = jvp(alone, (x,), (x,))[1]
        return found

    def compiled(function: Callable[[Tensor], Tensor]) -> Any:
        torch._dynamo.reset()
        return torch.compile(function, fullgraph=True, backend="aot_eager")

    torch.testing.assert_close(compiled(gradient)(x), slope)
    torch.testing.assert_close(compiled(pushed)(x), slope * x)
    leaf = x.clone().requires_grad_()
    torch.autograd.backward(compiled(alone)(leaf).sum())
    torch.testing.assert_close(leaf.grad, slope)


class _Layer(torch.nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


@_parametrize
@pytest.mark.parametrize("strict", [True, False], ids=["strict", "non-strict"])
def test_exported_programs_keep_it(case: Declared, strict: bool) -> None:
    alone, x, slope = _of_first(case, _module(case).case)
    program = torch.export.export(_Layer(alone), (x,), strict=strict)
    leaf = x.clone().requires_grad_()
    output = program.module()(leaf)
    torch.testing.assert_close(output, alone(x))
    torch.autograd.backward(output.sum())
    torch.testing.assert_close(leaf.grad, slope)


def test_an_infinite_input_makes_no_nan_where_it_is_exported() -> None:
    alone, _, _ = _of_first(CASES["arctan"], _module(CASES["arctan"]).case)
    x = torch.tensor([-math.inf, 1.0, math.inf], dtype=torch.float64)
    program = torch.export.export(_Layer(alone), (x,))
    torch.testing.assert_close(program.module()(x), torch.tensor([0.0, 1, 1], dtype=torch.float64))


# ---- bounds


def test_gradients_between_bounds() -> None:
    exp = gen.module("E", "x*exp(y)", backend="torch", clamp_grad="-1,2").e
    x, y = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in ([-3.0, 1], [2.0, 0]))
    torch.autograd.backward(exp(x, y).sum())
    assert x.grad is not None
    assert y.grad is not None
    assert x.grad.tolist() == [2.0, 1.0]
    assert y.grad.tolist() == [-1.0, 1.0]


def test_bounds_hold_behind_the_sum_of_a_broadcast_input() -> None:
    cls = gen.load("E", "x*y", clamp_grad=[-1, 2])
    _, pullback = cls.vjp(np.ones(5), np.array(1.0))
    assert pullback(np.ones(5))[1] == 2.0


def test_what_is_not_linear_has_no_forward_mode_and_is_not_exported() -> None:
    f = gen.module("F", "x**2", backend="torch", clamp_grad="-1,1").f
    x = torch.tensor([0.1, 3.0])
    torch.testing.assert_close(vmap(grad(f))(x), torch.tensor([0.2, 1.0]))
    with pytest.raises(RuntimeError, match="must implement the jvp function"):
        jvp(f, (x,), (x,))
    with pytest.raises(Exception, match="the gradient declared for F is not linear in grad_output"):
        torch.export.export(_Layer(f), (x,), strict=False)
    with torch.no_grad():
        program = torch.export.export(_Layer(f), (x,), strict=False)
    torch.testing.assert_close(program.module()(x), x**2)


# ---- once


def _once() -> Any:
    return gen.module("F", "sin(x)", backend="torch", once=True).f


def test_once_refuses_a_second_derivative_loudly() -> None:
    f, x = _once(), torch.tensor([0.3, 1.0], requires_grad=True)
    (first,) = torch.autograd.grad(f(x).sum(), x, create_graph=True)
    torch.testing.assert_close(first, torch.cos(x))
    with pytest.raises(RuntimeError, match=r"^F has no second derivative, by declaration$"):
        torch.autograd.backward(first.sum())


@pytest.mark.parametrize("outer", [jacrev, jacfwd])
def test_once_refuses_it_under_transforms_too(outer: Any) -> None:
    f, x = _once(), torch.tensor([0.3, 1.0])
    torch.testing.assert_close(grad(lambda x: f(x).sum())(x), torch.cos(x))
    with pytest.raises(RuntimeError, match="F has no second derivative, by declaration"):
        outer(jacrev(f))(x)


def test_once_compiles() -> None:
    x = torch.tensor([0.3, 1.0], requires_grad=True)
    compiled: Any = torch.compile(_once(), fullgraph=True, backend="aot_eager")
    torch.autograd.backward(compiled(x).sum())
    torch.testing.assert_close(x.grad, torch.cos(x.detach()))


# ---- what is said of it


def test_the_docstring_says_so() -> None:
    text = gen.source("A", "round(x)", backend="torch", straight_through=True, once=True)
    assert (
        "Not the derivative, by declaration: rounding and steps count as the identity in\nbackward."
        in text
    )
    assert "A second derivative is refused." in text
    text = gen.source("A", "heaviside(x)", primitive="atan(x)")
    assert "Not the derivative, by declaration: backward is that of atan(x)." in text
    assert "not the derivative" not in gen.source("A", "x**2").lower()


@pytest.mark.parametrize(
    ("expr", "options", "message"),
    [
        (
            "x + 1",
            {"straight_through": True},
            "--straight-through: the expression has none of the steps that a gradient passes "
            "through, ceil, floor, heaviside, round, sign, trunc",
        ),
        (
            "round(x)",
            {"backward": "x"},
            "--backward: the gradient of x does not use grad_output, with which every gradient "
            "is multiplied",
        ),
        (
            "x*y",
            {"backward": "grad_output"},
            "--backward: there are the inputs x, y; say of which it is the gradient, as in "
            '--backward "x = ..."',
        ),
        (
            "x*y",
            {"backward": "z = grad_output"},
            "--backward: z is no input with a gradient; those with a gradient are x, y",
        ),
        (
            "x*y",
            {"backward": "y = grad_output", "const": "y"},
            "--backward: y is no input with a gradient; those with a gradient are x",
        ),
        (
            "x",
            {"backward": "grad_output", "primitive": "x"},
            "--backward and --primitive both say what the gradient is; one is enough",
        ),
        (
            "u = x; v = 2*x",
            {"primitive": "x"},
            "--primitive is that of one output; there are u, v",
        ),
        (
            "x",
            {"clamp_grad": "1,-1"},
            "clamp_grad takes two numbers, the lower one first, as in -1,1; given '1,-1'",
        ),
        ("x", {"once": "yes"}, "once is true or false, given 'yes'"),
        (
            "x",
            {"backward": ["x = grad_output", "x = 2*grad_output"]},
            "backward: the gradient of x is given twice",
        ),
    ],
)
def test_what_cannot_be_declared(expr: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(gen.GenError) as fault:
        gen.source("F", expr, **options)
    assert str(fault.value) == message
