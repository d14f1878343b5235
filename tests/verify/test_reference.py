"""The reference: the same values as plain code written by hand, for the tables of formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor

from gen.frontend import options, text
from gen.frontend.primitives import from_texts
from gen.verify.reference import Reference
from gen.verify.samples import Draw, settled
from tests.formulas import Case, parametrize
from tests.tensors import TensorCase, parametrize_tensors

if TYPE_CHECKING:
    from pathlib import Path


def _reference(expr: str, backend: str = "torch", **given: Any) -> Reference:
    return Reference(text.read(options.request("Case", expr, given)), backend)


def _outputs(value: Any) -> tuple[Tensor, ...]:
    return value if isinstance(value, tuple) else (value,)


@parametrize("torch")
def test_elementwise(case: Case) -> None:
    inputs = case.inputs()
    (found,) = _reference(case.expr, **case.options)(*inputs, *case.constants)
    expected = case.plain(*inputs, *case.constants)
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-13)


@parametrize_tensors()
def test_tensors(case: TensorCase) -> None:
    inputs = case.inputs()
    found = _reference(case.expr, **case.options)(*inputs, *case.constants)
    expected = _outputs(case.plain(*inputs, *case.constants))
    for one, want in zip(found, expected, strict=True):
        torch.testing.assert_close(one, want, rtol=1e-11, atol=1e-12)


def test_what_pytorch_does_not_have_comes_from_mpmath() -> None:
    x = torch.tensor([0.5, 2.0], dtype=torch.float64)
    (found,) = _reference("besselj(0, x)", "numpy")(x)
    torch.testing.assert_close(found, torch.special.bessel_j0(x))


def test_functions_of_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mylib_of_reference.py").write_text("def f(x):\n    return x**3\n")
    monkeypatch.syspath_prepend(tmp_path)
    own = from_texts(["f(x) = mylib_of_reference.f; 3*x**2"], ["torch"])
    x = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    (found,) = _reference("2*f(x)", primitives=own)(x)
    (gradient,) = torch.autograd.grad(found, x)
    assert (found.item(), gradient.item()) == (16.0, 24.0)


@pytest.mark.parametrize(
    ("given", "slope"),
    [
        ({"backward": "grad_output*x"}, 1.5),
        ({"primitive": "x**3"}, 3 * 1.5**2),
        ({"straight_through": True}, 1.0),
        ({"straight_through": True, "clamp_grad": "-0.5,0.5"}, 0.5),
    ],
    ids=["backward", "primitive", "straight_through", "clamp_grad"],
)
def test_declared_gradients(given: dict[str, Any], slope: float) -> None:
    x = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    (found,) = _reference("floor(x)", **given)(x)
    (gradient,) = torch.autograd.grad(found, x)
    assert (found.item(), gradient.item()) == (1.0, slope)


def test_samples_keep_to_where_the_formula_is_smooth() -> None:
    reference = _reference("sqrt(x) + Abs(x - 1)")
    draw: Draw = settled(reference.formula, reference)
    (x,) = draw.sample().tensors
    assert ((x > 0) & ((x - 1).abs() > 0.01)).all()
