"""Integer and half-integer powers → squares, roots and products along addition chains.

In: a graph and its roots. Out: the same values; the only powers left are squares.
numpy and torch both square fast and raise to other powers slowly (x**4 costs torch 2.7
ms on 1e6 numbers where two squarings cost 0.2).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from gen.graph.algebra import Term, call, integer_power
from gen.graph.chains import chain
from gen.graph.graph import Builder, Graph, reachable

if TYPE_CHECKING:
    from collections.abc import Sequence

# Half-integer powers up to here are products with a square root, others calls of pow.
_MOST_HALVES = 16


def lower_powers(graph: Graph, roots: Sequence[int]) -> tuple[Graph, tuple[int, ...]]:
    order = reachable(graph.nodes, roots)
    wanted: dict[int, set[int]] = {}
    for node in order:
        power = _power(graph, node)
        if power is not None:
            wanted.setdefault(graph[node].args[0], set()).add(abs(power) // 2)
    chains = {base: chain(exponents - {0}) for base, exponents in wanted.items()}
    builder = Builder()
    image: dict[int, Term] = {}
    for node in order:
        power = _power(graph, node)
        operands = [image[arg] for arg in graph[node].args]
        if power is not None:
            image[node] = _lowered(operands[0], power, chains[graph[node].args[0]])
        elif graph[node].op == "mul":
            image[node] = _product(*operands)
        else:
            op, _, payload = graph[node]
            ids = tuple(operand.id for operand in operands)
            image[node] = Term(builder, builder.node(op, ids, payload))
    return builder.freeze(), tuple(image[root].id for root in roots)


def _power(graph: Graph, node: int) -> int | None:
    """Twice the exponent of an integer or half-integer power."""
    op, args, payload = graph[node]
    if op == "pow" and isinstance(payload, int):
        return 2 * payload
    exponent = graph[args[1]].payload if op == "power" else None
    if not isinstance(exponent, Fraction) or exponent.denominator != 2:
        return None
    return exponent.numerator if abs(exponent) < _MOST_HALVES else None


def _lowered(base: Term, power: int, steps: tuple[tuple[int, int, int], ...]) -> Term:
    """The base to half of `power`."""
    whole = abs(power) // 2
    powers = {1: base}
    for e, a, b in steps:
        if e > whole:
            break
        # Not the algebra's product, which would gather the factors into a power again.
        powers[e] = integer_power(base, 2) if e == 2 else _raw_product(powers[a], powers[b])
    factors = ([powers[whole]] if whole else []) + ([call("sqrt", base)] if power % 2 else [])
    value = factors[0] if len(factors) == 1 else _raw_product(*factors)
    return value if power > 0 else Term(base.builder, _raw("div", base.like(1), value))


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
