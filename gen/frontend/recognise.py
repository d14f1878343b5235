"""Orthogonal polynomials, recognised in what SymPy expands them to.

In: a sum, or the coefficients of a polynomial. Out: the families it holds, or None.
`sympy.legendre(200, x)` is a sum of powers that cancel each other; computed as written, it
is off by more than its value. The equality is exact, so nothing is taken for what it is
not: each family is known by the ratio of its neighbouring coefficients, which follows from
its differential equation (NIST's Digital Library of Mathematical Functions, table 18.8.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import factorial, prod
from typing import TYPE_CHECKING

from gen.graph.functions import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import sympy

    from gen.graph.algebra import Term

# Below this degree the powers lose no more than two digits, and are cheaper.
SMALLEST = 8

_BY_PARAMETER = {Fraction(0): "chebyshevt", Fraction(1, 2): "legendre", Fraction(1): "chebyshevu"}


@dataclass(frozen=True, slots=True)
class Family:
    """An orthogonal polynomial times a number."""

    name: str
    degree: int
    parameters: tuple[Fraction, ...]
    scale: Fraction
    constant: Fraction  # its coefficient of power 0, scaled

    def of(self, x: Term) -> Term:
        parameters = map(x.like, self.parameters)
        return self.scale * FUNCTIONS[self.name].build(x.like(self.degree), *parameters, x)


def recognise(coefficients: Mapping[int, Fraction]) -> Family | None:
    """The family of a polynomial, whatever its constant.

    Args:
        coefficients: those that are not 0, by exponent, from exponent 1 on.
    """
    degree = max(coefficients, default=0)
    if degree < SMALLEST:
        return None
    if set(coefficients) == set(range(2 - degree % 2, degree + 1, 2)):
        return _hermite(degree, coefficients) or _gegenbauer(degree, coefficients)
    if set(coefficients) == set(range(1, degree + 1)):
        return _laguerre(degree, coefficients)
    return None


def _constant(
    coefficients: Mapping[int, Fraction], step: int, ratio: Callable[[int], Fraction]
) -> Fraction | None:
    """The constant of the family where each coefficient is `ratio` times the one above it.

    None where one of those given is not.
    """
    pairs = ((k, k + step) for k in coefficients if k + step in coefficients)
    if any(coefficients[k] != ratio(k) * coefficients[above] for k, above in pairs):
        return None
    return ratio(0) * coefficients[step] if step in coefficients else Fraction(0)


def _hermite(n: int, coefficients: Mapping[int, Fraction]) -> Family | None:
    first = -coefficients[n - 2] / coefficients[n] / (n * (n - 1))
    name, curvature, leading = ("hermite_prob", 1, 1)
    if first == Fraction(1, 4):
        name, curvature, leading = ("hermite", 2, 2**n)
    constant = _constant(
        coefficients, 2, lambda k: Fraction((k + 2) * (k + 1), curvature * (k - n))
    )
    if constant is None:
        return None
    return Family(name, n, (), coefficients[n] / leading, constant)


def _gegenbauer(n: int, coefficients: Mapping[int, Fraction]) -> Family | None:
    first = coefficients[n] / coefficients[n - 2]
    a = -(n * (n - 1) * first / 2 + 2 * n - 2) / 2
    if a < 0:
        return None
    constant = _constant(
        coefficients, 2, lambda k: Fraction((k + 2) * (k + 1)) / ((k - n) * (k + n + 2 * a))
    )
    if constant is None:
        return None
    rising = prod((a + k for k in range(n)), start=Fraction(1))
    leading = Fraction(2**n) * rising / factorial(n) if a else Fraction(2 ** (n - 1))
    known = _BY_PARAMETER.get(a)
    name, parameters = (known, ()) if known else ("gegenbauer", (a,))
    return Family(name, n, parameters, coefficients[n] / leading, constant)


def _laguerre(n: int, coefficients: Mapping[int, Fraction]) -> Family | None:
    alpha = -coefficients[n - 1] / (n * coefficients[n]) - n
    if alpha <= -1:
        return None
    constant = _constant(coefficients, 1, lambda k: (k + 1) * (k + 1 + alpha) / (k - n))
    if constant is None:
        return None
    scale = coefficients[n] * (-1) ** n * factorial(n)
    return Family("assoc_laguerre", n, (alpha,), scale, constant)


# ---- sums


@dataclass(frozen=True, slots=True)
class Families:
    """A sum as orthogonal polynomials, other terms and a number."""

    bases: tuple[sympy.Basic, ...]  # what each polynomial is of
    polynomials: tuple[Family, ...]
    rest: tuple[sympy.Basic, ...]
    constant: Fraction

    def of(self, operands: Sequence[Term]) -> Term:
        """The sum, from terms for the bases and the rest."""
        count = len(self.bases)
        pairs = zip(self.polynomials, operands[:count], strict=True)
        first, *terms = [*(family.of(base) for family, base in pairs), *operands[count:]]
        for term in terms:
            first = first + term
        return first + self.constant


def families(node: sympy.Add) -> Families | None:
    """A sum that holds orthogonal polynomials, as those and what is added to them."""
    powers: dict[sympy.Basic, dict[int, Fraction]] = {}
    monomials = [(term, _monomial(term)) for term in node.args]
    for _, (coefficient, base, exponent) in monomials:
        if exponent:
            powers.setdefault(base, {})[exponent] = coefficient
    found = {base: family for base, one in powers.items() if (family := recognise(one))}
    if not found:
        return None
    numbers = [coefficient for _, (coefficient, _, exponent) in monomials if not exponent]
    constant = sum(numbers, Fraction(0)) - sum(one.constant for one in found.values())
    rest = (term for term, (_, base, exponent) in monomials if exponent and base not in found)
    return Families(tuple(found), tuple(found.values()), tuple(rest), constant)


def _monomial(term: sympy.Basic) -> tuple[Fraction, sympy.Basic, int]:
    """A term as a number times a power of a base; the power 0 is that of numbers alone."""
    one, power = term.as_coeff_Mul(rational=True)
    coefficient = Fraction(int(one.p), int(one.q))
    if power.is_Pow and power.exp.is_Integer and power.exp > 0:
        return coefficient, power.base, int(power.exp)
    return coefficient, power, 0 if power.is_Integer else 1
