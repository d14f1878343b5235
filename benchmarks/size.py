"""Seconds from the text of a large formula to the text of its module, and peak memory.

    python -m benchmarks.size [OPERATIONS ...]

Prints, for each shape and size (1e3, 1e4 and 1e5 operations unless told otherwise), the
processor seconds of each stage, and of compiling the module of each backend; the goal is
1 s at 1e4 operations and 15 s at 1e5 from text to text, for one backend. Then the peak
memory of a chain of 200 operations on 1e6 elements, in arrays of that size.
"""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from typing import TYPE_CHECKING, TypeVar

import numpy as np

import gen
from benchmarks.shapes import SHAPES, Shape
from gen import pipeline
from gen.collection import paused
from gen.frontend import text
from gen.model import Request
from gen.passes.plan import plan

if TYPE_CHECKING:
    from collections.abc import Callable

_SIZES = (1_000, 10_000, 100_000)
_GOALS = {10_000: 1.0, 100_000: 15.0}
_ELEMENTS = 1_000_000
_TITLES = ("read", "program", "plan", "numpy", "compile", "torch", "compile", "total")

T = TypeVar("T")


def _timed(times: list[float], work: Callable[[], T]) -> T:
    start = time.process_time()
    result = work()
    times.append(time.process_time() - start)
    return result


@paused()
def stages(shape: Shape, size: int) -> tuple[int, list[float]]:
    """The operations of forward, and the seconds of each stage."""
    request = Request("Large", shape(size))
    times: list[float] = []
    formula = _timed(times, lambda: text.read(request))
    program = _timed(times, lambda: pipeline.program(formula))
    kernel = _timed(times, lambda: plan(program))
    for backend in ("numpy", "torch"):
        module = _timed(times, lambda name=backend: pipeline.emit(kernel, name))  # type: ignore[misc]
        _timed(times, lambda code=module.text: compile(code, "large", "exec"))  # type: ignore[misc]
    return kernel.forward_operations, [*times, sum(times[:4])]


def peaks(expr: str) -> tuple[float, float]:
    """The peak memory of forward and of backward of one input, in arrays."""
    function = gen.load("Large", expr)
    x = np.full(_ELEMENTS, 0.3)
    tracemalloc.start()
    _, pullback = function.vjp(x)
    forward = tracemalloc.get_traced_memory()[1]
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    pullback(np.ones(_ELEMENTS))
    backward = tracemalloc.get_traced_memory()[1] - kept
    tracemalloc.stop()
    return forward / x.nbytes, backward / x.nbytes


def main(sizes: tuple[int, ...]) -> int:
    """Print both tables; 1 where a goal is missed."""
    print(f"{'shape':12}{'operations':>11}" + "".join(f"{title:>9}" for title in _TITLES))
    missed = False
    for size in sizes:
        for shape in SHAPES:
            gc.collect()
            operations, times = stages(shape, size)
            failed = times[-1] > _GOALS.get(size, times[-1])
            missed |= failed
            figures = "".join(f"{one:9.2f}" for one in times)
            print(f"{shape.__name__:12}{operations:11}{figures}{'  MISSED' * failed}", flush=True)
    chain = "; ".join(["t0=x", *(f"t{i}=sin(t{i - 1})*x" for i in range(1, 100)), "t99"])
    forward, backward = peaks(chain)
    print(f"chain of 200 operations, arrays alive: forward {forward:.0f}, backward {backward:.0f}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(tuple(map(int, sys.argv[1:])) or _SIZES))
