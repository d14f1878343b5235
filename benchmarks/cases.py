"""Formulas for the symbolic benchmark: as gen reads them, and as plain torch code.

The torch code is written by hand and independently: it is what the gradients are held
against.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import torch
from torch import Tensor

from gen.frontend import text
from gen.graph.algebra import Term, call, symbol
from gen.graph.graph import Builder
from gen.model import Formula, Input, Output, Request

Plain: TypeAlias = Callable[..., Tensor]


@dataclass(frozen=True)
class Case:
    """One formula, with a point to evaluate it at and what its counts must not exceed."""

    name: str
    formula: Formula
    plain: Plain
    point: tuple[float, ...]
    goal: int | None  # operations of forward and VJP together


def cases() -> tuple[Case, ...]:
    """The cases, from small to large."""
    return (
        _text("P3", "0.5*(5*x**3-3*x)", lambda x: 0.5 * (5 * x**3 - 3 * x), (0.7,), 7),
        _text(
            "Lennard-Jones",
            "4*epsilon*((sigma/r)**12-(sigma/r)**6)",
            lambda e, s, r: 4 * e * ((s / r) ** 12 - (s / r) ** 6),
            (0.8, 1.1, 1.3),
            22,
        ),
        _text("mish", "x*tanh(log(1+exp(x)))", _mish, (0.7,), None),
        _text("GELU", "x*(1+erf(x/sqrt(2)))/2", _gelu, (0.7,), None),
        _text("Black-Scholes", _BLACK_SCHOLES, _black_scholes, (100.0, 95.0, 0.03, 0.2, 1.5), 73),
        _text("product of 200", "*".join(_product_names(200)), _product, _spread(200), 597),
        _built("logistic map, 20 deep", ("r", "x"), _logistic, (3.7, 0.3), 235),
        _built("Legendre 50", ("x",), _legendre(50), (0.3,), None),
        _built("Legendre 200", ("x",), _legendre(200), (0.3,), 2200),
        _network(),
    )


def _text(name: str, expr: str, plain: Plain, point: tuple[float, ...], goal: int | None) -> Case:
    return Case(name, text.read(Request("Case", expr)), plain, point, goal)


def _built(
    name: str,
    inputs: tuple[str, ...],
    body: Callable[..., Term | Tensor],
    point: tuple[float, ...],
    goal: int | None,
) -> Case:
    """A formula too deep to write as text: one body, run on terms and on tensors."""
    builder = Builder()
    terms = [symbol(builder, one) for one in inputs]
    output = body(*terms)
    assert isinstance(output, Term)
    request = Request("Case", f"{name}: built from Python")
    described = tuple(Input(one) for one in inputs)
    formula = Formula(request, described, builder.freeze(), (Output("output", output.id),))

    def plain(*values: Tensor) -> Tensor:
        result = body(*values)
        assert isinstance(result, Tensor)
        return result

    return Case(name, formula, plain, point, goal)


def _product_names(count: int) -> list[str]:
    return [f"x{i}" for i in range(count)]


def _spread(count: int) -> tuple[float, ...]:
    return tuple(1 + 0.001 * (i % 17 - 8) for i in range(count))


def _product(*values: Tensor) -> Tensor:
    result = values[0]
    for value in values[1:]:
        result = result * value
    return result


def _mish(x: Tensor) -> Tensor:
    return x * torch.tanh(torch.log(1 + torch.exp(x)))


def _gelu(x: Tensor) -> Tensor:
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


# The price of a European call; S spot, K strike, r rate, v volatility, T time.
_D1 = "((log(S/K)+(r+v**2/2)*T)/(v*sqrt(T)))"
_BLACK_SCHOLES = f"S*(1+erf({_D1}/sqrt(2)))/2-K*exp(-r*T)*(1+erf(({_D1}-v*sqrt(T))/sqrt(2)))/2"


def _black_scholes(s: Tensor, k: Tensor, r: Tensor, v: Tensor, t: Tensor) -> Tensor:
    d1 = (torch.log(s / k) + (r + v**2 / 2) * t) / (v * torch.sqrt(t))
    d2 = d1 - v * torch.sqrt(t)
    return s * _normal(d1) - k * torch.exp(-r * t) * _normal(d2)


def _normal(x: Tensor) -> Tensor:
    return (1 + torch.erf(x / math.sqrt(2))) / 2


def _logistic(r: Term, x: Term) -> Term:
    for _ in range(20):
        x = r * x * (1 - x)
    return x


def _legendre(degree: int) -> Callable[..., Term]:
    def body(x: Term) -> Term:
        """Bonnet's recurrence: n P(n) = (2n-1) x P(n-1) - (n-1) P(n-2)."""
        before, last = x * 0 + 1, x
        for n in range(2, degree + 1):
            before, last = last, ((2 * n - 1) * x * last - (n - 1) * before) / n
        return last

    return body


def _network() -> Case:
    """A tanh network 8-16-16-1, its weights and biases inputs too; no bias at the end."""
    sizes = (8, 16, 16, 1)
    names = [f"x{i}" for i in range(sizes[0])]
    for layer, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        names += [f"w{layer}_{o}_{i}" for o in range(fan_out) for i in range(fan_in)]
        names += [f"b{layer}_{o}" for o in range(fan_out) if layer < 2]

    def body(*values: Term) -> Term:
        rest = iter(values)
        units = [next(rest) for _ in range(sizes[0])]
        for layer, fan_out in enumerate(sizes[1:]):
            weights = [[next(rest) for _ in units] for _ in range(fan_out)]
            sums = [_dot(row, units) for row in weights]
            units = sums if layer == 2 else [_tanh(one + next(rest)) for one in sums]
        return units[0]

    point = tuple(math.sin(i) for i in range(len(names)))
    return _built("tanh network 8-16-16-1", tuple(names), body, point, 2087)


def _dot(row: list[Term], units: list[Term]) -> Term:
    total = row[0] * units[0]
    for weight, unit in zip(row[1:], units[1:], strict=True):
        total = total + weight * unit
    return total


def _tanh(x: Term | Tensor) -> Term:
    return torch.tanh(x) if isinstance(x, Tensor) else call("tanh", x)  # type: ignore[return-value]
