"""What each operation is in plain PyTorch, for the reference alone.

In: the name of an operation of the graph. Out: a function of tensors of float64 that
PyTorch differentiates by itself, and how far its operands are from where it has a kink.
Nothing here is shared with what emits code.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor


def _gamma(x: Tensor) -> Tensor:
    """By reflection below 0, where lgamma has lost the sign."""
    above = torch.exp(torch.lgamma(torch.where(x > 0, x, 1 - x)))
    return torch.where(x > 0, above, math.pi / (torch.sin(math.pi * x) * above))


def _beta(a: Tensor, b: Tensor) -> Tensor:
    return _gamma(a) * _gamma(b) / _gamma(a + b)


def _heaviside(x: Tensor, at_zero: Tensor) -> Tensor:
    return torch.where(x == 0, at_zero, (x > 0).to(x.dtype))


def _polygamma(n: Tensor, x: Tensor) -> Tensor:
    return torch.polygamma(int(n), x)


def _clamp(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    return torch.minimum(torch.maximum(x, low), high)


PLAIN: Mapping[str, Callable[..., Tensor]] = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "neg": torch.neg,
    "power": torch.pow,
    "select": torch.where,
    "lt": torch.lt,
    "le": torch.le,
    "gt": torch.gt,
    "ge": torch.ge,
    "eq": torch.eq,
    "ne": torch.ne,
    "and": torch.logical_and,
    "or": torch.logical_or,
    "not": torch.logical_not,
    "sqrt": torch.sqrt,
    "cbrt": lambda x: torch.sign(x) * torch.abs(x) ** (1 / 3),
    "exp": torch.exp,
    "exp2": torch.exp2,
    "expm1": torch.expm1,
    "log": torch.log,
    "log1p": torch.log1p,
    "log2": torch.log2,
    "log10": torch.log10,
    "xlogy": torch.special.xlogy,
    "logaddexp": torch.logaddexp,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "asin": torch.asin,
    "acos": torch.acos,
    "atan": torch.atan,
    "atan2": torch.atan2,
    "hypot": torch.hypot,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "tanh": torch.tanh,
    "asinh": torch.asinh,
    "acosh": torch.acosh,
    "atanh": torch.atanh,
    "sech": lambda x: 1 / torch.cosh(x),
    "csch": lambda x: 1 / torch.sinh(x),
    "sigmoid": torch.sigmoid,
    "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    "logsigmoid": functional.logsigmoid,
    "abs": torch.abs,
    "sign": torch.sign,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "clamp": _clamp,
    "heaviside": _heaviside,
    "floor": torch.floor,
    "ceil": torch.ceil,
    "round": torch.round,
    "trunc": torch.trunc,
    "mod": torch.remainder,
    "erf": torch.erf,
    "erfc": torch.erfc,
    "erfcx": torch.special.erfcx,
    "erfinv": torch.erfinv,
    "ndtr": torch.special.ndtr,
    "gamma": _gamma,
    "loggamma": torch.lgamma,
    "digamma": torch.digamma,
    "polygamma": _polygamma,
    "beta": _beta,
}


def _apart(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs()


def _from_whole(x: Tensor) -> Tensor:
    return (x - x.round()).abs()


# How far operands are from a kink or a jump, by operation; others are smooth wherever
# their derivatives are finite.
_DISTANCE: Mapping[str, Callable[..., Tensor]] = {
    **dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne", "maximum", "minimum"), _apart),
    **dict.fromkeys(("abs", "sign"), torch.abs),
    **dict.fromkeys(("floor", "ceil", "trunc"), _from_whole),
    "heaviside": lambda x, at_zero: x.abs(),
    "round": lambda x: _from_whole(x + 0.5),
    "mod": lambda a, b: _from_whole(a / b),
    "clamp": lambda x, low, high: torch.minimum(_apart(x, low), _apart(x, high)),
    "hypot": torch.hypot,
    "atan2": torch.hypot,
}


def distance(op: str, operands: list[Tensor]) -> float:
    """How far the nearest element is from where an operation has no derivative."""
    if op not in _DISTANCE or not all(one.numel() for one in operands):
        return math.inf
    if any(one.dtype == torch.bool for one in operands):
        return math.inf
    with torch.no_grad():
        return float(_DISTANCE[op](*operands).min())
