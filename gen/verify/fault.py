"""What a check says where emitted code is at fault, or where it does not apply.

In: what was found. Out: exceptions whose text is the whole message.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from gen.errors import GenError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen.verify.samples import Sample


# What running code that is at fault raises, besides a ConformanceError: PyTorch's own
# refusals are RuntimeErrors for the most part. An error of the machine is none of these.
FAULTS = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, NameError),
    *(RuntimeError, TypeError, ValueError, Warning),
)


class ConformanceError(GenError):
    """Emitted code is not as it must be.

    Args:
        why: what was got, and what was expected.
        inputs: the inputs that show it.
    """

    def __init__(self, why: str, inputs: Sample | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.inputs = inputs

    @property
    def shown(self) -> str:
        """The inputs, one on a line."""
        return "" if self.inputs is None else str(self.inputs)


class DoesNotApplyError(Exception):
    """A check has nothing to check in this function; its text says why."""


@contextmanager
def at(inputs: Sample) -> Iterator[None]:
    """Running emitted code at these inputs, which is at fault where it raises anything."""
    try:
        yield
    except FAULTS as fault:
        raise ConformanceError(f"{type(fault).__name__}: {fault}", inputs) from fault
