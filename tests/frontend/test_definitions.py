"""Functions that expressions call: what they mean, and the whole message for what fails."""

from __future__ import annotations

import math

import pytest

import gen
from gen.errors import GenError
from gen.frontend.definitions import definitions
from gen.frontend.options import request
from gen.frontend.text import read
from gen.model import Definition
from gen.provenance import fingerprint


def _value(expr: str, define: object, *inputs: float) -> float:
    return float(gen.load("F", expr, define=define).apply(*inputs))  # type: ignore[arg-type]


def test_a_mapping_and_texts_say_the_same() -> None:
    found = definitions({"f(x, n)": "x**n", "one()": "1"})
    assert found == (Definition("f", ("x", "n"), "x**n"), Definition("one", (), "1"))
    assert definitions(["f(x, n) = x**n", "one( )=1"]) == found


@pytest.mark.parametrize(
    ("expr", "define", "expected"),
    [
        ("f(f(x))", {"f(x)": "x**2 + 1"}, 26.0),
        ("f(3, x) - f(x, 3)", {"f(a, b)": "a**b"}, 1.0),
        ("f(x)", {"f(y)": "g(y)*2", "g(z)": "z + 1"}, 6.0),
        ("f(x)", {"f(x)": "t = x**2; t + t*x"}, 12.0),
        ("f(x)", {"f(x)": "t = x**2; u = t + 1"}, 5.0),
        # A parameter is no input, whatever it is called.
        ("f(2) + x", {"f(x)": "x**3"}, 10.0),
        ("f(2) + x", {"f(pi)": "pi**3"}, 10.0),
        ("f(x)", {"f(x)": "pi*x"}, 2 * math.pi),
        # The user's function, but in its own body that of the language.
        ("relu(x - 3)", {"relu(x)": "7 + relu(x)"}, 7.0),
        ("sin(x)", {"sin(x)": "x + 1"}, 3.0),
        ("f(x)", {"f(x)": "sin(x)", "sin(x)": "x + 1"}, 3.0),
        ("where(f(x) > 3, f(x), 0)", {"f(x)": "x**2"}, 4.0),
    ],
)
def test_a_call_stands_for_the_body(expr: str, define: dict[str, str], expected: float) -> None:
    assert _value(expr, define, 2.0) == pytest.approx(expected, rel=1e-15)


def test_a_call_and_what_it_stands_for_are_the_same_graph() -> None:
    called = read(request("F", "a + b*P3(c + d*x)", {"define": {"P3(x)": "0.5*(5*x**3-3*x)"}}))
    written = read(request("F", "a + b*(0.5*(5*(c + d*x)**3-3*(c + d*x)))", {}))
    assert fingerprint(called.graph, called.roots) == fingerprint(written.graph, written.roots)
    assert [one.name for one in called.inputs] == ["a", "b", "c", "d", "x"]


def test_tensors_go_through_calls_with_their_axes() -> None:
    options = {"shape": {"x": "N,I", "w": "O,I"}}
    called = request("F", "layer(x, w)", {**options, "define": {"layer(a, b)": "tanh(a @ b.T)"}})
    found, expected = read(called), read(request("F", "tanh(x @ w.T)", options))
    assert fingerprint(found.graph, found.roots) == fingerprint(expected.graph, expected.roots)


def test_what_is_not_called_changes_no_byte() -> None:
    define = {"P3(x)": "0.5*(5*x**3-3*x)"}
    more = {"other(x)": "x @ y ^ 2", **define}
    assert gen.source("F", "P3(x)", define=more) == gen.source("F", "P3(x)", define=define)
    assert "--define" not in gen.source("F", "x", define=define)


def test_the_header_and_the_docstring_say_what_is_called() -> None:
    lines = gen.source("F", "g(x)", define={"g(t)": "s = sin(t); s**2", "h(x)": "x"}).split("\n")
    assert lines[1:3] == ['#     gen F "g(x)" \\', '#         --define "g(t) = s = sin(t); s**2"']
    assert lines[6:8] == ["    g(t) = s**2, where s = sin(t)", "    F(x) = g(x)"]


