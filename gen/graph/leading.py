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
    # One bit for each input: sets of names would be copied at every node.
    _known: list[int] = field(default_factory=list)
    _bits: dict[str, int] = field(default_factory=dict)
    _decoded: dict[int, Sources] = field(default_factory=dict)

    def sources(self, node: int) -> Sources:
        """The inputs from which a node has its leading dimensions."""
        mask = self._mask(node)
        if mask not in self._decoded:
            names = (name for name, bit in self._bits.items() if mask >> bit & 1)
            self._decoded[mask] = frozenset(names)
        return self._decoded[mask]

    def _mask(self, node: int) -> int:
        for one in range(len(self._known), node + 1):
            self._known.append(self._found(one))
        return self._known[node]

    def _found(self, node: int) -> int:
        op, args, payload = self.builder.nodes[node]
        if ELLIPSIS not in self.builder.indices[node]:
            return 0
        if op == INPUT:
            return self._bit(payload)
        if op in (COTANGENT, OUTPUT):
            return self._known[self.outputs[str(payload)]]
        mask = 0
        if op in ("spread", "gather"):
            assert isinstance(payload, tuple)
            for name in payload:
                mask |= self._bit(name)
            return mask
        for arg in args:
            mask |= self._known[arg]
        return mask

    def _bit(self, name: object) -> int:
        return 1 << self._bits.setdefault(str(name), len(self._bits))

    def differ(self, order: Sequence[int], roots: Sequence[int]) -> bool:
        """Whether a cotangent may have other leading dimensions than the value it is of."""
        if len(roots) == 1 and not any(map(self._removes, order)):
            return False
        kinds = {self._mask(node) for node in order} - {0}
        ends = {self._mask(root) for root in roots} - {0}
        return len(kinds) > 1 and (len(ends) > 1 or any(map(self._removes, order)))

    def _removes(self, node: int) -> bool:
        """Whether a node sums leading dimensions away."""
        indices = self.builder.indices
        args = self.builder.nodes[node].args
        return ELLIPSIS not in indices[node] and any(ELLIPSIS in indices[arg] for arg in args)
