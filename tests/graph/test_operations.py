"""The table of operations: values, derivatives and definitions against mpmath's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

import mpmath
import pytest
from mpmath import mpf

from gen.frontend import sympy as sympy_frontend
from gen.frontend.options import request
from gen.frontend.text import read
from gen.graph.algebra import Term, call, symbol
from gen.graph.evaluate import evaluate
from gen.graph.functions import DEFINITIONS, FUNCTIONS
from gen.graph.graph import Builder
from gen.graph.operations import OPERATIONS

DIGITS = 40
TOLERANCE = "1e-25"  # what is left of 40 digits once differences are taken

Formula: TypeAlias = Callable[..., mpf]
Point: TypeAlias = tuple[str, ...]  # one number for each argument, exact in decimal


def _points(*rows: str) -> tuple[Point, ...]:
    return tuple(tuple(row.split()) for row in rows)


ANY = _points("-2.3", "-0.4", "0.7", "1.9")
POSITIVE = _points("0.07", "0.6", "1.3", "4.1")
UNIT = _points("-0.93", "-0.2", "0.35", "0.88")
ABOVE_ONE = _points("1.05", "1.7", "6.5")
PAIRS = _points("-1.2 0.7", "0.4 1.9", "2.3 -0.6", "1.1 0.3")
POSITIVE_PAIRS = _points("0.3 0.8", "1.4 2.6", "2.2 0.5")


def _logistic(x: mpf) -> mpf:
    return 1 / (1 + mpmath.exp(-x))


def _airy(function: Callable[..., mpf]) -> Formula:
    return lambda x: function(x, derivative=1)


# Each elementwise function of the table: what it is in mpmath, and where it is smooth.
TRUTH: dict[str, tuple[Formula, tuple[Point, ...]]] = {
    "power": (lambda x, n: x**n, POSITIVE_PAIRS),
    "sqrt": (mpmath.sqrt, POSITIVE),
    "cbrt": (lambda x: mpmath.sign(x) * abs(x) ** (mpf(1) / 3), ANY),
    "exp": (mpmath.exp, ANY),
    "exp2": (lambda x: mpf(2) ** x, ANY),
    "expm1": (lambda x: mpmath.exp(x) - 1, ANY),
    "log": (mpmath.log, POSITIVE),
    "log1p": (lambda x: mpmath.log(1 + x), POSITIVE),
    "log2": (lambda x: mpmath.log(x) / mpmath.log(2), POSITIVE),
    "log10": (lambda x: mpmath.log(x) / mpmath.log(10), POSITIVE),
    "xlogy": (lambda a, b: a * mpmath.log(b), POSITIVE_PAIRS),
    "logaddexp": (lambda a, b: mpmath.log(mpmath.exp(a) + mpmath.exp(b)), PAIRS),
    "sin": (mpmath.sin, ANY),
    "cos": (mpmath.cos, ANY),
    "tan": (mpmath.tan, ANY),
    "asin": (mpmath.asin, UNIT),
    "acos": (mpmath.acos, UNIT),
    "atan": (mpmath.atan, ANY),
    "atan2": (mpmath.atan2, PAIRS),
    "hypot": (lambda a, b: mpmath.sqrt(a * a + b * b), PAIRS),
    "sinh": (mpmath.sinh, ANY),
    "cosh": (mpmath.cosh, ANY),
    "tanh": (mpmath.tanh, ANY),
    "asinh": (mpmath.asinh, ANY),
    "acosh": (mpmath.acosh, ABOVE_ONE),
    "atanh": (mpmath.atanh, UNIT),
    "sech": (lambda x: 1 / mpmath.cosh(x), ANY),
    "csch": (lambda x: 1 / mpmath.sinh(x), ANY),
    "sigmoid": (_logistic, ANY),
    "softplus": (lambda x: mpmath.log(1 + mpmath.exp(x)), ANY),
    "logsigmoid": (lambda x: mpmath.log(_logistic(x)), ANY),
    "abs": (mpmath.fabs, ANY),
    "sign": (mpmath.sign, ANY),
    "maximum": (lambda a, b: (a + b + abs(a - b)) / 2, PAIRS),
    "minimum": (lambda a, b: (a + b - abs(a - b)) / 2, PAIRS),
    "clamp": (
        lambda x, low, high: sorted([low, x, high])[1],
        _points("-2 -1 1", "0.3 -1 1", "2.5 -1 1"),
    ),
    "heaviside": (lambda x, h: (1 + mpmath.sign(x)) / 2, PAIRS),
    "floor": (mpmath.floor, ANY),
    "ceil": (mpmath.ceil, ANY),
    "round": (mpmath.nint, ANY),
    "trunc": (lambda x: mpmath.sign(x) * mpmath.floor(abs(x)), ANY),
    "mod": (lambda a, b: a - b * mpmath.floor(a / b), PAIRS),
    "erf": (mpmath.erf, ANY),
    "erfc": (mpmath.erfc, ANY),
    "erfcx": (lambda x: mpmath.exp(x**2) * mpmath.erfc(x), ANY),
    "erfi": (mpmath.erfi, ANY),
    "erfinv": (mpmath.erfinv, UNIT),
    "erfcinv": (lambda x: mpmath.erfinv(1 - x), POSITIVE[:3]),
    "ndtr": (lambda x: mpmath.erfc(-x / mpmath.sqrt(2)) / 2, ANY),
    "gamma": (mpmath.gamma, ANY),
    "loggamma": (lambda x: mpmath.log(abs(mpmath.gamma(x))), ANY),
    "digamma": (lambda x: mpmath.psi(0, x), ANY),
    "polygamma": (lambda n, x: mpmath.psi(int(n), x), _points("1 0.6", "2 1.7", "3 0.9")),
    "beta": (mpmath.beta, POSITIVE_PAIRS),
    "Ei": (mpmath.ei, ANY),
    "Si": (mpmath.si, ANY),
    "Ci": (mpmath.ci, POSITIVE),
    "Shi": (mpmath.shi, ANY),
    "Chi": (mpmath.chi, POSITIVE),
    "fresnels": (mpmath.fresnels, ANY),
    "fresnelc": (mpmath.fresnelc, ANY),
    "airyai": (mpmath.airyai, ANY),
    "airybi": (mpmath.airybi, ANY),
    "airyaiprime": (_airy(mpmath.airyai), ANY),
    "airybiprime": (_airy(mpmath.airybi), ANY),
    "besselj": (mpmath.besselj, _points("0 0.7", "1 2.3", "2.5 1.1")),
    "bessely": (mpmath.bessely, _points("0 0.7", "1 2.3", "2.5 1.1")),
    "besseli": (mpmath.besseli, _points("0 0.7", "1 2.3", "2.5 1.1")),
    "besselk": (mpmath.besselk, _points("0 0.7", "1 2.3", "2.5 1.1")),
    "lambertw": (mpmath.lambertw, POSITIVE),
    "elliptic_k": (mpmath.ellipk, UNIT),
    "elliptic_e": (mpmath.ellipe, UNIT),
}

# Operands that are an order, in which no derivative is known.
ORDERS = {("polygamma", 0), *((f"bessel{kind}", 0) for kind in "jyik")}

_ROWS = [pytest.param(name, id=name) for name in TRUTH]
_PARTIALS = [
    pytest.param(name, place, id=f"{name}-{place}")
    for name in TRUTH
    for place in range(OPERATIONS[name].arity)
    if (name, place) not in ORDERS
]


def _numbers(point: Point) -> list[mpf]:
    return [mpf(text) for text in point]


def _applied(name: str) -> tuple[list[Term], Term]:
    """The operation applied to inputs called 0, 1 and so on, and these inputs."""
    builder = Builder()
    args = [symbol(builder, str(place)) for place in range(OPERATIONS[name].arity)]
    return args, call(name, *args)


def _value(term: Term, numbers: Sequence[mpf]) -> object:
    values = {str(place): value for place, value in enumerate(numbers)}
    (found,) = evaluate(term.builder.nodes, [term.id], values, DIGITS)
    return found


def _partial(name: str, place: int) -> Term:
    args, y = _applied(name)
    rule = OPERATIONS[name].partials
    if rule is None:
        return sympy_frontend.partial(name, tuple(args), place)
    found = rule(*args, y)[place]
    assert found is not None
    return found


def assert_close(found: object, expected: mpf) -> None:
    """Check the value to 25 digits, or to that far behind the point where it is small."""
    assert isinstance(found, mpf)
    assert abs(found - expected) <= mpf(TOLERANCE) * (1 + abs(expected))


def test_every_function_of_the_table_is_tested() -> None:
    functions = {name for name, row in OPERATIONS.items() if row.partials or row.spellings}
    assert set(TRUTH) == functions - {"pow"}


@pytest.mark.parametrize("name", _ROWS)
def test_values(name: str) -> None:
    formula, points = TRUTH[name]
    _, y = _applied(name)
    with mpmath.workdps(DIGITS):
        for point in points:
            assert_close(_value(y, _numbers(point)), formula(*_numbers(point)))


@pytest.mark.parametrize(("name", "place"), _PARTIALS)
def test_partial_derivatives(name: str, place: int) -> None:
    formula, points = TRUTH[name]
    partial = _partial(name, place)
    for point in points:
        with mpmath.workdps(DIGITS):
            numbers = _numbers(point)

            def along(moved: mpf, numbers: list[mpf] = numbers) -> mpf:
                return formula(*numbers[:place], moved, *numbers[place + 1 :])

            assert_close(_value(partial, numbers), mpmath.diff(along, numbers[place]))


@pytest.mark.parametrize("exponent", [-3, -2, 2, 3, 7])
@pytest.mark.parametrize("point", ["-1.3", "0.4", "2.6"])
def test_partial_derivatives_of_integer_powers(exponent: int, point: str) -> None:
    y = symbol(Builder(), "0") ** exponent
    rule = OPERATIONS["pow"].partials
    assert rule is not None
    with mpmath.workdps(DIGITS):
        (partial,) = rule(*y.args, y)
        assert partial is not None
        expected = exponent * mpf(point) ** (exponent - 1)
        assert_close(_value(partial, [mpf(point)]), expected)


def test_an_order_has_no_derivative() -> None:
    args, y = _applied("polygamma")
    rule = OPERATIONS["polygamma"].partials
    assert rule is not None
    assert rule(*args, y)[0] is None


# What PyTorch gives at kinks, https://pytorch.org/docs/stable/notes/autograd.html, and
# what is chosen where it gives NaN.
@pytest.mark.parametrize(
    ("name", "point", "partials"),
    [
        ("abs", "0", (0,)),
        ("sign", "0", (0,)),
        ("maximum", "0.5 0.5", (0.5, 0.5)),
        ("minimum", "0.5 0.5", (0.5, 0.5)),
        ("maximum", "1 2", (0, 1)),
        ("minimum", "1 2", (1, 0)),
        ("clamp", "-1 -1 1", (1, 0, 0)),
        ("clamp", "1 -1 1", (1, 0, 0)),
        ("clamp", "-2 -1 1", (0, 1, 0)),
        ("clamp", "2 -1 1", (0, 0, 1)),
        ("heaviside", "0 0.5", (0, 1)),
        ("hypot", "0 0", (0, 0)),
        ("atan2", "0 0", (0, 0)),
        ("power", "0 2", (0, 0)),
        ("power", "0 0", (0, 0)),
        ("xlogy", "0 0", (0, None)),
    ],
)
def test_kinks(name: str, point: str, partials: tuple[float | None, ...]) -> None:
    numbers = [mpf(text) for text in point.split()]
    for place, expected in enumerate(partials):
        found = expected if expected is None else _value(_partial(name, place), numbers)
        assert found == expected


# ---- functions that stand for an expression


def _elu(x: mpf, alpha: mpf) -> mpf:
    return x if x > 0 else alpha * mpmath.expm1(x)


def _step(x: mpf, at_zero: mpf) -> mpf:
    return mpf(x > 0) if x else at_zero


def _hard_sigmoid(x: mpf) -> mpf:
    return mpf(0) if x <= -3 else mpf(1) if x >= 3 else (x + 3) / 6


WIDE = _points("-8.2", "-2.9", "-0.4", "0.7", "2.4", "9.3")
SIGNS = _points("-1.5 2", "1.5 -2", "-1 -1", "0.5 0.5", "2 1")

# Each call, what it is in mpmath, and points of its inputs in order of appearance.
CALLS: tuple[tuple[str, Formula, tuple[Point, ...]], ...] = (
    ("log(x)", mpmath.ln, POSITIVE),
    ("log(x, b)", lambda x, b: mpmath.ln(x) / mpmath.ln(b), POSITIVE_PAIRS),
    ("pow(x, y)", mpmath.power, POSITIVE_PAIRS),
    ("square(x)", lambda x: x * x, ANY),
    ("reciprocal(x)", lambda x: 1 / x, ANY),
    ("rsqrt(x)", lambda x: x ** mpf("-0.5"), POSITIVE),
    ("root(x, n)", lambda x, n: mpmath.exp(mpmath.ln(x) / n), POSITIVE_PAIRS),
    ("multiply(x, y)", lambda x, y: x * y, PAIRS),
    ("divide(x, y)", lambda x, y: x / y, PAIRS),
    ("Max(x)", lambda x: x, ANY),
    ("Max(x, y, 0.25)", lambda x, y: max(x, y, mpf("0.25")), SIGNS),
    ("Min(x, y, 0.25)", lambda x, y: min(x, y, mpf("0.25")), SIGNS),
    ("Heaviside(x)", lambda x: _step(x, mpf("0.5")), _points("-2", "0", "3")),
    ("Heaviside(x, h)", _step, _points("-2 7", "0 7", "3 7")),
    ("where(x > y, x, y)", max, SIGNS),
    ("And(x > 0, y > 0)", lambda x, y: mpf(min(x, y) > 0), SIGNS),
    ("And(x > 0, y > 0, x > y)", lambda x, y: mpf(x > y > 0), SIGNS),
    ("Or(x > 0, y > 0)", lambda x, y: mpf(max(x, y) > 0), SIGNS),
    ("Not(x > y)", lambda x, y: mpf(x <= y), SIGNS),
    ("Eq(x, y)", lambda x, y: mpf(x == y), SIGNS),
    ("Ne(x, y)", lambda x, y: mpf(x != y), SIGNS),
    ("Lt(x, y)", lambda x, y: mpf(x < y), SIGNS),
    ("Le(x, y)", lambda x, y: mpf(x <= y), SIGNS),
    ("Gt(x, y)", lambda x, y: mpf(x > y), SIGNS),
    ("Ge(x, y)", lambda x, y: mpf(x >= y), SIGNS),
    ("cot(x)", mpmath.cot, ANY),
    ("sec(x)", mpmath.sec, ANY),
    ("csc(x)", mpmath.csc, ANY),
    ("acot(x)", mpmath.acot, ANY),
    ("asec(x)", mpmath.asec, ABOVE_ONE),
    ("acsc(x)", mpmath.acsc, ABOVE_ONE),
    ("coth(x)", mpmath.coth, ANY),
    ("acoth(x)", mpmath.acoth, ABOVE_ONE),
    ("asech(x)", mpmath.asech, _points("0.1", "0.5", "0.9")),
    ("acsch(x)", mpmath.acsch, ANY),
    ("sinc(x)", mpmath.sinc, (*ANY, ("0",))),
    ("radians(x)", mpmath.radians, ANY),
    ("degrees(x)", mpmath.degrees, ANY),
    ("frac(x)", lambda x: x - mpmath.floor(x), ANY),
    ("trigamma(x)", lambda x: mpmath.zeta(2, x), POSITIVE),
    ("factorial(x)", mpmath.factorial, POSITIVE),
    ("logit(x)", lambda x: 2 * mpmath.atanh(2 * x - 1), _points("0.1", "0.5", "0.8")),
    ("relu(x)", lambda x: (x + abs(x)) / 2, (*ANY, ("0",))),
    ("relu6(x)", lambda x: min(max(x, mpf(0)), mpf(6)), WIDE),
    ("leaky_relu(x)", lambda x: x if x > 0 else x / 100, ANY),
    ("leaky_relu(x, s)", lambda x, s: x if x > 0 else s * x, PAIRS),
    ("elu(x)", lambda x: _elu(x, mpf(1)), ANY),
    ("elu(x, alpha)", _elu, PAIRS),
    ("silu(x)", lambda x: x / (1 + mpmath.exp(-x)), ANY),
    ("mish(x)", lambda x: x * mpmath.tanh(mpmath.log(1 + mpmath.exp(x))), ANY),
    ("gelu(x)", lambda x: x * mpmath.ncdf(x), ANY),
    ("softsign(x)", lambda x: x / (1 + abs(x)), ANY),
    ("tanhshrink(x)", lambda x: x - mpmath.tanh(x), ANY),
    ("hardtanh(x)", lambda x: min(max(x, mpf(-1)), mpf(1)), WIDE),
    ("hardsigmoid(x)", _hard_sigmoid, WIDE),
    ("hardswish(x)", lambda x: x * _hard_sigmoid(x), WIDE),
)


def _called(expr: str) -> str:
    name = re.match(r"\w+", expr)
    assert name is not None
    return name[0]


def test_every_definition_is_tested() -> None:
    tested = {_called(expr) for expr, _, _ in CALLS}
    wanted = {names[0] for names, function in DEFINITIONS if not function.orders}
    assert tested == wanted


@pytest.mark.parametrize(
    ("expr", "formula", "points"), [pytest.param(*row, id=row[0]) for row in CALLS]
)
def test_definitions(expr: str, formula: Formula, points: tuple[Point, ...]) -> None:
    understood = read(request("Case", expr, {}))
    names = [one.name for one in understood.inputs]
    for point in points:
        with mpmath.workdps(DIGITS):
            numbers = _numbers(point)
            values = dict(zip(names, numbers, strict=True))
            (found,) = evaluate(understood.graph.nodes, [understood.roots[0]], values, DIGITS)
            assert_close(found, formula(*numbers))


@pytest.mark.parametrize("names", [names for names, _ in DEFINITIONS], ids=lambda names: names[0])
def test_every_spelling_of_a_definition_stands_for_the_same(names: tuple[str, ...]) -> None:
    assert {id(FUNCTIONS[name]) for name in names} == {id(FUNCTIONS[names[0]])}


def test_no_spelling_stands_for_two_functions() -> None:
    rows = [name for row in OPERATIONS.values() for name in row.spellings]
    definitions = [name for names, _ in DEFINITIONS for name in names]
    assert sorted([*rows, *definitions]) == sorted(FUNCTIONS)
