"""What is laid out: values with their axes in order, and where sizes are read from.

In: the orders of the axes of what is given. Out: sizes and shapes as pieces that a backend
can spell: an axis of an input, leading dimensions of inputs, numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from gen.graph.graph import COTANGENT, INPUT
from gen.graph.indices import ELLIPSIS, Index, Indices

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gen.graph.graph import Leaf
    from gen.model import Axis

Order: TypeAlias = "tuple[Axis, ...]"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A result: a node, and the order of its axes."""

    node: int
    order: Order
    like: str = ""  # the input whose shape it has; empty: an output
    leading: tuple[str, ...] = ()  # the inputs that an output has leading dimensions from


class Laid(NamedTuple):
    """A node of the new graph, and the order of its axes."""

    node: int
    order: Order
    loose: bool = False  # axes may be missing or 1

    @property
    def indices(self) -> Indices:
        return frozenset(self.plain)

    @property
    def plain(self) -> tuple[Index, ...]:
        """The order without axes of size 1."""
        return tuple(axis for axis in self.order if axis is not None)


@dataclass(frozen=True, slots=True)
class Given:
    """The axes of what is given, by leaf."""

    orders: Mapping[Leaf, Order]
    loose: frozenset[str] = frozenset()  # inputs whose axes may be missing or 1
    # The inputs that outputs and cotangents have their leading dimensions from.
    outputs: Mapping[Leaf, tuple[str, ...]] = field(default_factory=dict)

    def extent(self, index: Index, read: Iterable[Leaf]) -> tuple[object, ...]:
        """An input or cotangent that has this size, and at which axis.

        Args:
            index: whose size it is.
            read: what is read anyway, which is asked first.
        """
        for leaf in self._candidates(read):
            sizes = [axis.size if axis else "" for axis in self.orders[leaf]]
            if index.size in sizes:
                return (leaf, sizes.index(index.size) - len(sizes))
        raise AssertionError(f"no input has the size {index}")

    def _candidates(self, read: Iterable[Leaf]) -> list[Leaf]:
        known = [leaf for leaf in read if leaf in self.orders]
        rest = [leaf for leaf in self.orders if leaf[0] == INPUT and leaf not in known]
        exact = [leaf for leaf in (*known, *rest) if leaf[1] not in self.loose]
        return sorted(exact, key=lambda leaf: leaf[0] != COTANGENT)

    def leading(self, inputs: Iterable[str] = ()) -> tuple[object, ...]:
        """The leading dimensions of inputs together; of all that have some, by default."""
        names = tuple(inputs) or self._leaders()
        behind = tuple(len(self.orders[INPUT, name]) - 1 for name in names)
        return ("...", names, behind)

    def _leaders(self) -> tuple[str, ...]:
        found = (
            str(name)
            for (op, name), order in self.orders.items()
            if op == INPUT and order[:1] == (ELLIPSIS,)
        )
        return tuple(sorted(found))

    def shape(
        self, order: Order, read: Iterable[Leaf], inputs: Iterable[str] = ()
    ) -> tuple[object, ...]:
        """The pieces of the shape that these axes have, leading ones those of some inputs."""
        known, names = list(read), tuple(inputs)
        return tuple(self._piece(axis, known, names) for axis in order)

    def _piece(self, axis: Axis, read: list[Leaf], inputs: tuple[str, ...]) -> object:
        if axis is None:
            return 1
        if axis == ELLIPSIS:
            return self.leading(inputs)
        return int(axis.size) if axis.size.isdigit() else self.extent(axis, read)
