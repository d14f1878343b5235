"""Leading dimensions that inputs have in different numbers.

In: a graph over inputs whose leading dimensions broadcast with each other. Out: for each
node the inputs that its leading dimensions come from. All leading dimensions are one
index to the graph; where it is summed away, or where outputs depend on different inputs,
the cotangent of an operand that lacks some of them must be summed right there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from gen.graph.graph import COTANGENT, INPUT, OUTPUT, Builder, Graph, Leaf
from gen.graph.indices import ELLIPSIS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(slots=True)
class Leading:
    """The sources of the leading dimensions of each node, found as they are asked for.

    A set of inputs is an integer with one bit for each: formulas may have many.
    """

    builder: Builder | Graph
    outputs: Mapping[Leaf, Sequence[str]]  # the inputs that outputs and cotangents have them from
    _bits: dict[str, int] = field(default_factory=dict)  # of the inputs
    _known: list[int] = field(default_factory=list)

    def sources(self, node: int) -> int:
        """The inputs from which a node has its leading dimensions."""
        for one in range(len(self._known), node + 1):
            self._known.append(self._sources(one))
        return self._known[node]

    def are(self, node: int, inputs: Iterable[str]) -> bool:
        """Whether a node has its leading dimensions from just these inputs."""
        return self.sources(node) == self._united(inputs)

    def names(self, sources: int) -> list[str]:
        """The names of these inputs."""
        return [name for name, bit in self._bits.items() if sources & bit]

    def _sources(self, node: int) -> int:
        op, args, payload = self.builder.nodes[node]
        if ELLIPSIS not in self.builder.indices[node]:
            return 0
        if op == INPUT:
            return self._bit(str(payload))
        if op in (COTANGENT, OUTPUT):
            return self._united(self.outputs[op, payload])
        if op in ("spread", "gather"):
            assert isinstance(payload, tuple)
            return self._united(map(str, payload))
        return reduce(or_, (self._known[arg] for arg in args), 0)

    def _united(self, names: Iterable[str]) -> int:
        return reduce(or_, map(self._bit, names), 0)

    def _bit(self, name: str) -> int:
        return self._bits.setdefault(name, 1 << len(self._bits))

    def differ(self, order: Sequence[int]) -> bool:
        """Whether a cotangent may have other leading dimensions than the value it is of."""
        removed = any(map(self._removes, order))
        ends = set(map(self._united, self.outputs.values())) - {0}
        if len(ends) < 2 and not removed:
            return False  # every cotangent has those of the outputs, and is summed at the end
        kinds = {self.sources(node) for node in order} | ends
        return len(kinds - {0}) > 1

    def _removes(self, node: int) -> bool:
        """Whether a node sums leading dimensions away."""
        indices = self.builder.indices
        args = self.builder.nodes[node].args
        return ELLIPSIS not in indices[node] and any(ELLIPSIS in indices[arg] for arg in args)
