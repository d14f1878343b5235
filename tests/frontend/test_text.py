"""Text → formula: what is read, and the whole message for what is not."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction

import pytest

from gen.errors import GenError
from gen.frontend.syntax import MAX_DEPTH
from gen.frontend.text import read
from gen.graph.functions import FUNCTIONS
from gen.graph.language import express
from gen.model import MAX_CHARACTERS, Formula, Request


def _read(expr: str, **options: tuple[str, ...]) -> Formula:
    return read(Request("Case", expr, **options))  # type: ignore[arg-type]


def _names(expr: str, **options: tuple[str, ...]) -> list[str]:
    return [one.name for one in _read(expr, **options).inputs]


def _shown(expr: str) -> str | None:
    formula = _read(expr)
    return express(formula.graph, formula.roots[0], 10_000)


@pytest.mark.parametrize(
    ("expr", "same"),
    [
        ("x**2*x", "x**3"),
        ("2*(3*x)", "6*x"),
        ("x + x", "2*x"),
        ("x/4", "0.25*x"),
        ("-(-x)", "x"),
        ("+x", "x"),
        ("arcsin(x)", "asin(x)"),
        ("maximum(x, y)", "Max(x, y)"),
        ("x if x > 0 else y", "Piecewise((x, x > 0), (y, True))"),
        ("where(x > 0, x, y)", "ITE(x > 0, x, y)"),
        ("0 < x < 1 and True", "And(0 < x, x < 1)"),
        ("x**0.5", "sqrt(x)"),
        ("E**x", "exp(x)"),
        ("ln(x)", "log(x)"),
        ("1_000*x", "1e3*x"),
        ("pow(x, 2)", "x**2"),
        ("(\n  x\n  + y\n)", "x + y"),
    ],
)
def test_spellings_of_the_same_formula(expr: str, same: str) -> None:
    assert _shown(f"1*({expr}) + 0*(x + y)") == _shown(f"1*({same}) + 0*(x + y)")


@pytest.mark.parametrize(
    ("expr", "names"),
    [
        ("b*x + a", ["b", "x", "a"]),
        ("y if x > 0 else z", ["y", "x", "z"]),
        ("beta + gamma*lambda_ + N*S - Q/I", ["beta", "gamma", "lambda_", "N", "S", "Q", "I"]),
        ("re + x0 + t0 + ctx + np + torch", ["re", "x0", "t0", "ctx", "np", "torch"]),
        ("self*grad_output + e + inf", ["self", "grad_output", "e", "inf"]),
        ("pi*x + E", ["x"]),
        ("gamma(gamma) + beta(beta, 2)", ["gamma", "beta"]),
        ("σ*x", ["σ", "x"]),
    ],
)
def test_inputs_in_order_of_appearance(expr: str, names: list[str]) -> None:
    assert _names(expr) == names


def test_args_give_the_order_and_make_pi_and_e_inputs() -> None:
    assert _names("x*E + pi", args=("pi", "E", "x")) == ["pi", "E", "x"]
    assert _names("E*x", const=("E",)) == ["E", "x"]
    assert _names("x", args=("x", "y")) == ["x", "y"]


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        ("0.1", Fraction(1, 10)),
        ("1e-3", Fraction(1, 1000)),
        (".5", Fraction(1, 2)),
        ("3.", Fraction(3)),
        ("1_0.2_5e1", Fraction(205, 2)),
        ("0x10", Fraction(16)),
        ("0.1 + 0.2", Fraction(3, 10)),
        ("2**-3", Fraction(1, 8)),
    ],
)
def test_numbers_are_exact(expr: str, value: Fraction) -> None:
    formula = _read(f"x + ({expr})")
    node = formula.graph[formula.graph[formula.roots[0]].args[1]]
    assert node.payload == value


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_is_read(name: str) -> None:
    conditions = name in ("And", "Or", "Not") or name.startswith("logical_")
    args = ["x > 0" if conditions else "x"] * FUNCTIONS[name].fewest
    args[: FUNCTIONS[name].orders] = ["1"] * FUNCTIONS[name].orders
    if name in ("where", "ITE", "select"):
        args[0] = "x > 0"
    if name == "matmul":
        return
    _read(f"x + {name}({', '.join(args)})")


LANGUAGE = (
    "an expression has numbers, names, + - * / ** @, .T, comparisons, and/or/not, "
    "`a if c else b`, calls of known functions, and statements such as y = x**2 before it"
)


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        (
            "x^2",
            "^ is not part of an expression (column 2)\n    x^2\n     ^\ndid you mean `**`?",
        ),
        (
            "x + sinn(x)",
            "unknown function 'sinn' (column 5)\n    x + sinn(x)\n        ^^^^\n"
            "did you mean 'sin'?",
        ),
        (
            "np.exp(x)",
            "the attribute .exp is not part of an expression (column 1)\n    np.exp(x)\n"
            "    ^^^^^^\nwrite exp(...)",
        ),
        (
            "x[0]",
            "this subscript is not part of an expression (column 3)\n    x[0]\n      ^\n"
            "the one there is adds an axis, as in x[:, None]",
        ),
        (
            "(lambda: x)",
            "a lambda is not part of an expression (column 2)\n    (lambda: x)\n"
            "     ^^^^^^^^^\nwrite the formula itself",
        ),
        (
            "x + f'{x}'",
            f"an f-string is not part of an expression (column 5)\n    x + f'{{x}}'\n"
            f"        ^^^^^^\n{LANGUAGE}",
        ),
        (
            "clip(x, 0, max=1)",
            "clip was given a keyword argument (column 16)\n    clip(x, 0, max=1)\n"
            "                   ^\narguments are positional",
        ),
        (
            "exp(x, y)",
            "exp takes 1 argument, given 2 (column 1)\n    exp(x, y)\n    ^^^^^^^^^",
        ),
        (
            "x(y + 1)",
            "unknown function 'x' (column 1)\n    x(y + 1)\n    ^",
        ),
        (
            "x*x(y + 1)",
            "unknown function 'x' (column 3)\n    x*x(y + 1)\n      ^\n"
            "a product needs its sign: write x*(...)",
        ),
        (
            "2x",
            "not an expression: invalid decimal literal (column 1)\n    2x\n    ^\n"
            "a product needs its sign, as in 2*x",
        ),
        (
            "exp(x",
            "not an expression: '(' was never closed (column 4)\n    exp(x\n       ^",
        ),
        (
            "(x +\n y^2)",
            "^ is not part of an expression (line 2, column 3)\n     y^2)\n      ^\n"
            "did you mean `**`?",
        ),
        (
            "σσ^2",
            "^ is not part of an expression (column 3)\n    σσ^2\n      ^\ndid you mean `**`?",
        ),
        (
            "y if x else z",
            "a condition is needed here (column 6)\n    y if x else z\n         ^\n"
            "compare with something: x > 0",
        ),
        (
            "x/(1 - 1)",
            "division by zero: the expression divides by a constant that is 0 (column 1)\n"
            "    x/(1 - 1)\n    ^^^^^^^^^",
        ),
        (
            "Piecewise((x, x > 0))",
            "no value where every condition fails (column 1)\n    Piecewise((x, x > 0))\n"
            "    ^^^^^^^^^^^^^^^^^^^^^\nend with a pair (value, True)",
        ),
        (
            "x # y",
            "a comment is not part of an expression (column 3)\n    x # y\n      ^",
        ),
        (
            "1j*x",
            "a complex number is not part of an expression (column 1)\n    1j*x\n    ^^\n"
            f"{LANGUAGE}",
        ),
        ("", "the expression is empty; write one, such as 0.5*(5*x**3-3*x)"),
        (
            "2*pi",
            "'2*pi' has no input; an expression needs one, such as x, or one declared by --args",
        ),
        (
            "x @ w",
            "@ needs operands of declared dimensions, given any shape and any shape; "
            "declare them, as in --shape x=N,I --shape w=O,I (column 1)\n    x @ w\n    ^^^^^",
        ),
    ],
)
def test_messages(expr: str, message: str) -> None:
    with pytest.raises(GenError) as fault:
        _read(expr)
    assert str(fault.value) == message


@pytest.mark.parametrize(
    ("expr", "limit"),
    [
        ("(" * 300 + "x" + ")" * 300, f"at most {MAX_DEPTH} levels"),
        ("-" * 50_000 + "x", f"at most {MAX_DEPTH} levels"),
        ("x" + "**x" * 3000, f"at most {MAX_DEPTH} levels"),
        ("x" * (MAX_CHARACTERS + 1), f"at most {MAX_CHARACTERS} are read"),
        ("9**9**9*x", "more than 8192 bits"),
        ("x**9999", "integer exponents go up to 4096"),
        ("(x**4000)**4000", "integer exponents go up to 4096"),
        ("1e999999999*x", "at most 1000 digits are read"),
        ("9" * 5000 + "*x", "at most 1000 digits are read"),
    ],
    ids=lambda value: value[:12],
)
def test_what_would_blow_up_is_refused_with_its_limit(expr: str, limit: str) -> None:
    tracemalloc.start()
    with pytest.raises(GenError, match=limit):
        _read(expr)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()


def test_a_sum_within_the_limit_is_read() -> None:
    assert _shown("+".join(["x"] * (MAX_DEPTH - 10))) == f"{MAX_DEPTH - 10} * x"


@pytest.mark.parametrize(
    "expr",
    [
        "__import__('os').system('true')",
        "x.__class__",
        "(x for x in y)",
        "[x]",
        "{x}",
        "x := 2",
        "await x",
        "x; y",
        "import os",
        "x\\\n+y",
        "'x'",
        "x is y",
        "x in y",
        "*x",
        "...",
        "None",
        "print(x)",
        "eval(x)",
        "open(x)",
        "\x00",
        "\ud800",
        "x\n\nx",
        "f(*x)",
        "exp()",
        "x if",
        "not x",
        "x and y",
        "x.t",
        "x // 2",
        "x % 2",
        "~x",
        "x << 2",
        "0/0 + x",
        "log(0)*x",
        "sqrt(-1)*x",
        "1e308*1e308*x",
    ],
)
def test_everything_else_is_refused(expr: str) -> None:
    from gen import source

    with pytest.raises(GenError):
        source("Case", expr)


@pytest.mark.parametrize(
    "expr",
    [
        'Piecewise((x, True), a=\'"""+str(print(1))+"""\')',
        "Piecewise((x, True), **{1: 2})",
        'where(x > 0, x, y="x")',
        "exp(x, **{'a': 1})",
        "Max(x, *'ab')",
    ],
)
def test_no_text_slips_into_what_is_emitted(expr: str) -> None:
    with pytest.raises(GenError):
        _read(expr)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("2P", "'2P' is no name for a function"),
        ("a b", "'a b' is no name"),
        ("class", "'class' is no name"),
        ("../x", "is no name"),
        ("_x", "it starts with an underscore"),
        ("build", "it is a verb of gen"),
        ("Ψ", "is no name"),
        ("", "is no name"),
    ],
)
def test_names_of_functions(name: str, fault: str) -> None:
    with pytest.raises(GenError, match=fault):
        read(Request(name, "x**2"))


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"args": ("y",)}, "leaves out x, which the expression uses"),
        ({"const": ("c",)}, "--const c: the expression has no input 'c'"),
        ({"optional": ("z",)}, "--optional z"),
        ({"args": ("x", "x")}, "names one twice"),
        ({"const": ("x",)}, "all inputs are constants"),
        ({"optional": ("x",)}, "without the optional input 'x' this has no meaning"),
        ({"args": ("x", "y"), "const": ("y",), "optional": ("y",)}, "it can have no shape"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, tuple[str, ...]], fault: str) -> None:
    with pytest.raises(GenError, match=fault):
        _read("x**2", **options)


@pytest.mark.parametrize("expr", ["exp(b)*x", "x/b", "b - b", "x**b", "b*b", "x + b + exp(b)"])
def test_an_optional_input_is_a_term_or_a_factor(expr: str) -> None:
    with pytest.raises(GenError, match="without the optional input 'b' this has no meaning"):
        _read(expr + " + 0*x", optional=("b",))
