"""THE table of operations: one row each, with its derivative, cost and spellings.

In: nothing. Out: `OPERATIONS`, what a graph may consist of. A row gives its derivative as
partials in terms of the operands and of the output `y`, whichever is cheaper; a row
without partials takes them from the `fdiff` of the SymPy function of that name.

Values at kinks are torch's (abs: 0, relu: 0, a tie of maximum: one half each, the edge
of clamp: 1), except that hypot and atan2 have gradient 0 at the origin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from gen.graph.algebra import (
    Term,
    both,
    call,
    compare,
    constant,
    either,
    integer_power,
    masked,
    select,
)
from gen.graph.graph import BOOLEANS, CUSTOM, LEAVES, Node
from gen.graph.indices import TENSOR_OPERATIONS
from gen.graph.tensors import (
    det_pullback,
    extremum_pullback,
    inv_pullback,
    log_softmax_pullback,
    logdet_pullback,
    logsumexp_pullback,
    norm_pullback,
    prod_pullback,
    rename_pullback,
    softmax_pullback,
    solve_pullback,
    sum_pullback,
)

# Called with the operands and then the output; one partial for each operand, None where
# no rule is known.
Partials: TypeAlias = Callable[..., tuple[Term | None, ...]]
# Called with the output's cotangent, the operands and the output; one cotangent for each
# operand, None where the operand has no derivative.
Pullback: TypeAlias = Callable[..., tuple[Term | None, ...]]

# Costs in additions, as measured for large arrays.
ADD, DIVIDE, ROOT, FUNCTION, SPECIAL, MATRIX = 1, 5, 6, 20, 80, 200

HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table."""

    name: str
    arity: int
    cost: int
    partials: Partials | None = None  # the derivative of an elementwise operation
    pullback: Pullback | None = None  # instead of partials: the whole rule at once
    spellings: tuple[str, ...] = ()  # names in an expression; none: written with operators
    mpmath: str = ""  # its name in mpmath, where that is not `name`
    sympy: str = ""  # its class in SymPy, for expressions from there and for fdiff


def named(name: str) -> Callable[..., Term]:
    return lambda *args: call(name, *args)


exp, log, sqrt, floor, sign = map(named, ("exp", "log", "sqrt", "floor", "sign"))
sin, cos, sinh, cosh, tanh = map(named, ("sin", "cos", "sinh", "cosh", "tanh"))
asin, acos, atan, asinh, acosh, atanh = map(
    named, ("asin", "acos", "atan", "asinh", "acosh", "atanh")
)
sigmoid, softplus, digamma, polygamma = map(named, ("sigmoid", "softplus", "digamma", "polygamma"))
erf, maximum, minimum, clamp = map(named, ("erf", "maximum", "minimum", "clamp"))


def pi(like: Term) -> Term:
    return constant(like.builder, "pi")


def _zero(x: Term) -> Term:
    return x.like(0)


def nonzero(x: Term) -> Term:
    """x, with 1 in place of 0: a divisor for quotients whose numerator is 0 there."""
    return select(compare("eq", x, x.like(0)), x.like(1), x)


def _gauss(x: Term) -> Term:
    """exp(-x**2) * 2/sqrt(pi), the derivative of erf."""
    return 2 / sqrt(pi(x)) * exp(-(x**2))


def _maximum(a: Term, b: Term, y: Term) -> tuple[Term, Term]:
    if 0 in (a.number, b.number):
        relu = select(y <= 0, y.like(0), y.like(1))
        return relu, relu
    tie = select(compare("eq", a, b), y.like(HALF), y.like(1))
    return select(a < b, y.like(0), tie), select(b < a, y.like(0), tie)


def _minimum(a: Term, b: Term, y: Term) -> tuple[Term, Term]:
    if 0 in (a.number, b.number):
        relu = select(y >= 0, y.like(0), y.like(1))
        return relu, relu
    tie = select(compare("eq", a, b), y.like(HALF), y.like(1))
    return select(a > b, y.like(0), tie), select(b > a, y.like(0), tie)


def _clamp(x: Term, low: Term, high: Term, y: Term) -> tuple[Term, Term, Term]:
    zero, one = y.like(0), y.like(1)
    return (
        select(either(x < low, x > high), zero, one),
        select(both(x < low, low <= high), one, zero),
        select(either(x > high, low > high), one, zero),
    )


