"""Large formulas: right, without recursion, and no more than linear in their size."""

from __future__ import annotations

import re
import sys
import tracemalloc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor

import gen
from benchmarks.shapes import SHAPES, Shape, chain, inputs, legendre, long_sum, network, product
from gen.errors import GenError
from gen.frontend import text
from gen.graph.evaluate import as_float
from gen.model import Request
from tests.test_emitted_style import _run

if TYPE_CHECKING:
    from collections.abc import Iterator

parametrize = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)


@contextmanager
def recursion(limit: int) -> Iterator[None]:
    """At most `limit` frames below this one."""
    frame, depth = sys._getframe(), 0
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + limit)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _evaluated(expr: str, values: dict[str, Tensor]) -> list[Tensor]:
    """The values of statements, computed by torch from the text itself."""
    names: dict[str, Any] = {name: getattr(torch, name) for name in ("sin", "exp", "tanh", "where")}
    names |= values
    pairs = [match.groups() for match in re.finditer(r"(?:(\w+)=)?([^;]+)(?:; |$)", expr)]
    for name, value in pairs:
        names[name or ""] = eval(value, names)
    read = {name for _, value in pairs for name in re.findall(r"\w+", value)}
    return [names[name or ""] for name, _ in pairs if name not in read]


def _check(shape: Shape, size: int) -> None:
    expr = shape(size)
    formula = text.read(Request("Large", expr))
    generator = torch.Generator().manual_seed(0)
    values = {
        one.name: (
            0.9 + 0.1 * torch.rand(3, dtype=torch.float64, generator=generator)
        ).requires_grad_()
        for one in formula.inputs
    }
    wanted = _evaluated(expr, values)
    cotangents = [torch.randn(3, dtype=torch.float64, generator=generator) for _ in wanted]
    points = list(values.values())
    gradients = torch.autograd.grad(wanted, points, cotangents)
    scale = 1 + max(float(one.abs().max()) for one in gradients)
    for backend in ("numpy", "torch"):
        found, computed = _backend(expr, backend, points, cotangents)
        for one, due in zip(found, wanted, strict=True):
            torch.testing.assert_close(one, due.detach(), rtol=1e-9, atol=1e-11)
        for one, due in zip(computed, gradients, strict=True):
            torch.testing.assert_close(one / scale, due / scale, rtol=1e-8, atol=1e-11)


def _backend(
    expr: str, backend: str, points: list[Tensor], cotangents: list[Tensor]
) -> tuple[list[Tensor], list[Tensor]]:
    """The values and the gradients of an emitted module."""
    module = gen.module("Large", expr, backend=backend)
    if backend == "torch":
        outputs = module.large(*points)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        gradients = torch.autograd.grad(outputs, points, cotangents)
        return [one.detach() for one in outputs], list(gradients)
    outputs, pullback = module.Large.vjp(*(one.detach().numpy() for one in points))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    found = pullback(*(one.numpy() for one in cotangents))
    return [torch.as_tensor(one) for one in outputs], [torch.as_tensor(one) for one in found]


@parametrize
def test_values_and_gradients_equal_torch_autograd_of_the_text(shape: Shape) -> None:
    _check(shape, 500)


@pytest.mark.slow
@parametrize
def test_the_same_of_formulas_that_are_cut_into_many_pieces(shape: Shape) -> None:
    _check(shape, 2000)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("shape", [chain, long_sum, product], ids=lambda one: one.__name__)
def test_depth_takes_no_recursion(shape: Shape, backend: str) -> None:
    gen.source("Warm", "sin(x)*y", backend=backend)
    expr = shape(3000)
    with recursion(200):
        source = gen.source("Large", expr, backend=backend)
    compile(source, "large", "exec")


@parametrize
def test_operations_and_lines_grow_linearly(shape: Shape) -> None:
    sizes = []
    for size in (700, 1400):
        source = gen.source("Large", shape(size))
        counts = re.search(r"Operations: (\d+) forward.* (\d+) backward", source)
        assert counts is not None
        sizes.append((int(counts[1]) + int(counts[2]), source.count("\n")))
    (operations, lines), (twice, longer) = sizes
    assert twice <= 2.3 * operations
    assert longer <= 2.5 * lines + 100


def test_text_is_the_same_each_time() -> None:
    assert gen.source("Large", inputs(1200)) == gen.source("Large", inputs(1200))


# ---- text


def test_a_sum_of_any_length_is_read() -> None:
    formula = text.read(Request("Large", "+".join(["x"] * 30_000)))
    op, (factor, _), _ = formula.graph[formula.roots[0]]
    assert (op, as_float(formula.graph.nodes, factor)) == ("mul", 30_000)


