"""What a check says where emitted code is at fault, or where it does not apply.

In: what was found. Out: exceptions whose text is the whole message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.errors import GenError

if TYPE_CHECKING:
    from gen.verify.samples import Sample


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
