"""Functions that expressions may call besides those of the language.

In: definitions, each an expression in its parameters. Out: their syntax trees, read once,
and which of them were called. A definition may call others; a circle is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gen.errors import GenError
from gen.frontend.syntax import Source, Statement, check_quotes, names, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen.model import Definition

CONSTANTS = ("pi", "E")


@dataclass(frozen=True, slots=True)
class Body:
    """A definition, parsed."""

    definition: Definition
    source: Source
    statements: tuple[Statement, ...]
    parameters: tuple[str, ...]


@dataclass(slots=True)
class Library:
    """Definitions by name; `called` are those that were asked for, and what they call."""

    definitions: dict[str, Definition]
    called: dict[str, Body] = field(default_factory=dict)

    @classmethod
    def of(cls, definitions: Iterable[Definition]) -> Library:
        return cls({one.name: one for one in definitions})

    def __contains__(self, name: str) -> bool:
        return name in self.definitions

    def body(self, name: str, stack: tuple[str, ...]) -> Body:
        """The body of a function that is called from within those on the stack."""
        if name in stack:
            circle = " -> ".join((*stack[stack.index(name) :], name))
            raise GenError(f"the functions call each other in a circle: {circle}")
        if name not in self.called:
            self.called[name] = _parsed(self.definitions[name])
        return self.called[name]


def _parsed(definition: Definition) -> Body:
    source = Source(definition.expr)
    try:
        statements = parse(source)
        check_quotes(source)
        found = [name for name in names(statements, source) if name not in CONSTANTS]
    except GenError as fault:
        raise GenError(f"in the function {definition.name}: {fault}") from None
    parameters = definition.parameters or tuple(found)
    unknown = [name for name in found if name not in parameters]
    if unknown:
        raise GenError(f"the function {definition.name} has no parameter {unknown[0]!r}")
    return Body(definition, source, statements, parameters)
