"""Program → Kernel: straight-line code, what is saved, how each gradient is finished.

In: a program. Out: the forward and the backward block, their powers lowered. Forward
leaves only inputs and the output for backward: both exist anyway, so they cost nothing
to keep, and a second derivative stays exact. The output is saved where that makes
backward cheaper (tanh, exp, relu), inputs otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.graph.graph import (
    INPUT,
    LEAVES,
    NUMBER,
    OUTPUT,
    Builder,
    Graph,
    constants,
    operations,
    reachable,
    use_counts,
)
from gen.graph.language import express
from gen.graph.operations import OPERATIONS
from gen.graph.powers import lower_powers
from gen.model import Block, Kernel, Operand, Program
from gen.passes.spread import Spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.graph.graph import Node
    from gen.model import Expression

# A derivative longer than this reads better in the code than in the docstring.
_LONGEST_DERIVATIVE = 160


def plan(program: Program) -> Kernel:
    """The kernel of a program."""
    formula = program.formula
    forward = _block(program.graph, (program.output,))
    backward, saves_output = _backward(program)
    leaves = _inputs(backward)
    spread = Spread(formula)
    reduced = spread.reduced(backward)
    operands = tuple(
        Operand(
            input=one,
            dimensions=spread.dimensions(one),
            saved=one.differentiable and one.name in leaves,
            reduced=reduced[place],
            zero=_is_zero(backward.graph, backward.results[place]),
        )
        for place, one in enumerate(formula.inputs)
    )
    return Kernel(
        formula=formula,
        forward=forward,
        backward=backward,
        operands=operands,
        saves_output=saves_output,
        expands=spread.expands(forward),
        derivatives=tuple(map(_written, program.derivatives)),
        slopes=program.slopes,
        forward_operations=_count(forward),
        backward_operations=_count(backward),
    )


def joint_operations(program: Program) -> int:
    """How many operations forward and backward have together, shared ones counted once."""
    graph, roots = _lowered(program)
    return sum(1 for _ in operations(graph, roots))


def weight(program: Program) -> int:
    """The same, each operation weighted by its cost in the table."""
    graph, roots = _lowered(program)
    return sum(OPERATIONS[graph[node].op].cost for node in operations(graph, roots))


def _lowered(program: Program) -> tuple[Graph, tuple[int, ...]]:
    roots = [program.output, *(node for node in program.gradients if node is not None)]
    return lower_powers(program.graph, roots)


# ---- what is saved


def _backward(program: Program) -> tuple[Block, bool]:
    """The backward block, and whether it is given the output.

    Inputs and the output exist anyway: what counts is the work to be done again, then
    how many tensors are kept.
    """
    from_inputs = _block(program.graph, program.gradients)
    graph, gradients = _given_output(program)
    from_output = _block(graph, gradients)
    uses_output = any(node.op == OUTPUT for node in _live(from_output))
    keep = (_weight(from_output), len(_inputs(from_output)) + 1)
    if uses_output and keep < (_weight(from_inputs), len(_inputs(from_inputs))):
        return from_output, True
    return from_inputs, False


def _given_output(program: Program) -> tuple[Graph, tuple[int | None, ...]]:
    """The gradients with the output as a leaf."""
    roots = [node for node in program.gradients if node is not None]
    if program.graph[program.output].op in LEAVES:
        return program.graph, program.gradients
    builder = Builder()
    image: dict[int, int] = {}
    for node in reachable(program.graph.nodes, roots, stop=[program.output]):
        op, args, payload = program.graph[node]
        if node == program.output:
            image[node] = builder.node(OUTPUT, (), "output")
        else:
            image[node] = builder.node(op, tuple(image[arg] for arg in args), payload)
    gradients = tuple(None if node is None else image[node] for node in program.gradients)
    return builder.freeze(), gradients


# ---- blocks


def _block(graph: Graph, results: Sequence[int | None]) -> Block:
    """The code of `results`, powers lowered, with the nodes that deserve a name."""
    roots = [node for node in results if node is not None]
    graph, lowered = lower_powers(graph, roots)
    order = reachable(graph.nodes, lowered)
    uses = use_counts(graph.nodes, order, lowered)
    for node in order:
        if graph[node].op.startswith("optional_"):
            uses[graph[node].args[0]] += 1  # it stands on both sides of the condition
    fixed = constants(graph.nodes, order)
    shared = tuple(
        node
        for node in order
        if uses[node] > 1 and node not in fixed and graph[node].op not in LEAVES | {"transpose"}
    )
    rest = iter(lowered)
    return Block(graph, shared, tuple(None if node is None else next(rest) for node in results))


def _roots(block: Block) -> list[int]:
    return [node for node in block.results if node is not None]


def _live(block: Block) -> list[Node]:
    return [block.graph[node] for node in reachable(block.graph.nodes, _roots(block))]


def _inputs(block: Block) -> set[str]:
    """The names of the inputs that a block reads."""
    return {str(node.payload) for node in _live(block) if node.op == INPUT}


def _count(block: Block) -> int:
    return sum(1 for _ in operations(block.graph, _roots(block)))


def _weight(block: Block) -> int:
    nodes = operations(block.graph, _roots(block))
    return sum(OPERATIONS[block.graph[node].op].cost for node in nodes)


def _is_zero(graph: Graph, node: int | None) -> bool:
    return node is not None and graph[node].op == NUMBER and graph[node].payload == 0


# ---- documentation


def _written(derivative: Expression | None) -> str | None:
    if derivative is None:
        return None
    return express(derivative.graph, derivative.node, _LONGEST_DERIVATIVE)
