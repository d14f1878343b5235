"""Orthogonal polynomials, as the recurrences that compute them.

In: literal orders and terms. Out: a term of a few operations for each order; orders of one
family share their recurrence. Written out in powers of x, a Legendre polynomial of degree
30 has lost ten digits at x = 1, of degree 200 all of them; by recurrence it has them all.

Families on [-1, 1] that are even or odd are polynomials R in x**2, with R = 1 where x**2
is 1. They run in differences, R(m) = R(m-1) + D(m) with

    D(m) = a(m) D(m-1) + b(m) (x**2 - 1) R(m-1)

which is exact at both ends, where the usual recurrence loses digits as the square of the
degree, and takes half the steps. Conventions are those of NIST's Digital Library of
Mathematical Functions, chapters 14 and 18.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import factorial, prod
from typing import TypeAlias

from gen.errors import GenError
from gen.graph.algebra import Term
from gen.graph.conditions import select
from gen.graph.notation import HALF, sqrt

Row: TypeAlias = tuple[tuple[str, ...], int, int, Callable[..., Term]]

MAX_ORDER = 1000

# From this degree on, x**2 - 1 has to be accurate relative to itself near x = 1.
_HIGH = 16


def _degree(function: str, term: Term) -> int:
    """The literal degree of a function, or a `GenError` that says which are supported."""
    value = term.number
    if value is None or value.denominator != 1 or not 0 <= value <= MAX_ORDER:
        raise GenError(
            f"{function} takes a whole number from 0 to {MAX_ORDER} as its degree, "
            f"given {_shown(term)}"
        )
    return value.numerator


def degree_and_order(function: str, degree: Term, m: Term) -> tuple[int, int]:
    """The literal degree n and order of a function, the order from -n to n."""
    n = _degree(function, degree)
    value = m.number
    if value is None or value.denominator != 1 or abs(value) > n:
        raise GenError(
            f"{function} of degree {n} takes a whole number from {-n} to {n} as its order, "
            f"given {_shown(m)}"
        )
    return n, value.numerator


def _shown(term: Term) -> str:
    return "an expression" if term.number is None else str(term.number)


# ---- even and odd polynomials on [-1, 1]


def legendre(degree: Term, x: Term) -> Term:
    """The Legendre polynomial P_n(x)."""
    return _ultraspherical(_degree("legendre", degree), Fraction(0), x)


def chebyshevt(degree: Term, x: Term) -> Term:
    """The Chebyshev polynomial of the first kind, cos(n t) for x = cos(t)."""
    n = _degree("chebyshevt", degree)
    return _ultraspherical(n, -HALF, x) if n < _HIGH else _mirrored_chebyshev(n, x)


def chebyshevu(degree: Term, x: Term) -> Term:
    """The Chebyshev polynomial of the second kind, sin((n + 1) t)/sin(t) for x = cos(t)."""
    n = _degree("chebyshevu", degree)
    return (n + 1) * _ultraspherical(n, HALF, x)


def gegenbauer(degree: Term, a: Term, x: Term) -> Term:
    """The Gegenbauer polynomial of degree n and parameter a."""
    n = _degree("gegenbauer", degree)
    if a.number is not None and a.number > 0:
        at_one = prod(((2 * a.number + k) / (k + 1) for k in range(n)), start=Fraction(1))
        return at_one * _ultraspherical(n, a.number - HALF, x)
    last, before = x.like(1), x.like(0)
    for k in range(1, n + 1):
        last, before = (2 * (a + (k - 1)) * x * last - (2 * a + (k - 2)) * before) / k, last
    return last


def assoc_legendre(degree: Term, m: Term, x: Term) -> Term:
    """The associated Legendre function of degree n and order m, with the phase (-1)**m."""
    n, signed = degree_and_order("assoc_legendre", degree, m)
    k = abs(signed)
    scale = Fraction(odd_factorial(k) * _choices(n + k, n - k))
    scale *= (-1) ** k if signed >= 0 else Fraction(factorial(n - k), factorial(n + k))
    square = (1 - x) * (1 + x)
    root = sqrt(square) if k % 2 else x.like(1)
    return scale * root * square ** (k // 2) * _ultraspherical(n - k, Fraction(k), x)


def _ultraspherical(n: int, alpha: Fraction, x: Term) -> Term:
    """The polynomial of degree n orthogonal under (1 - x**2)**alpha that is 1 at x = 1."""
    half = _from_one(n // 2, alpha, HALF if n % 2 else -HALF, 2 * _below_one(n, x))
    return x * half if n % 2 else half


def _from_one(n: int, alpha: Fraction, beta: Fraction, s: Term) -> Term:
    """The Jacobi polynomial of degree n in 1 + s, over its value at s = 0."""
    value, difference, total = s.like(1), s.like(0), alpha + beta
    for k in range(1, n + 1):
        # At k = 1 the factor k + total stands above and below; it may be 0.
        a = (k - 1) * (k + beta - 1) * (2 * k + total) if k > 1 else Fraction(0)
        a /= (k + alpha) * (k + total) * (2 * k + total - 2) if k > 1 else 1
        b = (2 * k + total) / (2 * (k + alpha))
        b *= (2 * k + total - 1) / (k + total) if k > 1 else 1
        difference = a * difference + b * (s * value)
        value = value + difference
    return value


def _mirrored_chebyshev(n: int, x: Term) -> Term:
    """The Chebyshev polynomial in differences from x = 1, or from -1 for x < 0.

    It is as large at x = 0 as at the ends, so that x**2 - 1 has too few digits there.
    """
    below = x < 0
    size = select(below, -x, x)
    value, difference, twice = size, size - 1, 2 * size - 2
    for _ in range(1, n):
        difference = difference + twice * value
        value = value + difference
    return select(below, -value, value) if n % 2 else value


def _below_one(degree: int, x: Term) -> Term:
    """x**2 - 1, accurate where a polynomial of this degree is sensitive to it."""
    square = x**2
    if degree < _HIGH:
        return square - 1
    return select(square < Fraction(1, 4), square - 1, (x - 1) * (x + 1))


def odd_factorial(k: int) -> int:
    """The product 1 * 3 * 5 * ... * (2k - 1)."""
    return prod(range(1, 2 * k, 2))


def _choices(n: int, k: int) -> int:
    return factorial(n) // (factorial(k) * factorial(n - k))


# ---- Jacobi, Laguerre and Hermite polynomials


def jacobi(degree: Term, a: Term, b: Term, x: Term) -> Term:
    """The Jacobi polynomial of degree n and parameters a and b."""
    n = _degree("jacobi", degree)
    total, last, before = a + b, x.like(1), x.like(0)
    for k in range(1, n + 1):
        if k == 1:
            last, before = (a + 1) + (total + 2) / 2 * (x - 1), last
            continue
        width = total + 2 * k
        slope = (width - 1) * (width * (width - 2) * x + (a - b) * total)
        behind = 2 * (a + (k - 1)) * (b + (k - 1)) * width
        last, before = (slope * last - behind * before) / (2 * k * (total + k) * (width - 2)), last
    return last


def laguerre(degree: Term, x: Term) -> Term:
    """The Laguerre polynomial L_n(x)."""
    return _laguerre(_degree("laguerre", degree), x.like(0), x)


def assoc_laguerre(degree: Term, alpha: Term, x: Term) -> Term:
    """The generalised Laguerre polynomial of degree n and parameter alpha."""
    return _laguerre(_degree("assoc_laguerre", degree), alpha, x)


def _laguerre(n: int, alpha: Term, x: Term) -> Term:
    """In differences, as above: near x = 0 no digits are lost."""
    value, difference = x.like(1), x.like(0)
    for k in range(1, n + 1):
        # The part of alpha is none of the difference at k = 1, where that is 0.
        inner = (alpha + (k - 1)) * difference - x * value
        difference = (alpha - x if k == 1 else inner) / k
        value = value + difference
    return value


def hermite(degree: Term, x: Term) -> Term:
    """The Hermite polynomial H_n(x) of physicists, with 2**n before x**n."""
    n = _degree("hermite", degree)
    return (1 << n) * _hermite(n, HALF, x)


def hermite_prob(degree: Term, x: Term) -> Term:
    """The Hermite polynomial He_n(x) of probabilists, with 1 before x**n."""
    return _hermite(_degree("hermite_prob", degree), Fraction(1), x)


def _hermite(n: int, variance: Fraction, x: Term) -> Term:
    """The polynomial orthogonal under a normal distribution, with 1 before x**n."""
    last, before = x.like(1), x.like(0)
    for k in range(1, n + 1):
        last, before = x * last - (k - 1) * variance * before, last
    return last


# What expressions may call: spellings, how many arguments, how many of them are orders.
POLYNOMIALS: tuple[Row, ...] = (
    (("legendre", "eval_legendre"), 2, 1, legendre),
    (("chebyshevt", "eval_chebyt"), 2, 1, chebyshevt),
    (("chebyshevu", "eval_chebyu"), 2, 1, chebyshevu),
    (("gegenbauer", "eval_gegenbauer"), 3, 1, gegenbauer),
    (("assoc_legendre",), 3, 2, assoc_legendre),
    (("jacobi", "eval_jacobi"), 4, 1, jacobi),
    (("laguerre", "eval_laguerre"), 2, 1, laguerre),
    (("assoc_laguerre", "eval_genlaguerre"), 3, 1, assoc_laguerre),
    (("hermite", "eval_hermite"), 2, 1, hermite),
    (("hermite_prob", "eval_hermitenorm"), 2, 1, hermite_prob),
)
