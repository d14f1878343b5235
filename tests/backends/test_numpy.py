"""Emitted numpy modules: values, gradients, shapes, dtypes, and what they accept."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import gen
from tests.formulas import Case, parametrize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

Array = NDArray[Any]

LINEAR: dict[str, Any] = {
    "shape": {"input": "N,I", "weight": "O,I", "bias": "O"},
    "optional": "bias",
}


def _load(case: Case) -> Any:
    return gen.load("Case", case.expr, **case.options)


def _module(expr: str, **options: Any) -> ModuleType:
    return gen.module("Case", expr, **options)


def _vjp(case: Case, inputs: Sequence[Any]) -> tuple[Array, Callable[[Array], tuple[Array, ...]]]:
    # Branches that are not taken are evaluated too, and may say so.
    with np.errstate(all="ignore"):
        output, pullback = _load(case).vjp(*inputs, *case.constants)
    return np.asarray(output), pullback


@parametrize("numpy")
def test_value_and_gradients_equal_torch_autograd_of_the_plain_formula(case: Case) -> None:
    inputs = [one.requires_grad_() for one in case.inputs()]
    expected = case.plain(*inputs, *case.constants)
    cotangent = torch.linspace(0.5, 1.5, expected.numel(), dtype=torch.float64)
    cotangent = cotangent.reshape(expected.shape)
    gradients = torch.autograd.grad(expected, inputs, cotangent, allow_unused=True)

    output, pullback = _vjp(case, [one.detach().numpy() for one in inputs])

    np.testing.assert_allclose(output, expected.detach().numpy(), rtol=1e-11, atol=1e-13)
    found = pullback(cotangent.numpy())
    assert len(found) == len(inputs) + len(case.constants)
    for one, want, given in zip(found, gradients, inputs, strict=False):
        assert np.shape(one) == tuple(given.shape)
        np.testing.assert_allclose(
            one, torch.zeros_like(given) if want is None else want, rtol=1e-9, atol=1e-11
        )
    assert all(one is None for one in found[len(inputs) :])


@parametrize("numpy")
def test_gradcheck_by_differences_of_the_emitted_forward(case: Case) -> None:
    inputs = tuple(one.numpy() for one in case.inputs()) + case.constants
    with np.errstate(all="ignore"):
        assert gen.gradcheck(_load(case), inputs)


@parametrize("numpy")
def test_float32_stays_float32(case: Case) -> None:
    inputs = [one.numpy() for one in case.inputs(torch.float32)]
    output, pullback = _vjp(case, inputs)
    assert output.dtype == np.float32
    assert {one.dtype for one in pullback(np.ones_like(output)) if one is not None} == {
        np.dtype(np.float32)
    }


@parametrize("numpy")
def test_empty_and_strided_arrays(case: Case) -> None:
    full = [one.numpy() for one in case.inputs()]
    strided = [np.repeat(one, 2, axis=-1)[..., ::2] if one.ndim else one for one in full]
    expected, _ = _vjp(case, full)
    found, pullback = _vjp(case, strided)
    np.testing.assert_array_equal(found, expected)
    pullback(np.ones_like(found)[...])


def test_scalars_and_lists() -> None:
    p3 = _module("0.5*(5*x**3-3*x)").case
    assert p3(2) == p3(2.0) == 17.0
    np.testing.assert_array_equal(p3([1, 2, 3]), [1.0, 17.0, 63.0])
    assert p3(np.float32(2)).dtype == np.float32
    assert p3(np.array(2.0)).shape == ()
    assert p3(np.zeros((0, 3))).shape == (0, 3)
    assert p3(np.arange(3)).dtype == np.float64


def test_python_numbers_take_the_dtype_beside_them() -> None:
    module = _module("x*exp(y)")
    x = np.ones(3, np.float32)
    assert module.case(x, 2.0).dtype == np.float32
    output, pullback = module.Case.vjp(x, 2)
    assert [one.dtype for one in pullback(output)] == [np.float32, np.float32]


def test_mixed_dtypes_give_each_gradient_its_inputs_dtype() -> None:
    output, pullback = _module("x*y").Case.vjp(np.ones(3, np.float32), np.ones(3))
    assert output.dtype == np.float64
    assert [one.dtype for one in pullback(output)] == [np.float32, np.float64]


def test_forward_and_backward_with_a_context() -> None:
    module = _module("x*y + z")
    ctx = module.Context()
    x, y, z = np.ones((2, 3)), np.full(3, 2.0), np.zeros(())
    output = module.Case.forward(ctx, x, y, z)
    grad_x, grad_y, grad_z = module.Case.backward(ctx, np.ones_like(output))
    np.testing.assert_array_equal(grad_x, np.full((2, 3), 2.0))
    np.testing.assert_array_equal(grad_y, np.full(3, 2.0))
    np.testing.assert_array_equal(grad_z, 6.0)


def test_gradients_that_nobody_needs_are_not_computed() -> None:
    _, pullback = _module("x*y").Case.vjp(2.0, 3.0, needs_input_grad=(False, True))
    assert pullback(1.0) == (None, 2.0)
    _, pullback = _module("x**2").Case.vjp(2.0, needs_input_grad=(False,))
    assert pullback(1.0) == (None,)


def test_optional_input_left_out() -> None:
    module = _module("input @ weight.T + bias", **LINEAR)
    x, w = np.ones((2, 3)), np.ones((4, 3))
    np.testing.assert_array_equal(module.case(x, w), np.full((2, 4), 3.0))
    output, pullback = module.Case.vjp(x, w, None)
    assert pullback(output)[2] is None
    output, pullback = module.Case.vjp(x, w)
    grad_x, grad_w = pullback(output)
    assert (grad_x.shape, grad_w.shape) == (x.shape, w.shape)


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), (2, 1, 3, 4), (0, 4)])
def test_linear_takes_any_number_of_leading_dimensions(shape: tuple[int, ...]) -> None:
    cls = gen.load("Linear", "input @ weight.T + bias", **LINEAR)
    generator = np.random.default_rng(0)
    inputs = (generator.normal(size=shape), generator.normal(size=(5, 4)), generator.normal(size=5))
    assert gen.gradcheck(cls, inputs)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            (np.ones((2, 3)), np.ones((4, 2))),
            r"weight has shape (4, 2), declared is (O I) with I = 3",
        ),
        ((np.ones((2, 3)), np.ones(3)), "weight has shape (3,), declared is (O I)"),
        ((np.ones(()), np.ones((4, 3))), "input has shape (), declared is (... I)"),
        (
            (np.ones((2, 3)), np.ones((4, 3)), np.ones((2, 4))),
            "bias has shape (2, 4), declared is (O)",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_refused_before_anything_runs(
    given: tuple[Array, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        _module("input @ weight.T + bias", **LINEAR).case(*given)


@pytest.mark.parametrize("value", [1j, np.ones(2, complex), np.array(["a"]), np.array([None])])
def test_inputs_that_are_not_real_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match="real floating-point numbers are needed"):
        _module("x**2").case(value)


def test_nan_stays_nan_and_relu_is_zero_at_zero() -> None:
    output, pullback = gen.load("ReLU", "Max(x, 0)").vjp(np.array([np.nan, -1.0, -0.0, 0.0, 2.0]))
    np.testing.assert_array_equal(output, [np.nan, 0, 0, 0, 2])
    np.testing.assert_array_equal(pullback(np.full(5, 3.0))[0], [3, 0, 0, 0, 3])


@pytest.mark.parametrize(
    ("expr", "at", "expected"),
    [
        ("abs(x)", 0.0, 0.0),
        ("Min(x, 0)", 0.0, 0.0),
        ("Max(x, x/2 + 1)", 2.0, 0.75),
        ("Max(x, 1)", 1.0, 0.5),
        ("clip(x, -1, 1)", 1.0, 1.0),
        ("hypot(x, 0*x)", 0.0, 0.0),
        ("sqrt(x)", 0.0, np.inf),
        ("Piecewise((x**2, x <= 1), (3*x, True))", 1.0, 2.0),
        ("sign(x) + floor(x)", 0.0, 0.0),
        ("where(x > 0, sqrt(x), 0)", 0.0, 0.0),
        ("where(x > 0, log(x), x)", -1.0, 1.0),
        ("where(x > 0, x**x, 1 + x)", -0.5, 1.0),
        ("x**3", 0.0, 0.0),
    ],
)
def test_kinks(expr: str, at: float, expected: float) -> None:
    with np.errstate(all="ignore"):
        _, pullback = gen.load("Case", expr).vjp(at)
        assert np.asarray(pullback(1.0)[0]) == expected


def test_a_product_does_not_divide() -> None:
    _, pullback = gen.load("Case", "x*y*z").vjp(0.0, 2.0, 3.0)
    assert pullback(1.0) == (6.0, 0.0, 0.0)


def test_the_output_is_an_array_of_its_own() -> None:
    x = np.ones(3)
    assert not np.shares_memory(_module("x").case(x), x)


def test_smooth_functions_do_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = np.array([-800.0, -1.0, 0.0, 1.0, 800.0])
        for expr in ("sigmoid(x)", "softplus(x)", "tanh(x)", "silu(x)"):
            cls: Any = gen.load("Case", expr)
            output, pullback = cls.vjp(x)
            assert np.all(np.isfinite(output))
            assert np.all(np.isfinite(np.asarray(pullback(np.ones(5))[0])))


@pytest.mark.parametrize(
    ("expr", "at", "expected"),
    [
        ("where(x > 0, x, y)", (1.0, 2.0), (1.0, 0.0)),
        ("x if x > y else (y if y > 2 else 3*x)", (1.0, 2.0), (3.0, 0.0)),
        ("where(And(Or(y < 0, y > 3), x > 1), x, 2*x)", (2.0, 1.0), (2.0, 0.0)),
        ("where(sqrt(x**2+y**2) > 0, x/sqrt(x**2+y**2), 0)", (0.0, 0.0), (0.0, 0.0)),
        (
            "Piecewise((sqrt(x)+1, x > 1), (2*sqrt(x), x > 0), (x*y, True))",
            (-1.0, 2.0),
            (2.0, -1.0),
        ),
        ("where(x > 0, sqrt(x), 0)*where(x > 1, sqrt(x), y)", (-1.0, 2.0), (0.0, 0.0)),
        ("where(y > 0, x, sqrt(where(x > 2, y, -y)))", (1.0, 1.0), (1.0, 0.0)),
        ("x - (x - y)", (1.0, 2.0), (0.0, 1.0)),
        ("(x**2 + y**2)**1.5", (0.0, 0.0), (0.0, 0.0)),
        ("elu(x) + y", (0.0, 0.0), (1.0, 1.0)),
        ("xlogy(x, y)", (0.0, 0.0), (0.0, np.nan)),
    ],
)
def test_branches_and_points_that_went_wrong_once(
    expr: str, at: tuple[float, float], expected: tuple[float, float]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error" if not np.isnan(expected[1]) else "ignore")
        _, pullback = gen.load("Case", expr, args="x,y").vjp(*at)
        found = [float(np.asarray(one)) for one in pullback(1.0)]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "expr",
    ["xlogy(x, 2)", "beta(x, 2)", "clip(1, x, 3)", "x*polygamma(1, c)", "x**c + Max(x, c)*c"],
)
def test_numbers_inside_functions_leave_float32(expr: str) -> None:
    constants = {"const": "c"} if "c)" in expr.replace("clip(1, x, 3)", "") else {}
    values = [np.float64(2)] * len(constants)
    output, pullback = gen.load("Case", expr, **constants).vjp(
        np.array([1, 2], np.float32), *values
    )
    assert np.asarray(output).dtype == np.float32
    assert np.asarray(pullback(output)[0]).dtype == np.float32
