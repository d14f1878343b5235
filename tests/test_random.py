"""Random expressions: values and gradients of both backends against torch's autograd."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st
from torch import Tensor

import gen

Plain: TypeAlias = Callable[[list[Tensor]], Tensor]
Tree: TypeAlias = tuple[str, Plain]  # the text, and the same thing on tensors

AT = (0.7, 1.3, -0.4)
NAMES = ("x", "y", "z")

_UNARY: dict[str, Callable[[Tensor], Tensor]] = {
    "sin": torch.sin,
    "exp": torch.exp,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "erf": torch.erf,
    "abs": torch.abs,
    "atan": torch.atan,
    "sqrt": torch.sqrt,
    "log": torch.log,
    "asinh": torch.asinh,
    "relu": torch.relu,
}


def _input(place: int) -> Tree:
    return NAMES[place], lambda values: values[place]


def _number(value: float) -> Tree:
    return f"({value!r})", lambda values: torch.tensor(value, dtype=torch.float64)


def _unary(name: str, a: Tree) -> Tree:
    return f"{name}({a[0]})", lambda values: _UNARY[name](a[1](values))


def _power(a: Tree, n: int) -> Tree:
    return f"({a[0]})**{n}", lambda values: a[1](values) ** n


def _binary(sign: str, a: Tree, b: Tree) -> Tree:
    operations: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "+": torch.add,
        "-": torch.sub,
        "*": torch.mul,
        "/": torch.div,
    }
    return f"({a[0]} {sign} {b[0]})", lambda values: operations[sign](a[1](values), b[1](values))


def _maximum(a: Tree, b: Tree) -> Tree:
    return f"Max({a[0]}, {b[0]})", lambda values: torch.maximum(a[1](values), b[1](values))


def _where(c: Tree, a: Tree, b: Tree) -> Tree:
    def plain(values: list[Tensor]) -> Tensor:
        # Only the branch taken, so that the other's NaN cannot spoil the gradient.
        return a[1](values) if bool(c[1](values) > 0.25) else b[1](values)

    return f"where({c[0]} > 0.25, {a[0]}, {b[0]})", plain


_LEAVES = st.one_of(
    st.builds(_input, st.integers(0, 2)),
    st.builds(_number, st.sampled_from([0.5, -1.5, 2.0, 0.1, 3.0])),
)
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.builds(_unary, st.sampled_from(sorted(_UNARY)), inner),
        st.builds(_binary, st.sampled_from("+-*/"), inner, inner),
        st.builds(_power, inner, st.sampled_from([2, 3, 5, -1, -2])),
        st.builds(_maximum, inner, inner),
        st.builds(_where, inner, inner, inner),
    ),
    max_leaves=14,
)


@settings(
    max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(_TREES)
def test_random_expressions(tree: Tree) -> None:
    text, plain = tree
    inputs = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in AT]
    expected = plain(inputs)
    assume(expected.requires_grad and math.isfinite(expected.item()))
    wanted = torch.autograd.grad(expected, inputs, allow_unused=True)
    gradients = [0.0 if one is None else one.item() for one in wanted]
    assume(all(math.isfinite(one) and abs(one) < 1e8 for one in gradients))

    try:
        cls = gen.load("Case", text, args=NAMES)
        torch_cls = gen.load("Case", text, args=NAMES, backend="torch")
    except gen.GenError:
        # A branch that is not taken may divide by a constant 0, or have no value at all.
        reject()
    with np.errstate(all="ignore"):
        output, pullback = cls.vjp(*AT)
        found = [float(np.asarray(one)) for one in pullback(1.0)]
    again = torch_cls.apply(*inputs)
    assert isinstance(again, Tensor)
    theirs = [one.item() for one in torch.autograd.grad(again, inputs)]

    scale = max(1.0, abs(expected.item()), *map(abs, gradients))
    values = [float(np.asarray(output)), again.item()]
    everything = np.array([*values, *found, *theirs])
    reference = np.array([expected.item(), expected.item(), *gradients, *gradients])
    np.testing.assert_allclose(everything, reference, rtol=1e-8, atol=1e-9 * scale)
