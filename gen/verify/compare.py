"""What was got against what was expected, and derivatives in plain PyTorch.

In: tensors, and the inputs that they come from. Out: nothing, or a `ConformanceError`
that names the element that is off most.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gen.verify.fault import ConformanceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gen.verify.samples import Sample


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a value may be off: relative to itself, and to the largest value beside it."""

    rtol: float = 1e-9
    scale: float = 1e-11

    def of(self, expected: Tensor) -> Tensor:
        """The largest difference allowed, element by element."""
        largest = expected.abs().max() if expected.numel() else torch.zeros(())
        return self.rtol * expected.abs() + self.scale * torch.clamp(largest, min=1.0)


EXACT = Tolerance()


def several(value: object) -> tuple[Tensor, ...]:
    """The outputs of a function, one or several."""
    found = value if isinstance(value, tuple) else (value,)
    tensors = tuple(one for one in found if isinstance(one, Tensor))
    if len(tensors) != len(found):
        raise ConformanceError(f"an output is no tensor: {[type(one).__name__ for one in found]}")
    return tensors


def require(holds: bool, why: str, sample: Sample | None = None) -> None:
    """Refuse what does not hold."""
    if not holds:
        raise ConformanceError(why, sample)


def check_close(
    found: Tensor, expected: Tensor, what: str, sample: Sample, tolerance: Tolerance = EXACT
) -> None:
    """Compare shapes and values; NaN equals NaN."""
    if found.shape != expected.shape:
        shapes = f"has shape {tuple(found.shape)}, expected is {tuple(expected.shape)}"
        raise ConformanceError(f"{what} {shapes}", sample)
    got, want = found.detach().to(torch.float64), expected.detach().to(torch.float64)
    error = (got - want).abs() - tolerance.of(want)
    fine = (error <= 0) | (got == want) | (got.isnan() & want.isnan())
    if bool(fine.all()):
        return
    worst = torch.where(fine, -torch.inf, error.nan_to_num(torch.inf)).flatten().argmax()
    index = [int(one) for one in torch.unravel_index(worst, want.shape)]
    place = f" at {index}" if index else ""
    raise ConformanceError(
        f"{what}{place}: got {got.flatten()[worst].item()!r}, "
        f"expected {want.flatten()[worst].item()!r}",
        sample,
    )


def check_all(
    found: Sequence[Tensor],
    expected: Sequence[Tensor],
    names: Sequence[str],
    sample: Sample,
    tolerance: Tolerance = EXACT,
) -> None:
    """Compare tensors one by one."""
    require(len(found) == len(expected), f"{len(found)} values, not {len(expected)}", sample)
    for one, want, name in zip(found, expected, names, strict=True):
        check_close(one, want, name, sample, tolerance)


def cotangents(outputs: Sequence[Tensor]) -> list[Tensor]:
    """Cotangents that are not constant: a gradient that forgets them does not pass."""
    return [wave(one, place) for place, one in enumerate(outputs)]


def wave(like: Tensor, phase: float = 0.0) -> Tensor:
    """Numbers in the shape and dtype of a tensor, none the same and none 0."""
    count = torch.arange(1, like.numel() + 1, dtype=torch.float64, device="cpu")
    return (1.1 + torch.sin(2.3 * count + phase)).reshape(like.shape).to(like.dtype)


def pulled(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    grads: Sequence[Tensor] | None = None,
    create_graph: bool = False,
    retain_graph: bool | None = None,
) -> list[Tensor]:
    """The gradients of inputs, 0 where there is none."""
    pairs = zip(outputs, cotangents(outputs) if grads is None else grads, strict=True)
    live = [(one, grad) for one, grad in pairs if one.requires_grad]
    if not live:
        return [torch.zeros_like(one) for one in inputs]
    found = torch.autograd.grad(
        [one for one, _ in live],
        list(inputs),
        [grad for _, grad in live],
        create_graph=create_graph,
        retain_graph=retain_graph,
        allow_unused=True,
    )
    pairs_found = zip(found, inputs, strict=True)
    return [torch.zeros_like(one) if grad is None else grad for grad, one in pairs_found]


def pulled_again(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], grads: Sequence[Tensor]
) -> list[Tensor]:
    """The same, from a graph that stays."""
    return pulled(outputs, inputs, grads, retain_graph=True)


def jacobian(function: Callable[[Tensor], Tensor], at: Tensor, order: int) -> Tensor:
    """The derivative of this order of a function of a vector, by reverse mode alone."""
    point = at.detach().clone().requires_grad_()
    found = function(point)
    for _ in range(order):
        rows = [_row(one, point) for one in found.flatten()]
        found = torch.stack(rows).reshape(*found.shape, *point.shape)
    return found.detach()


def _row(value: Tensor, point: Tensor) -> Tensor:
    if not value.requires_grad:
        return torch.zeros_like(point)
    (found,) = torch.autograd.grad(value, point, create_graph=True, allow_unused=True)
    return torch.zeros_like(point) if found is None else found


def subsets(places: Sequence[int], most: int = 6) -> list[tuple[int, ...]]:
    """All subsets of few places but the empty one; of many, each alone and all together."""
    if len(places) > most:
        return [*((place,) for place in places), tuple(places)]
    sizes = range(1, len(places) + 1)
    return [chosen for size in sizes for chosen in itertools.combinations(places, size)]
