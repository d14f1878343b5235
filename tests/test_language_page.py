"""docs/language.md says what is so: each of its lines is read, emitted, run and compared."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy import special

import gen
from gen.frontend.arrays import ARRAY_FUNCTIONS
from gen.graph.functions import FUNCTIONS

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/language.md").read_text()
NAMES = {"np": np, "special": special}

_MANY = ("const", "optional", "shape", "define")


class Line(NamedTuple):
    """An expression with its options, the values of its inputs, and what it then is."""

    command: str
    at: str
    value: str


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def _lines() -> list[Line]:
    rows = [row for block in _blocks("gen") for row in block.splitlines()]
    return [Line(*(part.strip() for part in row.split(" | "))) for row in rows]


def _read(command: str) -> tuple[str, dict[str, Any]]:
    """An expression, and its options as keywords."""
    expr, *rest = re.split(r" --(?=[a-z])", command)
    options: dict[str, Any] = {}
    for one in rest:
        name, _, given = one.partition(" ")
        options.setdefault(name, []).extend(shlex.split(given))
    shapes = dict(one.split("=") for one in options.pop("shape", []))
    single = {name: given if name in _MANY else given[0] for name, given in options.items()}
    return expr, {**single, "shape": shapes}


def _values(at: str) -> dict[str, Any]:
    pairs = (one.split("=") for one in re.split(r" (?=\w+=)", at))
    found = {name: eval(value, NAMES) for name, value in pairs}
    return {name: one if one is None else np.asarray(one) for name, one in found.items()}


@pytest.mark.parametrize("line", _lines(), ids=lambda line: line.command)
def test_a_line_is_what_the_page_says(line: Line) -> None:
    expr, options = _read(line.command)
    given = _values(line.at)
    cls: Any = gen.load("Case", expr, **{"args": list(given), **options})
    numbers = options.get("const", [])
    values = [float(one) if name in numbers else one for name, one in given.items()]
    found, pullback = cls.vjp(*values)
    expected = eval(line.value, {**NAMES, **given})
    outputs = zip(
        found if isinstance(found, tuple) else (found,),
        expected if isinstance(expected, tuple) else (expected,),
        strict=True,
    )
    for one, want in outputs:
        assert np.shape(one) == np.shape(want)
        np.testing.assert_allclose(one, want, rtol=1e-12, atol=1e-15)
    gradients = pullback(*(found if isinstance(found, tuple) else (found,)))
    for name, one in zip(given, gradients, strict=True):
        assert one is None or np.shape(one) == np.shape(given[name])
        assert one is None or np.isfinite(one).all()


@pytest.mark.parametrize("block", _blocks("gen-error"))
def test_an_error_reads_as_the_page_says(block: str) -> None:
    first, _, message = block.partition("\n")
    expr, options = _read(first.removeprefix("$ "))
    with pytest.raises(gen.GenError) as caught:
        gen.source("Case", expr, **options)
    assert str(caught.value) == message.rstrip("\n")


def test_every_function_is_named() -> None:
    assert {*FUNCTIONS, *ARRAY_FUNCTIONS} <= {*re.findall(r"\w+", PAGE)}
