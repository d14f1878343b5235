"""Tensor formulas: values, gradients and what is saved, against plain torch code."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

import gen
from gen.naming import snake_case
from tests.tensors import ENTRIES, TensorCase, parametrize_tensors

if TYPE_CHECKING:
    from collections.abc import Callable

TOLERANCE: Any = {"rtol": 1e-12, "atol": 1e-12}


def _outputs(value: Any) -> tuple[Tensor, ...]:
    return value if isinstance(value, tuple) else (value,)


def _cotangents(outputs: tuple[Tensor, ...]) -> list[Tensor]:
    """Cotangents that are not constant."""
    counts = [torch.arange(1.0, one.numel() + 1, dtype=one.dtype) for one in outputs]
    return [count.cos().reshape(one.shape) for count, one in zip(counts, outputs, strict=True)]


def _gradients(outputs: tuple[Tensor, ...], inputs: list[Tensor]) -> list[Tensor]:
    cotangents = _cotangents(outputs)
    found = torch.autograd.grad(outputs, inputs, cotangents, allow_unused=True)
    pairs = zip(found, inputs, strict=True)
    return [torch.zeros_like(one) if grad is None else grad for grad, one in pairs]


def _saved(function: Callable[..., Any], inputs: list[Any]) -> tuple[int, int]:
    """How many tensors are kept for backward, and how many of them are neither given nor
    returned; the same memory is counted once.
    """
    kept: set[int] = set()

    def pack(tensor: Tensor) -> Tensor:
        kept.add(tensor.untyped_storage().data_ptr())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        outputs = _outputs(function(*inputs))
    there = {
        one.untyped_storage().data_ptr() for one in (*inputs, *outputs) if isinstance(one, Tensor)
    }
    return len(kept), len(kept - there)


@parametrize_tensors()
def test_torch_equals_autograd_of_the_plain_code(case: TensorCase) -> None:
    cls: Any = gen.load("Case", case.expr, backend="torch", **case.options)
    inputs = [one.requires_grad_() for one in case.inputs()]
    expected = _outputs(case.plain(*inputs, *case.constants))
    found = _outputs(cls.apply(*inputs, *case.constants))
    assert [one.shape for one in found] == [one.shape for one in expected]
    for one, want in zip(found, expected, strict=True):
        torch.testing.assert_close(one, want, **TOLERANCE)
    wanted = _gradients(expected, inputs)
    for one, want in zip(_gradients(found, inputs), wanted, strict=True):
        torch.testing.assert_close(one, want, **TOLERANCE)


@parametrize_tensors()
def test_gradcheck_and_gradgradcheck(case: TensorCase) -> None:
    cls: Any = gen.load("Case", case.expr, backend="torch", **case.options)
    inputs = [one.requires_grad_() for one in case.inputs()]
    given: Any = (*inputs, *case.constants)
    assert gradcheck(cls.apply, given)
    assert gradgradcheck(cls.apply, given)


@parametrize_tensors()
def test_nothing_is_kept_that_is_not_there_anyway(case: TensorCase) -> None:
    module = gen.module("Case", case.expr, backend="torch", **case.options)
    inputs = [one.requires_grad_() for one in case.inputs()]
    assert _saved(module.case, [*inputs, *case.constants])[1] == 0


@pytest.mark.parametrize("case", ENTRIES, ids=[case.id for case in ENTRIES])
def test_no_more_is_saved_than_by_the_plain_code(case: TensorCase) -> None:
    module = gen.module("Case", case.expr, backend="torch", **case.options)
    inputs = [one.requires_grad_() for one in case.inputs()]
    assert (
        _saved(module.case, [*inputs, *case.constants])[0]
        <= _saved(case.plain, [*inputs, *case.constants])[0]
    )


@parametrize_tensors()
def test_numpy_equals_torch(case: TensorCase) -> None:
    cls: Any = gen.load("Case", case.expr, **case.options)
    inputs = [one.requires_grad_() for one in case.inputs()]
    expected = _outputs(case.plain(*inputs, *case.constants))
    value, pullback = cls.vjp(*(one.detach().numpy() for one in inputs), *case.constants)
    found = _outputs(value)
    for one, want in zip(found, expected, strict=True):
        assert np.shape(one) == tuple(want.shape)
        np.testing.assert_allclose(one, want.detach().numpy(), **TOLERANCE)
    gradients = pullback(*(one.numpy() for one in _cotangents(expected)))
    for one, want in zip(gradients, _gradients(expected, inputs), strict=False):
        assert np.shape(one) == tuple(want.shape)
        np.testing.assert_allclose(one, want.numpy(), **TOLERANCE)


@parametrize_tensors()
def test_composes_with_torch_func(case: TensorCase) -> None:
    module = gen.module("Case", case.expr, backend="torch", **case.options)
    inputs = case.inputs()

    def total(function: Callable[..., Any]) -> Callable[..., Tensor]:
        def summed(*values: Tensor) -> Tensor:
            return torch.stack(
                [one.sin().sum() for one in _outputs(function(*values, *case.constants))]
            ).sum()

        return summed

    argnums = tuple(range(len(inputs)))
    stacked = [torch.stack([one, 0.9 * one]) for one in inputs]
    for transform in (torch.func.grad, lambda f, a: torch.vmap(torch.func.grad(f, a))):
        given = stacked if transform is not torch.func.grad else inputs
        found = transform(total(module.case), argnums)(*given)
        expected = transform(total(case.plain), argnums)(*given)
        for one, want in zip(found, expected, strict=True):
            torch.testing.assert_close(one, want, rtol=1e-9, atol=1e-11)


@parametrize_tensors()
def test_float32_stays_float32(case: TensorCase) -> None:
    cls: Any = gen.load("Case", case.expr, **case.options)
    inputs = [one.float().numpy() for one in case.inputs()]
    value, pullback = cls.vjp(*inputs, *case.constants)
    outputs = _outputs(value)
    gradients = pullback(*outputs)
    assert {np.asarray(one).dtype for one in (*outputs, *gradients[: len(inputs)])} == {
        np.dtype(np.float32)
    }


@pytest.mark.parametrize("case", ENTRIES, ids=[case.id for case in ENTRIES])
def test_the_committed_modules_are_these(case: TensorCase) -> None:
    name = snake_case(case.id)
    ours = importlib.import_module(f"generated.{name}")
    torchs = importlib.import_module(f"generated.{name}_torch")
    inputs = [one.requires_grad_() for one in case.inputs()]
    expected = _outputs(case.plain(*inputs, *case.constants))
    found = _outputs(getattr(torchs, name)(*inputs, *case.constants))
    arrays = (one.detach().numpy() for one in inputs)
    values = _outputs(getattr(ours, name)(*arrays, *case.constants))
    for one, two, want in zip(found, values, expected, strict=True):
        torch.testing.assert_close(one, want, **TOLERANCE)
        np.testing.assert_allclose(two, want.detach().numpy(), **TOLERANCE)
    wanted = _gradients(expected, inputs)
    for one, want in zip(_gradients(found, inputs), wanted, strict=True):
        torch.testing.assert_close(one, want, **TOLERANCE)


def _det(a: Tensor) -> Tensor:
    """The determinant, expanded along the first row."""
    if len(a) == 0:
        return torch.ones((), dtype=a.dtype)
    minors = (torch.cat([a[1:, :j], a[1:, j + 1 :]], 1) for j in range(len(a)))
    terms = [(-1) ** j * a[0, j] * _det(minor) for j, minor in enumerate(minors)]
    return torch.stack(terms).sum()


_SINGULAR = {
    "ordinary": [[1, 2, 3, 0], [4, 5, 6, 1], [7, 8, 10, 2], [2, 0, 1, 1]],
    "dependent_rows": [[1, 2, 3, 0], [4, 5, 6, 1], [5, 7, 9, 1], [2, 0, 1, 1]],
    "rank_one": [[1, 2, 3, 4], [2, 4, 6, 8], [3, 6, 9, 12], [-1, -2, -3, -4]],
    "column_of_zeros": [[0, 2, 3, 0], [0, 5, 6, 1], [0, 8, 10, 2], [0, 0, 1, 1]],
    "every_pivot_zero": [[0, 2, 3, 5], [0, 0, 6, 1], [0, 0, 0, 2], [0, 0, 0, 0]],
    "tiny": [[1e-40, 2e-40, 0, 0], [2e-40, 4e-40, 0, 0], [0, 0, 1e-40, 0], [0, 0, 0, 1e-40]],
    "zero": [[0] * 4] * 4,
}


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize(
    "names", [*((name,) for name in _SINGULAR), tuple(_SINGULAR)], ids="+".join
)
def test_det_has_its_gradient_where_it_is_zero(names: tuple[str, ...], backend: str) -> None:
    cls: Any = gen.load("Det", "det(A)", shape={"A": "...,D,D"}, backend=backend)
    rows = [_SINGULAR[name] for name in names]
    given = torch.tensor(rows, dtype=torch.float64, requires_grad=True)
    (expected,) = torch.autograd.grad(torch.stack([_det(one) for one in given]).sum(), given)
    ones = torch.ones(len(names), dtype=torch.float64)
    if backend == "numpy":
        _, pullback = cls.vjp(given.detach().numpy())
        found = torch.from_numpy(pullback(ones.numpy())[0])
    else:
        (found,) = torch.autograd.grad(cls.apply(given), given, ones)
    scale = torch.linalg.matrix_norm(given.detach(), keepdim=True) ** 3
    assert ((found - expected).abs() <= 1e-14 * scale).all()


def test_det_has_its_gradient_under_transforms_where_it_is_zero() -> None:
    module = gen.module("Det", "det(A)", shape={"A": "...,D,D"}, backend="torch")
    given = torch.tensor([_SINGULAR[name] for name in _SINGULAR], dtype=torch.float64)
    found = torch.vmap(torch.func.grad(module.det))(given)
    expected = torch.stack([torch.func.grad(_det)(one) for one in given])
    torch.testing.assert_close(found, expected, rtol=1e-13, atol=1e-11)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_the_deviation_of_equal_values_has_the_gradient_of_pytorch(backend: str) -> None:
    function = gen.load("Std", "std(x)", backend=backend)
    (gradient,) = _pulled(function, np.full(3, 2.0))
    x = torch.full((3,), 2.0, dtype=torch.float64, requires_grad=True)
    (expected,) = torch.autograd.grad(x.std(correction=0), x)
    assert np.array_equal(gradient, expected)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_product_over_no_rows_has_no_gradient(backend: str) -> None:
    function = gen.load("Prod", "prod(x, axis=-1)", backend=backend, shape={"x": "N,D"})
    (gradient,) = _pulled(function, np.ones((0, 2)))
    assert gradient.shape == (0, 2)


def _pulled(function: Any, x: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], ...]:
    """The gradient of the sum of a function of one input, from either backend."""
    if not issubclass(function, torch.autograd.Function):
        value, pullback = function.vjp(x)
        found = pullback(np.ones_like(value))
        return found if isinstance(found, tuple) else (found,)
    tensor = torch.from_numpy(x).requires_grad_()
    return tuple(one.numpy() for one in torch.autograd.grad(function.apply(tensor).sum(), tensor))
