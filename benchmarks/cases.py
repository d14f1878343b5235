"""Formulas for the symbolic benchmark: as gen reads them, and as plain torch code.

The torch code is written by hand and independently: it is what the gradients are held
against.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise
from typing import TypeAlias

import torch
from torch import Tensor

from gen.frontend import text
from gen.graph.algebra import Term, call, symbol
from gen.graph.graph import COTANGENT, INPUT, Builder, Leaf
from gen.graph.indices import NONE
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
    outputs: tuple[int, ...] = ()  # several: their nodes, which the formula weighs and adds
    limit: float | None = None  # seconds from the formula to the program


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
        _text("tanh-GELU", _TANH_GELU, _tanh_gelu, (0.7,), None),
        _text("Black-Scholes", _BLACK_SCHOLES, _black_scholes, (100.0, 95.0, 0.03, 0.2, 1.5), 73),
        _text("product of 200", "*".join(_product_names(200)), _product, _spread(200), 597),
        _built("logistic map, 20 deep", ("r", "x"), _logistic, (3.7, 0.3), 235),
        _built("Legendre 50", ("x",), _legendre(50), (0.3,), None),
        _built("Legendre 100", ("x",), _legendre(100), (0.3,), None),
        _built("Legendre 200", ("x",), _legendre(200), (0.3,), 2200, limit=0.5),
        _network("tanh network 8-16-16-1", (8, 16, 16, 1), goal=2087),
        _arm(),
        _determinant(6, None),
        _determinant(8, 5547),
        *_sized(10_000, limit=1),
        *_sized(100_000, limit=15),
    )


def _sized(count: int, limit: float) -> tuple[Case, ...]:
    """Formulas of about `count` operations: how time grows with size, and no deep recursion."""
    width = round((count / 4) ** 0.5)
    return (
        _built(f"chain of {count}", ("x", "r"), _relaxation(count // 4), (0.2, 0.5), None, limit),
        _built(f"sum of {count}", _product_names(count), _squares, _spread(count), None, limit),
        _built(f"product of {count}", _product_names(count), _product, _spread(count), None, limit),
        _network(f"network of {count}", (width, width, width, 1), limit=limit),
    )


def _text(name: str, expr: str, plain: Plain, point: tuple[float, ...], goal: int | None) -> Case:
    return Case(name, text.read(Request("Case", expr)), plain, point, goal)


def _built(
    name: str,
    inputs: Sequence[str],
    body: Callable[..., Term | Tensor],
    point: tuple[float, ...],
    goal: int | None,
    limit: float | None = None,
) -> Case:
    """A formula too deep to write as text: one body, run on terms and on tensors."""
    builder = Builder()
    output = body(*(symbol(builder, one) for one in inputs))
    assert isinstance(output, Term)
    described = tuple(map(Input, inputs))
    formula = Formula(_request(name), described, builder.freeze(), (Output("output", output.id),))

    def plain(*values: Tensor) -> Tensor:
        result = body(*values)
        assert isinstance(result, Tensor)
        return result

    return Case(name, formula, plain, point, goal, limit=limit)


def _request(name: str) -> Request:
    return Request("Case", f"{name}: built from Python")


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


_TANH_GELU = "0.5*x*(1+tanh(sqrt(2/pi)*(x+0.044715*x**3)))"


def _tanh_gelu(x: Tensor) -> Tensor:
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


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


def _relaxation(steps: int) -> Callable[..., Term]:
    def body(x: Term, r: Term) -> Term:
        """Steps of Euler's method for x' = r - x**2."""
        for _ in range(steps):
            x = x + (r - x * x) / 128
        return x

    return body


def _squares(*values: Term) -> Term:
    """x0*x1 + x2*x3 + ..."""
    return _dot(list(values[::2]), list(values[1::2]))


def _network(
    name: str, sizes: tuple[int, ...], goal: int | None = None, limit: float | None = None
) -> Case:
    """A tanh network, its weights and biases inputs too; no bias at the end."""
    last = len(sizes) - 2
    names = [f"x{i}" for i in range(sizes[0])]
    for layer, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        names += [f"w{layer}_{o}_{i}" for o in range(fan_out) for i in range(fan_in)]
        names += [f"b{layer}_{o}" for o in range(fan_out) if layer < last]

    def body(*values: Term) -> Term:
        rest = iter(values)
        units = [next(rest) for _ in range(sizes[0])]
        for layer, fan_out in enumerate(sizes[1:]):
            weights = [[next(rest) for _ in units] for _ in range(fan_out)]
            sums = [_dot(row, units) for row in weights]
            units = sums if layer == last else [_tanh(one + next(rest)) for one in sums]
        return units[0]

    scale = 1 / math.sqrt(sizes[0])
    point = tuple(scale * math.sin(i) for i in range(len(names)))
    return _built(name, names, body, point, goal, limit)


def _dot(row: list[Term], units: list[Term]) -> Term:
    total = row[0] * units[0]
    for weight, unit in zip(row[1:], units[1:], strict=True):
        total = total + weight * unit
    return total


def _tanh(x: Term | Tensor) -> Term:
    return torch.tanh(x) if isinstance(x, Tensor) else call("tanh", x)  # type: ignore[return-value]


def _determinant(size: int, goal: int | None) -> Case:
    """Expanded along the rows, each minor computed once."""

    def body(*entries: Term) -> Term:
        rows = [entries[i : i + size] for i in range(0, size * size, size)]
        minors: dict[tuple[int, ...], Term] = {(j,): rows[-1][j] for j in range(size)}
        for row in reversed(rows[:-1]):
            wider = combinations(range(size), len(next(iter(minors))) + 1)
            minors = {columns: _expanded(row, columns, minors) for columns in wider}
        return minors[tuple(range(size))]

    names = [f"a{i}_{j}" for i in range(size) for j in range(size)]
    point = tuple(math.sin(i * i + 1) for i in range(size * size))
    return _built(f"determinant {size}x{size}", names, body, point, goal)


def _expanded(
    row: tuple[Term, ...], columns: tuple[int, ...], minors: dict[tuple[int, ...], Term]
) -> Term:
    rest = [columns[:place] + columns[place + 1 :] for place in range(len(columns))]
    total = row[columns[0]] * minors[rest[0]]
    for place in range(1, len(columns)):
        product = row[columns[place]] * minors[rest[place]]
        total = total - product if place % 2 else total + product
    return total


# Denavit-Hartenberg parameters of Universal Robots' UR5 as its maker publishes them: length
# a and offset d of each link in metres, its twist in quarter turns; and a tool that does not
# lie on the last axis, so that all six joints move it.
_LENGTHS = ("0", "-0.425", "-0.39225", "0", "0", "0")
_OFFSETS = ("0.089159", "0", "0", "0.10915", "0.09465", "0.0823")
_TWISTS = (1, 0, 0, 1, -1, 0)
_TOOL = ("0.1", "0", "0.2")

# Rows of a homogeneous transformation, without the last.
_Pose: TypeAlias = list[list[Term]]


def _arm() -> Case:
    """Where the tool is, in three coordinates: the product of six transformations.

    Its inputs are numbers: the height does not depend on the first joint, and gradients of
    arrays of several shapes would have to be summed.
    """
    leaves: list[Leaf] = [*((INPUT, f"q{joint}") for joint in range(1, 7))]
    leaves += [(COTANGENT, f"grad_y{place}") for place in range(3)]
    builder = Builder(given=dict.fromkeys(leaves, NONE))
    outputs = _position(*(symbol(builder, f"q{joint}") for joint in range(1, 7)))
    weights = [symbol(builder, name) for name in ("gx", "gy", "gz")]
    weighed = _dot(weights, outputs)
    inputs = [Input(f"q{joint}") for joint in range(1, 7)]
    inputs += [Input(name, differentiable=False) for name in ("gx", "gy", "gz")]
    name = "six-joint arm, 3 outputs"
    formula = Formula(
        _request(name), tuple(inputs), builder.freeze(), (Output("output", weighed.id),)
    )

    def plain(*values: Tensor) -> Tensor:
        return _dot(list(values[6:]), _position(*values[:6]))  # type: ignore[arg-type, return-value]

    point = (0.3, -1.1, 0.8, 0.4, -0.7, 1.9, 0.5, -1.5, 1.1)
    nodes = tuple(one.id for one in outputs)
    return Case(name, formula, plain, point, 261, outputs=nodes)


def _position(*joints: Term) -> list[Term]:
    pose = _link(joints[0], 0)
    for place in range(1, 6):
        pose = _composed(pose, _link(joints[place], place))
    x, y, z = (_metres(joints[0], text) for text in _TOOL)
    return [row[0] * x + row[1] * y + row[2] * z + row[3] for row in pose]


def _link(q: Term, place: int) -> _Pose:
    """The transformation of one link: rotation about z by q, then about x by the twist."""
    a, d = _metres(q, _LENGTHS[place]), _metres(q, _OFFSETS[place])
    cos, sin = {0: (1, 0), 1: (0, 1), -1: (0, -1)}[_TWISTS[place]]
    c, s = _circle(q)
    zero = q * 0
    return [
        [c, -s * cos, s * sin, c * a],
        [s, c * cos, -c * sin, s * a],
        [zero, zero + sin, zero + cos, zero + d],
    ]


def _metres(like: Term | Tensor, text: str) -> Term:
    if isinstance(like, Tensor):
        return like * 0 + float(text)  # type: ignore[return-value]
    return like.like(Fraction(text))


def _circle(q: Term | Tensor) -> tuple[Term, Term]:
    if isinstance(q, Tensor):
        return torch.cos(q), torch.sin(q)  # type: ignore[return-value]
    return call("cos", q), call("sin", q)


def _composed(left: _Pose, right: _Pose) -> _Pose:
    product = [[_dot(row[:3], [one[j] for one in right]) for j in range(4)] for row in left]
    return [[*row[:3], row[3] + old[3]] for row, old in zip(product, left, strict=True)]
