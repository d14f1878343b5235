"""The options that declare a gradient which is not the derivative.

In: their values. Out: a `Gradient`; declared.py reads the expressions in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gen.errors import GenError
from gen.model import Gradient


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
