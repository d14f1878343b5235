"""How many operations forward and VJP take together, and how long finding them takes.

    python -m benchmarks.symbolic

Prints, for each case, the operations of forward alone and of forward and VJP together
(shared ones counted once, integer powers as the multiplications that they become), the
goal, the seconds from the expression to the program, and the largest difference between
the emitted numpy gradients and torch autograd of the plain formula, relative to the
largest gradient. Exits with 1 where a goal is missed.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks.cases import Case, cases
from gen import pipeline
from gen.graph.graph import operations
from gen.graph.powers import lower_powers
from gen.importer import load
from gen.passes.plan import joint_operations, plan

if TYPE_CHECKING:
    from gen.model import Program

_TOLERANCE = 1e-12
_CHEAP_GRADIENT = 4  # joint / forward, Griewank & Walther, Evaluating Derivatives


def forward_operations(program: Program) -> int:
    """The operations of the formula alone, as they are emitted."""
    graph, roots = lower_powers(program.graph, program.outputs)
    return sum(1 for _ in operations(graph, roots))


def deviation(case: Case, program: Program) -> float:
    """How far the emitted gradients are from torch autograd of the plain formula."""
    module = load(pipeline.emit(plan(program), "numpy"), pipeline.runtime("numpy"))
    inputs = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in case.point]
    output = case.plain(*inputs)
    expected = np.array([one.item() for one in torch.autograd.grad(output, inputs)])
    value, pullback = module.Case.vjp(*case.point)
    found = np.array(pullback(1.0), dtype=np.float64)
    scale = max(1.0, float(np.max(np.abs(expected))))
    return max(
        float(np.max(np.abs(found - expected))) / scale,
        abs(float(value) - output.item()) / max(1.0, abs(output.item())),
    )


def main() -> int:
    """Print the table; 1 where something is missed."""
    titles = ("forward", "joint", "goal", "ratio", "seconds", "error")
    print(f"{'case':24}" + "".join(f"{title:>9}" for title in titles))
    missed = False
    for case in cases():
        start = time.perf_counter()
        program = pipeline.program(case.formula)
        seconds = time.perf_counter() - start
        forward, joint = forward_operations(program), joint_operations(program)
        error = deviation(case, program)
        ratio = joint / forward
        failed = error > _TOLERANCE or ratio > _CHEAP_GRADIENT or joint > (case.goal or joint)
        missed |= failed
        goal = "" if case.goal is None else str(case.goal)
        print(
            f"{case.name:24}{forward:9}{joint:9}{goal:>9}{ratio:9.2f}{seconds:9.3f}{error:9.1e}"
            f"{'  MISSED' if failed else ''}"
        )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
