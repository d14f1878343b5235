"""Random formulas of arrays and random programs, both backends against torch's autograd."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from hypothesis import HealthCheck, assume, given, settings
from torch import Tensor

from gen import pipeline
from gen.importer import load
from tests.drawn import Drawn, broadcasting, cotangent, formulas, is_tame, programs

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _LONGEST_NAME = 88, 40

_SETTINGS: Any = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _gradients(outputs: Sequence[Tensor], drawn: Drawn) -> list[Tensor]:
    inputs = list(drawn.inputs.values())
    given = [cotangent(one) for one in outputs]
    found = torch.autograd.grad(outputs, inputs, given, allow_unused=True)
    pairs = zip(found, inputs, strict=True)
    return [torch.zeros_like(one) if grad is None else grad for grad, one in pairs]


def _by_numpy(module: Any, drawn: Drawn) -> list[Any]:
    arrays = (one.detach().numpy() for one in drawn.inputs.values())
    value, pullback = module.Case.vjp(*arrays, *drawn.constants.values())
    gradients = pullback(*(cotangent(one.value).numpy() for one in drawn.outputs))
    return [*_tuple(value), *gradients[: len(drawn.inputs)]]


def _by_torch(module: Any, drawn: Drawn) -> list[Any]:
    outputs = _tuple(module.Case.apply(*drawn.inputs.values(), *drawn.constants.values()))
    return [*(one.detach().numpy() for one in outputs), *_gradients(outputs, drawn)]


def check_readable(text: str) -> None:
    """No line is too long, and no name."""
    assert max(map(len, text.splitlines())) <= _WIDTH
    code = text.split('"""', 2)[2]
    assert max(map(len, re.findall(r"\w+", code))) <= _LONGEST_NAME


def check(drawn: Drawn) -> None:
    """Values and gradients of what is emitted are those of the plain code."""
    outputs = [one.value for one in drawn.outputs]
    assume(all(one.requires_grad for one in outputs))
    expected = [one.detach() for one in (*outputs, *_gradients(outputs, drawn))]
    assume(is_tame(expected))
    kernel = pipeline.kernel(pipeline.request("Case", drawn.expr, drawn.options))
    scale = max(1.0, *(float(one.abs().max()) for one in expected))
    for backend, run in (("numpy", _by_numpy), ("torch", _by_torch)):
        emitted = pipeline.emit(kernel, backend)
        check_readable(emitted.text)
        found = run(load(emitted, pipeline.runtime(backend)), drawn)
        for one, want in zip(found, expected, strict=True):
            assert np.shape(one) == tuple(want.shape), backend
            np.testing.assert_allclose(one, want.numpy(), rtol=1e-8, atol=1e-10 * scale)


@settings(max_examples=1200, **_SETTINGS)
@given(formulas())
def test_random_formulas_of_arrays(drawn: Drawn) -> None:
    check(drawn)


@settings(max_examples=800, **_SETTINGS)
@given(programs())
def test_random_programs(drawn: Drawn) -> None:
    check(drawn)


@settings(max_examples=600, **_SETTINGS)
@given(broadcasting())
def test_random_formulas_of_undeclared_arrays(drawn: Drawn) -> None:
    check(drawn)
