"""Plans: what is saved, what is checked, what is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen.pipeline import kernel, request

if TYPE_CHECKING:
    from gen.model import Kernel, Operand

LINEAR = {"shape": {"input": "N,I", "weight": "O,I", "bias": "O"}, "optional": "bias"}


def _kernel(expr: str, **options: object) -> Kernel:
    return kernel(request("Case", expr, options))


def _operands(expr: str, **options: object) -> dict[str, Operand]:
    return {one.input.name: one for one in _kernel(expr, **options).operands}


# The inputs that an expert keeps, and whether the output.
@pytest.mark.parametrize(
    ("expr", "saved", "saves_output"),
    [
        ("x", "", False),
        ("2*x + 3", "", False),
        ("x + y", "", False),
        ("x - y/3", "", False),
        ("floor(x)", "", False),
        ("x**2", "x", False),
        ("x*y", "x y", False),
        ("x*y + z", "x y", False),
        ("sin(x)", "x", False),
        ("log(x)", "x", False),
        ("abs(x)", "x", False),
        ("Max(x, y)", "x y", False),
        ("where(x > 0, x, y)", "x", False),
        ("softplus(x)", "x", False),
        ("erf(x)", "x", False),
        ("loggamma(x)", "x", False),
        ("clip(x, 0, 1)", "x", False),
        ("0.5*(5*x**3-3*x)", "x", False),
        ("exp(x)", "", True),
        ("tanh(x)", "", True),
        ("sigmoid(x)", "", True),
        ("sqrt(x)", "", True),
        ("cbrt(x)", "", True),
        ("tan(x)", "", True),
        ("Max(x, 0)", "", True),
        ("exp(x*y)", "x y", True),
        ("exp(-x**2)", "x", True),
        ("sqrt(1 + x**2)", "x", True),
        ("gamma(x)", "x", True),
        ("x/y", "y", True),
    ],
)
def test_what_is_saved(expr: str, saved: str, saves_output: bool) -> None:
    planned = _kernel(expr)
    assert [one.input.name for one in planned.operands if one.saved] == saved.split()
    assert planned.saved_outputs == (saves_output,)


def test_a_constant_is_not_saved_as_a_tensor() -> None:
    operands = _operands("x*c + sin(x)", const="c")
    assert [one.saved for one in operands.values()] == [True, False]
    assert operands["c"].dimensions is None
    assert not operands["c"].reduced


@pytest.mark.parametrize(
    ("expr", "forward", "backward"),
    [
        ("x", 0, 0),
        ("x + y", 1, 0),
        ("x*y", 1, 2),
        ("x**2", 1, 2),
        ("x**4", 2, 4),
        ("exp(x)", 1, 1),
        ("tanh(x)", 1, 3),
        ("log(x)", 1, 1),
        ("0.5*(5*x**3-3*x)", 4, 4),
        ("sqrt(2/pi)*x", 1, 1),
    ],
)
def test_operations_as_counted_by_hand(expr: str, forward: int, backward: int) -> None:
    planned = _kernel(expr)
    assert (planned.forward_operations, planned.backward_operations) == (forward, backward)


def test_linear_takes_leading_dimensions_of_its_input_alone() -> None:
    operands = _operands("input @ weight.T + bias", **LINEAR)
    dimensions = [one.dimensions for one in operands.values()]
    assert dimensions == [("...", "I"), ("O", "I"), ("O",)]
    assert [one.reduced for one in operands.values()] == [False, False, False]
    assert [one.saved for one in operands.values()] == [True, True, False]


@pytest.mark.parametrize(
    ("expr", "shape", "dimensions"),
    [
        ("x @ w", {"x": "N,I", "w": "I,O"}, [("...", "I"), ("I", "O")]),
        ("w @ x", {"w": "O,I", "x": "I,N"}, [("...", "I"), ("I", "N")]),
        ("x.T @ w", {"x": "N,I", "w": "N,O"}, [("N", "I"), ("N", "O")]),
        ("x @ x.T", {"x": "N,I"}, [("N", "I")]),
        ("x @ w + y", {"x": "N,I", "w": "I,O", "y": "N,O"}, [("N", "I"), ("I", "O"), ("N", "O")]),
        ("x + y", {"x": "N,I", "y": "I"}, [("...", "N", "I"), ("...", "I")]),
        ("x + y", {"x": "N,I"}, [("...", "N", "I"), None]),
        ("s*(x @ w)", {"x": "N,I", "w": "I,O"}, [("...", "O?"), ("...", "I"), ("I", "O")]),
    ],
)
def test_dimensions_that_are_checked(
    expr: str, shape: dict[str, str], dimensions: list[tuple[str, ...] | None]
) -> None:
    operands = _operands(expr, shape=shape)
    assert [one.dimensions for one in operands.values()] == dimensions


@pytest.mark.parametrize(
    ("expr", "reduced"),
    [("sin(x)", [False]), ("x*y", [True, True]), ("x + y + z", [True, True, True])],
)
def test_a_gradient_is_summed_where_something_may_broadcast(expr: str, reduced: list[bool]) -> None:
    assert [one.reduced for one in _operands(expr).values()] == reduced


@pytest.mark.parametrize(
    ("expr", "zero"),
    [("floor(x)", [True]), ("sign(x) + y", [True, False]), ("x + 0*y", [False, True])],
)
def test_gradients_that_are_zero_everywhere(expr: str, zero: list[bool]) -> None:
    assert [one.zero for one in _operands(expr).values()] == zero


def test_an_output_that_forgets_an_input_is_expanded() -> None:
    assert _kernel("x + 0*y").expands
    assert not _kernel("x + y").expands


@pytest.mark.parametrize(
    ("expr", "derivatives"),
    [
        ("0.5*(5*x**3-3*x)", ("7.5 * x**2 - 1.5",)),
        ("x*y", ("y", "x")),
        ("x", ("1",)),
        ("floor(x)", ("0",)),
        ("tanh(x)", ("1 - tanh(x) ** 2",)),
    ],
)
def test_derivatives_that_the_docstring_shows(expr: str, derivatives: tuple[str, ...]) -> None:
    assert _kernel(expr).derivatives == derivatives


def test_a_derivative_that_is_long_is_not_shown() -> None:
    assert _kernel("*".join(f"sin({number}*x)" for number in range(1, 30))).derivatives == (None,)


def test_what_is_used_twice_gets_a_name() -> None:
    planned = _kernel("sin(x)*exp(sin(x)) + y")
    named = [planned.forward.graph[node].op for node in planned.forward.shared]
    assert named == ["sin"]
