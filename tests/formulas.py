"""One table of formulas, which the tests run over.

Each has an expression, the same thing as plain torch code written by hand, and inputs at
which both are smooth. What is expected of emitted code comes from the torch code and its
autograd, never from gen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest
import torch
from torch import Tensor
from torch.nn import functional

Plain: TypeAlias = Callable[..., Tensor]


@dataclass(frozen=True)
class Case:
    """One formula of the table."""

    id: str
    expr: str
    plain: Plain
    domains: tuple[tuple[float, float], ...] = ((-2.0, 2.0),)  # for each input
    backends: tuple[str, ...] = ("numpy", "torch")
    options: Mapping[str, Any] = field(default_factory=dict)
    shapes: tuple[tuple[int, ...], ...] = ()  # of the inputs; else all are broadcast
    constants: tuple[float, ...] = ()  # plain numbers behind the tensors

    def inputs(self, dtype: torch.dtype = torch.float64) -> list[Tensor]:
        """Tensors within the domains, each of its own broadcastable shape."""
        generator = torch.Generator().manual_seed(len(self.expr))
        shapes = self.shapes or _broadcastable(len(self.domains))
        return [
            (low + (high - low) * torch.rand(shape, generator=generator, dtype=torch.float64)).to(
                dtype
            )
            for (low, high), shape in zip(self.domains, shapes, strict=True)
        ]


def _broadcastable(count: int) -> tuple[tuple[int, ...], ...]:
    return ((3, 4), (4,), (3, 1), (1, 4), (), (3, 4))[:count] if count <= 6 else ((2,),) * count


def parametrize(backend: str | None = None) -> pytest.MarkDecorator:
    """Run a test over the table, or over what a backend has of it."""
    chosen = [case for case in CASES if backend is None or backend in case.backends]
    return pytest.mark.parametrize("case", chosen, ids=[case.id for case in chosen])


_ANY = (-2.0, 2.0)
_POSITIVE = (0.2, 3.0)
_UNIT = (-0.9, 0.9)
_NUMPY = ("numpy",)


def _lennard_jones(e: Tensor, s: Tensor, r: Tensor) -> Tensor:
    return 4 * e * ((s / r) ** 12 - (s / r) ** 6)


def _normal(x: Tensor) -> Tensor:
    return (1 + torch.erf(x / math.sqrt(2))) / 2


def _black_scholes(s: Tensor, k: Tensor, r: Tensor, v: Tensor, t: Tensor) -> Tensor:
    d1 = (torch.log(s / k) + (r + v**2 / 2) * t) / (v * torch.sqrt(t))
    return s * _normal(d1) - k * torch.exp(-r * t) * _normal(d1 - v * torch.sqrt(t))


_D1 = "((log(S/K)+(r+v**2/2)*T)/(v*sqrt(T)))"

CASES: tuple[Case, ...] = (
    # the four that the project was asked for first
    Case("P3", "0.5*(5*x**3-3*x)", lambda x: 0.5 * (5 * x**3 - 3 * x)),
    Case("ReLU", "Max(x, 0)", torch.relu),
    Case(
        "Linear",
        "input @ weight.T + bias",
        functional.linear,
        (_ANY, _ANY, _ANY),
        options={
            "shape": {"input": "N,I", "weight": "O,I", "bias": "O"},
            "optional": "bias",
        },
        shapes=((2, 3, 4), (5, 4), (5,)),
    ),
    Case(
        "MulConstant",
        "tensor*constant",
        lambda x, c: x * c,
        options={"const": "constant"},
        constants=(5.5,),
    ),
    # polynomials, powers and roots
    Case("affine", "2*x + 3", lambda x: 2 * x + 3),
    Case("identity", "x", lambda x: x * 1),
    Case("constant", "x - x + 3", lambda x: 0 * x + 3),
    Case("horner", "3*x**4+2*x**3-x**2+5*x+1", lambda x: 3 * x**4 + 2 * x**3 - x**2 + 5 * x + 1),
    Case("power_12", "x**12 + x**7", lambda x: x**12 + x**7, ((0.5, 1.5),)),
    Case("reciprocal", "1/x**3 - 2/x", lambda x: 1 / x**3 - 2 / x, (_POSITIVE,)),
    Case("half_power", "x**1.5 + x**-0.5", lambda x: x**1.5 + x**-0.5, (_POSITIVE,)),
    Case("third_power", "x**(1/3)", lambda x: x ** (1 / 3), (_POSITIVE,)),
    Case("power", "x**y", torch.pow, (_POSITIVE, _ANY)),
    Case("exponential", "2**x + E**x", lambda x: 2**x + torch.exp(x)),
    Case("cbrt", "cbrt(x)", lambda x: x.sign() * x.abs() ** (1 / 3), (_POSITIVE,)),
    Case("hypot", "hypot(x, y)", torch.hypot, (_POSITIVE, _POSITIVE)),
    Case("thirds", "x/3 + y*2/7", lambda x, y: x / 3 + y * 2 / 7, (_ANY, _ANY)),
    # elementary functions
    Case("exp", "exp(x)", torch.exp),
    Case("log", "log(x) + log(x, 2)", lambda x: torch.log(x) + torch.log2(x), (_POSITIVE,)),
    Case("sqrt", "sqrt(x)", torch.sqrt, (_POSITIVE,)),
    Case(
        "trigonometric", "sin(x)*cos(x) + tan(x)", lambda x: x.sin() * x.cos() + x.tan(), (_UNIT,)
    ),
    Case(
        "inverse", "asin(x)+arccos(x)*atan(x)", lambda x: x.asin() + x.acos() * x.atan(), (_UNIT,)
    ),
    Case("hyperbolic", "sinh(x)/cosh(x) + tanh(x)", lambda x: x.sinh() / x.cosh() + x.tanh()),
    Case(
        "inverse_hyperbolic",
        "asinh(x) + acosh(x) - atanh(1/x)",
        lambda x: x.asinh() + x.acosh() - (1 / x).atanh(),
        ((1.2, 3.0),),
    ),
    Case("atan2", "atan2(y, x)", torch.atan2, (_POSITIVE, _POSITIVE)),
    Case("expm1", "expm1(x) + log1p(x**2)", lambda x: x.expm1() + (x**2).log1p()),
    Case("secants", "sec(x) + csc(y)", lambda x, y: 1 / x.cos() + 1 / y.sin(), (_UNIT, _POSITIVE)),
    Case("sinc", "sinc(x)", lambda x: x.sin() / x, (_POSITIVE,)),
    # activations and losses
    Case("tanh", "tanh(x)", torch.tanh),
    Case("sigmoid", "sigmoid(x)", torch.sigmoid),
    Case("logistic", "1/(1+exp(-x))", torch.sigmoid),
    Case("softplus", "softplus(x)", lambda x: torch.log(1 + torch.exp(x))),
    Case("logsigmoid", "log_sigmoid(x)", functional.logsigmoid),
    Case("silu", "silu(x)", functional.silu),
    Case("mish", "x*tanh(log(1+exp(x)))", functional.mish),
    Case("gelu", "x*(1+erf(x/sqrt(2)))/2", functional.gelu),
    Case(
        "tanh_gelu",
        "0.5*x*(1+tanh(sqrt(2/pi)*(x+0.044715*x**3)))",
        lambda x: functional.gelu(x, approximate="tanh"),
    ),
    Case("elu", "elu(x)", functional.elu),
    Case("leaky_relu", "x if x > 0 else 0.01*x", functional.leaky_relu),
    Case("softsign", "x/(1+Abs(x))", functional.softsign),
    Case("hardswish", "hardswish(x)", functional.hardswish),
    Case(
        "huber",
        "Piecewise((x**2/2, Abs(x) <= 1), (Abs(x) - 1/2, True))",
        lambda x: functional.huber_loss(x, torch.zeros_like(x), reduction="none"),
    ),
    Case(
        "focal",
        "-(1-p)**gamma*log(p)",
        lambda p, gamma: -((1 - p) ** gamma) * torch.log(p),
        ((0.1, 0.9), (0.5, 3.0)),
    ),
    # kinks, steps, conditions
    Case("abs", "abs(x)", torch.abs),
    Case(
        "maximum", "Max(x, y, 0.3)", lambda x, y: torch.maximum(x, y).clamp(min=0.3), (_ANY, _ANY)
    ),
    Case("clip", "clip(x, -1, 0.5)", lambda x: x.clamp(-1, 0.5)),
    Case("step", "Heaviside(x)*x + sign(x)", lambda x: torch.relu(x) + x.sign()),
    Case("rounding", "floor(x)*x + ceil(x)", lambda x: x.floor() * x + x.ceil()),
    Case("modulo", "Mod(x, y)", torch.remainder, (_POSITIVE, (4.0, 5.0))),
    Case("condition", "(x > 0)*x**2", lambda x: (x > 0) * x**2),
    Case(
        "booleans",
        "where((x > 0 and y > 0) or not x > -1, x*y, x - y)",
        lambda x, y: torch.where(((x > 0) & (y > 0)) | ~(x > -1), x * y, x - y),
        (_ANY, _ANY),
    ),
    Case(
        "chained", "x**2 if -1 < x <= 1 else 1", lambda x: torch.where((x > -1) & (x <= 1), x**2, 1)
    ),
    Case(
        "two_levels",
        "Piecewise((1, x > 1), (0.1, True))",
        lambda x: torch.where(x > 1, 0 * x + 1.0, 0 * x + 0.1),
    ),
    # physics, finance, robotics
    Case(
        "LennardJones",
        "4*epsilon*((sigma/r)**12-(sigma/r)**6)",
        _lennard_jones,
        (_POSITIVE, (0.9, 1.1), (0.95, 2.0)),
    ),
    Case(
        "Morse",
        "D*(1-exp(-a*(r-re)))**2",
        lambda d, a, r, e: d * (1 - torch.exp(-a * (r - e))) ** 2,
        (_POSITIVE,) * 4,
    ),
    Case(
        "BlackScholes",
        f"S*(1+erf({_D1}/sqrt(2)))/2-K*exp(-r*T)*(1+erf(({_D1}-v*sqrt(T))/sqrt(2)))/2",
        _black_scholes,
        ((80.0, 120.0), (80.0, 120.0), (0.01, 0.1), (0.1, 0.4), (0.5, 2.0)),
        options={"args": "S,K,r,v,T"},
    ),
    Case(
        "Rosenbrock",
        "(a-x)**2 + b*(y-x**2)**2",
        lambda a, x, b, y: (a - x) ** 2 + b * (y - x**2) ** 2,
        (_ANY,) * 4,
    ),
    Case(
        "reach",
        "sqrt((l1*cos(q1)+l2*cos(q1+q2))**2+(l1*sin(q1)+l2*sin(q1+q2))**2)",
        lambda a, p, b, q: torch.hypot(
            a * p.cos() + b * (p + q).cos(), a * p.sin() + b * (p + q).sin()
        ),
        (_POSITIVE, _UNIT, _POSITIVE, _UNIT),
    ),
    # special functions
    Case("erf", "erf(x) - erfc(2*x)", lambda x: torch.erf(x) - torch.erfc(2 * x)),
    Case("erfinv", "erfinv(x)", torch.erfinv, (_UNIT,)),
    Case("loggamma", "loggamma(x) + digamma(x)", lambda x: x.lgamma() + x.digamma(), (_POSITIVE,)),
    Case("gamma", "gamma(x)", lambda x: x.lgamma().exp(), (_POSITIVE,)),
    Case("polygamma", "polygamma(2, x)", lambda x: torch.polygamma(2, x), (_POSITIVE,)),
    Case("xlogy", "xlogy(x, y)", torch.xlogy, (_POSITIVE, _POSITIVE)),
    Case("logaddexp", "logaddexp(x, y)", torch.logaddexp, (_ANY, _ANY)),
    Case("ndtr", "ndtr(x)", _normal),
    Case(
        "beta",
        "beta(a, b)",
        lambda a, b: (a.lgamma() + b.lgamma() - (a + b).lgamma()).exp(),
        (_POSITIVE, _POSITIVE),
        _NUMPY,
    ),
    # tensors, names that the emitted code needs for itself
    Case(
        "projection",
        "s*tanh(x @ A @ B)",
        lambda s, x, a, b: s * torch.tanh(x @ a @ b),
        (_ANY,) * 4,
        options={"shape": {"x": "N,I", "A": "I,K", "B": "K,O"}},
        shapes=((), (2, 3, 4), (4, 5), (5, 2)),
    ),
    Case(
        "collisions",
        "ctx*np + torch*self - grad_output/output + t1",
        lambda ctx, np, torch_, self, g, o, t1: ctx * np + torch_ * self - g / o + t1,
        (_POSITIVE,) * 7,
    ),
    Case(
        "collisions_of_sympy",
        "beta*gamma + lambda_*N - S/Q + I*re + x0*t0",
        lambda b, g, la, n, s, q, i, re, x, t: b * g + la * n - s / q + i * re + x * t,
        (_POSITIVE,) * 10,
    ),
    Case(
        "constant_inside",
        "x*exp(c) + Max(x, c)",
        lambda x, c: x * math.exp(c) + x.clamp(min=c),
        options={"const": "c"},
        constants=(0.4,),
    ),
    Case(
        "functions_of_functions",
        "a + b*P3(c + d*x)",
        lambda a, b, c, d, x: a + b * (2.5 * (c + d * x) ** 3 - 1.5 * (c + d * x)),
        (_ANY,) * 5,
        options={"define": {"P3(x)": "0.5*(5*x**3-3*x)"}},
    ),
    Case(
        "functions_that_call_each_other",
        "damped(x, 2) - norm(y)",
        lambda x, y: torch.exp(-2 * x.sin() ** 2) * x.sin() - 3 * y,
        (_ANY, _ANY),
        options={
            "define": {
                "damped(t, k)": "s = sin(t); bell(s, k)*s",
                "bell(x, k)": "exp(-k*x**2)",
                "norm(y)": "3*y",
            }
        },
    ),
)
