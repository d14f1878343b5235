"""Text → Formula, through the standard library's parser and a whitelist.

In: a `Request` whose expression is text. Out: a `Formula`, or an `ExpressionError` with
a caret under what is not part of the language.

An expression is read once more where the first reading shows more of its inputs than was
declared: an undeclared one that meets named axes takes them over, and a first axis that
is nothing but carried along stands for any leading dimensions.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from gen.errors import GenError, nearest
from gen.frontend.arrays import ARRAY_FUNCTIONS
from gen.frontend.calls import is_array_call
from gen.frontend.inputs import check_name, resolve
from gen.frontend.library import (
    CONSTANTS,
    LANGUAGE_FUNCTIONS,
    Library,
    calls,
    needed,
    statements_of,
)
from gen.frontend.reader import Reader
from gen.frontend.syntax import Source, check_quotes, names, parse
from gen.frontend.views import Space, Undeclared, View
from gen.graph.algebra import symbol
from gen.graph.graph import COTANGENT, INPUT, OUTPUT, Builder, reachable
from gen.graph.indices import ELLIPSIS, TENSOR_OPERATIONS, Index, Indices
from gen.model import Formula, Input, Output, Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gen.frontend.syntax import Statement
    from gen.frontend.views import Order
    from gen.graph.graph import Graph, Leaf
    from gen.model import Definition, Primitive

# Selections inside selections: each level repeats the conditions around it.
MAX_BRANCHES = 100

_LEADING: Order = (ELLIPSIS,)


@dataclass(frozen=True, slots=True)
class _Axes:
    """What is known of the axes of the inputs before an expression is read."""

    orders: Mapping[str, Order]  # of all inputs
    free: frozenset[str]  # undeclared: any axes that they meet are theirs
    loose: frozenset[str]  # axes may be missing or 1

    def with_order(self, name: str, order: Order, loose: bool) -> _Axes:
        known = self.loose | {name} if loose else self.loose - {name}
        return _Axes({**self.orders, name: order}, self.free - {name}, known)


def read(request: Request) -> Formula:
    """The formula of a request whose expression is text.

    Raises:
        GenError: for whatever is not part of the language.
    """
    check_name(request.name)
    source = Source(request.expr)
    statements = parse(source)
    request = with_needed(request, statements)
    found = names(statements, source)
    inputs = [name for name in found if name not in CONSTANTS or name in request.declared]
    script = _Script(request, source, statements, tuple(inputs))
    whole = any(map(_is_array_syntax, _nodes(statements, request)))
    formula = script.settled(script.axes(), whole)
    check_quotes(source)
    return formula


def with_needed(request: Request, statements: Sequence[Statement]) -> Request:
    """The request with those definitions alone that it needs: no other changes a byte."""
    if not request.definitions and not request.primitives:
        return request
    known = {one.name: one for one in request.definitions}
    own = {one.name for one in request.primitives}
    if calls(statements) - {*LANGUAGE_FUNCTIONS, *known, *own}:
        return request  # which is refused, with a hint at what there is
    chosen = tuple(known[name] for name in needed(statements, known))
    every = [*statements, *(one for each in chosen for one in statements_of(each))]
    primitives = _needed_primitives(every, request.primitives)
    return replace(request, definitions=chosen, primitives=primitives)


def _needed_primitives(
    statements: Sequence[Statement], known: Sequence[Primitive]
) -> tuple[Primitive, ...]:
    """Those that are called, and those that the derivatives of these call."""
    called = calls(statements)
    derivatives = [
        statement
        for one in known
        if one.name in called
        for text in one.derivatives
        if text is not None
        for statement in parse(Source(text))
    ]
    called |= calls(derivatives)
    return tuple(one for one in known if one.name in called)


def _nodes(statements: Sequence[Statement], request: Request) -> Iterator[ast.expr]:
    """The syntax of an expression and of all functions that it calls."""
    called = (one for each in request.definitions for one in statements_of(each))
    return chain.from_iterable(one.nodes for one in chain(statements, called))


def _is_array_syntax(node: ast.expr) -> bool:
    if isinstance(node, (ast.Name, ast.Constant)):
        return False
    if isinstance(node, ast.BinOp):
        return type(node.op) is ast.MatMult
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ARRAY_FUNCTIONS and is_array_call(node)
    return isinstance(node, (ast.Subscript, ast.Attribute))


@dataclass(frozen=True, slots=True)
class _Script:
    """One request, parsed."""

    request: Request
    source: Source
    statements: tuple[Statement, ...]
    inputs: tuple[str, ...]  # the names it reads, in order

    @property
    def names(self) -> tuple[str, ...]:
        """Those, and inputs that are declared though nothing reads them."""
        return tuple(dict.fromkeys((*self.inputs, *self.request.args)))

    def axes(self) -> _Axes:
        """The declared axes."""
        declared = dict(self.request.shape)
        orders: dict[str, Order] = {}
        for name in self.names:
            if name in self.request.const:
                orders[name] = ()
            elif name in declared:
                orders[name] = _order(declared[name])
            else:
                orders[name] = _LEADING
        free = frozenset(self.names) - {*declared, *self.request.const}
        return _Axes(orders, free, frozenset())

    def settled(self, axes: _Axes, whole: bool) -> Formula:
        """The formula, read as often as its inputs turn out to have more axes."""
        if not whole and not self.request.shape:
            # No axes can be met but leading ones.
            axes = replace(axes, free=NO)
        known, reading = self._known(axes)
        # Of several outputs each has its own shape, which declared axes tell.
        whole = whole or (bool(self.request.shape) and len(reading.outputs) > 1)
        if not whole:
            # Declared axes fit; to an elementwise expression all are leading dimensions.
            if self.request.shape:
                numbers = dict.fromkeys(self.request.const, ())
                plain = {**dict.fromkeys(known.orders, _LEADING), **numbers}
                reading = self._reading(_Axes(plain, NO, NO))
            return self._formula(reading, axes, whole)
        batched = self._batched(known, reading)
        if batched is not None:
            known, reading = batched
        return self._formula(reading, known, whole)

    def _known(self, axes: _Axes) -> tuple[_Axes, _Reading]:
        while True:
            try:
                reading = self._reading(axes)
            except Undeclared as need:
                axes = self._declared(axes, need)
                continue
            met = {name: orders for name, orders in reading.met.items() if name in axes.free}
            if not met:
                return axes, reading
            for name, orders in met.items():
                # Reduced by itself it would be repeated first: there it is a number.
                common = () if name in reading.summed else _common(orders)
                axes = axes.with_order(name, common, loose=common != ())

    def _declared(self, axes: _Axes, need: Undeclared) -> _Axes:
        """Axes for undeclared inputs of which a reduction names some, as in axis=-1."""
        taken = {axis.size for order in axes.orders.values() for axis in order if axis}
        letters = [one for one in ("D", "C", "B", "A", *"EFGHJKLMN") if one not in taken]
        order = (ELLIPSIS, *(Index(one) for one in reversed(letters[: need.count])))
        for place, name in enumerate(need.names):
            axes = axes.with_order(name, order, loose=place > 0)
        return axes

    def _batched(self, axes: _Axes, reading: _Reading) -> tuple[_Axes, _Reading] | None:
        """The same with the first axis of one input standing for any leading ones."""
        if any(order[:1] == _LEADING for order in axes.orders.values()):
            return None
        for name in sorted(axes.orders):
            first = axes.orders[name][:1]
            if name not in axes.loose and first != (None,) and _carried(first, axes, reading):
                order = (*_LEADING, *axes.orders[name][1:])
                loose = dict.fromkeys(axes.loose, _LEADING)
                orders = {**axes.orders, **loose, name: order}
                try:
                    return self._known(_Axes(orders, axes.loose, NO))
                except GenError:
                    continue
        return None

    def _reading(self, axes: _Axes) -> _Reading:
        given: dict[Leaf, Indices] = {
            (INPUT, name): frozenset(axis for axis in order if axis is not None)
            for name, order in axes.orders.items()
        }
        builder = Builder(given=given)
        space = Space(builder)
        variables = {
            name: View(
                symbol(builder, name),
                axes.orders[name],
                frozenset({name}) & axes.free,
            )
            for name in self.inputs
        }
        library = Library.of(self.request)
        optional, stack = frozenset(self.request.optional), (self.request.name,)
        reader = Reader(space, self.source, library, variables, optional, stack)
        reader.run(self.statements)
        outputs = self._outputs(reader)
        roots = [view.term.id for view in outputs.values()]
        order = reachable(builder.nodes, roots)
        _check_branches(builder, order)
        return _Reading(builder, order, outputs, space.met, space.summed, library.written())

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

    def _live(self, outputs: Iterable[str]) -> set[str]:
        """The names that the outputs depend on as they are written."""
        wanted = self.request.outputs
        live = {*(wanted or outputs)}
        last = None if wanted else self.statements[-1]
        for statement in reversed(self.statements):
            if statement is last or statement.name in live:
                live.update(one.id for one in statement.reads)
        return live

    def _formula(self, reading: _Reading, axes: _Axes, whole: bool) -> Formula:
        inputs = resolve(self.inputs, self.request)
        live = self._live(reading.outputs)
        described = tuple(
            replace(_described(one, axes, whole), read=one.name in live) for one in inputs
        )
        builder = reading.builder
        outputs = []
        for name, view in reading.outputs.items():
            one = Output(name, view.term.id, view.order)
            builder.given[OUTPUT, name] = builder.given[COTANGENT, one.grad] = one.axes
            outputs.append(one)
        orders = [*(one.order for one in described), *(one.order for one in outputs)]
        request = replace(self.request, definitions=reading.called)
        graph = builder.freeze()
        tensors = len(outputs) > 1 or (
            whole
            and (_has_tensors(graph, reading.order) or any(order != _LEADING for order in orders))
        )
        return Formula(request, described, graph, tuple(outputs), tensors)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one reading of an expression gave."""

    builder: Builder
    order: list[int]  # the nodes of the outputs, topological
    outputs: dict[str, View]
    met: dict[str, list[Order]]  # the axes that undeclared inputs met
    summed: set[str]  # undeclared inputs that are reduced by themselves
    called: tuple[Definition, ...]  # the user's functions that it called


