"""The value of graph nodes in high precision.

In: a graph, values for its inputs. Out: mpmath numbers, or the float nearest to a
constant. Backends print constants through here, so that `sqrt(2/pi)` is rounded once,
from 60 digits, and printed by `repr`.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import mpmath

from gen.errors import GenError
from gen.graph.algebra import Term, truth
from gen.graph.graph import CONSTANT, CUSTOM, NUMBER, Node, reachable
from gen.graph.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_DIGITS = 60

CONSTANTS = {
    "pi": "pi",
    "E": "e",
    "EulerGamma": "euler",
    "Catalan": "catalan",
    "GoldenRatio": "phi",
}


def _erfcx(x: mpmath.mpf) -> mpmath.mpf:
    return mpmath.exp(x * x) * mpmath.erfc(x)


def _clamp(x: mpmath.mpf, low: mpmath.mpf, high: mpmath.mpf) -> mpmath.mpf:
    return min(max(x, low), high)


def _sign(x: mpmath.mpf) -> mpmath.mpf:
    return mpmath.sign(x)


# How to evaluate the operations that mpmath does not have under their own name.
_EVALUATE: dict[str, Callable[..., object]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "select": lambda c, a, b: a if c else b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "not": lambda a: not a,
    "true": lambda: True,
    "false": lambda: False,
    "power": lambda x, n: mpmath.power(x, n),
    "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
    "loggamma": lambda x: mpmath.log(abs(mpmath.gamma(x))),
    "exp2": lambda x: mpmath.mpf(2) ** x,
    "log2": lambda x: mpmath.log(x, 2),
    "log10": lambda x: mpmath.log(x, 10),
    "xlogy": lambda a, b: a * mpmath.log(b) if a else a * 0,
    "logaddexp": lambda a, b: mpmath.log(mpmath.exp(a) + mpmath.exp(b)),
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "logsigmoid": lambda x: -mpmath.log1p(mpmath.exp(-x)),
    "maximum": lambda a, b: max(a, b),
    "minimum": lambda a, b: min(a, b),
    "clamp": _clamp,
    "sign": _sign,
    "heaviside": lambda x, h: h if x == 0 else (mpmath.mpf(1) if x > 0 else mpmath.mpf(0)),
    "round": lambda x: mpmath.nint(x),
    "trunc": lambda x: mpmath.floor(x) if x > 0 else mpmath.ceil(x),
    "mod": lambda a, b: a - b * mpmath.floor(a / b),
    "erfcx": _erfcx,
    "erfcinv": lambda x: mpmath.erfinv(1 - x),
    "polygamma": lambda n, x: mpmath.polygamma(int(n), x),
    "airyaiprime": lambda x: mpmath.airyai(x, derivative=1),
    "airybiprime": lambda x: mpmath.airybi(x, derivative=1),
}


def evaluate(
    nodes: Sequence[Node],
    roots: Iterable[int],
    inputs: Mapping[str, object],
    digits: int = _DIGITS,
) -> tuple[object, ...]:
    """The values of `roots`, computed with `digits` significant digits.

    Args:
        nodes: the nodes of a graph.
        roots: those asked for.
        inputs: an mpmath number for each input, and for the cotangent if it is needed.
        digits: the working precision; the last few digits of a result may be off.
    """
    targets = list(roots)
    with mpmath.workdps(digits):
        values: dict[int, object] = {}
        for node in reachable(nodes, targets):
            values[node] = _value(nodes[node], values, inputs)
    return tuple(values[root] for root in targets)


def _value(node: Node, values: Mapping[int, object], inputs: Mapping[str, object]) -> object:
    args = [values[arg] for arg in node.args]
    if node.op == NUMBER:
        assert isinstance(node.payload, Fraction)
        return mpmath.mpf(node.payload.numerator) / node.payload.denominator
    if node.op == CONSTANT:
        return +getattr(mpmath, CONSTANTS[str(node.payload)])
    if node.op == "pow":
        return mpmath.power(args[0], node.payload)
    if node.op == CUSTOM:
        raise ValueError(f"{node.payload} is known to the code that calls it alone")
    if node.op in _EVALUATE:
        return _EVALUATE[node.op](*args)
    if node.op in OPERATIONS:
        return getattr(mpmath, OPERATIONS[node.op].mpmath or node.op)(*args)
    return inputs[str(node.payload)]


def as_float(nodes: Sequence[Node], node: int) -> float:
    """The float64 nearest to a constant node.

    Raises:
        GenError: where the constant is not a finite real number of float64.
    """
    payload = nodes[node].payload
    if nodes[node].op == NUMBER and isinstance(payload, Fraction):
        return _finite(payload.numerator, payload.denominator)
    (value,) = _evaluated(nodes, node)
    if isinstance(value, mpmath.mpc) and value.imag == 0:
        value = value.real
    if not isinstance(value, mpmath.mpf) or not mpmath.isfinite(value):
        raise GenError("a constant of the expression is no finite real number")
    result = float(value)
    if math.isinf(result) or (result == 0 and value != 0):
        raise GenError("a constant of the expression is outside the range of float64")
    return result


def decide(condition: Term) -> Term:
    """A condition as true or false where it is the same for all inputs."""
    if not condition.is_constant or condition.op in ("true", "false"):
        return condition
    (holds,) = _evaluated(condition.builder.nodes, condition.id)
    return truth(condition.builder, bool(holds))


def _evaluated(nodes: Sequence[Node], node: int) -> tuple[object, ...]:
    """The value of a constant node."""
    try:
        return evaluate(nodes, (node,), {})
    except TypeError:  # an order of complex numbers
        raise GenError("a constant of the expression is no real number") from None
    except (ArithmeticError, ValueError) as fault:
        why = str(fault) or "division by zero"
        raise GenError(f"a constant of the expression has no value: {why}") from fault


def _finite(numerator: int, denominator: int) -> float:
    try:
        result = numerator / denominator
    except OverflowError:
        result = math.inf
    if math.isinf(result) or (result == 0 and numerator != 0):
        raise GenError("a constant of the expression is outside the range of float64")
    return result
