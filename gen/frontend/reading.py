"""One reading of an expression, given what is known of the axes of its inputs.

In: the statements of a request, and axes. Out: the graph that they make, its outputs, and
what the reading showed: the axes that undeclared inputs met.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from gen.errors import GenError, nearest
from gen.frontend.library import Library
from gen.frontend.reader import Reader
from gen.frontend.views import Space, View
from gen.graph.graph import INPUT, Builder, reachable
from gen.graph.indices import ELLIPSIS, Index

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gen.frontend.source import Source
    from gen.frontend.syntax import Statement
    from gen.frontend.views import Order
    from gen.graph.graph import Leaf
    from gen.graph.indices import Indices
    from gen.model import Definition, Request

# Selections inside selections: each level repeats the conditions around it.
MAX_BRANCHES = 100

Value = TypeVar("Value")

LEADING: Order = (ELLIPSIS,)
NO: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Axes:
    """What is known of the axes of the inputs before an expression is read."""

    orders: Mapping[str, Order]  # of all inputs
    free: frozenset[str]  # undeclared: any axes that they meet are theirs
    loose: frozenset[str]  # axes may be missing or 1

    def with_order(self, name: str, order: Order, loose: bool) -> Axes:
        known = self.loose | {name} if loose else self.loose - {name}
        return Axes({**self.orders, name: order}, self.free - {name}, known)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reading of an expression gave."""

    space: Space  # with the axes that undeclared inputs met
    order: list[int]  # the nodes of the outputs, topological
    outputs: dict[str, View]
    called: tuple[Definition, ...]  # the user's functions that it called


@dataclass(frozen=True, slots=True)
class Script:
    """One request, parsed."""

    request: Request
    source: Source
    statements: tuple[Statement, ...]
    inputs: tuple[str, ...]  # the names it reads, in order
    count: int | None = None  # how many outputs are its own, gradients declared behind them

    def own(self, outputs: Iterable[Value]) -> list[Value]:
        """Of outputs those that are no declared gradients."""
        return list(outputs)[: self.count]

    @property
    def names(self) -> tuple[str, ...]:
        """Those, and inputs that are declared though nothing reads them."""
        return tuple(dict.fromkeys((*self.inputs, *self.request.args)))

    def axes(self) -> Axes:
        """The declared axes."""
        declared = dict(self.request.shape)
        orders: dict[str, Order] = {}
        for name in self.names:
            if name in self.request.const:
                orders[name] = ()
            elif name in declared:
                orders[name] = _order(declared[name])
            else:
                orders[name] = LEADING
        free = frozenset(self.names) - {*declared, *self.request.const}
        return Axes(orders, free, frozenset())

    def reading(self, axes: Axes) -> Reading:
        given: dict[Leaf, Indices] = {
            (INPUT, name): frozenset(axis for axis in order if axis is not None)
            for name, order in axes.orders.items()
        }
        builder = Builder(given=given)
        space = Space(builder)
        variables = {
            name: space.given(name, axes.orders[name], name in axes.free) for name in self.inputs
        }
        library = Library.of(self.request)
        optional, stack = frozenset(self.request.optional), (self.request.name,)
        constants = frozenset(self.request.const)
        reader = Reader(space, self.source, library, variables, optional, stack, constants)
        reader.run(self.statements)
        outputs = self._outputs(reader)
        roots = [view.term.id for view in outputs.values()]
        order = reachable(builder.nodes, roots)
        _check_branches(builder, order)
        return Reading(space, order, outputs, library.written())

    def _outputs(self, reader: Reader) -> dict[str, View]:
        """The outputs by name: those asked for, or what nothing else uses."""
        visible = [one for one in self.statements if not one.is_hidden]
        assigned = [one.name for one in visible if one.name is not None]
        wanted = self.request.outputs
        if reader.values and wanted:
            hint = "give it a name, or leave out --outputs"
            raise self.source.fault(self.statements[-1].tree, "a value without a name", hint)
        if reader.values:
            return {"output": reader.values[-1]}
        for name in wanted:
            if name not in assigned:
                hint = nearest(name, assigned) or f"it assigns {', '.join(assigned)}"
                raise GenError(f"--outputs {name}: the expression does not assign it; {hint}")
        used = {one.id for statement in self.statements for one in statement.reads}
        found = wanted or tuple(name for name in assigned if name not in used)
        if len(found) == 1:
            return {"output": reader.variables[found[0]]}
        return {name: reader.variables[name] for name in found}

    def live(self, outputs: Iterable[str]) -> set[str]:
        """The names that the outputs depend on as they are written."""
        wanted = self.request.outputs
        live = {*(wanted or outputs)}
        last = None if wanted else self.statements[-1]
        for statement in reversed(self.statements):
            if statement is last or statement.name in live:
                live.update(one.id for one in statement.reads)
        return live


def _order(dimensions: Sequence[str]) -> Order:
    """The axes of a declared shape; two of the same size are told apart."""
    found: list[Index | None] = []
    for one in dimensions:
        count = sum(axis is not None and axis.size == one for axis in found)
        found.append(ELLIPSIS if one == "..." else None if one == "1" else Index(one, count))
    return tuple(found)


def _check_branches(builder: Builder, order: Iterable[int]) -> None:
    depths: dict[int, int] = {}
    for node in order:
        op, args, _ = builder.nodes[node]
        depths[node] = max((depths[arg] for arg in args), default=0) + (op == "select")
    deepest = max(depths.values(), default=0)
    if deepest > MAX_BRANCHES:
        raise GenError(
            f"the expression has {deepest} branches inside each other; "
            f"at most {MAX_BRANCHES} are read"
        )
