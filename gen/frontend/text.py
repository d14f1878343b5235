"""Text → Formula, through the standard library's parser and a whitelist.

In: a `Request` whose expression is text. Out: a `Formula`, or an `ExpressionError` with
a caret under what is not part of the language.

An expression is read once more where the first reading shows more of its inputs than was
declared: an undeclared one that meets named axes takes them over, and a first axis that
is nothing but carried along stands for any leading dimensions.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from gen.errors import GenError
from gen.frontend.arrays import ARRAY_FUNCTIONS
from gen.frontend.calls import is_array_call
from gen.frontend.declared import checked, joined, separated
from gen.frontend.inputs import check_name, resolve, with_kinds
from gen.frontend.library import CONSTANTS, statements_of, with_needed
from gen.frontend.reading import LEADING, NO, Axes, Script
from gen.frontend.source import Source
from gen.frontend.syntax import check_quotes, names, parse
from gen.frontend.views import Undeclared
from gen.graph.graph import COTANGENT, OUTPUT
from gen.graph.indices import ELLIPSIS, TENSOR_OPERATIONS, Index
from gen.model import Formula, Output

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gen.frontend.reading import Reading
    from gen.frontend.syntax import Statement
    from gen.frontend.views import Order
    from gen.graph.graph import Node
    from gen.model import Input, Request


def read(request: Request) -> Formula:
    """The formula of a request whose expression is text.

    Raises:
        GenError: for whatever is not part of the language.
    """
    check_name(request.name)
    parts = joined(request)
    if parts is None:
        return checked(_read(request))
    own = Source(request.expr)
    read_by_itself = {*names(parse(own), own)}
    whole = _read(parts.request, len(parts.outputs))
    return checked(separated(whole, parts, request, read_by_itself))


def _read(request: Request, own: int | None = None) -> Formula:
    """The formula of a request, of whose outputs the first `own` are its own."""
    source = Source(request.expr)
    statements = parse(source)
    request = with_needed(request, statements)
    found = names(statements, source)
    inputs = [name for name in found if name not in CONSTANTS or name in request.declared]
    script = Script(request, source, statements, tuple(inputs), own)
    whole = any(map(_is_array_syntax, _nodes(statements, request)))
    formula = _settled(script, script.axes(), whole)
    check_quotes(source)
    return formula


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


def _settled(script: Script, axes: Axes, whole: bool) -> Formula:
    """The formula, read as often as its inputs turn out to have more axes."""
    if not whole and not script.request.shape:
        # No axes can be met but leading ones.
        axes = replace(axes, free=NO)
    known, reading = _known(script, axes)
    # Of several outputs each has its own shape, which declared axes tell.
    whole = whole or (bool(script.request.shape) and len(script.own(reading.outputs)) > 1)
    if not whole:
        # Declared axes fit; to an elementwise expression all are leading dimensions.
        if script.request.shape:
            numbers = dict.fromkeys(script.request.const, ())
            plain = {**dict.fromkeys(known.orders, LEADING), **numbers}
            reading = script.reading(Axes(plain, NO, NO))
        return _formula(script, reading, axes, whole)
    batched = _batched(script, known, reading)
    if batched is not None:
        known, reading = batched
    return _formula(script, reading, known, whole)


def _known(script: Script, axes: Axes) -> tuple[Axes, Reading]:
    while True:
        try:
            reading = script.reading(axes)
        except Undeclared as need:
            axes = _declared(axes, need)
            continue
        met = {name: orders for name, orders in reading.space.met.items() if name in axes.free}
        if not met:
            return axes, reading
        for name, orders in met.items():
            # Reduced by itself it would be repeated first: there it is a number.
            common = () if name in reading.space.summed else _common(orders)
            axes = axes.with_order(name, common, loose=common != ())


def _declared(axes: Axes, need: Undeclared) -> Axes:
    """Axes for undeclared inputs of which a reduction names some, as in axis=-1."""
    taken = {axis.size for order in axes.orders.values() for axis in order if axis}
    letters = [one for one in ("D", "C", "B", "A", *"EFGHJKLMN") if one not in taken]
    order = (ELLIPSIS, *(Index(one) for one in reversed(letters[: need.count])))
    for place, name in enumerate(need.names):
        axes = axes.with_order(name, order, loose=place > 0)
    return axes


def _batched(script: Script, axes: Axes, reading: Reading) -> tuple[Axes, Reading] | None:
    """The same with the first axis of one input standing for any leading ones."""
    if any(order[:1] == LEADING for order in axes.orders.values()):
        return None
    for name in sorted(axes.orders):
        first = axes.orders[name][:1]
        if name not in axes.loose and first != (None,) and _carried(first, axes, reading):
            order = (*LEADING, *axes.orders[name][1:])
            loose = dict.fromkeys(axes.loose, LEADING)
            orders = {**axes.orders, **loose, name: order}
            try:
                return _known(script, Axes(orders, axes.loose, NO))
            except GenError:
                continue
    return None


def _formula(script: Script, reading: Reading, axes: Axes, whole: bool) -> Formula:
    inputs = resolve(script.inputs, script.request)
    live = script.live(reading.outputs)
    described = tuple(
        replace(_described(one, axes, whole), read=one.name in live) for one in inputs
    )
    space, builder = reading.space, reading.space.builder
    described = with_kinds(described, builder.nodes, reading.order)
    outputs = []
    for name, view in reading.outputs.items():
        one = Output(name, view.term.id, view.order, space.inputs(view))
        builder.given[OUTPUT, name] = builder.given[COTANGENT, one.grad] = one.axes
        outputs.append(one)
    tensors = len(script.own(outputs)) > 1 or (
        whole and (_has_tensors(builder.nodes, reading.order) or _is_shaped(described, outputs[0]))
    )
    request = replace(script.request, definitions=reading.called)
    return Formula(request, described, builder.freeze(), tuple(outputs), tensors)


def _common(orders: Iterable[Order]) -> Order:
    """The axes that an undeclared input takes over: those that all that it meets have.

    Beside axes that were kept with size 1 it is a number.
    """
    shortest, *rest = sorted(orders, key=len)
    same = all(one[len(one) - len(shortest) :] == shortest for one in rest)
    return shortest if same and None not in shortest else ()


def _carried(first: Order, axes: Axes, reading: Reading) -> bool:
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
        op, _, payload = reading.space.builder.nodes[node]
        if op in TENSOR_OPERATIONS and size in str(payload):
            return False
    return True


def _described(one: Input, axes: Axes, whole: bool) -> Input:
    """An input with its axes, and what its shape is checked against."""
    order, loose = axes.orders[one.name], one.name in axes.loose
    if not one.differentiable:
        return replace(one, order=())
    if not whole and order[:1] != LEADING:
        order = (*LEADING, *order)
    shape = tuple(("1" if axis is None else axis.size) + "?" * loose for axis in order)
    shape = tuple(size.replace("...?", "...") for size in shape)
    checked = None if order == LEADING else shape
    return replace(one, order=order if whole else LEADING, dimensions=checked, loose=loose)


def _is_shaped(inputs: Iterable[Input], output: Output) -> bool:
    """Whether an output's shape is another than what all inputs broadcast to."""
    read = {one.name for one in inputs if one.differentiable and one.read}
    orders = {output.order, *(one.order for one in inputs)}
    return orders != {LEADING} or read != {*output.leading}


def _has_tensors(nodes: Sequence[Node], order: Iterable[int]) -> bool:
    return any(nodes[node].op in TENSOR_OPERATIONS for node in order)
