"""Python functions whose bodies are read: what is expected comes from running them."""

from __future__ import annotations

import math
from math import exp as exponential
from typing import Any

import numpy as np
import pytest
from scipy import special

import gen
import gen as other_name
from gen.errors import GenError
from tests.frontend import bodies

SCALE = 2.5
MINUS = -3
POINTS = (-2.5, -0.3, 0.4, 1.7, 30.0)


@gen.function
def lennard_jones(r: float, epsilon: float, sigma: float) -> float:
    """The potential of two neutral atoms."""
    s6 = (sigma / r) ** 6
    return 4 * epsilon * (s6 * s6 - s6)


@gen.function
def again(x: float) -> float:
    """Names that are assigned again, and several at once."""
    y, z = math.sin(x), np.cos(x)
    x = x * y
    x += z
    y = z = x - y
    y *= 2
    total: float = x + y * z
    return total + y


@gen.function
def branches(x: float, k: float) -> float:
    shifted = x + k
    inside = -1 < shifted < 1 and not x > 5
    if inside:
        y = shifted**2
        k = 3 * k
    elif x > 10:
        y = SCALE * x
    else:
        y = MINUS
    if y > 2:
        return y * k
    z = y + 1 if inside else y - 1
    if z < 0:
        z = -z
    return z * k


@gen.function
def returns(x: float) -> float:
    if x > 1:
        if x > 20:
            return x
        x = x - 1
    elif x < -1:
        return -1 - x
    return x * x


@gen.function
def flags(x: float) -> float:
    low = x < 0
    if x < -1:
        low = x > -2
    high = x > 3 if low else x > 20
    if high:
        return x / 2
    return exponential(-abs(x)) if low else max(x, 0.5)


@other_name.function
def calls(x: float) -> float:
    r = again(x) + branches(k=2.0, x=x)
    return lennard_jones(2.0, sigma=1.5, epsilon=r) + math.pi * flags(x)


def _closed_over(factor: float) -> Any:
    @gen.function
    def inner(x: Any) -> Any:
        return factor * x**2

    return inner


def _agree(function: Any, *points: float) -> None:
    """The emitted function and the Python one, at a point."""
    found = float(function(*points))
    assert found == pytest.approx(float(_run(function, *points)), rel=1e-13, abs=1e-13)


def _run(function: Any, *points: float) -> Any:
    """The Python function itself; decorated ones that it calls are run likewise."""
    names = function.function.__globals__
    plain = {name: one.function for name, one in names.items() if hasattr(one, "function")}
    before = {name: names[name] for name in plain if name != "gen" and name != "other_name"}
    names.update({name: plain[name] for name in before})
    try:
        return function.function(*points)
    finally:
        names.update(before)


@pytest.mark.parametrize("x", POINTS)
@pytest.mark.parametrize("function", [again, returns, flags, calls], ids=lambda one: str(one.label))
def test_the_value_is_pythons(function: Any, x: float) -> None:
    _agree(function, x)


@pytest.mark.parametrize("x", POINTS)
@pytest.mark.parametrize("k", [-1.0, 0.5, 2.0])
def test_branches_take_the_way_that_python_takes(x: float, k: float) -> None:
    _agree(branches, x, k)


def test_the_gradient_is_that_of_the_branch_taken() -> None:
    cls: Any = gen.load(returns)
    x = np.array([30.0, 4.0, 0.5, -3.0])
    np.testing.assert_allclose(cls.vjp(x)[1](np.ones(4))[0], [1.0, 6.0, 1.0, -1.0])


def test_a_number_of_the_function_around_is_read() -> None:
    assert float(_closed_over(3.0)(2.0)) == 12.0
    assert '"-1.5 * x ** 2"' in gen.source(_closed_over(-1.5))


def test_arguments_are_given_as_in_python() -> None:
    expected = lennard_jones.function(1.2, 0.5, 1.1)
    assert lennard_jones(1.2, 0.5, 1.1) == pytest.approx(expected)
    assert lennard_jones(1.2, sigma=1.1, epsilon=0.5) == pytest.approx(expected)
    with pytest.raises(TypeError, match="missing a required argument: 'sigma'"):
        lennard_jones(1.2, 0.5)  # type: ignore[call-arg]


