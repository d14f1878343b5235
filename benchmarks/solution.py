"""Cases solved: the graph of value and gradients, whether there is one output or several.

In: a case. Out: its cheapest graph. Where a case has several outputs, its formula weighs and
adds them for those who know one output alone; here they are outputs, and the weights are
their cotangents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import mpmath

from gen import pipeline
from gen.graph.cost import cost
from gen.graph.evaluate import evaluate
from gen.graph.graph import COTANGENT, Graph, reachable
from gen.model import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.cases import Case
    from gen.model import Program


@dataclass(frozen=True)
class Solution:
    """Outputs and gradients in one graph."""

    graph: Graph
    outputs: tuple[int, ...]
    gradients: tuple[int, ...]
    program: Program

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
    return _solution(pipeline.program(case.formula))


def _several(case: Case) -> Solution:
    outputs = tuple(Output(f"y{place}", node) for place, node in enumerate(case.outputs))
    inputs = tuple(one for one in case.formula.inputs if one.differentiable)
    return _solution(pipeline.program(replace(case.formula, inputs=inputs, outputs=outputs)))


def _solution(program: Program) -> Solution:
    gradients = tuple(node for node in program.gradients if node is not None)
    return Solution(program.graph, program.outputs, gradients, program)


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
            known[index] = inputs.get(str(payload), 1.0)
        elif op == "input":
            known[index] = inputs[str(payload)]
        else:
            (exact,) = evaluate(nodes, [index], {})
            assert isinstance(exact, mpmath.mpf)
            known[index] = float(exact)
    found = [known[root] for root in roots]
    return found[: len(solution.outputs)], found[len(solution.outputs) :]
