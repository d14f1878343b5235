"""Reading a gradient that is not the derivative.

In: a request that declares one. Out: the request with the expressions of that gradient as
further statements, in which `output` is the value and `grad_output` its cotangent; and
from its formula, the formula that was asked for, with the gradient beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gen.errors import GenError, nearest
from gen.frontend.source import Source
from gen.frontend.syntax import parse
from gen.graph.graph import COTANGENT, INPUT, Builder
from gen.graph.operations import STEPS
from gen.statements import statements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen.model import Formula, Output, Request

_PRIMITIVE = "primitive_of_output"


def checked(formula: Formula) -> Formula:
    """The formula, unless its gradient is declared to pass through steps that it has not."""
    graph, found = formula.graph, formula.differentiated
    operations = {graph[node].op for node in graph.order(found.roots)}
    if formula.request.gradient.straight_through and not STEPS & operations:
        raise GenError(
            "--straight-through: the expression has none of the steps that a gradient "
            f"passes through, {', '.join(sorted(STEPS))}"
        )
    return formula


@dataclass(frozen=True, slots=True)
class Joined:
    """A request with what it declares as more outputs of it."""

    request: Request
    outputs: tuple[str, ...]  # the names of those that are its own
    cotangents: tuple[str, ...]
    rules: tuple[tuple[str, str], ...] = ()  # an input, and the output that is its gradient

    @property
    def is_primitive(self) -> bool:
        return bool(self.request.gradient.primitive)


def joined(request: Request) -> Joined | None:
    """The request with its declared gradient as further statements; None where it has none."""
    declared = request.gradient
    if not declared.backward and not declared.primitive:
        return None
    if declared.backward and declared.primitive:
        raise GenError("--backward and --primitive both say what the gradient is; one is enough")
    lines = statements(request.expr)
    outputs = _outputs(request, lines)
    cotangents = tuple(f"grad_{name}" for name in outputs)
    rules = [(name, f"grad_of_{name or 'the_input'}") for name, _ in declared.backward]
    extra = [
        f"{name} = {rule}" for (_, name), (_, rule) in zip(rules, declared.backward, strict=True)
    ]
    names = [name for _, name in rules]
    if declared.primitive:
        if len(outputs) > 1:
            raise GenError(f"--primitive is that of one output; there are {', '.join(outputs)}")
        extra, names = [f"{_PRIMITIVE} = {declared.primitive}"], [_PRIMITIVE]
    args = (*request.args, *cotangents) if request.args and declared.backward else request.args
    whole = replace(
        request, expr="\n".join([*lines, *extra]), outputs=(*outputs, *names), args=args
    )
    return Joined(whole, outputs, cotangents if declared.backward else (), tuple(rules))


def _outputs(request: Request, lines: list[str]) -> tuple[str, ...]:
    """The names of the outputs, a value without a name called `output`."""
    found = [one for one in parse(Source(request.expr)) if not one.is_hidden]
    assigned = [one.name for one in found if one.name is not None]
    if found[-1].name is None:
        lines[-1] = f"output = {lines[-1]}"
        return ("output",)
    used = {one.id for each in found for one in each.reads}
    wanted = request.outputs or tuple(name for name in assigned if name not in used)
    if len(wanted) == 1 and wanted[0] != "output":
        lines.append(f"output = {wanted[0]}")
        return ("output",)
    return wanted


def separated(formula: Formula, parts: Joined, request: Request, read: set[str]) -> Formula:
    """A joined formula with what it declares in its own place.

    Args:
        formula: of the joined request.
        parts: how it was joined.
        request: the one that was asked for.
        read: the names that its own expression has.
    """
    builder = Builder.beside(formula.graph)
    own = tuple(one for one in formula.outputs if one.name in parts.outputs)
    for one in own:
        builder.given[COTANGENT, one.grad] = one.axes
    ends = {one.name: one.node for one in formula.outputs}
    image: dict[int, int] = {}
    for node in formula.graph.order(list(ends.values())):
        op, args, payload = formula.graph[node]
        is_cotangent = op == INPUT and payload in parts.cotangents
        kind = COTANGENT if is_cotangent else op
        image[node] = builder.node(kind, tuple(image[arg] for arg in args), payload)
    inputs = tuple(
        replace(one, read=one.read and one.name in read)
        for one in formula.inputs
        if one.name not in parts.cotangents
    )
    found = replace(
        formula,
        request=replace(request, definitions=formula.request.definitions),
        inputs=inputs,
        graph=builder.freeze(),
        outputs=tuple(_moved(one, image, parts) for one in own),
        gradients=tuple((name, image[ends[rule]]) for name, rule in parts.rules),
        primitives=(image[ends[_PRIMITIVE]],) if parts.is_primitive else (),
    )
    return replace(found, gradients=_by_input(found))


def _moved(output: Output, image: Mapping[int, int], parts: Joined) -> Output:
    """An output in another graph, where cotangents are no inputs."""
    leading = tuple(name for name in output.leading if name not in parts.cotangents)
    return replace(output, node=image[output.node], leading=leading)


def _by_input(formula: Formula) -> tuple[tuple[str, int], ...]:
    """The declared gradients by the inputs that they are of."""
    moving = [one.name for one in formula.inputs if one.differentiable]
    rules = []
    for name, node in formula.gradients:
        if not name and len(moving) > 1:
            raise GenError(
                f"--backward: there are the inputs {', '.join(moving)}; "
                f'say of which it is the gradient, as in --backward "{moving[0]} = ..."'
            )
        if name and name not in moving:
            hint = nearest(name, moving) or f"those with a gradient are {', '.join(moving)}"
            raise GenError(f"--backward: {name} is no input with a gradient; {hint}")
        used = {formula.graph[one].op for one in formula.graph.order([node])}
        if COTANGENT not in used and formula.graph[node].payload != 0:
            raise GenError(
                f"--backward: the gradient of {name or moving[0]} does not use grad_output, "
                "with which every gradient is multiplied"
            )
        rules.append((name or moving[0], node))
    return tuple(rules)
