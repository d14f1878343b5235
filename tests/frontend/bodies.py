"""Functions for test_python.py, most of which cannot be read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

import gen

LINES = Path(__file__).read_text(encoding="utf-8").split("\n")
NUMBERS = [1, 2]
CALLED: list[int] = []

# What type checkers need not know of the functions below.
maths: Any = math
npy: Any = np
if CALLED:
    NOWHERE = 1


class _Counted(float):
    """A number that notes whether anybody computes with it."""

    def __rtruediv__(self, other: Any) -> Any:
        CALLED.append(1)
        return other / float(self)


COUNTED = _Counted(2.0)


def not_read(x: Any) -> Any:
    return x


@gen.function
def rotate(x: Any, y: Any, t: Any) -> Any:
    c, s = np.cos(t), np.sin(t)
    u = c * x
    u -= s * y
    v = s * x + c * y
    return u, v


@gen.function(name="SmoothL1", const="d")
def huber(x: Any, d: Any) -> Any:
    return x**2 / 2 if abs(x) <= d else d * (abs(x) - d / 2)


@gen.function(shape={"x": "N,I", "w": "O,I", "b": "O"})
def linear(x: Any, w: Any, b: Any = None) -> Any:
    return x @ w.T + b


@gen.function(shape={"x": "N,I"})
def softmax_rows(x: Any) -> Any:
    weights = np.exp(x)
    return weights / np.sum(weights, axis=-1)[:, None]


STRUVE: dict[str, Any] = {
    "args": ["v", "x"],
    "numpy": "scipy.special.struve",
    "derivatives": [None, "struve(v - 1, x) - v*struve(v, x)/x"],
}


@gen.function(primitives={"struve": STRUVE}, define={"half(x)": "x/2"})
def outside(x: Any) -> Any:
    return struve(0, x) + half(x)  # type: ignore[name-defined]  # noqa: F821


@gen.function
def uses_outside(x: Any) -> Any:
    return outside(x**2)


@gen.function
def relu(x: Any) -> Any:
    return x + 0.5


def _another() -> Any:
    @gen.function
    def relu(x: Any) -> Any:
        return 3 * x**2

    return relu


other_relu = _another()


@gen.function
def uses_relu(x: Any) -> Any:
    return npy.relu(x) + relu(x) + other_relu(x)


@gen.function
def noisy(x: Any) -> Any:
    """Return something, after what would be seen if it were executed."""
    return np.exp(x / COUNTED)


# ---- what cannot be read


@gen.function
def loop(x: Any) -> Any:
    y = x
    for _ in range(3):
        y = y * x
    return y


@gen.function
def power(x: Any) -> Any:
    return 2 * (x ^ 2)


@gen.function
def unknown(x: Any) -> Any:
    return npy.expp(x)


@gen.function
def plain(x: Any) -> Any:
    return 1 + not_read(x)


@gen.function
def listed(x: Any) -> Any:
    return x * NUMBERS


@gen.function
def infinite(x: Any) -> Any:
    return x * math.inf


@gen.function
def sometimes(x: Any) -> Any:
    if x > 0:
        return x


@gen.function
def one_branch(x: Any) -> Any:
    if x > 0:
        y = x
    return y


@gen.function
def default(x: Any, n: Any = 2) -> Any:
    return x**n


@gen.function
def starred(*x: Any) -> Any:
    return x


@gen.function
def method(x: Any) -> Any:
    return x.sum()


@gen.function
def first(x: Any) -> Any:
    return second(x)


@gen.function
def second(x: Any) -> Any:
    return 2 * first(x)


@gen.function
def truthy(x: Any) -> Any:
    return x if x else -x


@gen.function
def uses_several(x: Any) -> Any:
    return rotate(x, x, x) + 1


@gen.function
def too_many(x: Any) -> Any:
    y = 2 * x
    return y + maths.exp(x, x)


@gen.function
def hides(x: Any, pi: Any) -> Any:
    return math.pi * x + pi


@gen.function
def unbound(x: Any) -> Any:
    return x + NOWHERE


@gen.function
def unused(x: Any) -> Any:
    x + 1
    return x


@gen.function
def matrix(x: Any, w: Any) -> Any:
    y = x + 1
    return y @ w


@gen.function
def calls_matrix(a: Any, b: Any) -> Any:
    total = a + b
    return 2 * matrix(total, b)


@gen.function
def calls_it_inside(a: Any) -> Any:
    return calls_matrix(a, a)
