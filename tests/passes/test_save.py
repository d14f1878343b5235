"""What is saved: the cut against brute force, the choices an expert makes, what torch keeps."""

from __future__ import annotations

import math
from itertools import chain, combinations
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import gen
from gen.errors import GenError
from gen.frontend.options import request
from gen.graph.graph import GIVEN, Builder, Graph, reachable
from gen.passes.save import Choice, Costs, choose
from gen.pipeline import kernel
from tests.formulas import CASES, Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor

    from gen.model import Kernel

# ---- the cut


def _least(graph: Graph, wanted: Iterable[int], costs: Costs) -> int | None:
    """The least cost over all sets of nodes that could be kept."""
    goals = sorted(wanted)
    order = reachable(graph.nodes, goals)
    sets = chain.from_iterable(combinations(order, size) for size in range(len(order) + 1))
    found = (_cost(graph, frozenset(one), goals, costs) for one in sets)
    return min((cost for cost in found if cost is not None), default=None)


def _cost(graph: Graph, kept: frozenset[int], goals: list[int], costs: Costs) -> int | None:
    """The cost of keeping just these; None where something wanted cannot be had."""
    again = [node for node in reachable(graph.nodes, goals, stop=kept) if node not in kept]
    prices = [costs.keep(node) for node in sorted(kept)]
    prices += [None if graph[node].op in GIVEN else costs.repeat(node) for node in again]
    numbers = [price for price in prices if price is not None]
    return sum(numbers) if len(numbers) == len(prices) else None


@st.composite
def _problems(draw: st.DrawFn) -> tuple[Graph, list[int], Costs]:
    """A graph of at most nine nodes, what is wanted of it, and prices."""
    builder = Builder()
    nodes = [builder.node("input", (), name) for name in "xy"]
    for _ in range(draw(st.integers(1, 7))):
        pair = st.tuples(st.sampled_from(nodes), st.sampled_from(nodes))
        nodes.append(builder.node("sub", draw(pair)))
    wanted = draw(st.lists(st.sampled_from(nodes), min_size=1, unique=True))
    price = st.one_of(st.none(), st.integers(0, 9))
    keep = {node: draw(price if node > 1 else st.integers(0, 9)) for node in set(nodes)}
    repeat = {node: draw(price if keep[node] is not None else st.integers(0, 9)) for node in keep}
    return builder.freeze(), wanted, Costs(keep.__getitem__, repeat.__getitem__)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(_problems())
def test_the_cut_is_as_cheap_as_the_best_of_all_sets(
    problem: tuple[Graph, list[int], Costs],
) -> None:
    graph, wanted, costs = problem
    found = choose(graph, wanted, costs)
    assert found.cost == _least(graph, wanted, costs)
    assert _cost(graph, found.kept, wanted, costs) == found.cost


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if not case.options and case.id != "constant"],
    ids=lambda c: c.id,
)
def test_every_small_formula_is_cut_as_brute_force_does(case: Case) -> None:
    formula = kernel(request("Case", case.expr, {})).formula
    order = reachable(formula.graph.nodes, formula.roots)
    if len(order) > 14:
        pytest.skip("too many nodes to try all sets")
    costs = Costs(lambda node: 3 + node % 2, lambda node: 2 + node % 3)
    found = choose(formula.graph, formula.roots, costs)
    assert found.cost == _least(formula.graph, formula.roots, costs)


def test_nothing_is_wanted() -> None:
    costs = Costs(lambda node: 1, lambda node: 1)
    assert choose(Builder().freeze(), (), costs) == Choice(frozenset(), frozenset(), 0)


# ---- what an expert keeps


def _kernel(expr: str, **options: object) -> Kernel:
    return kernel(request("Case", expr, options))


def _saved(planned: Kernel) -> list[str]:
    inputs = [one.input.name for one in planned.operands if one.saved]
    pairs = zip(planned.formula.outputs, planned.saved_outputs, strict=True)
    return [*inputs, *(one.name for one, saved in pairs if saved)]


@pytest.mark.parametrize(
    ("expr", "saved"),
    [
        ("exp(x)", "output"),
        ("tanh(x)", "output"),
        ("sigmoid(x)", "output"),
        ("Max(x, 0)", "output"),
        ("0.5*(5*x**3-3*x)", "x"),
        ("x*tanh(log(1+exp(x)))", "x"),
        ("x*sigmoid(x)", "x"),
        ("x*(1+erf(x/sqrt(2)))/2", "x"),
        ("4*epsilon*((sigma/r)**12-(sigma/r)**6)", "epsilon sigma r"),
        ("y = exp(x); z = 2*x", "y"),
        ("y = exp(x); z = y*x", "x y"),
        ("softmax(x, axis=-1)", "output"),
        ("log_softmax(x, axis=-1)", "output"),
        ("norm(x, axis=-1)", "x output"),
        ("logsumexp(x, axis=-1)", "x"),
    ],
)
def test_what_is_saved(expr: str, saved: str) -> None:
    outputs = "y,z" if "y =" in expr else ""
    assert _saved(_kernel(expr, outputs=outputs)) == saved.split()


