"""Reverse accumulation: Formula → candidate Programs.

In: a formula, and a way to ask SymPy for a partial that the table does not write by hand.
Out: the VJP in the graph of the formula, in one or two forms for the planner to choose
from: the cotangent pushed through every operation, or the derivative alone, multiplied
by the cotangent at the end, which is how people write it.

A cotangent that enters a branch of a `select` is not masked there: 0 times an infinite
derivative of the branch not taken would be NaN. It runs through the operations that
only this branch uses and is selected where it leaves them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from gen.errors import GenError
from gen.graph.algebra import Term, cotangent, masked, number, select
from gen.graph.branches import Branches
from gen.graph.graph import INPUT, Builder, reachable
from gen.graph.operations import OPERATIONS, is_harmless
from gen.graph.shapes import TENSOR_OPERATIONS
from gen.model import Expression, Formula, Program

# Given an operation's name, its operands and the index of one: the partial derivative.
Derive: TypeAlias = Callable[[str, tuple[Term, ...], int], Term]


def differentiate(formula: Formula, derive: Derive) -> tuple[Program, ...]:
    """The programs that compute the formula and its VJP, as written and by derivative."""
    builder = Builder.of(formula.graph)
    sweep = _Sweep(builder, formula, derive)
    g = cotangent(builder)
    pushed = sweep.run(g)
    if any(formula.graph[node].op in TENSOR_OPERATIONS for node in sweep.order):
        return (_program(formula, builder, pushed, {}),)
    slopes = sweep.run(number(builder, 1))
    scaled = {name: masked(g, slope) for name, slope in slopes.items()}
    return (
        _program(formula, builder, scaled, slopes),
        _program(formula, builder, pushed, slopes),
    )


def _zero_where(g: Term, contribution: Term) -> Term:
    """A contribution, 0 wherever the cotangent that it comes from is 0 by selection."""
    if g.number == 0:
        return g
    if g.op != "select":
        return contribution
    condition, yes, no = g.args
    return select(condition, _zero_where(yes, contribution), _zero_where(no, contribution))


def _selected(contribution: Term, conditions: list[tuple[Term, bool]]) -> Term:
    """A cotangent where all conditions are as said, 0 elsewhere."""
    zero = contribution.like(0)
    for condition, holds in conditions:
        branches = (contribution, zero) if holds else (zero, contribution)
        contribution = select(condition, *branches)
    return contribution


def _program(
    formula: Formula, builder: Builder, gradients: dict[str, Term], slopes: dict[str, Term]
) -> Program:
    nodes = _nodes(formula, builder, gradients)
    shown = _nodes(formula, builder, slopes) if slopes else nodes
    graph = builder.freeze()
    derivatives = tuple(None if node is None else Expression(graph, node) for node in shown)
    return Program(formula, graph, formula.output, nodes, derivatives, bool(slopes))


def _nodes(formula: Formula, builder: Builder, terms: dict[str, Term]) -> tuple[int | None, ...]:
    """One node for each input, 0 where the output does not depend on it."""
    zero = number(builder, 0)
    return tuple(
        terms.get(one.name, zero).id if one.differentiable else None for one in formula.inputs
    )


@dataclass(slots=True)
class _Sweep:
    """One formula, swept from its output to its inputs."""

    builder: Builder
    formula: Formula
    derive: Derive
    order: list[int] = field(init=False)
    active: set[int] = field(init=False)
    branches: Branches = field(init=False)

    def __post_init__(self) -> None:
        self.order = reachable(self.builder.nodes, [self.formula.output])
        self.active = self._active()
        self.branches = Branches(self.builder, self.order)

    def _active(self) -> set[int]:
        """Nodes through which a differentiable input reaches the output."""
        wanted = {one.name for one in self.formula.inputs if one.differentiable}
        active: set[int] = set()
        for node in self.order:
            op, args, payload = self.builder.nodes[node]
            if (op == INPUT and payload in wanted) or not active.isdisjoint(args):
                active.add(node)
        return active

    def run(self, seed: Term) -> dict[str, Term]:
        """The cotangent of each differentiable input, by name, for `seed` at the output."""
        cotangents = {self.formula.output: seed}
        gradients: dict[str, Term] = {}
        for node in reversed(self.order):
            g = cotangents.pop(node, None)
            if g is None or node not in self.active:
                continue
            term = Term(self.builder, node)
            if term.op == INPUT:
                gradients[str(self.builder.nodes[node].payload)] = g
                continue
            inner, masks = self._peeled(node, g)
            for position, contribution in self._pull(term, inner):
                arg = self.builder.nodes[node].args[position]
                left = self.branches.left(node, position)
                if not is_harmless(self.builder.nodes[node]):
                    contribution = _zero_where(inner, contribution)
                contribution = _selected(contribution, [*masks, *left])
                known = cotangents.get(arg)
                cotangents[arg] = contribution if known is None else known + contribution
        return gradients

    def _peeled(self, node: int, g: Term) -> tuple[Term, list[tuple[Term, bool]]]:
        """A cotangent before an operation that could make NaN of its zeros.

        Its selections are taken off, innermost last, and put on again behind it.
        """
        masks: list[tuple[Term, bool]] = []
        while not is_harmless(self.builder.nodes[node]) and g.op == "select":
            condition, yes, no = g.args
            if 0 not in (yes.number, no.number):
                break
            masks.insert(0, (condition, no.number == 0))
            g = yes if no.number == 0 else no
        return g, masks

    def _pull(self, term: Term, g: Term) -> list[tuple[int, Term]]:
        """What `g` at an operation contributes to each of its active operands."""
        wanted = [i for i, arg in enumerate(term.args) if arg.id in self.active]
        row = OPERATIONS[term.op]
        if row.pullback is not None:
            pulled = row.pullback(g, *term.args, term)
            return [(i, found) for i in wanted if (found := pulled[i]) is not None]
        partials = row.partials(*term.args, term) if row.partials else ()
        return [(i, masked(g, self._partial(term, partials, i))) for i in wanted]

    def _partial(self, term: Term, partials: tuple[Term | None, ...], index: int) -> Term:
        known = partials[index] if partials else None
        if known is not None:
            return known
        if not OPERATIONS[term.op].sympy:
            raise GenError(f"the derivative of {term.op} in its argument {index + 1} is not known")
        return self.derive(term.op, term.args, index)
