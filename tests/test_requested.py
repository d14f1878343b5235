"""The four functions that this project was asked for first, as committed under generated/."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import gen
from generated import linear, mul_constant, p3, relu
from generated.linear_torch import Linear
from generated.linear_torch import linear as linear_torch
from generated.mul_constant_torch import MulConstant
from generated.mul_constant_torch import mul_constant as mul_constant_torch
from generated.p3_torch import P3
from generated.p3_torch import p3 as p3_torch
from generated.relu_torch import ReLU
from generated.relu_torch import relu as relu_torch

CHECK: dict[str, Any] = {"eps": 1e-6, "atol": 1e-4}


def _random(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, dtype=torch.float64, generator=generator).requires_grad_()


_INPUTS = [
    pytest.param(P3, (_random(20, 20),), id="P3"),
    pytest.param(ReLU, (_random(20, 20),), id="ReLU"),
    pytest.param(Linear, (_random(20, 20), _random(30, 20)), id="Linear"),
    pytest.param(Linear, (_random(20, 20), _random(30, 20), None), id="Linear-None"),
    pytest.param(Linear, (_random(20, 20), _random(30, 20), _random(30)), id="Linear-bias"),
    pytest.param(Linear, (_random(20), _random(30, 20), _random(30)), id="Linear-1d"),
    pytest.param(Linear, (_random(2, 3, 4), _random(5, 4), _random(5)), id="Linear-3d"),
    pytest.param(MulConstant, (_random(20, 20), 5.5), id="MulConstant"),
]


@pytest.mark.parametrize(("cls", "inputs"), _INPUTS)
def test_gradcheck(cls: type[torch.autograd.Function], inputs: tuple[Any, ...]) -> None:
    assert torch.autograd.gradcheck(cls.apply, inputs, **CHECK)


@pytest.mark.parametrize(("cls", "inputs"), _INPUTS)
def test_gradgradcheck(cls: type[torch.autograd.Function], inputs: tuple[Any, ...]) -> None:
    assert torch.autograd.gradgradcheck(cls.apply, inputs, **CHECK)


@pytest.mark.parametrize(
    ("cls", "inputs"),
    [
        pytest.param(p3.P3, (np.linspace(-2, 2, 30).reshape(5, 6),), id="P3"),
        pytest.param(relu.ReLU, (np.linspace(-2, 2, 30).reshape(5, 6),), id="ReLU"),
        pytest.param(
            linear.Linear,
            (np.cos(np.arange(24.0)).reshape(2, 3, 4), np.sin(np.arange(20.0)).reshape(5, 4), None),
            id="Linear",
        ),
        pytest.param(mul_constant.MulConstant, (np.arange(6.0), 5.5), id="MulConstant"),
    ],
)
def test_numpy_gradcheck(cls: Any, inputs: object) -> None:
    assert gen.gradcheck(cls, inputs)


def test_p3_is_the_legendre_polynomial() -> None:
    x = np.linspace(-1, 1, 101)
    truth = np.polynomial.Legendre([0, 0, 0, 1])
    np.testing.assert_allclose(p3.p3(x), truth(x), atol=1e-15)
    (gradient,) = p3.P3.vjp(x)[1](np.ones_like(x))
    assert gradient is not None
    np.testing.assert_allclose(gradient, truth.deriv()(x), atol=1e-14)


def test_relu_equals_torchs_also_at_zero_nan_and_infinity() -> None:
    special = [float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1.5, -1.5]
    ours = torch.tensor(special, requires_grad=True)
    theirs = torch.tensor(special, requires_grad=True)
    torch.testing.assert_close(relu_torch(ours), torch.relu(theirs), equal_nan=True)
    torch.autograd.backward(relu_torch(ours), torch.full((7,), 2.0))
    torch.autograd.backward(torch.relu(theirs), torch.full((7,), 2.0))
    torch.testing.assert_close(ours.grad, theirs.grad, equal_nan=True)


def test_linear_equals_torchs() -> None:
    inputs = (_random(2, 3, 4), _random(5, 4), _random(5))
    expected = functional.linear(*inputs)
    found = linear_torch(*inputs)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(linear_torch(*inputs[:2]), functional.linear(*inputs[:2]))
    wanted = torch.autograd.grad(expected.sin().sum(), inputs)
    torch.testing.assert_close(torch.autograd.grad(found.sin().sum(), inputs), wanted)


def test_the_constant_stays_a_python_number_on_ctx() -> None:
    output = mul_constant_torch(_random(3), 5.5)
    assert output.grad_fn is not None
    assert output.grad_fn.constant == 5.5  # type: ignore[attr-defined]
    assert output.grad_fn.saved_tensors == ()  # type: ignore[attr-defined]
    _, pullback = mul_constant.MulConstant.vjp(np.ones(3), 5.5)
    gradient, none = pullback(np.ones(3))
    assert none is None
    np.testing.assert_array_equal(gradient, 5.5)


def test_p3_takes_both_numbers_and_tensors() -> None:
    assert p3_torch(2.0).item() == p3.p3(2.0) == 17.0
