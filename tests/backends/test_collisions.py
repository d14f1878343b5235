"""Names of inputs and functions never collide with what emitted code needs for itself."""

from __future__ import annotations

import builtins
import keyword
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import gen

ROOT = Path(__file__).resolve().parent.parent.parent

_EMITTED = "\n".join(
    path.read_text()
    for folder in ("generated", "templates")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".jinja")
)
_IDENTIFIERS = set(re.findall(r"[A-Za-z_]\w*", _EMITTED)) | set(dir(builtins))
_IDENTIFIERS |= {"t", "t1", "x2", "exp_other", "mask", "grad_other", "like_other", "case", "Case"}
_IDENTIFIERS |= {"__class__", "__dict__", "__debug__", "__x", "_Case__x", "_", "requires_grad"}
_CHUNKS = 12
NAMES = sorted(name for name in _IDENTIFIERS if not keyword.iskeyword(name) and name != "other")


def _check(backend: str, name: str, **options: str) -> None:
    """The function a**2*exp(b/3) + a*b of `other` and an input of that name."""
    expr = f"other**2*exp({name}/3) + other*{name}"
    cls = gen.load("Case", expr, backend=backend, args=["other", name], **options)
    other, value = torch.tensor(1.5, dtype=torch.float64), 0.75
    grad = 2 * 1.5 * np.exp(value / 3) + value
    if backend == "numpy":
        output, pullback = cls.vjp(1.5, value)
        found = pullback(1.0)[0]
    else:
        output = cls.apply(other.requires_grad_(), _as_input(value, options))
        assert isinstance(output, torch.Tensor)
        (found,) = torch.autograd.grad(output, other)
        output = output.item()
    expected = 1.5**2 * np.exp(value / 3) + 1.5 * value
    assert np.asarray(output) == pytest.approx(expected, rel=1e-14), name
    assert np.asarray(found) == pytest.approx(float(grad), rel=1e-14), name


def _as_input(value: float, options: dict[str, str]) -> object:
    return value if "const" in options else torch.tensor(value, dtype=torch.float64)


@pytest.mark.parametrize("chunk", range(_CHUNKS))
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_inputs_of_every_name(backend: str, chunk: int) -> None:
    for name in NAMES[chunk::_CHUNKS]:
        _check(backend, name)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_constants_of_every_name_that_a_context_has(backend: str) -> None:
    context = {"_get_user_fn", "_forward_cls", "_input_metadata", "__class__", "metadata"}
    for name in sorted(context | {"saved_tensors", "needs_input_grad", "requires_grad", "name"}):
        _check(backend, name, const=name)


def test_a_constant_beside_the_shape_of_an_input() -> None:
    cls = gen.load("Case", "x + 2*like_x*x_shape*y", backend="torch", const=["like_x", "x_shape"])
    x, y = torch.ones(3, requires_grad=True), torch.ones(1, requires_grad=True)
    output = cls.apply(x, 2.0, 3.0, y)
    assert isinstance(output, torch.Tensor)
    torch.autograd.backward(output.sum())
    assert y.grad is not None
    assert y.grad.item() == 36


@pytest.mark.parametrize("name", ["f", "relu", "softplus", "x", "F", "Abs", "Async", "Sin", "L"])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_names_of_functions(backend: str, name: str) -> None:
    module = gen.module(name, "x**2 + exp(x*y)", backend=backend)
    entries = [one for one in vars(module).values() if getattr(one, "__name__", "") != name]
    assert hasattr(getattr(module, name), "apply")
    assert any(callable(one) for one in entries)


@pytest.mark.parametrize("name", ["np", "torch", "Context", "any", "Function", "Tensor"])
def test_names_that_the_module_needs_are_refused(name: str) -> None:
    backend = "torch" if name in ("torch", "Tensor") else "numpy"
    with pytest.raises(gen.GenError, match="cannot name a function: the module needs that name"):
        gen.source(name, "x**2", backend=backend)
