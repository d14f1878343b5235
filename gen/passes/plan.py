"""Program → Kernel: straight-line code, what is saved, how each gradient is finished.

In: a program. Out: the forward and the backward block, their powers lowered. Forward
leaves only inputs and the output for backward: both exist anyway, so they cost nothing
to keep, and a second derivative stays exact. The output is saved where that makes
backward cheaper (tanh, exp, relu), inputs otherwise.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gen.graph.eager import kept
from gen.graph.graph import (
    COTANGENT,
    FLAG,
    GIVEN,
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
from gen.graph.indices import ELLIPSIS
from gen.graph.language import express_all
from gen.graph.linear import is_linear
from gen.graph.powers import lower_powers
from gen.model import Block, Expression, Kernel, Operand, Program
from gen.passes.axes import Given, Wanted
from gen.passes.layout import SHAPED, lay_out
from gen.passes.save import repeated, saved_outputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.graph.graph import Leaf, Node
    from gen.model import Formula, Input
    from gen.passes.axes import Order

# A derivative longer than this reads better in the code than in the docstring.
_LONGEST_DERIVATIVE = 160

# Beyond so many nodes nobody asks what the formula would cost if it were not planned.
_LARGEST_EAGER = 2_000


def plan(program: Program) -> Kernel:
    """The kernel of a program."""
    formula = program.formula
    given = _given(formula)
    forward = _block(program.graph, program.outputs, formula, given, _outputs_wanted(program))
    backward, given_outputs = _backward(program, given)
    operands = _operands(formula, backward)
    return Kernel(
        formula=formula,
        forward=forward,
        backward=backward,
        operands=operands,
        saved_outputs=given_outputs,
        expands=_expands(formula, forward),
        derivatives=_derivatives(program, backward),
        slopes=program.slopes,
        is_linear=_is_linear(program),
        forward_operations=_count(forward),
        backward_operations=_count(backward),
        repeated_operations=repeated(program, given_outputs),
        eager=_eager(formula, given),
    )


def _operands(formula: Formula, backward: Block) -> tuple[Operand, ...]:
    saved, shapes = _read(backward, INPUT), _shapes_read(backward)
    leading = sum(one.differentiable and _leads(one) for one in formula.inputs)
    found = []
    for one, root in zip(formula.inputs, backward.results, strict=True):
        reduced = _is_reduced(one, leading, backward.graph, root)
        kept = one.differentiable and one.name in saved
        asked = reduced or one.name in shapes
        found.append(
            Operand(
                input=one,
                dimensions=one.dimensions,
                saved=kept,
                reduced=reduced,
                shaped=one.differentiable and asked and not kept,
                zero=not formula.has_tensors and _is_zero(backward.graph, root),
            )
        )
    return tuple(found)


def _is_reduced(one: Input, leading: int, graph: Graph, root: int | None) -> bool:
    """Whether the cotangent of an input may be larger than it, beside `leading` with dimensions."""
    if root is None:
        return False
    if not one.loose and graph[root].op == "gather" and _gathered(graph[root]) == (one.name,):
        return False
    return one.loose or (_leads(one) and leading > 1)


def _gathered(node: Node) -> object:
    """The inputs to whose leading dimensions a node is summed."""
    assert isinstance(node.payload, tuple)
    return node.payload[0][1]  # type: ignore[index]


def _leads(one: Input) -> bool:
    return one.order[:1] == (ELLIPSIS,)


def _shapes_read(block: Block) -> set[str]:
    """The inputs whose shapes a block asks for, however deep in a payload they stand."""
    found: set[str] = set()
    for node in _live(block):
        if node.op in SHAPED:
            found |= _names(node.payload)
    return found


def _names(payload: object) -> set[str]:
    match payload:
        case ("...", tuple() as names, tuple()):
            return set(names)
        case (str() as op, str() as name) if op in GIVEN:
            return {name} if op == INPUT else set()
        case tuple():
            return set().union(*(_names(one) for one in payload))
    return set()


def _expands(formula: Formula, forward: Block) -> bool:
    """Whether the output may lack dimensions of an input that forward does not read."""
    if formula.has_tensors or len(formula.outputs) > 1:
        return False
    wanted = {one.name for one in formula.inputs if one.differentiable and one.read}
    return bool(wanted - _read(forward, INPUT))


# ---- what is saved


def _eager(formula: Formula, given: Given) -> int | None:
    """How many tensors eager autograd would keep, None where nobody would write it so."""
    if len(formula.graph) > _LARGEST_EAGER or formula.request.gradient.is_declared:
        return None
    numbers = [one.name for one in formula.inputs if not one.differentiable]
    graph, roots = formula.graph, formula.roots
    if formula.has_tensors:
        wanted = [Wanted(one.node, one.order) for one in formula.outputs]
        graph, roots = lay_out(graph, wanted, given)
    return kept(graph, roots, numbers)


def _backward(program: Program, given: Given) -> tuple[Block, tuple[bool, ...]]:
    """The backward block, and for each output whether it is given it."""
    chosen = saved_outputs(program)
    block = _gradients(program, *_given_outputs(program, chosen), given)
    read = _read(block, OUTPUT)
    return block, tuple(one.name in read for one in program.formula.outputs)


def _gradients(
    program: Program, graph: Graph, gradients: Sequence[int | None], given: Given
) -> Block:
    wanted = [
        Wanted(node, one.order, one.name)
        for one, node in zip(program.formula.inputs, gradients, strict=True)
        if node is not None
    ]
    return _block(graph, gradients, program.formula, given, wanted)


def _given_outputs(program: Program, given: frozenset[int]) -> tuple[Graph, tuple[int | None, ...]]:
    """The gradients with some outputs as leaves."""
    roots = [node for node in program.gradients if node is not None]
    names = {
        program.outputs[place]: program.formula.outputs[place].name
        for place in sorted(given)
        if program.graph[program.outputs[place]].op not in LEAVES
    }
    if not names:
        return program.graph, program.gradients
    builder = Builder.beside(program.graph)
    image: dict[int, int] = {}
    for node in reachable(program.graph.nodes, roots, stop=names):
        op, args, payload = program.graph[node]
        if node in names:
            image[node] = builder.node(OUTPUT, (), names[node])
        else:
            image[node] = builder.node(op, tuple(image[arg] for arg in args), payload)
    gradients = tuple(None if node is None else image[node] for node in program.gradients)
    return builder.freeze(), gradients


def _is_linear(program: Program) -> bool:
    """Whether gradients are linear in the cotangents; exact ones are."""
    formula = program.formula
    return formula.request.gradient.clamp is None and all(
        is_linear(formula.graph, node) for _, node in formula.gradients
    )


# ---- blocks


def _block(
    graph: Graph,
    results: Sequence[int | None],
    formula: Formula,
    given: Given,
    wanted: Sequence[Wanted],
) -> Block:
    """The code of `results`, powers lowered and axes laid out."""
    graph, roots = lower_powers(graph, [node for node in results if node is not None])
    if formula.has_tensors:
        pairs = zip(wanted, roots, strict=True)
        graph, roots = lay_out(graph, [replace(one, node=root) for one, root in pairs], given)
    rest = iter(roots)
    placed = tuple(None if node is None else next(rest) for node in results)
    return Block(graph, _shared(graph, roots), placed)


def _shared(graph: Graph, roots: Sequence[int]) -> tuple[int, ...]:
    """The nodes that deserve a name, since they are used more than once."""
    order = graph.order(roots)
    uses = use_counts(graph.nodes, order, roots)
    for node in order:
        if graph[node].op.startswith("optional_"):
            uses[graph[node].args[0]] += 1  # it stands on both sides of the condition
    for node in reversed(order):
        if graph[node].op == "view" and uses[node] > 1:
            uses[graph[node].args[0]] += 1  # a view has no name of its own
    fixed = constants(graph, order)
    return tuple(
        node
        for node in order
        if uses[node] > 1 and node not in fixed and graph[node].op not in LEAVES | {"view", FLAG}
    )


def _given(formula: Formula) -> Given:
    """The axes of what blocks are given."""
    orders: dict[Leaf, Order] = {(INPUT, one.name): one.order for one in formula.inputs}
    orders |= {(COTANGENT, one.grad): one.order for one in formula.outputs}
    orders |= {(OUTPUT, one.name): one.order for one in formula.outputs}
    loose = frozenset(one.name for one in formula.inputs if one.loose)
    return Given(orders, loose, formula.leading)


def _outputs_wanted(program: Program) -> list[Wanted]:
    pairs = zip(program.outputs, program.formula.outputs, strict=True)
    return [Wanted(node, one.order, leading=one.leading) for node, one in pairs]


def _roots(block: Block) -> list[int]:
    return [node for node in block.results if node is not None]


def _live(block: Block) -> list[Node]:
    return [block.graph[node] for node in block.graph.order(_roots(block))]


def _read(block: Block, op: str) -> set[str]:
    """The names of the leaves of one kind that a block reads."""
    return {str(node.payload) for node in _live(block) if node.op == op}


def _count(block: Block) -> int:
    return sum(1 for _ in operations(block.graph, _roots(block)))


def _is_zero(graph: Graph, node: int | None) -> bool:
    return node is not None and graph[node].op == NUMBER and graph[node].payload == 0


# ---- documentation


def _derivatives(program: Program, backward: Block) -> tuple[str | None, ...]:
    """The derivatives in the language, None where there is none or it is too long."""
    if program.formula.has_tensors:
        graph = backward.graph
        shown = [None if node is None else Expression(graph, node) for node in backward.results]
    else:
        shown = list(program.derivatives)
    found: list[str | None] = [None] * len(shown)
    for graph, places in _by_graph(shown):
        roots = [one.node for place in places if (one := shown[place]) is not None]
        for place, text in zip(places, express_all(graph, roots, _LONGEST_DERIVATIVE), strict=True):
            found[place] = text
    return tuple(found)


def _by_graph(shown: Sequence[Expression | None]) -> list[tuple[Graph, list[int]]]:
    """The places of the expressions that share a graph."""
    found: dict[int, tuple[Graph, list[int]]] = {}
    for place, one in enumerate(shown):
        if one is not None:
            found.setdefault(id(one.graph), (one.graph, []))[1].append(place)
    return list(found.values())
