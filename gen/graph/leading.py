"""Leading dimensions that inputs have in different numbers.

In: a graph over inputs whose leading dimensions broadcast with each other. Out: for each
node the inputs that its leading dimensions come from. All leading dimensions are one
index to the graph; where it is summed away, or where outputs depend on different inputs,
the cotangent of an operand that lacks some of them must be summed right there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from gen.graph.graph import COTANGENT, INPUT, OUTPUT, Builder
from gen.graph.indices import ELLIPSIS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gen.graph.algebra import Term

Sources: TypeAlias = frozenset[str]

_NONE: Sources = frozenset()


def sources(term: Term) -> Sources:
    """The inputs from which a term of a formula has its leading dimensions."""
    builder, found = term.builder, set()
    pending, seen = [term.id], set()
    while pending:
        node = pending.pop()
        if node in seen or ELLIPSIS not in builder.indices[node]:
            continue
        seen.add(node)
        op, args, payload = builder.nodes[node]
        found |= {str(payload)} if op == INPUT else set()
        pending.extend(args)
    return frozenset(found)


@dataclass(slots=True)
class Leading:
    """The sources of the leading dimensions of each node, found as they are asked for."""

    builder: Builder
    outputs: Mapping[str, int]  # the node of an output, by its name and by its cotangent's
    _known: list[Sources] = field(default_factory=list)

    def sources(self, node: int) -> Sources:
        """The inputs from which a node has its leading dimensions."""
        for one in range(len(self._known), node + 1):
            self._known.append(self._sources(one))
        return self._known[node]

    def _sources(self, node: int) -> Sources:
        op, args, payload = self.builder.nodes[node]
        if ELLIPSIS not in self.builder.indices[node]:
            return _NONE
        if op == INPUT:
            return frozenset({str(payload)})
        if op in (COTANGENT, OUTPUT):
            return self._known[self.outputs[str(payload)]]
        if op in ("spread", "gather"):
            assert isinstance(payload, tuple)
            return frozenset(map(str, payload))
        return frozenset().union(*(self._known[arg] for arg in args))

    def differ(self, order: Sequence[int], roots: Sequence[int]) -> bool:
        """Whether a cotangent may have other leading dimensions than the value it is of."""
        kinds = {self.sources(node) for node in order} - {_NONE}
        ends = {self.sources(root) for root in roots} - {_NONE}
        return len(kinds) > 1 and (len(ends) > 1 or any(map(self._removes, order)))

    def _removes(self, node: int) -> bool:
        """Whether a node sums leading dimensions away."""
        indices = self.builder.indices
        args = self.builder.nodes[node].args
        return ELLIPSIS not in indices[node] and any(ELLIPSIS in indices[arg] for arg in args)
