"""What SymPy and CasADi make of the same formulas, under a time limit.

In: a case. Out: how many operations value and gradients take together, the seconds that
finding them took, and the gradients' values. SymPy differentiates the expression and looks
for common subexpressions afterwards; an integer power counts as one operation there.
CasADi runs reverse mode over a graph of scalars, powers written as products, and then its
own `cse`.
"""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import casadi
import sympy

from gen.graph.evaluate import as_float
from gen.graph.graph import INPUT, NUMBER, Graph, constants, reachable
from gen.graph.powers import lower_powers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from multiprocessing.connection import Connection

    from benchmarks.cases import Case


@dataclass(frozen=True)
class Measured:
    """What somebody else needs for a case."""

    operations: int
    seconds: float
    gradients: tuple[float, ...] = ()


def limited(measure: Callable[[Case], Measured], case: Case, seconds: float) -> Measured | None:
    """A measurement in a process of its own; None where it takes longer or fails."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_send, args=(measure, case, sender), daemon=True)
    child.start()
    sender.close()
    try:
        found = receiver.recv() if receiver.poll(seconds) else None
    except EOFError:  # it died, of its recursion depth or of the memory
        found = None
    child.kill()
    child.join()
    assert found is None or isinstance(found, Measured)
    return found


def _send(measure: Callable[[Case], Measured], case: Case, sender: Connection) -> None:
    try:
        sender.send(measure(case))
    except RecursionError:
        sender.close()


# ---- SymPy


def by_sympy(case: Case) -> Measured:
    start = time.perf_counter()
    symbols = {one.name: sympy.Symbol(one.name, real=True) for one in case.formula.inputs}
    found = _built(case.formula.graph, case, symbols, _SYMPY, _rational)
    *outputs, weighed = found
    wanted = [symbols[one.name] for one in case.formula.inputs if one.differentiable]
    gradients = [sympy.diff(weighed, one) for one in wanted]
    replaced, results = sympy.cse([*(outputs or [weighed]), *gradients])
    parts = [*(expr for _, expr in replaced), *results]
    operations = sum(int(sympy.count_ops(one)) for one in parts)
    return Measured(operations, time.perf_counter() - start)


def _rational(graph: Graph, node: int) -> Any:
    op, args, payload = graph[node]
    if op == NUMBER:
        return sympy.Rational(str(payload))
    if op == "constant":
        return getattr(sympy, str(payload))
    return _SYMPY[op](*(_rational(graph, arg) for arg in args))


# ---- CasADi


def by_casadi(case: Case) -> Measured:
    start = time.perf_counter()
    symbols = {one.name: casadi.SX.sym(one.name) for one in case.formula.inputs}
    found = _built(case.formula.graph, case, symbols, _CASADI, lambda g, n: as_float(g.nodes, n))
    *outputs, weighed = found
    wanted = [symbols[one.name] for one in case.formula.inputs if one.differentiable]
    gradient = casadi.gradient(weighed, casadi.vertcat(*wanted))
    results = casadi.cse([*(outputs or [weighed]), gradient])
    function = casadi.Function("f", [casadi.vertcat(*symbols.values())], results)
    seconds = time.perf_counter() - start
    free = {casadi.OP_CONST, casadi.OP_INPUT, casadi.OP_OUTPUT}
    instructions = map(function.instruction_id, range(function.n_instructions()))
    operations = sum(1 for one in instructions if one not in free)
    values = function.call([casadi.DM(case.point)])[-1]
    return Measured(operations, seconds, tuple(float(one) for one in values.elements()))


# ---- a graph in other objects


def _built(
    graph: Graph,
    case: Case,
    inputs: Mapping[str, Any],
    operations: Mapping[str, Callable[..., Any]],
    constant: Callable[[Graph, int], Any],
) -> list[Any]:
    """The outputs, where there are several, and what the formula computes."""
    graph, roots = lower_powers(graph, [*case.outputs, *case.formula.roots])
    order = reachable(graph.nodes, roots)
    fixed = constants(graph, order)
    known: dict[int, Any] = {}
    for node in order:
        op, args, payload = graph[node]
        if node in fixed:
            known[node] = constant(graph, node)
        elif op == INPUT:
            known[node] = inputs[str(payload)]
        else:
            known[node] = operations[op](*(known[arg] for arg in args))
    return [known[root] for root in roots]


_PLAIN: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "pow": lambda a: a * a,  # lowered: squares are left
}
_NAMES = ("sqrt", "exp", "log", "sin", "cos", "tanh", "erf")
_SYMPY = {**_PLAIN, **{name: getattr(sympy, name) for name in _NAMES}}
_CASADI = {**_PLAIN, **{name: getattr(casadi, name) for name in _NAMES}}
