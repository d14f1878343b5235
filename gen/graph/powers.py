"""Integer powers → squares and products, along one addition chain for each base.

In: a graph and its roots. Out: the same values; the only integer powers left are squares.
numpy and torch both square fast and raise to other powers slowly (x**4 costs torch 2.7
ms on 1e6 numbers where two squarings cost 0.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.graph.algebra import Term, integer_power
from gen.graph.chains import chain
from gen.graph.graph import Builder, Graph, reachable

if TYPE_CHECKING:
    from collections.abc import Sequence


def lower_powers(graph: Graph, roots: Sequence[int]) -> tuple[Graph, tuple[int, ...]]:
    order = reachable(graph.nodes, roots)
    wanted: dict[int, set[int]] = {}
    for node in order:
        op, args, exponent = graph[node]
        if op == "pow" and isinstance(exponent, int):
            wanted.setdefault(args[0], set()).add(abs(exponent))
    chains = {base: chain(exponents) for base, exponents in wanted.items()}
    builder = Builder.beside(graph)
    image: dict[int, Term] = {}
    for node in order:
        op, args, payload = graph[node]
        operands = [image[arg] for arg in args]
        if op == "pow" and isinstance(payload, int):
            image[node] = _lowered(operands[0], payload, chains[args[0]])
        elif op == "mul":
            image[node] = _product(*operands)
        else:
            ids = tuple(operand.id for operand in operands)
            image[node] = Term(builder, builder.node(op, ids, payload))
    return builder.freeze(), tuple(image[root].id for root in roots)


def _lowered(base: Term, exponent: int, steps: tuple[tuple[int, int, int], ...]) -> Term:
    powers = {1: base}
    for e, a, b in steps:
        if e > abs(exponent):
            break
        # Not the algebra's product, which would gather the factors into a power again.
        powers[e] = integer_power(base, 2) if e == 2 else _raw_product(powers[a], powers[b])
    value = powers[abs(exponent)]
    return value if exponent > 0 else Term(base.builder, _raw("div", base.like(1), value))


def _product(a: Term, b: Term) -> Term:
    """A product; one with the reciprocal of a power is a quotient."""
    for one, other in ((a, b), (b, a)):
        if one.op == "div" and one.args[0].number == 1 and not one.is_constant:
            return Term(a.builder, _raw("div", other, one.args[1]))
    return _raw_product(a, b)


def _raw_product(a: Term, b: Term) -> Term:
    return Term(a.builder, _raw("mul", a, b))


def _raw(op: str, a: Term, b: Term) -> int:
    return a.builder.node(op, (a.id, b.id))