def _power(x: Term, n: Term, y: Term) -> tuple[Term, Term]:
    # y is 0 where x is 0 and n > 0: any finite logarithm does there.
    slope = y * (log(x) if x.is_constant else log(nonzero(x)))
    if n.number is not None and n.number < 0:
        return n * (y / x), slope
    # At n = 0 the factor x**-1 would be inf for x = 0, and 0 * inf is NaN.
    lower = n - 1 if n.is_constant else select(compare("eq", n, n.like(0)), n, n - 1)
    return n * x**lower, slope


def _integer_power(x: Term, y: Term) -> tuple[Term]:
    n = y.exponent
    # Dividing by x is allowed where the power does so itself.
    return (n * integer_power(x, n - 1) if n > 0 else n * (y / x),)


def _hypot(a: Term, b: Term, y: Term) -> tuple[Term, Term]:
    safe = y if a.number or b.number else nonzero(y)
    return a / safe, b / safe


def _atan2(a: Term, b: Term, y: Term) -> tuple[Term, Term]:
    square = a**2 + b**2
    safe = square if a.number or b.number else nonzero(square)
    return b / safe, -(a / safe)


def _xlogy(a: Term, b: Term, y: Term) -> tuple[Term, Term]:
    # 0 * log(0) is 0 along a = 0, and so is its derivative.
    zero = both(compare("eq", a, a.like(0)), b <= 0)
    return select(zero, y.like(0), log(select(zero, y.like(1), b))), a / b


def _beta(a: Term, b: Term, y: Term) -> tuple[Term, Term]:
    both_ = digamma(a + b)
    return y * (digamma(a) - both_), y * (digamma(b) - both_)


def _mul_pullback(g: Term, a: Term, b: Term, y: Term) -> tuple[Term, Term]:
    return masked(g, b), masked(g, a)


def _div_pullback(g: Term, a: Term, b: Term, y: Term) -> tuple[Term, Term]:
    over = g / b
    return over, -(over * y)


def _select_pullback(g: Term, c: Term, a: Term, b: Term, y: Term) -> tuple[Term | None, ...]:
    # The cotangent is masked where it leaves a branch, not where it enters: see vjp.py.
    return None, g, g


def _optional_mul_pullback(g: Term, a: Term, b: Term, y: Term) -> tuple[Term, Term]:
    return call("optional_mul", g, b), g * a