def test_it_is_taken_in_place_of_a_name_and_an_expression(tmp_path: Any) -> None:
    text = gen.source(lennard_jones, backend="torch")
    assert text.splitlines()[1:3] == [
        '#     gen LennardJones "s6 = (sigma / r) ** 6; 4 * epsilon * (s6 * s6 - s6)" \\',
        "#         --backend torch --args r,epsilon,sigma",
    ]
    assert gen.load(lennard_jones, backend="torch").__name__ == "LennardJones"
    assert gen.module(lennard_jones).lennard_jones(1.0, 1.0, 1.0) == 0.0
    assert gen.write(lennard_jones, out=tmp_path) == tmp_path / "lennard_jones.py"
    statements = "s6 = (sigma / r) ** 6\n4 * epsilon * (s6 * s6 - s6)"
    assert gen.source("LennardJones", statements, args="r,epsilon,sigma") == gen.source(
        lennard_jones
    )


def test_it_looks_like_the_function() -> None:
    assert lennard_jones.label == "lennard_jones"
    assert lennard_jones.__doc__ == "The potential of two neutral atoms."
    assert repr(lennard_jones) == "<gen.function lennard_jones>"


# ---- options, outputs, tensors


def test_several_outputs_are_called_as_their_variables() -> None:
    module = gen.module(bodies.rotate)
    u, v = module.rotate(1.0, 2.0, 0.3)
    assert (u, v) == pytest.approx(bodies.rotate.function(1.0, 2.0, 0.3))
    assert "--args x,y,t --outputs u,v\n" in gen.source(bodies.rotate)
    assert "--outputs x_new,y_new" in gen.source(bodies.rotate, outputs="x_new,y_new")


def test_the_decorators_options_and_those_given_later() -> None:
    assert "class SmoothL1(Function):" in gen.source(bodies.huber)
    assert "--const d" in gen.source(bodies.huber)
    assert "--const" not in gen.source(bodies.huber, const="")
    assert [float(bodies.huber(x, 1)) for x in (-3.0, 0.5)] == [2.5, 0.125]


def test_tensors_and_an_input_that_may_be_none() -> None:
    x, w, b = np.ones((2, 3)), np.arange(12.0).reshape(4, 3), np.ones(4)
    np.testing.assert_allclose(bodies.linear(x, w), x @ w.T)
    np.testing.assert_allclose(bodies.linear(x, w, b), x @ w.T + b)
    np.testing.assert_allclose(
        bodies.softmax_rows(x * w[:2]), np.exp(x * w[:2]) / np.exp(x * w[:2]).sum(-1)[:, None]
    )


def test_functions_of_one_name_and_of_a_name_that_the_language_has() -> None:
    text = gen.source(bodies.uses_relu)
    assert '"relu(x) + relu_(x) + relu__(x)" --args x' in text
    assert float(bodies.uses_relu(2.0)) == 2.0 + 2.5 + 12.0


def test_functions_that_options_bring_along() -> None:
    assert float(bodies.outside(2.0)) == pytest.approx(special.struve(0, 2.0) + 1)
    assert float(bodies.uses_outside(2.0)) == pytest.approx(special.struve(0, 4.0) + 2)


# ---- what is refused


def _message(function: Any) -> str:
    with pytest.raises(GenError) as fault:
        gen.source(function)
    return str(fault.value)


