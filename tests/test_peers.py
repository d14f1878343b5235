"""What people use today, beside one formula each: timm's activations, spiking surrogates.

Each file of theirs needs torch alone and is imported without the package around it, which
is installed without its dependencies:
`pip install --no-deps timm==1.0.31 snntorch==1.0.0 spikingjelly==2.0.0`.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

import gen


def _file(package: str, path: str) -> ModuleType:
    """One file of an installed package, with those beside it that it imports."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        pytest.skip(f"{package} is not installed")
    file = Path(found.origin).parent / path
    folder = ModuleType(f"peer_{package}")
    folder.__path__ = [str(file.parent)]
    sys.modules[folder.__name__] = folder
    return importlib.import_module(f"{folder.__name__}.{file.stem}")


def _points(dtype: torch.dtype = torch.float64) -> Tensor:
    """Points around the kinks, and the kinks themselves."""
    kinks = torch.tensor([-3.0, -2.0, -1.0, -0.0, 0.0, 1.0, 2.0, 3.0], dtype=dtype)
    return torch.cat([torch.linspace(-6, 6, 97, dtype=dtype) + 0.01, kinks])


def _gradient(function: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    x = x.clone().requires_grad_()
    y = function(x)
    torch.autograd.backward(y, torch.linspace(0.5, 1.5, y.numel(), dtype=y.dtype))
    assert x.grad is not None
    return y.detach(), x.grad


def _saved(function: Any, x: Tensor) -> int:
    """How many bytes autograd keeps."""
    kept: dict[int, int] = {}

    def pack(one: Tensor) -> Tensor:
        kept[one.untyped_storage().data_ptr()] = one.untyped_storage().nbytes()
        return one

    x = x.clone().requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda one: one):
        function(x)
    return sum(kept.values())


# ---- timm

ACTIVATIONS = {
    "Swish": ("x*sigmoid(x)", "swish_me"),
    "Mish": ("x*tanh(softplus(x))", "mish_me"),
    "HardSigmoid": ("clamp(x + 3, 0, 6)/6", "hard_sigmoid_me"),
    "HardSwish": ("x*clamp(x + 3, 0, 6)/6", "hard_swish_me"),
    "HardMish": ("x*clamp(x + 2, 0, 2)/2", "hard_mish_me"),
}


