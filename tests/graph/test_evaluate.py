"""Values in high precision, and the floats that constants become."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import pytest

from gen.errors import GenError
from gen.frontend.options import request
from gen.frontend.text import read
from gen.graph.algebra import Term, call, constant, number, symbol
from gen.graph.conditions import compare
from gen.graph.evaluate import as_float, decide, evaluate
from gen.graph.graph import INPUT, Builder


def _value(expr: str, digits: int = 30, **at: str) -> object:
    formula = read(request("Case", expr, {"args": list(at)}))
    values = {name: mpmath.mpf(text) for name, text in at.items()}
    (found,) = evaluate(formula.graph.nodes, [formula.roots[0]], values, digits)
    return found


def _constant(expr: str) -> float:
    """The float that a constant inside an expression becomes."""
    formula = read(request("Case", f"Max(x, {expr})", {}))
    return as_float(formula.graph.nodes, formula.graph[formula.roots[0]].args[1])


# Digits from https://oeis.org: A000796, A001113, A001620, A006752, A001622.
@pytest.mark.parametrize(
    ("name", "digits"),
    [
        ("pi", "3.14159265358979323846264338327950288419716939937510"),
        ("E", "2.71828182845904523536028747135266249775724709369995"),
        ("EulerGamma", "0.57721566490153286060651209008240243104215933593992"),
        ("Catalan", "0.91596559417721901505460351493238411077414937428167"),
        ("GoldenRatio", "1.61803398874989484820458683436563811772030917980576"),
    ],
)
def test_symbolic_constants(name: str, digits: str) -> None:
    term = constant(Builder(), name)
    (found,) = evaluate(term.builder.nodes, [term.id], {})
    with mpmath.workdps(60):
        assert abs(found - mpmath.mpf(digits)) < mpmath.mpf("1e-49")


@pytest.mark.parametrize(
    ("expr", "x", "expected"),
    [
        ("cbrt(x)", "-8", -2),
        ("xlogy(x, x)", "0", 0),
        ("sign(x)", "-3", -1),
        ("round(x)", "2.5", 2),
        ("round(x)", "3.5", 4),
        ("trunc(x)", "-2.7", -2),
        ("floor(x)", "-2.7", -3),
        ("ceil(x)", "-2.7", -2),
        ("Mod(x, 3)", "-1", 2),
        ("Mod(x, -3)", "1", -2),
        ("clip(x, 2, 1)", "5", 1),
        ("Heaviside(x)", "0", 0.5),
        ("erfcinv(x)", "1", 0),
        ("exp2(x)", "10", 1024),
        ("where(x > 0 and x < 2 or not x > -5, 1, 0)", "1", 1),
        ("where(x > 0 and x < 2 or not x > -5, 1, 0)", "-1", 0),
        ("where(x > 0 and x < 2 or not x > -5, 1, 0)", "-5", 1),
        ("where(x >= 1, 1, 0) + where(x <= 1, 2, 0) + where(x != 1, 4, 0)", "1", 3),
    ],
)
def test_values(expr: str, x: str, expected: float) -> None:
    assert _value(expr, x=x) == expected


def test_as_many_digits_as_asked_for() -> None:
    found = [_value("(y + x) - y", digits=digits, x="1e-40", y="1") for digits in (20, 60)]
    assert found[0] == 0
    assert abs(found[1] - mpmath.mpf("1e-40")) < 1e-58


def test_a_branch_that_is_not_taken_may_be_infinite() -> None:
    assert _value("where(x == 0, 1, sin(x))", x="0") == 1


def test_the_precision_outside_stays() -> None:
    before = mpmath.mp.dps
    _value("exp(x)", digits=100, x="1")
    assert mpmath.mp.dps == before


def test_several_roots_at_once() -> None:
    builder = Builder()
    x = symbol(builder, "x")
    assert evaluate(builder.nodes, [(x + 1).id, x.id, x.id], {"x": mpmath.mpf(2)}) == (3, 2, 2)


def test_a_deep_chain_needs_no_recursion() -> None:
    builder = Builder()
    node = builder.node(INPUT, (), "x")
    for _ in range(100_000):
        node = builder.node("neg", (node,))
    assert evaluate(builder.nodes, [node], {"x": mpmath.mpf(3)}) == (3,)


# ---- constants as floats


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("0.1", 0.1),
        ("1/3", 1 / 3),
        ("-2/7", -2 / 7),
        ("1.7976931348623157e308", 1.7976931348623157e308),
        ("5e-324", 5e-324),
        ("pi", math.pi),
        ("E", math.e),
        # Rounded once, from https://oeis.org/A076668 and A002161.
        ("sqrt(2/pi)", 0.79788456080286535588),
        ("sqrt(pi)", 1.77245385090551602730),
        ("2**0.5", 1.41421356237309504880),
        ("exp(1)", math.e),
        ("log(2)", 0.69314718055994530942),
        ("(pi - 355/113)*1e9", -266.764189062422312369),
    ],
)
def test_the_float_nearest_to_a_constant(expr: str, expected: float) -> None:
    assert _constant(expr) == expected


OUTSIDE = "a constant of the expression is outside the range of float64"
NOT_REAL = "a constant of the expression is no finite real number"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("exp", 1000, OUTSIDE),
        ("exp", -1000, OUTSIDE),
        ("sqrt", -1, NOT_REAL),
        ("asin", 2, NOT_REAL),
        ("log", 0, NOT_REAL),
        ("csch", 0, "a constant of the expression has no value: division by zero"),
        ("gamma", 0, "a constant of the expression has no value: gamma function pole"),
    ],
)
def test_functions_of_constants_without_a_float(name: str, value: int, message: str) -> None:
    builder = Builder()
    with pytest.raises(GenError) as fault:
        as_float(builder.nodes, call(name, number(builder, value)).id)
    assert str(fault.value) == message


@pytest.mark.parametrize("value", ["1e400", "-1e400", "1e-400", "-1e-400"])
def test_numbers_outside_the_range_of_float64(value: str) -> None:
    builder = Builder()
    with pytest.raises(GenError) as fault:
        as_float(builder.nodes, number(builder, Fraction(value)).id)
    assert str(fault.value) == OUTSIDE


def test_zero_is_a_float() -> None:
    builder = Builder()
    assert as_float(builder.nodes, number(builder, Fraction(0)).id) == 0.0
    assert as_float(builder.nodes, call("sin", number(builder, 0)).id) == 0.0


# ---- conditions


def _pi_compared(op: str, value: Fraction) -> Term:
    builder = Builder()
    return decide(compare(op, constant(builder, "pi"), number(builder, value)))


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        ("gt", Fraction(3), "true"),
        ("lt", Fraction(3), "false"),
        ("lt", Fraction("3.14159265358979323846264338327950288419716939937511"), "true"),
        ("gt", Fraction("3.14159265358979323846264338327950288419716939937510"), "true"),
        ("ne", Fraction(22, 7), "true"),
    ],
)
def test_what_is_the_same_for_all_inputs_is_decided(
    op: str, value: Fraction, expected: str
) -> None:
    assert _pi_compared(op, value).op == expected


def test_a_condition_on_an_input_is_left_alone() -> None:
    condition = symbol(Builder(), "x") > 0
    assert decide(condition) == condition
