"""Functions of the user's own code: how a module calls and imports them.

In: the paths of functions, and under which names a module has imported what it always
does. Out: the code of a call, and the import lines that it needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gen.backends.code import call
from gen.errors import GenError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gen.graph.infix import Text
    from gen.model import Primitive


@dataclass(slots=True)
class Customs:
    """The functions of one backend; it notes which are called."""

    backend: str
    paths: Mapping[str, str]  # by name: "mylib.ops.f"
    short: Mapping[str, str]  # what modules are called that are imported anyway
    called: set[str] = field(default_factory=set)  # the codes of those that were called
    modules: set[str] = field(default_factory=set)  # what has to be imported for them

    @classmethod
    def of(cls, primitives: Sequence[Primitive], backend: str, short: Mapping[str, str]) -> Customs:
        paths = {one.name: dict(one.spellings).get(backend, "") for one in primitives}
        return cls(backend, paths, short)

    @property
    def roots(self) -> frozenset[str]:
        """The names that importing them takes."""
        return frozenset(path.split(".")[0] for path in self.paths.values() if path)

    def call(self, name: str, operands: Sequence[Text]) -> Text:
        """The code of a call."""
        path = self.paths[name]
        if not path:
            raise GenError(
                f"the {self.backend} backend has no spelling of {name}; "
                f'give it one, as in {self.backend} = "mylib.ops.{name}"'
            )
        code = self._code(path)
        self.called.add(code)
        return call(code, operands)

    def _code(self, path: str) -> str:
        module, _, function = path.rpartition(".")
        for known, short in self.short.items():
            if module == known or module.startswith(f"{known}."):
                return f"{short}{module[len(known) :]}.{function}"
        self.modules.add(module)
        return path

    def imports(self) -> list[str]:
        """The import lines of the functions, in a section of their own.

        They are code of the project that the module becomes part of, more often than not.
        """
        return ["", *(f"import {module}" for module in sorted(self.modules))]

    def is_in(self, lines: Sequence[str]) -> bool:
        """Whether some line calls one of them, whose type nobody knows."""
        return any(f"{code}(" in line for code in self.called for line in lines)
