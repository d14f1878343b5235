"""How many operations forward and VJP take together, and how long finding them takes.

    python -m benchmarks.symbolic [--limit SECONDS] [--untimed] [CASE ...]

Prints, for each case, the operations of forward alone and of forward and VJP together
(shared ones counted once, integer powers as the multiplications that they become), the
goal, the seconds from the formula to the program, and the largest difference between the
gradients and torch autograd of the plain formula, relative to the largest gradient: those
of the emitted numpy module, or of the graph in float64 where there are several outputs or
very many operations. Beside them what SymPy and CasADi need, from the same run, each under
the limit, for a cotangent of 1; CasADi's gradients are compared too. Exits with 1 where a
goal is missed.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks.cases import Case, cases
from benchmarks.others import Measured, by_casadi, by_sympy, limited
from benchmarks.solution import Solution, solve, values
from gen import pipeline
from gen.importer import load
from gen.passes.plan import plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.model import Program

_TOLERANCE = 1e-12
_CHEAP_GRADIENT = 4  # joint / forward, Griewank & Walther, Evaluating Derivatives
# Larger ones are checked without a module: importing one of 3e5 operations takes longer
# than everything else here.
_LARGEST_EMITTED = 5000


def deviation(case: Case, solution: Solution) -> float:
    """How far value and gradients are from torch autograd of the plain formula."""
    inputs = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in case.point]
    output = case.plain(*inputs)
    wanted = [one for one, of in zip(inputs, case.formula.inputs, strict=True) if of.differentiable]
    expected = [one.item() for one in torch.autograd.grad(output, wanted)]
    if not case.outputs and solution.joint < _LARGEST_EMITTED:
        found, value = _emitted(case, solution.program)
    else:
        found, value = _computed(case, solution)
    return max(_distance(found, expected), _distance([value], [output.item()]))


def _emitted(case: Case, program: Program) -> tuple[Sequence[float], float]:
    module = load(pipeline.emit(plan(program), "numpy"), pipeline.runtime("numpy"))
    value, pullback = module.Case.vjp(*case.point)
    return [float(one) for one in pullback(1.0)], float(value)


def _computed(case: Case, solution: Solution) -> tuple[Sequence[float], float]:
    """The gradients, and the output or the weighed sum of several."""
    names = [one.name for one in case.formula.inputs]
    count = len(solution.outputs)
    weights = case.point[-count:] if case.outputs else (1.0,)
    at = dict(zip(names, case.point, strict=True))
    at |= {f"grad_y{place}": weight for place, weight in enumerate(weights) if case.outputs}
    outputs, gradients = values(solution, at)
    return gradients, sum(w * one for w, one in zip(weights, outputs, strict=True))


def _distance(found: Sequence[float], expected: Sequence[float]) -> float:
    scale = max(1.0, *map(abs, expected))
    return float(np.max(np.abs(np.array(found) - np.array(expected)))) / scale


def main(arguments: Sequence[str]) -> int:
    """Print the table; 1 where something is missed."""
    parser = argparse.ArgumentParser(description="operations of formula and gradient together")
    parser.add_argument("case", nargs="*", help="how names of cases begin; else all")
    parser.add_argument("--limit", type=float, default=5.0, help="seconds for each of the others")
    parser.add_argument(
        "--untimed", action="store_true", help="too many seconds are marked, but no miss"
    )
    given = parser.parse_args(arguments)
    titles = ("forward", "joint", "goal", "ratio", "seconds", "error", "SymPy", "CasADi")
    print(f"{'case':25}" + "".join(f"{title:>9}" for title in titles[:6]), end="")
    print("".join(f"{title:>18}" for title in titles[6:]), flush=True)
    gc.freeze()  # what torch and SymPy brought is not to be counted as garbage again and again
    wanted = [one for one in cases() if not given.case or one.name.startswith(tuple(given.case))]
    missed = [_report(case, given.limit, given.untimed) for case in wanted]
    return int(any(missed))


def _report(case: Case, limit: float, untimed: bool) -> bool:
    """Print one line; whether a goal is missed."""
    start = time.perf_counter()
    solution = solve(case)
    seconds = time.perf_counter() - start
    forward, joint = solution.forward, solution.joint
    error, ratio = deviation(case, solution), joint / forward
    goal = "" if case.goal is None else str(case.goal)
    print(f"{case.name:25}{forward:9}{joint:9}{goal:>9}{ratio:9.2f}{seconds:9.3f}", end="")
    theirs = limited(by_casadi, case, limit)
    if theirs is not None:
        error = max(error, _against(case, solution, theirs))
    columns = (limited(by_sympy, case, limit), theirs)
    missed = error > _TOLERANCE or ratio > _CHEAP_GRADIENT or joint > (case.goal or joint)
    slow = seconds > (case.limit or seconds)
    shown = "".join(f"{_shown(one, limit):>18}" for one in columns)
    print(f"{error:9.1e}{shown}{_verdict(missed, slow)}", flush=True)
    return missed or (slow and not untimed)


def _verdict(missed: bool, slow: bool) -> str:
    return "  MISSED" if missed else "  SLOW" if slow else ""


def _against(case: Case, solution: Solution, theirs: Measured) -> float:
    gradients, _ = _computed(case, solution)
    return _distance(gradients, theirs.gradients)


def _shown(measured: Measured | None, limit: float) -> str:
    if measured is None:
        return f"> {limit:g} s"
    return f"{measured.operations} ({measured.seconds:.2f} s)"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
