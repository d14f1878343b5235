"""Harmless branches: what is not taken is evaluated at a point where it is finite.

In: a formula. Out: the same formula, with the operands of hazardous operations inside a
branch replaced by a constant where the branch is not taken: where(x > 0, sqrt(x), 0)
evaluates sqrt(where(x > 0, x, 1)). The values are the same. But nothing infinite or NaN
is left that a derivative, ours or that of whoever differentiates the emitted code, could
multiply by zero; nor does numpy warn of values that nobody asked for. Conditions stay as
they are written.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import mpmath

from gen.graph.algebra import Term, number, truth
from gen.graph.branches import Branches
from gen.graph.conditions import both, either, negated, select
from gen.graph.evaluate import evaluate
from gen.graph.graph import BOOLEANS, INPUT, Builder, reachable
from gen.graph.operations import is_harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.graph.graph import Payload
    from gen.model import Formula

# Where an operation may be evaluated instead, and how far around it must be finite.
_POINTS = tuple(map(Fraction, ("1", "1/2", "2", "-1/2", "-2", "1/4", "4", "-4", "10", "-10")))
_NEARBY = 1e-6
_DIGITS = 20


def stabilise(formula: Formula) -> Formula:
    """The formula with harmless branches."""
    builder = Builder.of(formula.graph)
    order = reachable(builder.nodes, formula.ends)
    if not any(builder.nodes[node].op == "select" for node in order):
        return formula
    plain = {one.name for one in formula.inputs if not one.differentiable}
    image = _Rewriter(builder, formula.ends, order, plain).run()
    return replace(
        formula,
        outputs=tuple(replace(one, node=image[one.node].id) for one in formula.outputs),
        gradients=tuple((name, image[node].id) for name, node in formula.gradients),
        primitives=tuple(image[node].id for node in formula.primitives),
        graph=builder.freeze(),
    )


class _Rewriter:
    """One graph, whose branches are made harmless."""

    def __init__(
        self, builder: Builder, roots: Sequence[int], order: list[int], plain: set[str]
    ) -> None:
        self.builder = builder
        self.order = order
        self.branches = Branches(builder, roots, order)
        self.image: dict[int, Term] = {}
        self.plain = self._plain(plain)
        # The value that a rewritten node has where its branch is not taken, if one alone.
        self.settled: dict[tuple[int, int], object] = {}
        self.values: dict[object, object] = {}  # by operation and those of its operands

    def run(self) -> dict[int, Term]:
        for node in self.order:
            if node in self.branches.of:
                self.image[node] = self._rewritten(node)
        return self.image

    def _plain(self, names: set[str]) -> set[int]:
        """Nodes of plain numbers alone: whoever gives them sees to their values."""
        plain: set[int] = set()
        for node in self.order:
            op, args, payload = self.builder.nodes[node]
            numbers = plain.issuperset(args) and not (op == INPUT and payload not in names)
            if numbers:
                plain.add(node)
        return plain

    def _rewritten(self, node: int) -> Term:
        op, args, _ = self.builder.nodes[node]
        if op == "select":
            condition = Term(self.builder, args[0])  # as it is written
            return select(condition, self.image[args[1]], self.image[args[2]])
        operands = [self.image[arg] for arg in args]
        guards = self._guards(node)
        if not guards:
            return self._made(node, operands)
        branch = self.branches.of[node]
        values = [self._known(operand, branch) for operand in operands]
        if not is_harmless(self.builder.nodes[node]) and not self._is_safe(node, values):
            operands, values = self._guarded(node, operands, guards)
        result = self._made(node, operands)
        if None not in values:
            self.settled[result.id, branch] = self._value(node, values)
        return result

    def _made(self, node: int, operands: list[Term]) -> Term:
        """The same operation of other operands."""
        op, _, payload = self.builder.nodes[node]
        ids = tuple([operand.id for operand in operands])
        return Term(self.builder, self.builder.node(op, ids, payload))

    def _guards(self, node: int) -> list[tuple[Term, bool]]:
        """The conditions, innermost first, where the value of a node matters."""
        op = self.builder.nodes[node].op
        if op == INPUT or op in BOOLEANS:
            return []
        branch = self.branches.of[node]
        # A branch that constants do not take is not evaluated.
        around = [one for one in self.branches.conditions(branch) if one[0].id not in self.plain]
        uses = sorted(self.branches.uses.get(node, {branch}))
        if branch in uses:
            return around
        # Used in several branches: any of them.
        anywhere = truth(self.builder, False)
        for use in uses:
            anywhere = either(anywhere, self._conjunction(self.branches.conditions(use, branch)))
        return [(anywhere, True), *around]

    def _conjunction(self, conditions: list[tuple[Term, bool]]) -> Term:
        result = truth(self.builder, True)
        for condition, holds in reversed(conditions):
            result = both(result, condition if holds else negated(condition))
        return result

    def _guarded(
        self, node: int, operands: list[Term], guards: list[tuple[Term, bool]]
    ) -> tuple[list[Term], list[object]]:
        """The operands of a hazardous operation, and their values where they do not matter."""
        first = 1 if self.builder.nodes[node].op == "div" else 0
        places = [i for i, one in enumerate(operands) if i >= first and one.id not in self.plain]
        for point in _POINTS:
            values: list[object] = [
                _mpf(point) if i in places else self._known(operand, -1)
                for i, operand in enumerate(operands)
            ]
            if self._is_safe(node, values):
                safe = number(self.builder, point)
                chosen = [
                    _where(guards, operand, safe) if i in places else operand
                    for i, operand in enumerate(operands)
                ]
                return chosen, values
        return operands, [None] * len(operands)

    # ---- values where a branch is not taken

    def _known(self, operand: Term, branch: int) -> object:
        if operand.id in self.plain and not operand.is_constant:
            return _mpf(Fraction(1))
        found = self.settled.get((operand.id, branch))
        return self._constant(operand) if found is None else found

    def _constant(self, operand: Term) -> object:
        if not operand.is_constant:
            return None
        try:
            return evaluate(self.builder.nodes, [operand.id], {}, _DIGITS)[0]
        except (ArithmeticError, ValueError, TypeError):
            return None

    def _is_safe(self, node: int, values: list[object]) -> bool:
        """Whether an operation is finite at and around these values of its operands."""
        if self.builder.nodes[node].op == "div" and values[0] is None:
            values = [_mpf(Fraction(1)), values[1]]  # any finite numerator does
        if None in values:
            return False
        offsets = (0, -_NEARBY, _NEARBY)
        found = [self._value(node, [_near(one, offset) for one in values]) for offset in offsets]
        return all(isinstance(one, mpmath.mpf) and mpmath.isfinite(one) for one in found)

    def _value(self, node: int, values: list[object]) -> object:
        """The value of one operation; None where there is none."""
        op, args, payload = self.builder.nodes[node]
        if not args:
            return None
        key = (op, payload, *values)
        if key not in self.values:
            self.values[key] = _evaluated(op, payload, values)
        return self.values[key]


def _evaluated(op: str, payload: Payload, values: list[object]) -> object:
    """The value of an operation; None where there is none."""
    local = Builder()
    leaves = tuple(local.node(INPUT, (), str(i)) for i in range(len(values)))
    root = local.node(op, leaves, payload)
    inputs = {str(i): value for i, value in enumerate(values)}
    try:
        return evaluate(local.nodes, [root], inputs, _DIGITS)[0]
    except (ArithmeticError, ValueError, TypeError, KeyError):
        return None


def _where(guards: list[tuple[Term, bool]], operand: Term, safe: Term) -> Term:
    # The outermost first: what branches inside each other need, they then share.
    for condition, holds in reversed(guards):
        operand = select(condition, *((operand, safe) if holds else (safe, operand)))
    return operand


def _mpf(value: Fraction) -> object:
    return mpmath.mpf(value.numerator) / value.denominator


def _near(value: object, offset: float) -> object:
    return value + offset * (1 + abs(value)) if isinstance(value, mpmath.mpf) else value
