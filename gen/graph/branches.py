"""Which branches of selects a node lies in.

In: a graph. Out: for each use of a node, the conditions under which its value matters.

A node lies in a branch if every path from the output to it runs through that branch;
paths through conditions do not count, since no derivative takes them. An input lies in
none, nor does the operand of a tensor operation, whose indices mean something else there,
nor a value that lacks an axis of the condition: its cotangent is summed over that axis.
What lies in a branch is computed also where the branch is not taken, and then must do no
harm: vjp.py and stabilise.py see to that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gen.graph.algebra import Term
from gen.graph.graph import INPUT, Builder
from gen.graph.indices import TENSOR_OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.graph.leading import Leading

# (the branch around this one, the condition, whether this is where it holds)
_Branch = tuple[int, int, bool]

# A value that is needed in more branches than these is taken to be needed in all.
_MOST_USES = 16


@dataclass(slots=True)
class Branches:
    """The branches of one graph, numbered; 0 is outside of all."""

    builder: Builder
    roots: Sequence[int]  # the outputs
    order: list[int]  # topological, what the outputs need
    leading: Leading | None = None  # given where leading dimensions are summed at once
    of: dict[int, int] = field(default_factory=dict)  # of each node that is a value
    uses: dict[int, set[int]] = field(default_factory=dict)  # those that need its value
    _branches: list[_Branch] = field(default_factory=lambda: [(-1, -1, True)])
    _depths: list[int] = field(default_factory=lambda: [0])
    _numbers: dict[_Branch, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        nodes = self.builder.nodes
        if not any(nodes[node].op == "select" for node in self.order):
            self.of = dict.fromkeys(self.order, 0)
            self.uses = {node: {0} for node in self.order}
            return
        for root in self.roots:
            self.of[root] = 0
            self.uses[root] = {0}
        for node in reversed(self.order):
            if node not in self.of:
                continue  # nothing but conditions need it
            self._settle(node)
            is_select = nodes[node].op == "select"
            reached = {0} if self._hides(node) else self.uses[node]
            for position, arg in enumerate(nodes[node].args):
                if is_select and position == 0:
                    continue
                needed = reached
                if is_select:
                    needed = {self._inside(use, node, position) for use in reached}
                self.uses.setdefault(arg, set()).update(needed)
                branch = self._entered(node, position)
                if branch and (nodes[arg].op == INPUT or self._lacks(arg, branch)):
                    branch = 0
                self.of[arg] = self._around(self.of.get(arg, branch), branch)

    def left(self, node: int, position: int) -> list[tuple[Term, bool]]:
        """The conditions, innermost first, that hold where `node` uses this operand.

        Only those of branches that the operand itself does not lie in.
        """
        if len(self._branches) == 1:
            return []
        arg = self.builder.nodes[node].args[position]
        return self.conditions(self._entered(node, position), self.of[arg])

    def conditions(self, inner: int, outer: int = 0) -> list[tuple[Term, bool]]:
        """The conditions of a branch, innermost first, up to what it has in common with another."""
        outer = self._around(inner, outer)
        found: dict[tuple[int, bool], None] = {}
        while inner != outer:
            inner, condition, holds = self._branches[inner]
            found[condition, holds] = None
        return [(Term(self.builder, condition), holds) for condition, holds in found]

    def _settle(self, node: int) -> None:
        """Simplify where a node's value is needed: both sides of a condition are anywhere."""
        uses = self.uses[node]
        for use in sorted(uses, reverse=True):
            outer, condition, holds = self._branches[use]
            if use in uses and (other := self._numbers.get((outer, condition, not holds))) in uses:
                uses -= {use, other}
                uses.add(outer)
        if len(uses) > _MOST_USES:
            self.uses[node] = {self.of[node]}

    def _entered(self, node: int, position: int) -> int:
        """The branch in which `node` uses its operand."""
        return 0 if self._hides(node) else self._inside(self.of[node], node, position)

    def _hides(self, node: int) -> bool:
        """Whether the operands of a node lie in no branch, as their indices are others."""
        return self.builder.nodes[node].op in TENSOR_OPERATIONS

    def _lacks(self, arg: int, branch: int) -> bool:
        """Whether a value is the same along an axis of a condition of its branch."""
        indices, leading = self.builder.indices, self.leading
        return any(
            not indices[condition.id] <= indices[arg]
            or (leading and leading.sources(condition.id) & ~leading.sources(arg))
            for condition, _ in self.conditions(branch)
        )

    def _inside(self, outer: int, node: int, position: int) -> int:
        """The same, `node` itself taken to lie in `outer`."""
        op, args, _ = self.builder.nodes[node]
        if op != "select" or position == 0:
            return outer
        branch = (outer, args[0], position == 1)
        if branch not in self._numbers:
            self._numbers[branch] = len(self._branches)
            self._branches.append(branch)
            self._depths.append(self._depths[outer] + 1)
        return self._numbers[branch]

    def _around(self, one: int, other: int) -> int:
        """The innermost branch around both."""
        while one != other:
            if self._depths[one] < self._depths[other]:
                one, other = other, one
            one = self._branches[one][0]
        return one