@pytest.mark.parametrize(
    "expr",
    [
        "y*(z + " + "+".join(f"sin(x*{i})" for i in range(600)) + ")",
        "z/" + "/".join(f"(x+{i + 1})" for i in range(600)) + " - y",
        "w = " + "-".join(f"x**2*{i + 2}" for i in range(600)) + "\nwhere(w > y, w, z)",
    ],
    ids=["inside parentheses", "quotients", "several lines"],
)
def test_a_long_chain_is_the_same_as_its_parts_in_parentheses(
    expr: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = text.read(Request("Large", expr))
    monkeypatch.setattr("gen.frontend.chains.LONGEST", 10**6)
    whole = text.read(Request("Large", expr))
    assert cut == whole


@pytest.mark.parametrize("wrong", ["sinn(x)", "x $ y", "(x", "x//2", "1e999", "sin(x, x)"])
def test_faults_in_a_long_chain_stand_where_they_are(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expr = "+".join(["x"] * 400) + f"+\u03b2*{wrong}+" + "+".join(["y"] * 400)
    with pytest.raises(GenError) as cut:
        text.read(Request("Large", expr))
    monkeypatch.setattr("gen.frontend.chains.LONGEST", 10**6)
    with pytest.raises(GenError) as whole:
        text.read(Request("Large", expr))
    assert str(cut.value) == str(whole.value)


# ---- what is emitted


@pytest.mark.slow
def test_pieces_pass_the_checkers(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("large")
    cases = {one.__name__.title().replace("_", ""): one(500) for one in SHAPES}
    for name, expr in cases.items():
        for backend in ("numpy", "torch"):
            gen.write(name, expr, backend=backend, out=folder / "ops")
    assert _run("ruff", "check", "--isolated", "--no-cache", "ops", cwd=folder) == ""
    for length in ("88", "120"):
        width = ("--check", "--line-length", length)
        assert _run("ruff", "format", "--isolated", "--no-cache", *width, "ops", cwd=folder) == ""
    assert _run("mypy", "--strict", "--config-file", "", "ops", cwd=folder) == ""


def test_a_long_body_is_cut_into_functions() -> None:
    source = gen.source("Large", legendre(3000))
    assert "def _forward_2(" in source
    assert "def _backward_2(" in source
    lengths = [part.count("\n") for part in source.split("\ndef ")[1:]]
    assert max(lengths) < 700


def test_inputs_may_bear_the_names_of_pieces() -> None:
    expr = chain(1500).replace("x", "_forward_1").replace("y", "_backward_1")
    found = gen.load("Large", expr).vjp(0.3, 1.3)[1](1.0)
    assert found == gen.load("Large", chain(1500)).vjp(0.3, 1.3)[1](1.0)


def test_gradients_that_nobody_needs_are_not_computed() -> None:
    expr = network(2100)
    module = gen.module("Large", expr)
    names = [one.name for one in text.read(Request("Large", expr)).inputs]
    points = [np.full(2, 0.01) for _ in names]
    needed = [place % 7 == 0 for place in range(len(names))]
    _, pullback = module.Large.vjp(*points, needs_input_grad=needed)
    assert [one is not None for one in pullback(np.ones(2))] == needed


def test_second_derivatives_of_a_body_in_pieces() -> None:
    module = gen.module("Large", chain(1200), backend="torch")
    points = [torch.tensor(0.3 + i, dtype=torch.float64, requires_grad=True) for i in range(2)]
    found = _hessian(module.large, points)

    def plain(x: Tensor, y: Tensor) -> Tensor:
        return _evaluated(chain(1200), {"x": x, "y": y})[0]

    due = _hessian(plain, points)
    torch.testing.assert_close(found, due)


def _hessian(function: Any, points: list[Tensor]) -> list[Tensor]:
    first = torch.autograd.grad(function(*points), points, create_graph=True)
    return [one for g in first for one in torch.autograd.grad(g, points, retain_graph=True)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, of its tracer
def test_compiles_in_one_graph() -> None:
    module = gen.module("Large", chain(1100), backend="torch")
    points = [torch.full((3,), 0.3 + i, dtype=torch.float64) for i in range(2)]
    compiled: Any = torch.compile(module.large, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(*points), module.large(*points))


def test_dead_arrays_are_deleted() -> None:
    function = gen.load("Large", "; ".join(["t0=x", *_STEPS, "t99"]))
    x = np.full(20_000, 0.3)
    tracemalloc.start()
    _, pullback = function.vjp(x)
    forward = tracemalloc.get_traced_memory()[1] / x.nbytes
    tracemalloc.reset_peak()
    pullback(np.ones_like(x))
    backward = tracemalloc.get_traced_memory()[1] / x.nbytes
    tracemalloc.stop()
    # The sweep back needs two values of each step: what goes into the sine, and the sine.
    assert forward < 12
    assert backward < 2 * len(_STEPS) + 20


_STEPS = [f"t{i}=sin(t{i - 1})*x" for i in range(1, 100)]
