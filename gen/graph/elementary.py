"""The rows of arithmetic and of elementary functions.

Values at kinks are torch's (abs: 0, relu: 0, a tie of maximum: one half each, the edge
of clamp: 1), except that hypot and atan2 have gradient 0 at the origin.
"""

from __future__ import annotations

from gen.graph.algebra import Term, call
from gen.graph.conditions import both, compare, either, masked, select
from gen.graph.notation import (
    HALF,
    cos,
    cosh,
    exp,
    floor,
    log,
    nonzero,
    sigmoid,
    sign,
    sin,
    sinh,
    sqrt,
    tanh,
)
from gen.graph.products import integer_power
from gen.graph.row import ADD, DIVIDE, FUNCTION, ROOT, Operation


def _zero(x: Term) -> Term:
    return x.like(0)


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


ARITHMETIC = (
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
    Operation("flag", 1, 0),
    Operation("true", 0, 0),
    Operation("false", 0, 0),
    # ---- an input that may be left out: the operation is skipped where it is None
    Operation("optional_add", 2, ADD, pullback=lambda g, a, b, y: (g, g)),
    Operation("optional_sub", 2, ADD, pullback=lambda g, a, b, y: (g, -g)),
    Operation("optional_mul", 2, ADD, pullback=_optional_mul_pullback),
)

ELEMENTARY = (
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
)
