"""What a function of whole arrays is: its arrays, its options, what it makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.frontend.views import Space, View

# A literal option: an axis or several, a switch, a number, the text of an einsum.
Literal: TypeAlias = "int | float | bool | str | tuple[int, ...] | None"
Options: TypeAlias = Mapping[str, Literal]

# Other names of an option, and what it stands for.
SYNONYMS = {"dim": "axis", "keepdim": "keepdims", "correction": "ddof"}


@dataclass(frozen=True, slots=True)
class ArrayFunction:
    """One function: how many arrays it takes, which options, and what it makes of them."""

    arrays: int
    options: tuple[str, ...]  # in the order of positional ones
    build: Callable[[Space, str, Sequence[View], Options], View]