NO: frozenset[str] = frozenset()


def _order(dimensions: Sequence[str]) -> Order:
    """The axes of a declared shape; two of the same size are told apart."""
    found: list[Index | None] = []
    for one in dimensions:
        count = sum(axis is not None and axis.size == one for axis in found)
        found.append(ELLIPSIS if one == "..." else None if one == "1" else Index(one, count))
    return tuple(found)


def _common(orders: Iterable[Order]) -> Order:
    """The axes that an undeclared input takes over: those that all that it meets have.

    Beside axes that were kept with size 1 it is a number.
    """
    shortest, *rest = sorted(orders, key=len)
    same = all(one[len(one) - len(shortest) :] == shortest for one in rest)
    return shortest if same and None not in shortest else ()


def _carried(first: Order, axes: _Axes, reading: _Reading) -> bool:
    """Whether an axis leads one input and all outputs, and nothing else is done with it."""
    if not first or first[0] is None or first[0].size.isdigit():
        return False
    size = first[0].size
    exact = [order for name, order in axes.orders.items() if name not in axes.loose]
    if sum(axis is not None and axis.size == size for order in exact for axis in order) != 1:
        return False
    if any(view.order[:1] != first for view in reading.outputs.values()):
        return False
    for node in reading.order:
        op, _, payload = reading.builder.nodes[node]
        if op in TENSOR_OPERATIONS and size in str(payload):
            return False
    return True


def _described(one: Input, axes: _Axes, whole: bool) -> Input:
    """An input with its axes, and what its shape is checked against."""
    order, loose = axes.orders[one.name], one.name in axes.loose
    if not one.differentiable:
        return replace(one, order=())
    if not whole and order[:1] != _LEADING:
        order = (*_LEADING, *order)
    shape = tuple(("1" if axis is None else axis.size) + "?" * loose for axis in order)
    shape = tuple(size.replace("...?", "...") for size in shape)
    checked = None if order == _LEADING else shape
    return replace(one, order=order if whole else _LEADING, dimensions=checked, loose=loose)


def _has_tensors(graph: Graph, order: Iterable[int]) -> bool:
    return any(graph[node].op in TENSOR_OPERATIONS for node in order)


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
