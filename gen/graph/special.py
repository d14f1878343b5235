"""The rows of special functions: error, gamma, integrals, Bessel and what else there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.graph.notation import digamma, exp, pi, polygamma, sqrt
from gen.graph.row import FUNCTION, SPECIAL, Operation

if TYPE_CHECKING:
    from gen.graph.algebra import Term


def _gauss(x: Term) -> Term:
    """exp(-x**2) * 2/sqrt(pi), the derivative of erf."""
    return 2 / sqrt(pi(x)) * exp(-(x**2))


def _beta(a: Term, b: Term, y: Term) -> tuple[Term, Term]:
    both_ = digamma(a + b)
    return y * (digamma(a) - both_), y * (digamma(b) - both_)


SPECIAL_FUNCTIONS = (
    # ---- error functions
    Operation("erf", 1, FUNCTION, lambda x, y: (_gauss(x),), spellings=("erf",), sympy="erf"),
    Operation("erfc", 1, FUNCTION, lambda x, y: (-_gauss(x),), spellings=("erfc",), sympy="erfc"),
    Operation(
        "erfcx",
        1,
        SPECIAL,
        lambda x, y: (2 * x * y - 2 / sqrt(pi(x)),),
        spellings=("erfcx",),
    ),
    Operation(
        "erfi",
        1,
        SPECIAL,
        lambda x, y: (2 / sqrt(pi(x)) * exp(x**2),),
        spellings=("erfi",),
        sympy="erfi",
    ),
    Operation(
        "erfinv",
        1,
        SPECIAL,
        lambda x, y: (sqrt(pi(x)) / 2 * exp(y**2),),
        spellings=("erfinv",),
        sympy="erfinv",
    ),
    Operation(
        "erfcinv",
        1,
        SPECIAL,
        lambda x, y: (-sqrt(pi(x)) / 2 * exp(y**2),),
        spellings=("erfcinv",),
        sympy="erfcinv",
    ),
    Operation(
        "ndtr",
        1,
        FUNCTION,
        lambda x, y: (1 / sqrt(2 * pi(x)) * exp(-(x**2) / 2),),
        spellings=("ndtr",),
        mpmath="ncdf",
    ),
    # ---- gamma functions
    Operation(
        "gamma", 1, SPECIAL, lambda x, y: (y * digamma(x),), spellings=("gamma",), sympy="gamma"
    ),
    Operation(
        "loggamma",
        1,
        SPECIAL,
        lambda x, y: (digamma(x),),
        spellings=("loggamma", "lgamma", "gammaln"),
        sympy="loggamma",
    ),
    Operation(
        "digamma",
        1,
        SPECIAL,
        lambda x, y: (polygamma(x.like(1), x),),
        spellings=("digamma", "psi"),
        sympy="digamma",
    ),
    Operation(
        "polygamma",
        2,
        SPECIAL,
        lambda n, x, y: (None, polygamma(n + 1, x)),
        spellings=("polygamma",),
        sympy="polygamma",
    ),
    Operation("beta", 2, SPECIAL, _beta, spellings=("beta",), sympy="beta"),
    # ---- differentiated by SymPy
    Operation("Ei", 1, SPECIAL, spellings=("Ei", "expi"), mpmath="ei", sympy="Ei"),
    Operation("Si", 1, SPECIAL, spellings=("Si",), mpmath="si", sympy="Si"),
    Operation("Ci", 1, SPECIAL, spellings=("Ci",), mpmath="ci", sympy="Ci"),
    Operation("Shi", 1, SPECIAL, spellings=("Shi",), mpmath="shi", sympy="Shi"),
    Operation("Chi", 1, SPECIAL, spellings=("Chi",), mpmath="chi", sympy="Chi"),
    Operation("fresnels", 1, SPECIAL, spellings=("fresnels",), sympy="fresnels"),
    Operation("fresnelc", 1, SPECIAL, spellings=("fresnelc",), sympy="fresnelc"),
    Operation("airyai", 1, SPECIAL, spellings=("airyai",), sympy="airyai"),
    Operation("airybi", 1, SPECIAL, spellings=("airybi",), sympy="airybi"),
    Operation("airyaiprime", 1, SPECIAL, spellings=("airyaiprime",), sympy="airyaiprime"),
    Operation("airybiprime", 1, SPECIAL, spellings=("airybiprime",), sympy="airybiprime"),
    Operation("besselj", 2, SPECIAL, spellings=("besselj", "jv"), sympy="besselj"),
    Operation("bessely", 2, SPECIAL, spellings=("bessely", "yv"), sympy="bessely"),
    Operation("besseli", 2, SPECIAL, spellings=("besseli", "iv"), sympy="besseli"),
    Operation("besselk", 2, SPECIAL, spellings=("besselk", "kv"), sympy="besselk"),
    Operation(
        "lambertw",
        1,
        SPECIAL,
        lambda x, y: (exp(-y) / (1 + y),),
        spellings=("LambertW", "lambertw"),
        sympy="LambertW",
    ),
    Operation(
        "elliptic_k",
        1,
        SPECIAL,
        spellings=("elliptic_k", "ellipk"),
        mpmath="ellipk",
        sympy="elliptic_k",
    ),
    Operation(
        "elliptic_e",
        1,
        SPECIAL,
        spellings=("elliptic_e", "ellipe"),
        mpmath="ellipe",
        sympy="elliptic_e",
    ),
)
