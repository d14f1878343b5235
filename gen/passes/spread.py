"""Which inputs give a value its shape, and so which gradients must be summed.

In: a formula. Out: for each input the dimensions that are checked before running, and
whether its cotangent may be larger than it. An elementwise expression broadcasts all its
inputs. One with @ or .T needs declared shapes, and accepts additional leading dimensions
where a single input carries the first dimension of the output (a batch) and is never
transposed nor the right operand of @: then every gradient is still one matmul.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gen.errors import GenError
from gen.graph.graph import COTANGENT, INPUT, OUTPUT, reachable
from gen.graph.shapes import TENSOR_OPERATIONS, Shape, infer

if TYPE_CHECKING:
    from gen.model import Block, Formula, Input


@dataclass(slots=True)
class Spread:
    """The shapes of one formula."""

    formula: Formula
    _tensor: bool = field(init=False)  # whether it has @ or .T
    _shape: Shape = field(init=False)  # of the output
    _batch: str | None = field(init=False)  # the input that may have leading dimensions
    _optional: int = field(init=False)  # how many of its dimensions may be missing too

    def __post_init__(self) -> None:
        graph, output = self.formula.graph, self.formula.output
        order = reachable(graph.nodes, [output])
        self._tensor = any(graph[node].op in TENSOR_OPERATIONS for node in order)
        shapes = infer(graph, order, self._declared())
        self._shape = shapes[output]
        self._optional = 1
        self._batch = self._find_batch(order, shapes) if self._tensor else None

    def _declared(self) -> dict[str, Shape]:
        """Shapes by name; where there is @, an input without one is a scalar."""
        return {
            one.name: () if self._tensor and one.shape is None else one.shape
            for one in self.formula.inputs
        }

    def _find_batch(self, order: list[int], shapes: dict[int, Shape]) -> str | None:
        shape = self._shape
        if not shape:
            return None
        carriers = [
            one.name
            for one in self.formula.inputs
            if one.shape and len(one.shape) == len(shape) and one.shape[0] == shape[0]
        ]
        if len(carriers) != 1:
            return None
        leading: set[int] = set()
        for node in order:
            op, args, payload = self.formula.graph[node]
            if op == INPUT and payload == carriers[0]:
                leading.add(node)
            if leading.isdisjoint(args):
                continue
            if op == "transpose" or (op == "matmul" and args[1] in leading):
                return None
            leading.add(node)
            others = [shapes[arg] or () for arg in args if arg not in leading]
            if op != "matmul" and any(len(other) >= len(shape) for other in others):
                self._optional = 0  # they would add the dimension that is left out
        return carriers[0]

    def dimensions(self, one: Input) -> tuple[str, ...] | None:
        """What is checked of an input's shape; "..." stands for any leading dimensions."""
        if not one.differentiable:
            return None
        if not self._tensor:
            return None if one.shape is None else ("...", *one.shape)
        shape = one.shape or ()
        if one.name != self._batch:
            return shape
        return ("...", *shape[self._optional :])

    def expands(self, forward: Block) -> bool:
        """Whether the output may lack dimensions of an input that forward does not read."""
        graph = forward.graph
        order = reachable(graph.nodes, [node for node in forward.results if node is not None])
        read = {str(graph[node].payload) for node in order if graph[node].op == INPUT}
        unused = {one.name for one in self.formula.inputs if one.differentiable} - read
        if unused and self._tensor:
            names = ", ".join(sorted(unused))
            raise GenError(f"the expression does not depend on {names}")
        return bool(unused)

    def reduced(self, backward: Block) -> list[bool]:
        """For each input, whether its cotangent may be larger than it."""
        tensors = [one for one in self.formula.inputs if one.differentiable]
        if not self._tensor:
            return [one.differentiable and len(tensors) > 1 for one in self.formula.inputs]
        graph = backward.graph
        order = reachable(graph.nodes, [node for node in backward.results if node is not None])
        shapes = infer(graph, order, self._declared(), self._shape)
        leading = self._leading(backward, order)
        return [
            node is not None
            and (
                shapes[node] != (one.shape or ()) or (node in leading) != (one.name == self._batch)
            )
            for one, node in zip(self.formula.inputs, backward.results, strict=True)
        ]

    def _leading(self, backward: Block, order: list[int]) -> set[int]:
        """The nodes of backward that have the leading dimensions of the batch."""
        leading: set[int] = set()
        for node in order:
            op, args, payload = backward.graph[node]
            if op in (COTANGENT, OUTPUT):
                leads = self._batch is not None
            elif op == INPUT:
                leads = payload == self._batch
            elif op == "matmul":
                leads = args[0] in leading
            else:
                leads = op not in TENSOR_OPERATIONS and not leading.isdisjoint(args)
            if leads:
                leading.add(node)
        return leading