_ROWS = (
    # ---- arithmetic, written with operators
    Operation("add", 2, ADD, pullback=lambda g, a, b, y: (g, g)),
    Operation("sub", 2, ADD, pullback=lambda g, a, b, y: (g, -g)),
    Operation("mul", 2, ADD, pullback=_mul_pullback),
    Operation("div", 2, DIVIDE, pullback=_div_pullback),
    Operation("neg", 1, ADD, pullback=lambda g, a, y: (-g,)),
    Operation("pow", 1, 2 * ADD, _integer_power),
    Operation("power", 2, 3 * FUNCTION, _power),
    Operation("select", 3, 2 * ADD, pullback=_select_pullback),
    *(Operation(name, 2, ADD) for name in ("lt", "le", "gt", "ge", "eq", "ne", "and", "or")),
    Operation("not", 1, ADD),
    Operation("true", 0, 0),
    Operation("false", 0, 0),
    # ---- an input that may be left out: the operation is skipped where it is None
    Operation("optional_add", 2, ADD, pullback=lambda g, a, b, y: (g, g)),
    Operation("optional_sub", 2, ADD, pullback=lambda g, a, b, y: (g, -g)),
    Operation("optional_mul", 2, ADD, pullback=_optional_mul_pullback),
    # ---- over indices, which the payload names: tensors.py has the rules
    Operation("sum", 1, ADD, pullback=sum_pullback),
    Operation("rename", 1, 0, pullback=rename_pullback),
    Operation("amax", 1, ADD, pullback=extremum_pullback),
    Operation("amin", 1, ADD, pullback=extremum_pullback),
    Operation("prod", 1, ADD, pullback=prod_pullback),
    Operation("prod_others", 1, 4 * ADD),
    Operation("logsumexp", 1, 2 * FUNCTION, pullback=logsumexp_pullback),
    Operation("norm", 1, 2 * ADD, pullback=norm_pullback),
    Operation("softmax", 1, 2 * FUNCTION, pullback=softmax_pullback),
    Operation("log_softmax", 1, 2 * FUNCTION, pullback=log_softmax_pullback),
    Operation("spread", 1, 0, pullback=sum_pullback),
    Operation("gather", 1, ADD),
    Operation("inv", 1, MATRIX, pullback=inv_pullback),
    Operation("det", 1, MATRIX, pullback=det_pullback),
    Operation("cofactor", 1, MATRIX),
    Operation("logdet", 1, MATRIX, pullback=logdet_pullback),
    Operation("solve", 2, MATRIX, pullback=solve_pullback),
    # ---- a function of the user's own, which the payload names
    Operation(CUSTOM, 0, SPECIAL),
    # ---- roots, exponentials, logarithms
    Operation("sqrt", 1, ROOT, lambda x, y: (1 / (2 * y),), spellings=("sqrt",), sympy="sqrt"),
    Operation("cbrt", 1, FUNCTION, lambda x, y: (1 / (3 * y**2),), spellings=("cbrt",)),
    Operation("exp", 1, FUNCTION, lambda x, y: (y,), spellings=("exp",), sympy="exp"),
    Operation("exp2", 1, FUNCTION, lambda x, y: (log(x.like(2)) * y,), spellings=("exp2",)),
    Operation("expm1", 1, FUNCTION, lambda x, y: (exp(x),), spellings=("expm1",), sympy="expm1"),
    Operation("log", 1, FUNCTION, lambda x, y: (1 / x,), sympy="log"),
    Operation("log1p", 1, FUNCTION, lambda x, y: (1 / (1 + x),), spellings=("log1p",)),
    Operation("log2", 1, FUNCTION, lambda x, y: (1 / (log(x.like(2)) * x),), spellings=("log2",)),
    Operation(
        "log10", 1, FUNCTION, lambda x, y: (1 / (log(x.like(10)) * x),), spellings=("log10",)
    ),
    Operation(
        "xlogy",
        2,
        FUNCTION,
        _xlogy,
        spellings=("xlogy",),
    ),
    Operation(
        "logaddexp",
        2,
        2 * FUNCTION,
        lambda a, b, y: (sigmoid(a - b), sigmoid(b - a)),
        spellings=("logaddexp",),
    ),
    # ---- trigonometric
    Operation("sin", 1, FUNCTION, lambda x, y: (cos(x),), spellings=("sin",), sympy="sin"),
    Operation("cos", 1, FUNCTION, lambda x, y: (-sin(x),), spellings=("cos",), sympy="cos"),
    Operation("tan", 1, FUNCTION, lambda x, y: (1 + y**2,), spellings=("tan",), sympy="tan"),
    Operation(
        "asin",
        1,
        FUNCTION,
        lambda x, y: (1 / sqrt((1 - x) * (1 + x)),),
        spellings=("asin", "arcsin"),
        sympy="asin",
    ),
    Operation(
        "acos",
        1,
        FUNCTION,
        lambda x, y: (-(1 / sqrt((1 - x) * (1 + x))),),
        spellings=("acos", "arccos"),
        sympy="acos",
    ),
    Operation(
        "atan",
        1,
        FUNCTION,
        lambda x, y: (1 / (1 + x**2),),
        spellings=("atan", "arctan"),
        sympy="atan",
    ),
    Operation("atan2", 2, 2 * FUNCTION, _atan2, spellings=("atan2", "arctan2"), sympy="atan2"),
    Operation("hypot", 2, FUNCTION, _hypot, spellings=("hypot",)),
    # ---- hyperbolic
    Operation("sinh", 1, FUNCTION, lambda x, y: (cosh(x),), spellings=("sinh",), sympy="sinh"),
    Operation("cosh", 1, FUNCTION, lambda x, y: (sinh(x),), spellings=("cosh",), sympy="cosh"),
    Operation("tanh", 1, FUNCTION, lambda x, y: (1 - y**2,), spellings=("tanh",), sympy="tanh"),
    Operation(
        "asinh",
        1,
        FUNCTION,
        lambda x, y: (1 / sqrt(1 + x**2),),
        spellings=("asinh", "arcsinh"),
        sympy="asinh",
    ),
    Operation(
        "acosh",
        1,
        FUNCTION,
        lambda x, y: (1 / sqrt((x - 1) * (x + 1)),),
        spellings=("acosh", "arccosh"),
        sympy="acosh",
    ),
    Operation(
        "atanh",
        1,
        FUNCTION,
        lambda x, y: (1 / ((1 - x) * (1 + x)),),
        spellings=("atanh", "arctanh"),
        sympy="atanh",
    ),
    # Their own rows, since the rule of 1/cosh(x) is 0 * inf where cosh overflows.
    Operation(
        "sech", 1, FUNCTION, lambda x, y: (-(y * tanh(x)),), spellings=("sech",), sympy="sech"
    ),
    Operation(
        "csch", 1, FUNCTION, lambda x, y: (-(y / tanh(x)),), spellings=("csch",), sympy="csch"
    ),
    # ---- logistic
    Operation(
        "sigmoid",
        1,
        FUNCTION,
        lambda x, y: (y * (1 - y),),
        spellings=("sigmoid", "expit", "logistic"),
    ),
    Operation("softplus", 1, 2 * FUNCTION, lambda x, y: (sigmoid(x),), spellings=("softplus",)),
    Operation(
        "logsigmoid",
        1,
        2 * FUNCTION,
        lambda x, y: (sigmoid(-x),),
        spellings=("logsigmoid", "log_sigmoid", "log_expit"),
    ),
    # ---- kinks and steps
    Operation(
        "abs",
        1,
        ADD,
        lambda x, y: (sign(x),),
        spellings=("abs", "Abs", "fabs", "absolute"),
        mpmath="fabs",
        sympy="Abs",
    ),
    Operation("sign", 1, ADD, lambda x, y: (_zero(x),), spellings=("sign", "sgn"), sympy="sign"),
    Operation("maximum", 2, ADD, _maximum),
    Operation("minimum", 2, ADD, _minimum),
    Operation("clamp", 3, 2 * ADD, _clamp, spellings=("clip", "clamp")),
    Operation(
        "heaviside",
        2,
        ADD,
        lambda x, h, y: (_zero(x), select(compare("eq", x, x.like(0)), x.like(1), x.like(0))),
    ),
    Operation("floor", 1, ADD, lambda x, y: (_zero(x),), spellings=("floor",), sympy="floor"),
    Operation(
        "ceil",
        1,
        ADD,
        lambda x, y: (_zero(x),),
        spellings=("ceil", "ceiling"),
        sympy="ceiling",
    ),
    Operation("round", 1, ADD, lambda x, y: (_zero(x),), spellings=("round", "rint")),
    Operation("trunc", 1, ADD, lambda x, y: (_zero(x),), spellings=("trunc", "fix")),
    Operation(
        "mod",
        2,
        DIVIDE,
        lambda a, b, y: (a.like(1), -floor(a / b)),
        spellings=("Mod", "mod", "remainder"),
        sympy="Mod",
    ),
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

OPERATIONS: dict[str, Operation] = {row.name: row for row in _ROWS}

# Operations that are finite, and have finite derivatives, wherever their operands are.
_HARMLESS = (
    LEAVES
    | BOOLEANS
    | TENSOR_OPERATIONS  # which no branch reaches into
    | {
        *("add", "sub", "mul", "neg", "select", "maximum", "minimum", "clamp", "abs", "sign"),
        *("heaviside", "floor", "ceil", "round", "trunc", "sin", "cos", "tanh", "atan", "asinh"),
        *("sigmoid", "softplus", "logsigmoid", "logaddexp", "erf", "erfc", "ndtr"),
        *("optional_add", "optional_sub", "optional_mul"),
    }
)


def is_harmless(node: Node) -> bool:
    """Whether a node is finite, with a finite derivative, wherever its operands are finite."""
    if node.op == "pow" and isinstance(node.payload, int):
        return node.payload > 0
    return node.op in _HARMLESS
