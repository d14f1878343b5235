"""Real spherical harmonics, as polynomials without angles, quotients or roots of inputs.

In: a literal degree and order, and terms. Out: a term. Harmonics of one order share the
recurrence along z, those of all orders the one around it.
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial
from typing import TYPE_CHECKING

from gen.graph.notation import cos, pi, sin, sqrt
from gen.graph.polynomials import Row, degree_and_order, odd_factorial

if TYPE_CHECKING:
    from gen.graph.algebra import Term


def spherical_harmonic(degree: Term, m: Term, x: Term, y: Term, z: Term) -> Term:
    """The real solid harmonic r**l Y_lm, a homogeneous polynomial of degree l in x, y, z.

    On the unit sphere it is the real spherical harmonic, orthonormal there and without the
    phase (-1)**m: Y_11 is sqrt(3/(4 pi)) x. Orders m > 0 go with cos(m phi), m < 0 with
    sin(|m| phi). The convention is that of Blanco, Florez and Bermejo (1997), Journal of
    Molecular Structure: THEOCHEM 419, 19-27.
    """
    n, signed = degree_and_order("spherical_harmonic", degree, m)
    c, s = x.like(1), x.like(0)
    for _ in range(abs(signed)):
        c, s = x * c - y * s, x * s + y * c
    along = _zonal(n, abs(signed), z, x**2 + y**2 + z**2)
    return _norm(n, abs(signed), z) * (s if signed < 0 else c) * along


def real_harmonic(degree: Term, m: Term, theta: Term, phi: Term) -> Term:
    """SymPy's Znm: a real spherical harmonic in angles, with the phase (-1)**m if m > 0."""
    n, signed = degree_and_order("Znm", degree, m)
    k = abs(signed)
    turn = (-1) ** k * cos(k * phi) if signed >= 0 else -sin(k * phi)
    along = _zonal(n, k, cos(theta), theta.like(1))
    return _norm(n, k, theta) * turn * sin(theta) ** k * along


def _norm(n: int, m: int, like: Term) -> Term:
    """What makes the harmonic of this degree and order orthonormal."""
    square = Fraction((2 * n + 1) * factorial(n - m), 4 * factorial(n + m))
    square *= odd_factorial(m) ** 2 * (2 if m else 1)
    return sqrt(square / pi(like))


def _zonal(n: int, m: int, z: Term, square: Term) -> Term:
    """The derivative of order m of P_n, over that of P_m, homogeneous in z and r**2."""
    last, before = z.like(1), z.like(0)
    for k in range(m + 1, n + 1):
        step = (2 * k - 1) * (z * last) - (k + m - 1) * (square * before)
        last, before = step / (k - m), last
    return last


# What expressions may call: spellings, how many arguments, how many of them are orders.
HARMONICS: tuple[Row, ...] = (
    (("spherical_harmonic",), 5, 2, spherical_harmonic),
    (("Znm",), 4, 2, real_harmonic),
)
