"""Gradients that are not the derivative: the options that declare one, and how it is read.

In: options, or a request. Out: a `Gradient`; the expressions that it is made of, read as
statements behind those of the formula, in which `output` is the value and `grad_output`
its cotangent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gen.errors import GenError, nearest
from gen.frontend.source import Source
from gen.frontend.syntax import parse
from gen.graph.graph import COTANGENT, INPUT, Builder
from gen.graph.operations import STEPS
from gen.model import Gradient
from gen.provenance import statements

if TYPE_CHECKING:
    from gen.model import Formula, Request

_PRIMITIVE = "primitive_of_output"


def gradient(
    backward: object = (),
    primitive: object = "",
    straight_through: object = False,
    clamp_grad: object = None,
    once: object = False,
) -> Gradient:
    """The gradient that these options declare.

    Args:
        backward: the gradient of the one input, or of inputs by name, in the inputs,
            `output` and `grad_output`.
        primitive: an expression in the inputs, whose derivative backward is.
        straight_through: whether rounding and steps count as the identity.
        clamp_grad: "lo,hi", the bounds of each gradient.
        once: whether a second derivative is refused.

    Raises:
        GenError: for a value that an option does not take.
    """
    if not isinstance(primitive, str):
        raise GenError(f"primitive is an expression, given {primitive!r}")
    for option, value in (("straight_through", straight_through), ("once", once)):
        if not isinstance(value, bool):
            raise GenError(f"{option} is true or false, given {value!r}")
    return Gradient(
        backward=_rules(backward),
        primitive=primitive,
        straight_through=bool(straight_through),
        clamp=_bounds(clamp_grad),
        once=bool(once),
    )


def _rules(value: object) -> tuple[tuple[str, str], ...]:
    """The rules by input; one alone has no name.

    >>> _rules(["x = grad_output*x", "alpha = 0"])
    (('x', 'grad_output*x'), ('alpha', '0'))
    """
    if isinstance(value, str):
        value = [value] if value.strip() else []
    if isinstance(value, Mapping):
        pairs = [(str(name), rule) for name, rule in value.items()]
    elif isinstance(value, Iterable):
        pairs = [_rule(rule) for rule in value]
    else:
        pairs = [("", value)]
    for name, rule in pairs:
        if not isinstance(rule, str) or not rule.strip():
            raise GenError(
                "backward takes an expression such as grad_output/(1 + x**2), or one for an "
                f"input, as in x = grad_output; given {rule!r}"
            )
        if [one for one, _ in pairs].count(name) > 1:
            what = f"the gradient of {name}" if name else "the gradient of the one input"
            raise GenError(f"backward: {what} is given twice")
    return tuple((name, str(rule)) for name, rule in pairs)


def _rule(text: object) -> tuple[str, object]:
    if not isinstance(text, str):
        return "", text
    name, sign, rule = text.partition("=")
    named = sign and name.strip().isidentifier() and not rule.startswith("=")
    return (name.strip(), rule.strip()) if named else ("", text)


def _bounds(value: object) -> tuple[str, str] | None:
    if value is None or value == "":
        return None
    parts = value.split(",") if isinstance(value, str) else value
    found = [str(part).strip() for part in parts] if isinstance(parts, list | tuple) else []
    try:
        low, high = map(float, found)
        if low < high:
            return repr(low), repr(high)
    except ValueError:
        pass
    raise GenError(
        f"clamp_grad takes two numbers, the lower one first, as in -1,1; given {value!r}"
    )


# ---- reading


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
    leading = {one.name for one in inputs}
    found = replace(
        formula,
        request=replace(request, definitions=formula.request.definitions),
        inputs=inputs,
        graph=builder.freeze(),
        outputs=tuple(
            replace(
                one,
                node=image[one.node],
                leading=tuple(name for name in one.leading if name in leading),
            )
            for one in own
        ),
        gradients=tuple((name, image[ends[rule]]) for name, rule in parts.rules),
        primitives=(image[ends[_PRIMITIVE]],) if parts.is_primitive else (),
    )
    return replace(found, gradients=_by_input(found))


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
