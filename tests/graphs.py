"""Random graphs of sums and products, and their values in rational arithmetic."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from gen.graph.algebra import Term, number, symbol
from gen.graph.cost import cost
from gen.graph.graph import Builder, Graph, operations, reachable
from gen.graph.powers import lower_powers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gen.model import Program

_AT = {"x": Fraction(3, 7), "y": Fraction(-5, 3), "z": Fraction(11, 2)}

_ARITHMETIC: dict[str, Callable[..., Fraction]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    # An operation that no pass may look into; any function of its operands does.
    "hypot": lambda a, b: a * a + 3 * b,
}


def terms(builder: Builder, largest: int = 14) -> st.SearchStrategy[Term]:
    """Polynomials in x, y and z with rational coefficients."""
    names = st.sampled_from(sorted(_AT)).map(lambda name: symbol(builder, name))
    numbers = st.sampled_from([Fraction(n, d) for n in (-2, -1, 1, 3) for d in (1, 2)])
    leaves = st.one_of(names, names, numbers.map(lambda value: number(builder, value)))

    def larger(parts: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
        pairs = st.tuples(parts, parts)
        return st.one_of(
            pairs.map(lambda pair: pair[0] + pair[1]),
            pairs.map(lambda pair: pair[0] - pair[1]),
            pairs.map(lambda pair: pair[0] * pair[1]),
            parts.map(lambda part: part**2),
            parts.map(lambda part: -part),
        )

    return st.recursive(leaves, larger, max_leaves=largest)


@st.composite
def webs(draw: st.DrawFn) -> tuple[Graph, tuple[int, ...]]:
    """Graphs with much sharing and several roots, written without any simplification."""
    builder = Builder()
    nodes = [symbol(builder, name).id for name in sorted(_AT)]
    nodes += [number(builder, value).id for value in (Fraction(-1, 2), Fraction(3))]
    for op in draw(st.lists(st.sampled_from([*_ARITHMETIC, "add", "mul", "pow"]), max_size=25)):
        one, other = draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes))
        if op == "pow":
            nodes.append(builder.node("pow", (one,), draw(st.sampled_from([2, 3, 5]))))
        elif op == "neg":
            nodes.append(builder.node("neg", (one,)))
        elif op == "div":
            nodes.append(builder.node("div", (one, draw(st.sampled_from(nodes[:3])))))
        else:
            nodes.append(builder.node(op, (one, other)))
    roots = draw(st.lists(st.sampled_from(nodes[-4:]), min_size=1, max_size=3))
    return builder.freeze(), tuple(roots)


def exact(graph: Graph, roots: Sequence[int]) -> tuple[Fraction, ...]:
    """The values at one point."""
    values: dict[int, Fraction] = {}
    for index in reachable(graph.nodes, roots):
        op, args, payload = graph[index]
        parts = [values[arg] for arg in args]
        match op, payload:
            case "number", Fraction():
                values[index] = payload
            case "input", str():
                values[index] = _AT[payload]
            case "pow", int():
                values[index] = parts[0] ** payload
            case _:
                values[index] = _ARITHMETIC[op](*parts)
    return tuple(values[root] for root in roots)


def operation_count(graph: Graph, roots: Sequence[int]) -> int:
    """The operations of the roots, powers counted as what they become."""
    lowered, nodes = lower_powers(graph, roots)
    return sum(1 for _ in operations(lowered, nodes))


def joint_operations(program: Program) -> int:
    """How many operations outputs and gradients have together."""
    return cost(program.graph, program.roots)[1]
