"""Names: of modules, of the plain function, of inputs, and of what is in between."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gen
from gen.backends.names import Names, entry_name
from gen.naming import snake_case


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("P3", "p3"),
        ("ReLU", "relu"),
        ("GELU", "gelu"),
        ("MulConstant", "mul_constant"),
        ("LennardJones", "lennard_jones"),
        ("BlackScholes", "black_scholes"),
        ("HTTPServer", "http_server"),
        ("P3Legendre", "p3_legendre"),
        ("already_snake", "already_snake"),
        ("Snake_Case", "snake_case"),
        ("x", "x"),
    ],
)
def test_snake_case(name: str, snake: str) -> None:
    # An underscore is never doubled: Snake_Case has one already.
    assert snake_case(name) == snake


@pytest.mark.parametrize("word", ["Lambda", "If", "Class", "Is", "Yield"])
def test_a_module_is_no_keyword(word: str) -> None:
    assert snake_case(word) == f"{word.lower()}_"
    assert not keyword.iskeyword(snake_case(word))


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("P3", "p3"),
        ("MulConstant", "mul_constant"),
        ("Lambda", "lambda_"),
        ("f", "apply_f"),
        ("Array", "apply_array"),
        ("L", "apply_l"),
    ],
)
def test_the_plain_function_has_a_name_of_its_own(name: str, entry: str) -> None:
    assert entry_name(name, {"array", "np"}) == entry


# ---- inputs


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        (["x", "y"], ["x", "y"]),
        (["x", "np"], ["x", "np_"]),
        (["np", "np_"], ["np__", "np_"]),
        (["np_", "np"], ["np_", "np__"]),
        (["l", "O", "I"], ["l_", "O_", "I_"]),
        (["_x"], ["_x"]),
        (["__x", "x"], ["x_", "x"]),
        (["__"], ["x"]),
        (["σ"], ["σ"]),
    ],
    ids=str,
)
def test_an_input_keeps_its_name_where_it_can(inputs: list[str], names: list[str]) -> None:
    found = Names.for_formula(inputs, [], {"np", "ctx"}).of_inputs
    assert found == dict(zip(inputs, names, strict=True))


_WORDS = st.sampled_from(["x", "np", "np_", "np__", "l", "l_", "__x", "__np", "_x", "__", "ctx"])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(_WORDS, unique=True), st.sets(st.sampled_from(["np", "ctx", "x"])))
def test_no_two_inputs_have_one_name_and_none_has_a_reserved_one(
    inputs: list[str], reserved: set[str]
) -> None:
    found = list(Names.for_formula(inputs, [], reserved).of_inputs.values())
    assert len(set(found)) == len(inputs)
    assert not reserved & set(found)
    assert not any(one.startswith("__") for one in found)
    assert all(one.isidentifier() and not keyword.iskeyword(one) for one in found)


# ---- what is in between


def test_fresh_names_are_numbered() -> None:
    names = Names.for_formula(["x", "t2"], [], {"np"})
    assert [names.fresh("t") for _ in range(3)] == ["t1", "t3", "t4"]
    assert [names.fresh("exp_x") for _ in range(3)] == ["exp_x", "exp_x2", "exp_x3"]
    assert [names.fresh("x2") for _ in range(2)] == ["x2", "x2_2"]


@pytest.mark.parametrize(
    ("hint", "name"),
    [("", "t1"), ("a" * 25, "t1"), ("a" * 24, "a" * 24), ("np", "np2"), ("if", "if2"), ("x", "x2")],
)
def test_a_fresh_name_is_like_its_hint(hint: str, name: str) -> None:
    assert Names.for_formula(["x"], [], {"np"}).fresh(hint) == name


def test_another_scope_may_take_the_same_names() -> None:
    names = Names.for_formula(["x"], [], set())
    one, other = names.scope(), names.scope()
    assert (one.fresh("t"), other.fresh("t"), one.fresh("t")) == ("t1", "t1", "t2")


def test_a_private_input_has_an_attribute_that_is_not() -> None:
    names = Names.for_formula(["x", "_x"], [], set())
    assert [names.attribute(one) for one in ("x", "_x")] == ["x", "input_x"]


# ---- emitted modules


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize(
    "name", ["x", "l", "np", "torch", "ctx", "self", "Case", "case", "output", "__x", "σ", "match"]
)
def test_an_input_of_any_name_gives_a_module_that_runs(backend: str, name: str) -> None:
    module = gen.module("Case", f"3*{name}**2 + 0.5*t1", backend=backend, args=[name, "t1"])
    assert float(module.Case.apply(*_numbers(backend, 2.0, 4.0))) == 14.0


def _numbers(backend: str, *values: float) -> list[object]:
    import torch

    return [torch.tensor(value) if backend == "torch" else value for value in values]