@pytest.mark.parametrize(
    ("name", "place", "what", "hint"),
    [
        (
            "loop",
            "    for _ in range(3):",
            "for is not part of a function's body",
            "a body has assignments, if and else, and return",
        ),
        (
            "power",
            "    return 2 * (x ^ 2)",
            "^ is not part of an expression",
            "did you mean `**`?",
        ),
        ("unknown", "    return npy.expp(x)", "unknown function 'npy.expp'", "did you mean 'exp'?"),
        (
            "plain",
            "    return 1 + not_read(x)",
            "not_read is no function that gen reads",
            "decorate it with @gen.function, and its body is read too",
        ),
        (
            "listed",
            "    return x * NUMBERS",
            "NUMBERS is list, no number",
            "what a body reads from outside are plain numbers; make it a parameter",
        ),
        ("infinite", "    return x * math.inf", "math.inf is no finite number", ""),
        (
            "sometimes",
            "    if x > 0:",
            "nothing is returned where this condition fails",
            "each branch of a function returns a value",
        ),
        (
            "one_branch",
            "    return y",
            "y is assigned in one branch alone",
            "assign it in both, or before",
        ),
        (
            "default",
            "def default(x: Any, n: Any = 2) -> Any:",
            "an input has no default",
            "the one default there is, is None: such an input may be left out",
        ),
        (
            "starred",
            "def starred(*x: Any) -> Any:",
            "a parameter that is no input",
            "write each input as a parameter of its own, which is given by position",
        ),
        (
            "method",
            "    return x.sum()",
            "the attribute .sum is not part of a function's body",
            "there are .T, a transpose, and .mT; functions are called as in sum(x)",
        ),
        (
            "first",
            "    return 2 * first(x)",
            "the functions call each other in a circle: first -> second -> first",
            "",
        ),
        (
            "truthy",
            "    return x if x else -x",
            "a condition is needed here",
            "compare with something: x > 0",
        ),
        (
            "uses_several",
            "    return rotate(x, x, x) + 1",
            "rotate has several outputs: u, v",
            "a function that is called has one value",
        ),
        (
            "too_many",
            "    return y + maths.exp(x, x)",
            "exp takes 1 argument, given 2",
            "",
        ),
        (
            "hides",
            "    return math.pi * x + pi",
            "math.pi, and an input or variable pi",
            "pi is a constant; rename the other",
        ),
        (
            "unbound",
            "    return x + NOWHERE",
            "NOWHERE is not known here",
            "",
        ),
        (
            "unused",
            "    x + 1",
            "a value that nobody uses",
            "a body has assignments, if and else, and return",
        ),
        (
            "matrix",
            "    return y @ w",
            "@ needs operands of declared dimensions, given any shape and any shape; "
            "declare them, as in --shape x=N,I --shape w=O,I",
            "",
        ),
        *(
            (
                name,
                "    return y @ w",
                "@ needs operands of declared dimensions, given any shape and any shape; "
                "declare them, as in --shape x=N,I --shape w=O,I",
                "",
            )
            for name in ("calls_matrix", "calls_it_inside")
        ),
    ],
)
def test_messages_point_into_the_users_file(name: str, place: str, what: str, hint: str) -> None:
    first, line, carets, *rest = _message(getattr(bodies, name)).split("\n")
    assert first.startswith(f"in bodies.py: {what} (line ")
    assert line == f"    {place}"
    assert "\n".join(rest) == hint
    assert carets.strip("^").isspace()
    number, column = first.rsplit("(line ", 1)[1].rstrip(")").split(", column ")
    assert bodies.LINES[int(number) - 1] == place
    assert carets.index("^") == int(column) + 3


def test_one_message_as_a_whole() -> None:
    number = bodies.LINES.index("    return 1 + not_read(x)") + 1
    assert _message(bodies.plain) == (
        f"in bodies.py: not_read is no function that gen reads (line {number}, column 16)\n"
        "        return 1 + not_read(x)\n"
        "                   ^^^^^^^^\n"
        "decorate it with @gen.function, and its body is read too"
    )


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((bodies.rotate, "x"), {}, "rotate is the expression itself; none is needed beside it"),
        (("F",), {}, "an expression is missing beside the name 'F'"),
        (
            (bodies.rotate,),
            {"args": "t,x,y"},
            "args: the inputs of rotate are its parameters, in their order",
        ),
        ((bodies.rotate,), {"outputs": "u"}, "--outputs u: rotate returns 2 values"),
        ((bodies.rotate,), {"outputs": "x,y"}, "--outputs x: rotate has an input of that name"),
        (
            (bodies.huber,),
            {"outputs": "u"},
            "outputs: huber returns one value, which needs no name",
        ),
    ],
)
def test_messages_of_options(
    arguments: tuple[Any, ...], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(GenError) as fault:
        gen.source(*arguments, **options)
    assert str(fault.value) == message


def test_a_lambda_is_no_function_to_decorate() -> None:
    with pytest.raises(GenError, match=r"gen\.function decorates a function written with def"):
        gen.function(lambda x: x)


def test_a_function_without_a_file() -> None:
    names: dict[str, Any] = {}
    exec("def f(x):\n    return x\n", names)
    with pytest.raises(GenError, match="the source of f cannot be read"):
        gen.source(gen.function(names["f"]))


def test_a_body_is_never_executed() -> None:
    assert bodies.CALLED == []
    assert "np.exp(0.5 * x)" in gen.source(bodies.noisy)
    assert bodies.CALLED == []
    bodies.noisy.function(1.0)
    assert bodies.CALLED == [1]
