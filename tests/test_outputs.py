"""Several outputs: tuples, missing cotangents, what the classes refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import gen

ROTATE = "c=cos(t); s=sin(t); u=c*x-s*y; v=s*x+c*y"


def _inputs() -> list[torch.Tensor]:
    values = ([0.3, 0.5], [1.0, -2.0], [0.5, 0.7])
    return [torch.tensor(one, dtype=torch.float64, requires_grad=True) for one in values]


@pytest.mark.parametrize("missing", [0, 1])
def test_a_missing_cotangent_counts_as_zeros(missing: int) -> None:
    numpy: Any = gen.load("Rotate", ROTATE, outputs="u,v")
    torch_class: Any = gen.load("Rotate", ROTATE, outputs="u,v", backend="torch")
    inputs = _inputs()
    outputs = torch_class.apply(*inputs)
    cotangent = torch.tensor([0.7, -1.1], dtype=torch.float64)
    expected = torch.autograd.grad(outputs[1 - missing], inputs, cotangent)

    _, pullback = numpy.vjp(*(one.detach().numpy() for one in inputs))
    given: list[Any] = [cotangent.numpy(), cotangent.numpy()]
    given[missing] = None
    for one, want in zip(pullback(*given), expected, strict=True):
        np.testing.assert_allclose(one, want.numpy(), rtol=1e-13)


def test_no_cotangent_at_all() -> None:
    numpy: Any = gen.load("Rotate", ROTATE, outputs="u,v")
    _, pullback = numpy.vjp(0.3, 1.0, 2.0)
    assert pullback(None, None) == (None, None, None)


def test_too_few_cotangents_are_refused() -> None:
    numpy: Any = gen.load("Rotate", ROTATE, outputs="u,v")
    _, pullback = numpy.vjp(0.3, 1.0, 2.0)
    with pytest.raises(ValueError, match="1 cotangents for 2 outputs"):
        pullback(1.0)


def test_backward_takes_none_directly() -> None:
    module = gen.module("Rotate", ROTATE, outputs="u,v", backend="torch")
    outputs = module.rotate(*_inputs())
    context = outputs[0].grad_fn
    found = module.Rotate.backward(context, None, torch.ones(2, dtype=torch.float64))
    assert all(one is not None for one in found)
    assert module.Rotate.backward(context, None, None) == (None, None, None)


@pytest.mark.parametrize(
    ("expr", "outputs", "names"),
    [
        ("y = x**2", "", ["output"]),
        ("y = x**2; z = y + 1", "", ["output"]),
        ("y = x**2; z = sin(x)", "", ["y", "z"]),
        ("y = x**2; z = y + 1", "z,y", ["z", "y"]),
        ("y = x**2\ny + 1", "", ["output"]),
    ],
)
def test_which_values_are_outputs(expr: str, outputs: str, names: list[str]) -> None:
    from gen.frontend.text import read
    from gen.pipeline import request

    formula = read(request("Case", expr, {"outputs": outputs}))
    assert [one.name for one in formula.outputs] == names


@pytest.mark.parametrize(
    ("expr", "outputs", "message"),
    [
        ("y = x**2", "z", "--outputs z: the expression does not assign it; it assigns y"),
        (
            "y = x**2; y + 1",
            "y",
            "a value without a name (column 11)\n    y = x**2; y + 1\n              ^^^^^\n"
            "give it a name, or leave out --outputs",
        ),
        (
            "y = x; y = x**2",
            "",
            "y is assigned a second value (column 12)\n    y = x; y = x**2\n               ^^^^\n"
            "each name has one value; choose another for the new one",
        ),
        (
            "y = z; z = x",
            "",
            "z is assigned a second value (column 12)\n    y = z; z = x\n               ^\n"
            "each name has one value; choose another for the new one",
        ),
        (
            "x**2; x",
            "",
            "a value that nobody uses (column 1)\n    x**2; x\n    ^^^^\n"
            "write name = ... before it, or join the lines inside parentheses",
        ),
    ],
)
def test_messages(expr: str, outputs: str, message: str) -> None:
    with pytest.raises(gen.GenError) as fault:
        gen.source("Case", expr, outputs=outputs)
    assert str(fault.value) == message


def test_leading_dimensions_that_do_not_broadcast_are_refused_before_anything_is_computed() -> None:
    for backend, array in (("numpy", np.ones), ("torch", torch.ones)):
        cls: Any = gen.load(
            "Case", "sum(x*y, axis=-1)", shape={"x": "...,D", "y": "...,D"}, backend=backend
        )
        with pytest.raises(ValueError, match="does not broadcast with x"):
            cls.apply(array((2, 3)), array((5, 3)))
