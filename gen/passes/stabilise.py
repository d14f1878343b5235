"""Harmless branches: what is not taken is evaluated at a point where it is finite.

In: a formula. Out: the same formula, with the operands of hazardous operations inside a
branch replaced by a constant where the branch is not taken: where(x > 0, sqrt(x), 0)
evaluates sqrt(where(x > 0, x, 1)). The values are the same. But nothing infinite or NaN
is left that a derivative, ours or that of whoever differentiates the emitted code, could
multiply by zero; nor does numpy warn of values that nobody asked for.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import mpmath

from gen.graph.algebra import Term, select, symbol
from gen.graph.branches import Branches
from gen.graph.evaluate import evaluate
from gen.graph.graph import BOOLEANS, Builder, constants, reachable
from gen.graph.operations import is_harmless

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen.model import Formula

# Where a branch may be evaluated instead, and how far around it must be finite.
_POINTS = tuple(map(Fraction, ("1", "1/2", "2", "-1/2", "-2", "1/4", "4", "-4", "10", "-10")))
_APART = Fraction(1, 64)  # between the values of several operands
_NEARBY = 1e-6
_DIGITS = 20


def stabilise(formula: Formula) -> Formula:
    """The formula with harmless branches."""
    builder = Builder.of(formula.graph)
    order = reachable(builder.nodes, [formula.output])
    if not any(builder.nodes[node].op == "select" for node in order):
        return formula
    output = _Rewriter(builder, order).run()
    return replace(formula, graph=builder.freeze(), output=output)


class _Rewriter:
    """One graph, whose branches are made harmless."""

    def __init__(self, builder: Builder, order: list[int]) -> None:
        self.builder = builder
        self.order = order
        self.branches = Branches(builder, order)
        self.fixed = constants(builder.nodes, order)
        self.feeds = self._feeding()
        self.points = self._points()

    def run(self) -> int:
        image: dict[int, Term] = {}
        for node in self.order:
            op, args, payload = self.builder.nodes[node]
            operands = [image[arg] for arg in args]
            for position in self._guarded(node):
                operands[position] = self._guard(node, position, operands[position])
            if op == "select":
                image[node] = select(*operands)
            else:
                ids = tuple(operand.id for operand in operands)
                image[node] = Term(self.builder, self.builder.node(op, ids, payload))
        return image[self.order[-1]].id

    def _feeding(self) -> set[int]:
        """Nodes inside a branch whose value reaches a hazardous operation there."""
        feeds: set[int] = set()
        for node in reversed(self.order):
            branch = self.branches.of[node]
            if branch == 0 or node in self.fixed:
                continue
            if node in feeds or not is_harmless(self.builder.nodes[node]):
                feeds.add(node)
                args = self.builder.nodes[node].args
                feeds.update(arg for arg in args if self.branches.of[arg] == branch)
        return feeds

    def _guarded(self, node: int) -> Iterable[int]:
        """The positions of operands that come from outside into a hazardous branch."""
        if node not in self.feeds or self.branches.of[node] not in self.points:
            return []
        args = self.builder.nodes[node].args
        return [place for place, arg in enumerate(args) if self._is_entry(node, arg)]

    def _is_entry(self, node: int, arg: int) -> bool:
        outside = self.branches.of[arg] != self.branches.of[node]
        return outside and arg not in self.fixed and self.builder.nodes[arg].op not in BOOLEANS

    def _guard(self, node: int, position: int, operand: Term) -> Term:
        branch = self.branches.of[node]
        safe = operand.like(self.points[branch][self.builder.nodes[node].args[position]])
        for condition, holds in self.branches.left(node, position):
            operand = select(condition, *((operand, safe) if holds else (safe, operand)))
        return operand

    # ---- points

    def _points(self) -> dict[int, dict[int, Fraction]]:
        """For each hazardous branch that has any, values of its operands where it is finite."""
        members: dict[int, list[int]] = {}
        for node in self.order:
            if node in self.feeds:
                members.setdefault(self.branches.of[node], []).append(node)
        found = {branch: self._point(nodes) for branch, nodes in members.items()}
        return {branch: point for branch, point in found.items() if point is not None}

    def _point(self, nodes: list[int]) -> dict[int, Fraction] | None:
        entries = list(
            dict.fromkeys(
                arg
                for node in nodes
                for arg in self.builder.nodes[node].args
                if self._is_entry(node, arg)
            )
        )
        local, roots = self._extracted(nodes, entries)
        for base in _POINTS:
            point = {entry: base + place * _APART for place, entry in enumerate(entries)}
            nearby = (_scaled(point, factor) for factor in (1, 1 - _NEARBY, 1 + _NEARBY))
            if all(_is_finite(local, roots, values) for values in nearby):
                return point
        return None

    def _extracted(self, nodes: list[int], entries: list[int]) -> tuple[Builder, list[int]]:
        """The nodes in a graph of their own, what comes from outside as inputs."""
        local = Builder()
        image = {entry: symbol(local, str(entry)).id for entry in entries}
        for node in reachable(self.builder.nodes, nodes, stop=entries):
            if node not in image:
                op, args, payload = self.builder.nodes[node]
                image[node] = local.node(op, tuple(image[arg] for arg in args), payload)
        return local, [image[node] for node in nodes]


def _scaled(point: dict[int, Fraction], factor: float) -> dict[str, object]:
    return {
        str(entry): mpmath.mpf(value.numerator) / value.denominator * factor
        for entry, value in point.items()
    }


def _is_finite(local: Builder, roots: list[int], values: dict[str, object]) -> bool:
    try:
        found = evaluate(local.nodes, roots, values, _DIGITS)
    except (ArithmeticError, ValueError, TypeError, KeyError):
        return False
    return all(isinstance(one, mpmath.mpf | bool) and mpmath.isfinite(one) for one in found)
