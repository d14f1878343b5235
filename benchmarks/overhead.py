"""What a call costs: P3 as a composite of PyTorch, as an old-style Function, as emitted.

    python -m benchmarks.overhead

Forward and backward, in turn and many times; the fastest of each counts, as everything
else only adds to it. Goals: at one element the emitted function takes at most 1.15 times
as long as the composite, from 1e6 elements on it is faster. Exits 1 where one is missed.
"""

from __future__ import annotations

import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from generated.p3_torch import p3

if TYPE_CHECKING:
    from collections.abc import Callable

    Function = Callable[[Tensor], Tensor]

SIZES = (1, 1_000, 1_000_000)
GOALS = {1: 1.15, 1_000_000: 1.0}


def composite(x: Tensor) -> Tensor:
    return 0.5 * (5 * x**3 - 3 * x)


class OldStyle(torch.autograd.Function):
    """As most people write one by hand: forward with ctx, no transforms."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Return the value."""
        ctx.save_for_backward(x)
        return 0.5 * (5 * x**3 - 3 * x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        """Return the gradient."""
        (x,) = ctx.saved_tensors
        found: Tensor = grad_output * (7.5 * x**2 - 1.5)
        return found


def old_style(x: Tensor) -> Tensor:
    function: Any = OldStyle
    found: Tensor = function.apply(x)
    return found


FUNCTIONS: dict[str, Function] = {"composite": composite, "old-style": old_style, "emitted": p3}


def measured(size: int) -> dict[str, float]:
    """Seconds for forward and backward, by function."""
    x = torch.linspace(-1, 1, size, requires_grad=True)
    one = torch.ones(size)
    repeats = max(1, 20_000 // (size + 100))
    best = dict.fromkeys(FUNCTIONS, float("inf"))
    for _ in range(60):
        for name, function in FUNCTIONS.items():
            start = perf_counter()
            for _ in range(repeats):
                torch.autograd.grad(function(x), x, one)
            best[name] = min(best[name], (perf_counter() - start) / repeats)
    return best


def main() -> None:
    torch.set_num_threads(1)
    missed = []
    print(
        f"{'elements':>10}" + "".join(f"{name:>14}" for name in FUNCTIONS) + "  emitted/composite"
    )
    for size in SIZES:
        found = measured(size)
        ratio, goal = found["emitted"] / found["composite"], GOALS.get(size)
        times = "".join(f"{1e6 * seconds:11.1f} µs" for seconds in found.values())
        print(f"{size:>10}{times}  {ratio:.2f}" + (f" (goal {goal})" if goal else ""))
        if goal is not None and ratio > goal:
            missed.append(size)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
