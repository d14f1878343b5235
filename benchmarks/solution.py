"""Cases solved: the graph of value and gradients, whether there is one output or several.

In: a case. Out: its cheapest graph. Of several outputs, the formula weighs and adds them:
the weights stand for their cotangents, and neither the weighing nor a cotangent of the
weighed sum belongs to what is counted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import mpmath

from gen import pipeline
from gen.frontend.sympy import partial
from gen.graph.algebra import Term, number
from gen.graph.cost import cost
from gen.graph.evaluate import evaluate
from gen.graph.graph import COTANGENT, Builder, Graph, reachable
from gen.passes.portfolio import cheapest_nodes
from gen.passes.vjp import differentiate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.cases import Case
    from gen.model import Program


@dataclass(frozen=True)
class Solution:
    """Outputs and gradients in one graph."""

    graph: Graph
    outputs: tuple[int, ...]
    gradients: tuple[int, ...]
    program: Program | None  # of a single output

    @property
    def forward(self) -> int:
        """The operations of the outputs alone."""
        return cost(self.graph, self.outputs)[1]

    @property
    def joint(self) -> int:
        """The operations of outputs and gradients together."""
        return cost(self.graph, (*self.outputs, *self.gradients))[1]


def solve(case: Case) -> Solution:
    if case.outputs:
        return _several(case)
    program = pipeline.program(case.formula)
    return Solution(program.graph, (program.output,), _gradients(program), program)


def _several(case: Case) -> Solution:
    pushed = differentiate(case.formula, partial)[-1]
    graph, roots = _seeded(pushed.graph, (*case.outputs, *_gradients(pushed)))
    graph, roots = cheapest_nodes(graph, roots, pipeline.RECIPES)
    count = len(case.outputs)
    return Solution(graph, roots[:count], roots[count:], None)


def _gradients(program: Program) -> tuple[int, ...]:
    return tuple(node for node in program.gradients if node is not None)


def _seeded(graph: Graph, roots: Sequence[int]) -> tuple[Graph, tuple[int, ...]]:
    """A graph with 1 in place of the cotangent."""
    builder = Builder()
    image: dict[int, Term] = {}
    for node in reachable(graph.nodes, roots):
        op, args, payload = graph[node]
        operands = [image[arg] for arg in args]
        if op == COTANGENT:
            image[node] = number(builder, 1)
        elif op == "mul":
            image[node] = operands[0] * operands[1]
        else:
            ids = tuple(operand.id for operand in operands)
            image[node] = Term(builder, builder.node(op, ids, payload))
    return builder.freeze(), tuple(image[root].id for root in roots)


_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    **{name: getattr(math, name) for name in ("sqrt", "exp", "log", "sin", "cos", "tanh", "erf")},
}


def values(solution: Solution, inputs: Mapping[str, float]) -> tuple[list[float], list[float]]:
    """The outputs and the gradients in float64, operation by operation."""
    roots = (*solution.outputs, *solution.gradients)
    known: dict[int, float] = {}
    nodes = solution.graph.nodes
    for index in reachable(nodes, roots):
        op, args, payload = nodes[index]
        parts = [known[arg] for arg in args]
        if op == "pow" and isinstance(payload, int):
            known[index] = parts[0] ** payload
        elif op in _FUNCTIONS:
            known[index] = _FUNCTIONS[op](*parts)
        elif op == COTANGENT:
            known[index] = 1.0
        elif op == "input":
            known[index] = inputs[str(payload)]
        else:
            (exact,) = evaluate(nodes, [index], {})
            assert isinstance(exact, mpmath.mpf)
            known[index] = float(exact)
    found = [known[root] for root in roots]
    return found[: len(solution.outputs)], found[len(solution.outputs) :]