@pytest.mark.parametrize(
    ("expr", "define", "message"),
    [
        (
            "f(x)",
            {"f(x)": "g(x)", "g(x)": "f(x)"},
            "in the function g: the functions call each other in a circle: f -> g -> f (column 1)\n"
            "    f(x)\n    ^",
        ),
        (
            "f(x)",
            {"f(x)": "f(x - 1)"},
            "in the function f: the functions call each other in a circle: f -> f (column 1)\n"
            "    f(x - 1)\n    ^",
        ),
        (
            "F(x)",
            {"F(x)": "x"},
            "the functions call each other in a circle: F -> F (column 1)\n    F(x)\n    ^",
        ),
        (
            "1 + f(x, 2)",
            {"f(a)": "a"},
            "f takes 1 argument, given 2 (column 5)\n    1 + f(x, 2)\n        ^^^^^^^\nit is f(a)",
        ),
        (
            "f(a=x)",
            {"f(a)": "a"},
            "f was given a keyword argument (column 5)\n    f(a=x)\n        ^\n"
            "arguments are positional",
        ),
        (
            "f(x)",
            {"f(a)": "a + b"},
            "the function f has no parameter 'b'; its parameters are a (column 1)\n    f(x)\n    ^",
        ),
        (
            "f(x)",
            {"f(a)": "a ^ 2"},
            "in the function f: ^ is not part of an expression (column 3)\n    a ^ 2\n      ^\n"
            "did you mean `**`?",
        ),
        (
            "f(x)",
            {"f(a)": "u = a; v = 2*a"},
            "f has several outputs: u, v (column 1)\n    f(x)\n    ^^^^\n"
            "a function that is called has one value",
        ),
        (
            "fo(x)",
            {"foo(a)": "a"},
            "unknown function 'fo' (column 1)\n    fo(x)\n    ^^\ndid you mean 'foo'?",
        ),
        ("x", {"f": "x"}, "define 'f': name and parameters are needed, as in P3(x)"),
        ("x", {"f(x, x)": "x"}, "define 'f(x, x)' names one parameter twice"),
        ("x", {"f(2)": "x"}, "define 'f(2)': '2' is no name"),
        ("x", {"if(x)": "x"}, "define 'if(x)': 'if' is no name"),
        ("x", {"Piecewise(x)": "x"}, "define 'Piecewise(x)': Piecewise is part of the language"),
        ("x", ["f(x) = x", "f(y) = y"], "define: f is defined twice"),
        (
            "x",
            ["f(x)"],
            "define 'f(x)': a head and an expression are needed, as in "
            'define = {"P3(x)": "0.5*(5*x**3-3*x)"}, or --define "P3(x) = 0.5*(5*x**3-3*x)"',
        ),
        (
            "x",
            3,
            "define takes functions by their heads, given 3; as in "
            'define = {"P3(x)": "0.5*(5*x**3-3*x)"}, or --define "P3(x) = 0.5*(5*x**3-3*x)"',
        ),
    ],
)
def test_messages(expr: str, define: object, message: str) -> None:
    with pytest.raises(GenError) as fault:
        gen.source("F", expr, define=define)
    assert str(fault.value) == message


def test_bodies_inside_each_other_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gen.frontend.library.MAX_NODES", 2000)
    chain = {f"f{i}(x)": f"f{i + 1}(x)" for i in range(60)}
    with pytest.raises(GenError, match="at most 50 are read"):
        gen.source("F", "f0(x)", define={**chain, "f60(x)": "x"})
    doubled = {f"f{i}(x)": f"f{i + 1}(x) + f{i + 1}(x + 1)" for i in range(40)}
    with pytest.raises(GenError, match="more than 2000 operations written out"):
        gen.source("F", "f0(x)", define={**doubled, "f40(x)": "x"})
