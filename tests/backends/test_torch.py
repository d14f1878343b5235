"""Emitted PyTorch modules: values, gradients of both orders, and torch.func."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

import gen
from tests.formulas import Case, parametrize


def _load(case: Case) -> Any:
    return gen.load("Case", case.expr, backend="torch", **case.options)


def _twice_differentiable(case: Case) -> bool:
    """Whether the formula depends on its inputs at all in second order or in first."""
    return case.id != "rounding"


@parametrize("torch")
def test_value_and_gradients_equal_torch_autograd_of_the_plain_formula(case: Case) -> None:
    inputs = [one.requires_grad_() for one in case.inputs()]
    expected = case.plain(*inputs, *case.constants)
    found = _load(case).apply(*inputs, *case.constants)
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-13)
    cotangent = torch.linspace(0.5, 1.5, expected.numel(), dtype=torch.float64)
    cotangent = cotangent.reshape(expected.shape)
    wanted = torch.autograd.grad(expected, inputs, cotangent, allow_unused=True)
    for one, want, given in zip(
        torch.autograd.grad(found, inputs, cotangent), wanted, inputs, strict=True
    ):
        want = torch.zeros_like(given) if want is None else want
        torch.testing.assert_close(one, want, rtol=1e-9, atol=1e-11)


@parametrize("torch")
def test_gradcheck_and_gradgradcheck(case: Case) -> None:
    inputs = tuple(one.requires_grad_() for one in case.inputs())
    given: tuple[Any, ...] = (*inputs, *case.constants)
    assert torch.autograd.gradcheck(_load(case).apply, given, eps=1e-6, atol=1e-4)
    if _twice_differentiable(case):
        assert torch.autograd.gradgradcheck(_load(case).apply, given, eps=1e-6, atol=1e-4)


@parametrize("torch")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_the_dtype_stays(case: Case, dtype: torch.dtype) -> None:
    if dtype != torch.float32 and case.id in _NO_HALF:
        return
    inputs = [one.requires_grad_() for one in case.inputs(dtype)]
    output = _load(case).apply(*inputs, *case.constants)
    assert output.dtype == dtype
    gradients = torch.autograd.grad(output, inputs, torch.ones_like(output))
    assert {one.dtype for one in gradients} == {dtype}


# torch has no kernels of half precision for these on the CPU.
_NO_HALF = frozenset({"polygamma"})


@parametrize("torch")
def test_the_plain_function_composes_with_torch_func(case: Case) -> None:
    inputs = case.inputs()
    module = gen.module("Case", case.expr, backend="torch", **case.options)

    def total(*values: Tensor) -> Tensor:
        result: Tensor = module.case(*values, *case.constants).sum()
        return result

    argnums = tuple(range(len(inputs)))
    found = torch.func.grad(total, argnums)(*inputs)
    plain = torch.func.grad(lambda *v: case.plain(*v, *case.constants).sum(), argnums)(*inputs)
    for one, want in zip(found, plain, strict=True):
        torch.testing.assert_close(one, want, rtol=1e-9, atol=1e-11)


def test_vmap_of_grad() -> None:
    p3 = gen.module("P3", "0.5*(5*x**3-3*x)", backend="torch").p3
    x = torch.linspace(-1, 1, 7, dtype=torch.float64)
    torch.testing.assert_close(torch.vmap(torch.func.grad(p3))(x), 7.5 * x**2 - 1.5)


@pytest.mark.parametrize("needed", [(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)])
def test_gradients_of_every_subset_of_inputs(needed: tuple[int, ...]) -> None:
    lj = gen.load("LJ", "4*epsilon*((sigma/r)**12-(sigma/r)**6)", backend="torch")
    inputs = [
        torch.tensor(value, dtype=torch.float64, requires_grad=bool(need))
        for value, need in zip((1.0, 1.1, 1.3), needed, strict=True)
    ]
    output = lj.apply(*inputs)
    assert isinstance(output, Tensor)
    assert output.requires_grad == any(needed)
    if any(needed):
        torch.autograd.backward(output)
    assert [one.grad is not None for one in inputs] == [bool(need) for need in needed]


@pytest.mark.parametrize(
    ("expr", "saved"),
    [
        ("Max(x, 0)", "output"),
        ("tanh(x)", "output"),
        ("exp(x)", "output"),
        ("sigmoid(x)", "output"),
        ("sqrt(x)", "output"),
        ("0.5*(5*x**3-3*x)", "input"),
        ("x*tanh(log(1+exp(x)))", "input"),
        ("x*(1+erf(x/sqrt(2)))/2", "input"),
        ("3*x", "nothing"),
    ],
)
def test_what_is_saved(expr: str, saved: str) -> None:
    kept: list[Tensor] = []

    def pack(tensor: Tensor) -> Tensor:
        kept.append(tensor)
        return tensor

    cls = gen.load("Case", expr, backend="torch")
    x = torch.linspace(0.1, 1, 5, dtype=torch.float64, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = cls.apply(x)
    assert isinstance(output, Tensor)
    wanted = {"output": [output.data_ptr()], "input": [x.data_ptr()], "nothing": []}
    assert [one.data_ptr() for one in kept] == wanted[saved]


def test_linear_saves_input_and_weight_and_multiplies_once_for_each_gradient() -> None:
    cls = gen.load(
        "Linear",
        "input @ weight.T + bias",
        backend="torch",
        shape={"input": "N,I", "weight": "O,I", "bias": "O"},
        optional="bias",
    )
    shapes = ((20, 3, 20), (30, 20), (30,))
    inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    output = cls.apply(*inputs)
    assert isinstance(output, Tensor)
    with torch.profiler.profile() as profile:
        torch.autograd.backward(output, torch.ones_like(output))
    products = [event for event in profile.events() if event.name in ("aten::mm", "aten::bmm")]
    assert len(products) == 2
    expected = functional.linear(*inputs)
    torch.testing.assert_close(output, expected)


def test_numbers_beside_tensors_in_the_plain_function() -> None:
    module = gen.module("LJ", "4*epsilon*((sigma/r)**12-(sigma/r)**6)", backend="torch")
    r = torch.full((3,), 1.2, dtype=torch.float32, requires_grad=True)
    output = module.lj(1.0, 1, r)
    assert output.dtype == torch.float32
    torch.autograd.backward(output.sum())
    assert r.grad is not None


def test_complex_is_refused() -> None:
    with pytest.raises(TypeError, match="real numbers are needed"):
        gen.module("P3", "x**3", backend="torch").p3(torch.ones(2, dtype=torch.complex64))


def test_a_function_that_torch_does_not_have_is_refused_by_name() -> None:
    with pytest.raises(gen.GenError, match="the torch backend has no besselj"):
        gen.source("J0", "besselj(0, x)", backend="torch")


@pytest.mark.parametrize(
    "expr",
    [
        "where(x > 0, sqrt(x), 0)",
        "where(x > 0, x*log(x), 0)",
        "Piecewise((sqrt(x)+1, x > 1), (2*sqrt(x), x > 0), (x, True))",
        "where(x > 0, 1/x, exp(-1000*x))",
        "x*where(sqrt(Abs(x)) > 1.2, sqrt(Abs(x)), 0)",
        "sinc(x)",
        "elu(x)",
    ],
)
def test_the_second_derivative_is_finite_where_a_branch_is_not_taken(expr: str) -> None:
    cls: Any = gen.load("Case", expr, backend="torch")
    x = torch.tensor([-0.5, 0.25, 1.5], dtype=torch.float64, requires_grad=True)
    if "1000" in expr:
        x = x.detach().clamp(min=-0.01).requires_grad_()
    assert torch.autograd.gradgradcheck(cls.apply, (x,), eps=1e-7, atol=1e-3, rtol=1e-3)


def test_an_output_is_never_an_input() -> None:
    cls = gen.load("Case", "x*s", backend="torch", optional="s")
    x = torch.ones(3, requires_grad=True)
    output = cls.apply(x, None)
    assert isinstance(output, Tensor)
    assert output.data_ptr() != x.data_ptr()
    torch.autograd.backward(output.sum())
    torch.testing.assert_close(x.grad, torch.ones(3))


def test_a_tensor_in_place_of_a_constant_is_refused() -> None:
    module = gen.module("MulConstant", "tensor*constant", backend="torch", const="constant")
    with pytest.raises(TypeError, match="a Python number is needed"):
        module.mul_constant(torch.ones(2), torch.tensor(2.0))


def test_constants_keep_their_names_and_are_not_guarded() -> None:
    text = gen.source(
        "Smooth",
        "Piecewise((x**2/(2*gamma), Abs(x) < gamma), (Abs(x) - gamma/2, True))",
        backend="torch",
        const="gamma",
    )
    assert "gamma: float" in text
    assert "scalar(gamma" not in text