@pytest.mark.parametrize(
    ("save", "expr", "saved", "repeated"),
    [
        ("inputs", "exp(x)", "x", 1),
        ("output", "exp(x)", "output", 0),
        ("inputs", "x*sigmoid(x)", "x", 2),
        ("output", "x*sigmoid(x)", "x output", 1),
    ],
)
def test_the_user_decides(save: str, expr: str, saved: str, repeated: int) -> None:
    planned = _kernel(expr, save=save)
    assert (_saved(planned), planned.repeated_operations) == (saved.split(), repeated)


def test_an_output_that_is_of_no_use_cannot_be_asked_for() -> None:
    with pytest.raises(GenError) as fault:
        _kernel("x**2", save="output")
    assert str(fault.value) == (
        "--save output: backward has no use for the output; use auto or inputs"
    )


def test_another_word_is_refused() -> None:
    with pytest.raises(GenError) as fault:
        _kernel("x**2", save="everything")
    assert str(fault.value) == "save is one of auto, inputs, output, given 'everything'"


# ---- what eager autograd keeps


def _kept(function: Callable[..., Any], inputs: list[Tensor]) -> int:
    """Tensors that autograd keeps, numbers aside; the same memory is counted once."""
    found: list[Tensor] = []

    def pack(tensor: Tensor) -> Tensor:
        found.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        alive = function(*inputs)
    del alive
    return len({one.untyped_storage().data_ptr() for one in found if one.ndim})


def _normal(x: Tensor) -> Tensor:
    return (1 + torch.erf(x / math.sqrt(2))) / 2


_D1 = "((log(S/K)+(r+v**2/2)*T)/(v*sqrt(T)))"


def _black_scholes(s: Tensor, k: Tensor, r: Tensor, v: Tensor, t: Tensor) -> Tensor:
    root = torch.sqrt(t)
    d1 = (torch.log(s / k) + (r + v**2 / 2) * t) / (v * root)
    return s * _normal(d1) - k * torch.exp(-r * t) * _normal(d1 - v * root)


@pytest.mark.parametrize(
    ("expr", "plain", "count"),
    [
        ("0.5*(5*x**3-3*x)", lambda x: 0.5 * (5 * x**3 - 3 * x), 1),
        ("x*tanh(log(1+exp(x)))", lambda x: x * torch.tanh(torch.log(1 + torch.exp(x))), 1),
        ("x*(1+erf(x/sqrt(2)))/2", lambda x: x * (1 + torch.erf(x / math.sqrt(2))) / 2, 1),
        ("2*x - x/3 + 1", lambda x: 2 * x - x / 3 + 1, 1),
        ("2/x + x**1.5", lambda x: 2 / x + x**1.5, 1),
        ("where(x > 0, exp(x), 0)", lambda x: torch.where(x > 0, torch.exp(x), 0), 1),
        ("hypot(x, y) + Max(x, 0.2)", lambda x, y: torch.hypot(x, y) + x.clamp(min=0.2), 2),
        ("x**y", lambda x, y: x**y, 2),
        (
            f"S*(1+erf({_D1}/sqrt(2)))/2-K*exp(-r*T)*(1+erf(({_D1}-v*sqrt(T))/sqrt(2)))/2",
            _black_scholes,
            5,
        ),
        (
            "softmax(x, axis=-1)*amax(x, axis=-1, keepdims=True)",
            lambda x: torch.softmax(x, -1) * x.amax(-1, keepdim=True),
            1,
        ),
    ],
)
def test_eager_autograd_keeps_as_many_as_the_docstring_says(
    expr: str, plain: Callable[..., Tensor], count: int
) -> None:
    inputs = [torch.rand(3, 4).add(0.5).requires_grad_() for _ in range(count)]
    args = "S,K,r,v,T" if count == 5 else ""
    assert _kernel(expr, args=args).eager == _kept(plain, inputs)


def test_the_docstring_says_what_is_saved_why_and_what_eager_autograd_would_keep() -> None:
    text = gen.source("Mish", "x*tanh(log(1+exp(x)))")
    assert (
        "Saved for backward: x, which exists anyway.\n"
        "Backward repeats 4 operations of forward. PyTorch's own autograd would keep 4 tensors.\n"
    ) in text


@pytest.mark.parametrize(
    ("expr", "is_given"),
    [
        ("max(x, axis=-1)", True),
        # Computed again, x @ w may be rounded otherwise, and none of it equals the maximum.
        ("max(x @ w, axis=-1)", False),
        ("norm(x @ w, axis=-1)", True),
    ],
)
def test_what_backward_looks_for_is_not_kept_apart(expr: str, is_given: bool) -> None:
    shape = {"x": "N,D", "w": "D,K"} if "w" in expr else {"x": "N,D"}
    assert kernel(request("Case", expr, {"shape": shape})).saved_outputs == (is_given,)
