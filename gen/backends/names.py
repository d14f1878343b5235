"""Names of emitted code: the user's, and those that never collide with them.

In: the names of inputs, and what the emitted module needs for itself. Out: identifiers.
An input keeps its name; where the module needs that name itself, or where style checkers
reject it as unreadable (l, O, I), it gets an underscore at its end.
"""

from __future__ import annotations

import keyword
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gen.naming import snake_case

if TYPE_CHECKING:
    from collections.abc import Iterable

_AMBIGUOUS = frozenset({"l", "O", "I"})
_LONGEST = 24


def entry_name(name: str, reserved: Iterable[str]) -> str:
    """The plain function beside the class: its name in snake case, where that is free."""
    entry = snake_case(name)
    return f"apply_{entry}" if entry in {name, *reserved, *_AMBIGUOUS} else entry


@dataclass(slots=True)
class Names:
    """The identifiers of one function's body."""

    taken: set[str]
    of_inputs: dict[str, str] = field(default_factory=dict)
    of_outputs: dict[str, str] = field(default_factory=dict)  # and of their cotangents
    counts: dict[str, int] = field(default_factory=dict)  # how often a hint was taken

    @classmethod
    def for_formula(
        cls, inputs: Iterable[str], outputs: Iterable[str], reserved: Iterable[str]
    ) -> Names:
        """Identifiers for inputs, and for outputs and cotangents, none of them in `reserved`."""
        order = list(inputs)
        forbidden = {*reserved, *_AMBIGUOUS}
        # Inside a class Python renames what begins with two underscores.
        kept = [one for one in order if one not in forbidden and not one.startswith("__")]
        own = frozenset(kept)
        names = cls({*forbidden, *keyword.kwlist, *own})
        for one in order:
            plain = one.lstrip("_") if one.startswith("__") else one
            names.of_inputs[one] = one if one in own else names._suffixed(plain or "x")
        for one in outputs:
            names.of_outputs[one] = names._suffixed(one.lstrip("_") or "y")
        return names

    def attribute(self, name: str) -> str:
        """The attribute of ctx that keeps an input or its shape; a private one may be taken."""
        return f"input{name}" if name.startswith("_") else name

    def private(self, kind: str) -> str:
        """What the names of private functions begin with, which nobody else's names do."""
        name = f"_{kind}"
        while any(one.startswith(name) for one in self.taken):
            name += "_"  # at its end: inside a class Python renames what begins with two
        return name

    def _suffixed(self, name: str) -> str:
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def claim(self, name: str) -> str:
        """An identifier that nobody has, `name` or with underscores behind it."""
        return self._suffixed(name)

    def scope(self) -> Names:
        """The same names, for one more function body that may take its own."""
        return Names(set(self.taken), self.of_inputs, self.of_outputs)

    def fresh(self, hint: str) -> str:
        """An identifier that nobody has, like `hint`: mask, mask2, ...; t1, t2, ..."""
        if len(hint) > _LONGEST or not hint:
            hint = "t"
        count = self.counts.get(hint, 0)
        separator = "_" if hint[-1].isdigit() else ""
        name = hint if count == 0 and hint != "t" else ""
        while not name or name in self.taken:
            count += 1
            if count > 1 or hint == "t":
                name = f"{hint}{separator}{count}"
        self.counts[hint] = max(count, 1)
        self.taken.add(name)
        return name
