"""Shapes of graph nodes, as far as they are declared.

In: a graph and the shapes of its inputs. Out: for each node its declared trailing
dimensions, None for "any shape"; or a `GenError` that names two shapes that cannot fit.
A declared shape says what the last dimensions are; leading ones may always be added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from gen.errors import GenError
from gen.graph.graph import COTANGENT, INPUT, OUTPUT, Graph, Node

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Shape: TypeAlias = tuple[str, ...] | None

TENSOR_OPERATIONS = frozenset({"matmul", "transpose", "contract"})


def show(shape: Shape) -> str:
    """A shape as users write it.

    >>> show(("N", "I"))
    '(N, I)'
    """
    return "any shape" if shape is None else f"({', '.join(shape)})"


def infer(
    graph: Graph, order: Iterable[int], declared: Mapping[str, Shape], output: Shape = None
) -> dict[int, Shape]:
    """The shape of each node of `order`, which is topological.

    Args:
        graph: the graph.
        order: the nodes asked for.
        declared: the shapes of the inputs.
        output: the shape of the output, which is that of its cotangent.
    """
    shapes: dict[int, Shape] = {}
    for index in order:
        node = graph[index]
        operands = [shapes[arg] for arg in node.args]
        if node.op == INPUT:
            shapes[index] = declared.get(str(node.payload))
        elif node.op in (COTANGENT, OUTPUT):
            shapes[index] = output
        elif node.op in TENSOR_OPERATIONS:
            shapes[index] = _tensor(node, operands)
        else:
            shapes[index] = _broadcast(node.op, operands)
    return shapes


def _tensor(node: Node, operands: list[Shape]) -> Shape:
    name = {"matmul": "@", "transpose": ".T"}.get(node.op, node.op)
    known = [shape for shape in operands if shape is not None and len(shape) == 2]
    if len(known) < len(operands):
        given = " and ".join(map(show, operands))
        raise GenError(
            f"{name} needs operands of two declared dimensions, given {given}; "
            "declare them, as in --shape x=N,I --shape w=O,I"
        )
    if node.op == "transpose":
        return known[0][::-1]
    left, right = known
    inner, outer = (left[0], left[1]) if node.op == "contract" else (left[1], left[0])
    if inner != right[0]:
        raise GenError(
            f"shapes {show(left)} and {show(right)} do not fit {name}: {inner} is not {right[0]}"
        )
    return (outer, right[1])


def _broadcast(name: str, operands: Iterable[Shape]) -> Shape:
    """The shape of an elementwise operation, aligned at the last dimension."""
    result: Shape = None
    for shape in operands:
        result = shape if result is None else _two(name, result, shape)
    return result


def _two(name: str, one: tuple[str, ...], other: Shape) -> tuple[str, ...]:
    if other is None:
        return one
    long, short = (one, other) if len(one) >= len(other) else (other, one)
    tail = long[len(long) - len(short) :]
    if any(a != b and "1" not in (a, b) for a, b in zip(tail, short, strict=True)):
        sign = {"add": "+", "sub": "-", "mul": "*", "div": "/"}.get(name, name)
        raise GenError(f"shapes {show(one)} and {show(other)} do not fit {sign}")
    merged = tuple(a if b == "1" else b for a, b in zip(tail, short, strict=True))
    return long[: len(long) - len(short)] + merged
