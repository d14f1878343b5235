"""The search for cheaper nested sums and products."""

from __future__ import annotations

from fractions import Fraction

from gen.graph.horner import Product, added, improved, multiplied, negative, powers_in

X, Y, Z = 1, 2, 3


def _power(base: int, exponent: int = 1, coefficient: int = 1) -> Product:
    return Product(Fraction(coefficient), powers={base: exponent})


def test_products_multiply_coefficients_and_add_exponents() -> None:
    found = multiplied(_power(X, 2, 3), multiplied(_power(X, 1, -2), _power(Y)))
    assert found == Product(Fraction(-6), powers={X: 3, Y: 1})


def test_sums_inside_sums_are_flattened() -> None:
    inner = added(_power(X), _power(Y), closed=False)
    (found,) = added(negative(inner), _power(Z), closed=False).sums
    assert [(int(term.coefficient), list(term.powers)) for term in found.terms] == [
        (-1, [X]),
        (-1, [Y]),
        (1, [Z]),
    ]
    assert found.depth == 1


def test_a_closed_difference_stays_whole() -> None:
    inner = added(_power(X), negative(_power(Y)), closed=True)
    (found,) = added(inner, _power(Z), closed=False).sums
    assert len(found.terms) == 2
    assert found.depth == 2


def test_horner() -> None:
    quadratic = added(
        added(_power(X, 2, 3), _power(X, 1, 5), closed=False), Product(Fraction(7)), closed=False
    )
    found = improved(quadratic, {})
    assert found is not None
    (outer,) = found.sums
    assert outer.terms[0].powers == {X: 1}
    assert outer.terms[1] == Product(Fraction(7))


def test_a_power_that_is_computed_anyway_costs_nothing() -> None:
    # With x**2 given, 3*x**2 + 5*x is as cheap as x*(3*x + 5).
    quadratic = added(_power(X, 2, 3), _power(X, 1, 5), closed=False)
    assert improved(quadratic, {}) is not None
    assert improved(quadratic, {X: {2}}) is None


def test_nothing_is_found_where_nothing_is_common() -> None:
    assert improved(added(_power(X), _power(Y), closed=False), {}) is None


def test_powers_in_all_terms_are_found() -> None:
    inner = added(_power(X, 3), _power(Y, 2), closed=False)
    assert powers_in(multiplied(_power(X, 2), inner)) == {X: {2, 3}, Y: {2}}
