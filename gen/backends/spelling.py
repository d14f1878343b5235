"""What the libraries spell alike, and what spelling it leaves to be imported.

In: the arrays that give plain numbers a dtype, the user's own functions. Out: code, and
the names that the module has to import from its runtime.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from gen.backends.code import call
from gen.graph.infix import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.backends.arrays import Operand
    from gen.backends.custom import Customs


@dataclass(slots=True)
class Spelling:
    """The part of a dialect that is the same under another library's name."""

    library: ClassVar[str]  # what it is called in code

    beside: tuple[str, ...]  # the arrays whose dtype and device a plain number takes
    runtime: set[str]  # the names that the module imports from its runtime
    customs: Customs  # the user's own functions

    def scalar(self, number: Text) -> Text:
        return self.runtime_call("scalar", [number, *map(Text, self.beside)])

    def array(self, one: Operand) -> Text:
        """An operand as an array, where a function takes no plain number."""
        return self.scalar(one.text) if one.is_number else one.text

    def truth(self, condition: Text) -> Text:
        return self.runtime_call("truth", [condition, *map(Text, self.beside)])

    def filled(self, number: Text) -> Text:
        return call(f"{self.library}.full_like", [Text(self.beside[0]), number])

    def custom(self, name: str, operands: Sequence[Operand]) -> Text:
        return self.customs.call(name, [self.array(one) for one in operands])

    def eye(self, size: Text) -> Text:
        return self.runtime_call("eye", [size, *map(Text, self.beside)])

    def runtime_call(self, function: str, operands: Sequence[Text]) -> Text:
        self.runtime.add(function)
        return call(function, operands)