def _pair(name: str) -> tuple[Any, Any]:
    expr, theirs = ACTIVATIONS[name]
    peer = getattr(_file("timm", "layers/activations_me.py"), theirs)
    return gen.load(name, expr, backend="torch").apply, peer


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_values_and_gradients_are_those_of_timm(name: str, dtype: torch.dtype) -> None:
    ours, theirs = _pair(name)
    found, wanted = _gradient(ours, _points(dtype)), _gradient(theirs, _points(dtype))
    for one, want in zip(found, wanted, strict=True):
        tolerance = 100 * torch.finfo(dtype).eps
        torch.testing.assert_close(one, want, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_no_more_bytes_are_saved_than_by_timm(name: str) -> None:
    ours, theirs = _pair(name)
    x = _points()
    assert _saved(ours, x) <= _saved(theirs, x)


PLAIN = {
    "Swish": torch.nn.functional.silu,
    "Mish": torch.nn.functional.mish,
    "HardSigmoid": lambda x: (x + 3).clamp(0, 6) / 6,
    "HardSwish": lambda x: x * (x + 3).clamp(0, 6) / 6,
    "HardMish": lambda x: x * (x + 2).clamp(0, 2) / 2,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_second_derivatives_are_those_of_the_plain_formula(name: str) -> None:
    ours, _ = _pair(name)
    x = torch.linspace(-5.9, 5.9, 50, dtype=torch.float64).requires_grad_()

    def twice(function: Any) -> Tensor:
        (first,) = torch.autograd.grad(function(x).sum(), x, create_graph=True)
        found: Tensor = torch.autograd.grad((first * x.sin()).sum(), x)[0]
        return found

    torch.testing.assert_close(twice(ours), twice(PLAIN[name]), rtol=1e-11, atol=1e-12)


# ---- spiking networks

# By snntorch: a spike where x > 0.
SNNTORCH = {
    "ATan": ("grad_output*alpha/2/(1 + (pi/2*alpha*x)**2)", "ATan", {"alpha": 2.0}),
    "FastSigmoid": ("grad_output/(slope*abs(x) + 1)**2", "FastSigmoid", {"slope": 25.0}),
    "Sigmoid": ("grad_output*slope*sigmoid(slope*x)*sigmoid(-slope*x)", "Sigmoid", {"slope": 5.0}),
    "Triangular": (
        "grad_output*where(x >= 0, -threshold, threshold)",
        "Triangular",
        {"threshold": 1.0},
    ),
    "Heaviside": ("grad_output*output", "Heaviside", {}),
    "StraightThrough": ("grad_output", "StraightThroughEstimator", {}),
    "SpikeRateEscape": (
        "grad_output*slope*exp(-beta*abs(x - 1))",
        "SpikeRateEscape",
        {"beta": 1.0, "slope": 25.0},
    ),
}


@pytest.mark.parametrize("name", SNNTORCH)
def test_surrogates_of_snntorch(name: str) -> None:
    rule, theirs, constants = SNNTORCH[name]
    peer = getattr(_file("snntorch", "surrogate.py"), theirs)
    ours = gen.load(
        name,
        "heaviside(x, 0)",
        backend="torch",
        backward=rule,
        const=list(constants),
        args=["x", *constants],
    )
    values = constants.values()
    found = _gradient(lambda x: ours.apply(x, *values), _points(torch.float32))
    wanted = _gradient(lambda x: peer.apply(x, *values), _points(torch.float32))
    for one, want in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, want, rtol=1e-5, atol=1e-7)


# By spikingjelly: a spike where x >= 0, and the primitive of the surrogate.
SPIKINGJELLY = {
    "ATan": ("atan(pi/2*alpha*x)/pi + 1/2", "atan"),
    "Erf": ("erfc(-alpha*x)/2", "erf"),
    "Sigmoid": ("sigmoid(alpha*x)", "sigmoid"),
    "SoftSign": ("(alpha*x/(1 + abs(alpha*x)) + 1)/2", "soft_sign"),
    "PiecewiseQuadratic": (
        "where(x < -1/alpha, 0, where(x > 1/alpha, 1, -alpha**2/2*abs(x)*x + alpha*x + 1/2))",
        "piecewise_quadratic",
    ),
    "PiecewiseExp": (
        "where(x < 0, exp(alpha*Min(x, 0))/2, 1 - exp(-alpha*Max(x, 0))/2)",
        "piecewise_exp",
    ),
}


@pytest.mark.parametrize("name", SPIKINGJELLY)
@pytest.mark.parametrize("alpha", [1.0, 2.0, 4.0])
def test_surrogates_of_spikingjelly_by_their_primitives(name: str, alpha: float) -> None:
    primitive, theirs = SPIKINGJELLY[name]
    backward = getattr(_file("spikingjelly", "activation_based/surrogate.py"), f"{theirs}_backward")
    ours = gen.load(
        name,
        "heaviside(x, 1)",
        backend="torch",
        primitive=primitive,
        const="alpha",
    )
    x = _points()
    _, found = _gradient(lambda x: ours.apply(x, alpha), x)
    cotangent = torch.linspace(0.5, 1.5, x.numel(), dtype=torch.float64)
    expected = backward(cotangent, x, alpha)
    smooth = (x.abs() - 1 / alpha).abs() > 1e-9  # where two of its branches meet
    if name == "PiecewiseExp":
        smooth &= x != 0
    expected = expected[0] if isinstance(expected, tuple) else expected
    torch.testing.assert_close(found[smooth], expected[smooth], rtol=1e-12, atol=1e-14)
