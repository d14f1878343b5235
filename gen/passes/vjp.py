"""Reverse accumulation: Formula → candidate Programs.

In: a formula, and a way to ask for a partial that the table does not write by hand.
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
from typing import TYPE_CHECKING, TypeAlias

from gen.errors import GenError
from gen.graph.algebra import Term, cotangent, number
from gen.graph.branches import Branches
from gen.graph.conditions import masked, select
from gen.graph.graph import CUSTOM, INPUT, Builder, reachable
from gen.graph.indices import ELLIPSIS, TENSOR_OPERATIONS
from gen.graph.leading import Leading
from gen.graph.operations import OPERATIONS, STEPS, is_harmless
from gen.graph.tensors import gather, indices, spread, sum_over
from gen.model import Expression, Formula, Program

if TYPE_CHECKING:
    from collections.abc import Sequence

# Given an operation's name, its operands and the index of one: the partial derivative.
# The name of a user's own function f is "custom f".
Derive: TypeAlias = Callable[[str, tuple[Term, ...], int], Term]

# In larger graphs the derivative alone is not tried: it is a sweep of its own, and saves
# one multiplication for each time that the cotangent branches.
_LARGEST_TWICE = 5_000


def differentiate(formula: Formula, derive: Derive) -> tuple[Program, ...]:
    """The programs that compute the formula and its VJP, as written and by derivative."""
    builder = Builder.of(formula.graph)
    sweep = _Sweep(builder, formula.differentiated, derive)
    declared = {name: Term(builder, node) for name, node in formula.gradients}
    pushed = sweep.run([cotangent(builder, one.grad) for one in formula.outputs]) | declared
    if formula.has_tensors or len(formula.outputs) > 1 or len(sweep.order) > _LARGEST_TWICE:
        return (_program(formula, builder, pushed, {}),)
    slopes = sweep.run([number(builder, 1)])
    g = cotangent(builder, formula.outputs[0].grad)
    scaled = {name: masked(g, slope) for name, slope in slopes.items()} | declared
    # What is declared is no slope of the output.
    shown = {} if formula.request.gradient.is_declared else slopes
    return (
        _program(formula, builder, scaled, shown),
        _program(formula, builder, pushed, shown),
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
    if not conditions:
        return contribution
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
    return Program(formula, graph, formula.roots, nodes, derivatives, bool(slopes))


def _nodes(formula: Formula, builder: Builder, terms: dict[str, Term]) -> tuple[int | None, ...]:
    """One node for each input, 0 where the output does not depend on it."""
    zero = number(builder, 0)
    return tuple(
        terms.get(one.name, zero).id if one.differentiable else None for one in formula.inputs
    )


@dataclass(slots=True)
class _Sweep:
    """One formula, swept from its outputs to its inputs."""

    builder: Builder
    formula: Formula
    derive: Derive
    order: list[int] = field(init=False)
    active: set[int] = field(init=False)
    branches: Branches = field(init=False)
    leading: Leading = field(init=False)
    uneven: bool = field(init=False)  # whether cotangents are summed to their operands at once

    def __post_init__(self) -> None:
        self.order = reachable(self.builder.nodes, self.formula.roots)
        self.active = self._active()
        self.leading = Leading(self.builder, self.formula.leading)
        self.uneven = self.leading.differ(self.order)
        leading = self.leading if self.uneven else None
        self.branches = Branches(self.builder, self.formula.roots, self.order, leading)

    def _active(self) -> set[int]:
        """Nodes through which a differentiable input reaches the output."""
        declared = {name for name, _ in self.formula.gradients}
        wanted = {one.name for one in self.formula.inputs if one.differentiable} - declared
        active: set[int] = set()
        for node in self.order:
            op, args, payload = self.builder.nodes[node]
            if (op == INPUT and payload in wanted) or not active.isdisjoint(args):
                active.add(node)
        return active

    def run(self, seeds: Sequence[Term]) -> dict[str, Term]:
        """The cotangent of each differentiable input, by name, for one seed at each output."""
        cotangents: dict[int, Term] = {}
        for root, seed in zip(self.formula.roots, seeds, strict=True):
            # An output may be the same along some of its axes.
            seed = self._gathered(seed.id, root, seed) if self.uneven else seed
            seed = self._matched(root, seed)
            cotangents[root] = cotangents[root] + seed if root in cotangents else seed
        gradients: dict[str, Term] = {}
        for node in reversed(self.order):
            g = cotangents.pop(node, None)
            if g is None or node not in self.active:
                continue
            term = Term(self.builder, node)
            if term.op == INPUT:
                gradients[str(self.builder.nodes[node].payload)] = self._repeatable(node, g)
                continue
            for arg, contribution in self._contributions(node, g):
                known = cotangents.get(arg)
                cotangents[arg] = contribution if known is None else known + contribution
        return gradients

    def _contributions(self, node: int, g: Term) -> list[tuple[int, Term]]:
        """What the cotangent of a node adds to those of its active operands."""
        args = self.builder.nodes[node].args
        if self.builder.nodes[node].op in TENSOR_OPERATIONS:
            # No branch reaches into a tensor operation: the cotangent is masked before it.
            g = _selected(g, self.branches.conditions(self.branches.of[node]))
            pulled = self._pull(Term(self.builder, node), g)
            if self.uneven and self.builder.nodes[node].op == "spread":
                pulled = [(i, self._gathered(node, args[i], one)) for i, one in pulled]
            return [(args[i], self._matched(args[i], one)) for i, one in pulled]
        inner, masks = self._peeled(node, g)
        found = []
        for position, contribution in self._pull(Term(self.builder, node), inner):
            if not is_harmless(self.builder.nodes[node]):
                contribution = _zero_where(inner, contribution)
            left = self.branches.left(node, position)
            contribution = _selected(contribution, [*masks, *left])
            found.append((args[position], self._reduced(node, args[position], contribution)))
        return found

    def _matched(self, arg: int, contribution: Term) -> Term:
        """A contribution without the indices that only other operands have."""
        return sum_over(contribution, indices(contribution) - self.builder.indices[arg])

    def _reduced(self, node: int, arg: int, contribution: Term) -> Term:
        """A contribution of an elementwise operation, summed where it broadcast the operand."""
        if self.builder.indices[node] is self.builder.indices[arg] and not self.uneven:
            return contribution
        lost = self.builder.indices[node] - self.builder.indices[arg]
        if self.uneven and ELLIPSIS in self.builder.indices[node]:
            contribution = self._gathered(node, arg, contribution)
        return sum_over(contribution, lost)

    def _repeatable(self, node: int, g: Term) -> Term:
        """The cotangent of an input, in its leading dimensions if it lacks others of its axes.

        It is repeated along those, before leading dimensions are summed at the end.
        """
        if ELLIPSIS not in indices(g) or indices(g) == self.builder.indices[node]:
            return g
        wanted = self.leading.sources(node)
        if self.leading.sources(g.id) == wanted:
            return g
        return gather(g, self.leading.names(wanted))

    def _gathered(self, node: int, arg: int, contribution: Term) -> Term:
        """The same for leading dimensions, of which the operand may have fewer."""
        whole, wanted = self.leading.sources(node), self.leading.sources(arg)
        if wanted == whole:
            return contribution
        if self.leading.sources(contribution.id) != whole:
            contribution = spread(contribution, self.leading.names(whole))
        return gather(contribution, self.leading.names(wanted)) if wanted else contribution

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
        if term.op in STEPS and self.formula.request.gradient.straight_through:
            return [(i, g) for i in wanted if i == 0]
        if row.pullback is not None:
            pulled = row.pullback(g, *term.args, term)
            return [(i, found) for i in wanted if (found := pulled[i]) is not None]
        partials = row.partials(*term.args, term) if row.partials else ()
        return [(i, masked(g, self._partial(term, partials, i))) for i in wanted]

    def _partial(self, term: Term, partials: tuple[Term | None, ...], index: int) -> Term:
        known = partials[index] if partials else None
        if known is not None:
            return known
        if term.op == CUSTOM:
            name = self.builder.nodes[term.id].payload
            return self.derive(f"{CUSTOM} {name}", term.args, index)
        if not OPERATIONS[term.op].sympy:
            raise GenError(f"the derivative of {term.op} in its argument {index + 1} is not known")
        return self.derive(term.op, term.args, index)
