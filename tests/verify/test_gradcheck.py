"""The gradient check: it passes what is right, and catches what was changed by hand."""

from __future__ import annotations

import importlib
import itertools
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import gen
from gen import pipeline

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

P3 = "0.5*(5*x**3-3*x)"
LINEAR: dict[str, Any] = {
    "shape": {"input": "N,I", "weight": "O,I", "bias": "O"},
    "optional": "bias",
}

_COUNT = itertools.count()


@pytest.fixture
def mutant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Import an emitted class from files in which one piece of text was replaced."""

    def build(expr: str, old: str, new: str, **options: Any) -> Any:
        name = f"mutants_{next(_COUNT)}"
        text = gen.source("Case", expr, **options)
        assert text.count(old) == 1
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / "_runtime.py").write_text(pipeline.runtime("numpy").text)
        (folder / "case.py").write_text(text.replace(old, new))
        monkeypatch.syspath_prepend(tmp_path)
        return importlib.import_module(f"{name}.case").Case

    return build


# ---- what is right


@pytest.mark.parametrize("x", [2.0, -1.5, 0.0, [1.0, 2.0], np.ones((2, 3)), np.zeros((0, 2)), 3])
def test_a_right_gradient_passes(x: object) -> None:
    assert gen.gradcheck(gen.load("Case", P3), x)


def test_several_inputs_of_different_shapes() -> None:
    inputs = (np.ones((2, 3)), np.full(3, 2.0), np.array(0.5))
    assert gen.gradcheck(gen.load("Case", "x*y + sin(z)"), inputs)


def test_what_has_no_gradient_is_held() -> None:
    cls = gen.load("Case", "x*c + x**c", const="c")
    assert gen.gradcheck(cls, (np.array([0.5, 2.0]), 3))


def test_an_input_left_out_is_held() -> None:
    cls = gen.load("Linear", "input @ weight.T + bias", **LINEAR)
    assert gen.gradcheck(cls, (np.ones((2, 3)), np.ones((4, 3)), None))


def test_float32_is_checked_in_double_precision() -> None:
    assert gen.gradcheck(gen.load("Case", P3), np.array([0.1, 2.0], np.float32))


# ---- what is wrong


def test_another_number_is_caught_with_its_place(mutant: Callable[..., Any]) -> None:
    cls = mutant(P3, "return grad_output * (7.5", "return grad_output * (7.6")
    with pytest.raises(gen.GradcheckError) as fault:
        gen.gradcheck(cls, np.array([0.0, 2.0]))
    message = (
        r"Case: the gradient of input 0 at \(1,\) \(value np\.float64\(2\.0\)\) is (\S+), "
        r"differences of the forward give (\S+)"
    )
    found = re.fullmatch(message, str(fault.value))
    assert found is not None
    weight = np.cos(1.0)
    assert float(found[1]) == pytest.approx(weight * (7.6 * 4 - 1.5), rel=1e-14)
    assert float(found[2]) == pytest.approx(weight * (7.5 * 4 - 1.5), rel=1e-10)


@pytest.mark.parametrize(
    ("expr", "old", "new"),
    [
        pytest.param(P3, "x**2 - 1.5)\n\n\ndef", "x**2 + 1.5)\n\n\ndef", id="sign"),
        pytest.param(P3, "return grad_output * (", "return 1.0 * (", id="cotangent"),
        pytest.param(P3, "return x * (", "return x + (", id="forward"),
        pytest.param("tanh(x)", "1 - output**2", "1 + output**2", id="tanh"),
        pytest.param("sin(x)", "np.cos", "np.sin", id="function"),
        pytest.param("exp(3*x)", "3 * grad_output", "2 * grad_output", id="chain"),
        pytest.param("x**4", "4 * grad", "3 * grad", id="exponent"),
    ],
)
def test_mutants_of_one_input_are_caught(
    mutant: Callable[..., Any], expr: str, old: str, new: str
) -> None:
    cls = mutant(expr, old, new)
    with pytest.raises(gen.GradcheckError, match=r"^Case: the gradient of input 0 at \(\d,\) "):
        gen.gradcheck(cls, np.array([0.3, 0.9]))


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("sum_to(grad_output * y, x)", "sum_to(grad_output * x, x)", 0),
        ("sum_to(grad_output * x, y)", "sum_to(-grad_output * x, y)", 1),
        ("return grad_x, grad_y", "return grad_y, grad_x", 0),
    ],
    ids=["operand", "sign", "order"],
)
def test_mutants_of_a_product_are_caught(
    mutant: Callable[..., Any], old: str, new: str, place: int
) -> None:
    cls = mutant("x*y", old, new)
    message = rf"^Case: the gradient of input {place} at \(0,\) \(value .*\) is .*, differences"
    with pytest.raises(gen.GradcheckError, match=message):
        gen.gradcheck(cls, (np.array([0.3, 0.9]), np.array([1.5, -0.5])))


def test_a_sum_that_was_forgotten_is_caught_by_its_shape(mutant: Callable[..., Any]) -> None:
    cls = mutant("x*y", "sum_to(grad_output * x, y)", "grad_output * x")
    with pytest.raises(gen.GradcheckError) as fault:
        gen.gradcheck(cls, (np.ones((2, 3)), np.ones(3)))
    assert str(fault.value) == "Case: the gradient of input 1 has shape (2, 3), the input (3,)"


def test_a_contraction_of_the_wrong_operand_is_caught(mutant: Callable[..., Any]) -> None:
    cls = mutant(
        "input @ weight.T + bias",
        "contract(grad_output, input)",
        "contract(input, grad_output)",
        **LINEAR,
    )
    with pytest.raises(gen.GradcheckError) as fault:
        gen.gradcheck(cls, (np.ones((2, 3)), np.ones((4, 3)), np.ones(4)))
    assert str(fault.value) == "Case: the gradient of input 1 has shape (3, 4), the input (4, 3)"


def test_a_gradient_that_is_nan_is_caught(mutant: Callable[..., Any]) -> None:
    cls = mutant("sin(x)", "np.cos(x)", "np.nan")
    with pytest.raises(gen.GradcheckError, match=r"is nan, differences of the forward give 1\.0"):
        gen.gradcheck(cls, 0.0)


def test_the_tolerances_are_the_callers(mutant: Callable[..., Any]) -> None:
    cls = mutant(P3, "return grad_output * (7.5", "return grad_output * (7.6")
    assert gen.gradcheck(cls, 2.0, rtol=0.1)
    assert gen.gradcheck(cls, 2.0, atol=0.5)
    with pytest.raises(gen.GradcheckError):
        gen.gradcheck(cls, 2.0, rtol=0.01)


def test_a_small_error_is_within_reach(mutant: Callable[..., Any]) -> None:
    cls = mutant(P3, "return grad_output * (7.5", "return grad_output * (7.500001")
    assert gen.gradcheck(cls, 2.0)
    with pytest.raises(gen.GradcheckError):
        gen.gradcheck(cls, 2.0, rtol=1e-9, atol=1e-9)


def test_what_is_no_emitted_class_is_refused() -> None:
    with pytest.raises(gen.GenError) as fault:
        gen.gradcheck(float, 2.0)  # type: ignore[arg-type]
    assert str(fault.value) == (
        "float has no vjp: gen.gradcheck checks classes emitted for numpy; "
        "for torch there is torch.autograd.gradcheck"
    )
    assert not isinstance(fault.value, gen.GradcheckError)


def test_several_outputs() -> None:
    cls = gen.load("Rotate", "c=cos(t); s=sin(t); u=c*x-s*y; v=s*x+c*y", outputs="u,v")
    assert gen.gradcheck(cls, (0.3, np.array([1.0, -2.0]), np.array([0.5, 0.7])))


def test_a_wrong_gradient_of_one_of_several_outputs_is_caught(mutant: Callable[..., Any]) -> None:
    cls = mutant("u = sin(x); v = x*y", "grad_u * np.cos(x)", "grad_u * np.sin(x)")
    with pytest.raises(gen.GradcheckError, match="the gradient of input 0"):
        gen.gradcheck(cls, (0.3, 0.9))
