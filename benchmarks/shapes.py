"""Large formulas of several shapes, as text of about a given number of operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Shape: TypeAlias = Callable[[int], str]

_FAMILY = 5000  # chains with inputs of their own have at most twice so many


def _statements(first: str, step: Callable[[int], str], count: int) -> str:
    """`t0 = first; t1 = step(1); ...; t<count - 1>`."""
    lines = [f"t0={first}", *(f"t{i}={step(i)}" for i in range(1, count))]
    return "; ".join([*lines, f"t{count - 1}"])


def chain(size: int) -> str:
    """One value after another, each from the one before."""
    return _statements("x*y", lambda i: f"sin(t{i - 1})*y+x*{1 + i % 7}", max(size // 4, 2))


def long_sum(size: int) -> str:
    """Terms of fifty inputs."""
    return "+".join(f"x{i % 50}*{i + 2}" for i in range(size // 2))


def product(size: int) -> str:
    """As many inputs as factors."""
    return "*".join(f"x{i}" for i in range(size))


def inputs(size: int) -> str:
    """A chain whose every step has inputs of its own."""

    def step(i: int) -> str:
        own = i % _FAMILY
        return f"tanh(t{i - 1}*a{own}+b{own})"

    return _statements("x", step, size // 3)


def outputs(size: int) -> str:
    """Many short chains, each an output."""
    count = max(10, min(1000, size // 100))
    steps = max(size // count // 4, 2)
    lines = []
    for one in range(count):
        lines.append(f"a{one}_0=x*y{one % 10}")
        lines += [
            f"a{one}_{i}=tanh(a{one}_{i - 1})*y{one % 10}+x*{i}*{one + 1}" for i in range(1, steps)
        ]
    return "; ".join(lines)


def network(size: int) -> str:
    """Layers of 32 units; weights are shared, so that there are 512 of them."""
    width, lines = 32, []
    units = [f"x{i}" for i in range(width)]
    for layer in range(max(1, size // (2 * width * width))):
        new = [f"h{layer}_{o}" for o in range(width)]
        for o, name in enumerate(new):
            first = o * width + layer
            terms = [f"w{(first + i) % 512}*{unit}" for i, unit in enumerate(units)]
            lines.append(f"{name}=tanh({'+'.join(terms)})")
        units = new
    return "; ".join([*lines, "+".join(units)])


def legendre(size: int) -> str:
    """Bonnet's recurrence."""
    count = max(size // 5, 3)
    lines = ["p0=1+0*x", "p1=x"]
    for i in range(2, count):
        lines.append(f"p{i}=({2 * i - 1}*x*p{i - 1}-{i - 1}*p{i - 2})/{i}")
    return "; ".join([*lines, f"p{count - 1}"])


def selections(size: int) -> str:
    """Branches side by side."""

    def term(i: int) -> str:
        return f"where(x>{i % 13}/13,sin(x*{i}),exp(-y*{i}))*x"

    return "+".join(map(term, range(1, max(size // 7, 2))))


SHAPES: tuple[Shape, ...] = (
    *(chain, long_sum, product, inputs, outputs, network, legendre, selections),
)
