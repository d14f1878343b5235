"""Fit y = a + b * P3(c + d * x) to sin(x) with the emitted Legendre polynomial.

    python examples/legendre_sine.py --backend numpy
    python examples/legendre_sine.py --backend torch --plot fit.svg

The modules under generated/ are imported as they are; gen itself takes no part.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

STEPS = 2000
POINTS = 2000
LEARNING_RATE = 5e-6
START = (0.0, -1.0, 0.0, 0.3)


@dataclass(frozen=True)
class Step:
    """One step of gradient descent."""

    number: int  # from 0
    loss: float  # sum of squared errors before the step
    parameters: tuple[float, ...]  # a, b, c, d after the step


def train_numpy() -> Iterator[Step]:
    """The vector-Jacobian product of P3, with the chain rule around it by hand."""
    from generated.p3 import P3

    x = np.linspace(-math.pi, math.pi, POINTS)
    target = np.sin(x)
    parameters = np.array(START)
    for number in range(STEPS):
        a, b, c, d = parameters
        p, pullback = P3.vjp(c + d * x)
        error = a + b * p - target
        (grad_u,) = pullback(2 * error * b)
        assert grad_u is not None
        gradient = [
            np.sum(2 * error),
            np.sum(2 * error * p),
            np.sum(grad_u),
            np.sum(grad_u * x),
        ]
        parameters = parameters - LEARNING_RATE * np.array(gradient)
        yield Step(number, float(np.sum(error**2)), tuple(map(float, parameters)))


def train_torch() -> Iterator[Step]:
    """PyTorch's autograd, which meets P3 as one node."""
    import torch

    from generated.p3_torch import p3

    x = torch.linspace(-math.pi, math.pi, POINTS, dtype=torch.float64)
    target = torch.sin(x)
    parameters = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    for number in range(STEPS):
        a, b, c, d = parameters
        loss = (a + b * p3(c + d * x) - target).pow(2).sum()
        (gradient,) = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            parameters -= LEARNING_RATE * gradient
        yield Step(number, loss.item(), tuple(parameters.tolist()))


TRAINERS: dict[str, Callable[[], Iterator[Step]]] = {"numpy": train_numpy, "torch": train_torch}


@click.command()
@click.option("--backend", type=click.Choice(sorted(TRAINERS)), default="numpy", show_default=True)
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the data and the fit here.")
def main(backend: str, plot: Path | None) -> None:
    """Train, and print the loss every hundred steps."""
    last = None
    losses = []
    with click.progressbar(TRAINERS[backend](), length=STEPS, file=sys.stderr) as steps:
        for last in steps:
            if last.number % 100 == 99:
                losses.append(f"step {last.number:4}  loss {last.loss:.6f}")
    assert last is not None
    click.echo("\n".join(losses))
    values = zip("abcd", last.parameters, strict=True)
    click.echo(", ".join(f"{name} = {value:z.6f}" for name, value in values))
    if plot is not None:
        draw(last.parameters, plot)
        click.echo(f"wrote {plot}")


def draw(parameters: tuple[float, ...], path: Path) -> None:
    """Draw sin(x) and the fit."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    from generated.p3 import p3

    a, b, c, d = parameters
    x: NDArray[np.float64] = np.linspace(-math.pi, math.pi, POINTS)
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    axes.plot(x, np.sin(x), color="#9aa0a6", linewidth=5, label="sin(x)")
    fit = f"{a:z.3f} {b:+.3f} P3({c:z.3f} {d:+.3f} x)"
    axes.plot(x, a + b * p3(c + d * x), color="#c5221f", linewidth=1.5, label=fit)
    axes.set_xlabel("x")
    axes.set_ylabel("y")
    axes.set_title("A third Legendre polynomial fitted to the sine")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
