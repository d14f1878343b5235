"""A gradient that is declared, for the reference: the rules as they were read.

In: values and how gradients are made of cotangents. Out: tensors whose backward is that.
Backward itself consists of plain operations, so that it can be differentiated again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable

Tensors: TypeAlias = tuple[Tensor, ...]
Plain: TypeAlias = Callable[..., Tensors]
# Called with the inputs and the cotangents; None: no rule, the derivative counts.
Rules: TypeAlias = Callable[[Sequence[Tensor], Sequence[Tensor]], Sequence[Tensor | None]]


class _Context(Protocol):
    """What PyTorch hands from forward to backward."""

    saved_tensors: Tensors
    plain: Plain
    rules: Rules
    bounds: tuple[float, float] | None

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class _Declared(torch.autograd.Function):
    """Values with declared gradients."""

    @staticmethod
    def forward(
        ctx: _Context,
        plain: Plain,
        rules: Rules,
        bounds: tuple[float, float] | None,
        *tensors: Tensor,
    ) -> Tensors:
        ctx.plain, ctx.rules, ctx.bounds = plain, rules, bounds
        ctx.save_for_backward(*tensors)
        return plain(*tensors)

    @staticmethod
    def backward(ctx: _Context, *grads: Tensor) -> tuple[Tensor | None, ...]:
        again = torch.is_grad_enabled()
        with torch.enable_grad():
            given = [
                one if again and one.requires_grad else one.detach().requires_grad_()
                for one in ctx.saved_tensors
            ]
            derived = _derivative(ctx.plain(*given), given, grads, again)
            ruled = ctx.rules(given, grads)
            found = [b if a is None else a for a, b in zip(ruled, derived, strict=True)]
            if ctx.bounds is not None:
                found = [torch.clamp(one, *ctx.bounds) for one in found]
        return (None, None, None, *(found if again else (one.detach() for one in found)))


def _derivative(
    outputs: Iterable[Tensor], inputs: Sequence[Tensor], grads: Iterable[Tensor], again: bool
) -> list[Tensor]:
    pairs = [(one, g) for one, g in zip(outputs, grads, strict=True) if one.requires_grad]
    if not pairs:
        return [torch.zeros_like(one) for one in inputs]
    ends, seeds = zip(*pairs, strict=True)
    found = torch.autograd.grad(
        ends, inputs, seeds, create_graph=again, allow_unused=True, materialize_grads=True
    )
    return list(found)


def declared(
    plain: Plain, rules: Rules, bounds: tuple[float, float] | None, tensors: Sequence[Tensor]
) -> Tensors:
    """The values of a plain function whose gradients are those of rules.

    Args:
        plain: the function of tensors.
        rules: the gradients that are declared.
        bounds: what each gradient is clamped to.
        tensors: the inputs.
    """
    function = cast("Callable[..., Tensors]", _Declared.apply)
    return function(plain, rules, bounds, *tensors)
