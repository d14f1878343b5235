"""Shapes: what fits, and the whole message for what does not."""

from __future__ import annotations

import pytest

from gen.errors import GenError
from gen.frontend.options import request
from gen.frontend.text import read
from gen.graph.graph import COTANGENT, INPUT, OUTPUT, Builder, reachable
from gen.graph.shapes import Shape, infer, show


def _shape(expr: str, **shapes: str) -> Shape:
    formula = read(request("Case", expr, {"shape": shapes}))
    declared = {one.name: one.shape for one in formula.inputs}
    order = reachable(formula.graph.nodes, [formula.output])
    return infer(formula.graph, order, declared)[formula.output]


@pytest.mark.parametrize(
    ("shape", "text"),
    [(None, "any shape"), ((), "()"), (("N",), "(N)"), (("N", "3"), "(N, 3)")],
)
def test_shapes_as_users_write_them(shape: Shape, text: str) -> None:
    assert show(shape) == text


@pytest.mark.parametrize(
    ("expr", "shapes", "expected"),
    [
        ("x", {"x": "N,I"}, ("N", "I")),
        ("x", {}, None),
        ("sin(x)*2", {"x": "N"}, ("N",)),
        ("x + y", {"x": "N,I", "y": "I"}, ("N", "I")),
        ("x + y", {"x": "I", "y": "N,I"}, ("N", "I")),
        ("x * y", {"x": "N,1", "y": "1,I"}, ("N", "I")),
        ("x / y", {"x": "N,I", "y": "1"}, ("N", "I")),
        ("x + y", {"x": "N,I"}, ("N", "I")),
        ("x + y", {"x": "N,I", "y": ""}, ("N", "I")),
        ("where(x > y, x, 0)", {"x": "N,I", "y": "I"}, ("N", "I")),
        ("x @ w", {"x": "N,I", "w": "I,O"}, ("N", "O")),
        ("x @ w.T", {"x": "N,I", "w": "O,I"}, ("N", "O")),
        ("x.T", {"x": "N,I"}, ("I", "N")),
        ("2*x @ w + b", {"x": "N,I", "w": "I,O", "b": "O"}, ("N", "O")),
        ("x @ a @ b", {"x": "N,I", "a": "I,K", "b": "K,3"}, ("N", "3")),
        ("tanh(x @ w)*s", {"x": "N,I", "w": "I,O"}, ("N", "O")),
        ("x @ w", {"x": "2,3", "w": "3,4"}, ("2", "4")),
    ],
)
def test_shapes_that_fit(expr: str, shapes: dict[str, str], expected: Shape) -> None:
    assert _shape(expr, **shapes) == expected


NEEDED = "declare them, as in --shape x=N,I --shape w=O,I"


@pytest.mark.parametrize(
    ("expr", "shapes", "message"),
    [
        ("x + y", {"x": "N,I", "y": "O"}, "shapes (N, I) and (O) do not fit +"),
        ("x - y", {"x": "2", "y": "3"}, "shapes (2) and (3) do not fit -"),
        ("x * y", {"x": "N,I", "y": "I,N"}, "shapes (N, I) and (I, N) do not fit *"),
        ("x / y", {"x": "N", "y": "M"}, "shapes (N) and (M) do not fit /"),
        ("hypot(x, y)", {"x": "N", "y": "M"}, "shapes (N) and (M) do not fit hypot"),
        (
            "where(x > 0, y, z)",
            {"x": "N,I", "y": "I", "z": "O"},
            "shapes (N, I) and (O) do not fit select",
        ),
        (
            "x @ w",
            {"x": "N,I", "w": "O,I"},
            "shapes (N, I) and (O, I) do not fit @: I is not O",
        ),
        (
            "x.T @ w",
            {"x": "N,I", "w": "I,O"},
            "shapes (I, N) and (I, O) do not fit @: N is not I",
        ),
        (
            "x @ w",
            {"x": "N,I"},
            f"@ needs operands of two declared dimensions, given (N, I) and any shape; {NEEDED}",
        ),
        (
            "x @ w",
            {"x": "B,N,I", "w": "I,O"},
            "@ needs operands of two declared dimensions, given (B, N, I) and (I, O); " + NEEDED,
        ),
        (
            "x.T",
            {"x": "N"},
            f".T needs operands of two declared dimensions, given (N); {NEEDED}",
        ),
    ],
)
def test_shapes_that_do_not_fit(expr: str, shapes: dict[str, str], message: str) -> None:
    with pytest.raises(GenError) as fault:
        _shape(expr, **shapes)
    assert str(fault.value) == message


def test_the_cotangent_and_the_output_have_the_shape_of_the_output() -> None:
    builder = Builder()
    g, y = builder.node(COTANGENT, (), "grad_output"), builder.node(OUTPUT, (), "output")
    x = builder.node(INPUT, (), "x")
    contracted = builder.node("contract", (g, x))
    order = [g, y, x, contracted]
    shapes = infer(builder.freeze(), order, {"x": ("N", "I")}, ("N", "O"))
    assert shapes == {g: ("N", "O"), y: ("N", "O"), x: ("N", "I"), contracted: ("O", "I")}


def test_what_is_contracted_needs_the_same_first_dimension() -> None:
    builder = Builder()
    x, y = builder.node(INPUT, (), "x"), builder.node(INPUT, (), "y")
    contracted = builder.node("contract", (x, y))
    declared = {"x": ("N", "I"), "y": ("M", "O")}
    with pytest.raises(GenError) as fault:
        infer(builder.freeze(), [x, y, contracted], declared)
    assert str(fault.value) == "shapes (N, I) and (M, O) do not fit contract: N is not M"
