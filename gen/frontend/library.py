"""Functions that expressions may call besides those of the language.

In: definitions, each an expression in its parameters. Out: their syntax trees, read once,
and which of them were called. A definition may call others; a circle is refused.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gen.errors import CalledError, GenError
from gen.frontend.arrays import ARRAY_FUNCTIONS
from gen.frontend.source import Source
from gen.frontend.syntax import MAX_NODES, Statement, check_quotes, names, parse
from gen.graph.functions import FUNCTIONS
from gen.model import Definition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gen.model import Primitive, Request

CONSTANTS = ("pi", "E")

# What expressions call without anybody's saying so.
LANGUAGE_FUNCTIONS = frozenset({*FUNCTIONS, *ARRAY_FUNCTIONS, "Piecewise"})

# How many functions may be inside each other's bodies: reading one takes recursion.
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Body:
    """A definition, parsed."""

    definition: Definition
    source: Source
    statements: tuple[Statement, ...]
    parameters: tuple[str, ...]
    outputs: tuple[str | None, ...]  # the names whose values it has; None: that of its last line
    size: int  # nodes of its trees


@dataclass(slots=True)
class Library:
    """Definitions by name; `called` are those that were asked for, and what they call."""

    definitions: dict[str, Definition]
    primitives: dict[str, Primitive] = field(default_factory=dict)
    called: dict[str, Body] = field(default_factory=dict)
    read: int = 0  # nodes of all the bodies that calls have been replaced by

    @classmethod
    def of(cls, request: Request) -> Library:
        """What a request brings along."""
        primitives = {one.name: one for one in request.primitives}
        return cls({one.name: one for one in request.definitions}, primitives)

    def __contains__(self, name: str) -> bool:
        return name in self.definitions

    def body(self, name: str, stack: tuple[str, ...]) -> Body:
        """The body of a function that is called from within those on the stack."""
        if name in stack:
            circle = " -> ".join((*stack[stack.index(name) :], name))
            raise GenError(f"the functions call each other in a circle: {circle}")
        if len(stack) > _DEEPEST:
            raise GenError(f"functions are inside each other's bodies; at most {_DEEPEST} are read")
        if name not in self.called:
            self.called[name] = _parsed(self.definitions[name])
        return self.called[name]

    def written(self) -> tuple[Definition, ...]:
        """Those that were called, their parameters and their value written out."""
        return tuple(_explicit(self.called[name]) for name in sorted(self.called))

    def count(self, body: Body) -> None:
        """Note that a call is replaced by its body."""
        self.read += body.size
        if self.read > MAX_NODES:
            raise GenError(
                f"the functions that are called have more than {MAX_NODES} operations "
                "written out; no more are read"
            )


def with_needed(request: Request, statements: Sequence[Statement]) -> Request:
    """The request with those definitions alone that it needs: no other changes a byte."""
    if not request.definitions and not request.primitives:
        return request
    known = {one.name: one for one in request.definitions}
    own = {one.name for one in request.primitives}
    if calls(statements) - {*LANGUAGE_FUNCTIONS, *known, *own}:
        return request  # which is refused, with a hint at what there is
    chosen = tuple(known[name] for name in _needed(statements, known))
    every = [*statements, *(one for each in chosen for one in statements_of(each))]
    primitives = _needed_primitives(every, request.primitives)
    return replace(request, definitions=chosen, primitives=primitives)


def _needed_primitives(
    statements: Sequence[Statement], known: Sequence[Primitive]
) -> tuple[Primitive, ...]:
    """Those that are called, and those that the derivatives of these call."""
    called = calls(statements)
    derivatives = [
        statement
        for one in known
        if one.name in called
        for text in one.derivatives
        if text is not None
        for statement in parse(Source(text))
    ]
    called |= calls(derivatives)
    return tuple(one for one in known if one.name in called)


def _needed(
    statements: Sequence[Statement], definitions: Mapping[str, Definition]
) -> tuple[str, ...]:
    """The definitions that statements call, and those that these call, by name.

    A definition that cannot be read is among them; whoever calls it says what is wrong.
    """
    found: set[str] = set()
    pending = list(statements)
    while pending:
        new = {name for name in calls(pending) if name in definitions} - found
        found |= new
        pending = [one for name in new for one in statements_of(definitions[name])]
    return tuple(sorted(found))


def calls(statements: Iterable[Statement]) -> set[str]:
    """The names of the functions that statements call."""
    return {
        node.func.id
        for statement in statements
        for node in statement.nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def statements_of(definition: Definition) -> tuple[Statement, ...]:
    """The syntax of a definition; nothing where it cannot be read."""
    try:
        return parse(Source(definition.expr))
    except GenError:
        return ()


def _parsed(definition: Definition) -> Body:
    source = Source(definition.expr)
    name = definition.name
    try:
        statements = parse(source)
        check_quotes(source)
        found = [one for one in names(statements, source) if one not in CONSTANTS]
    except GenError as fault:
        raise CalledError(name, fault) from None
    parameters = tuple(found) if definition.parameters is None else definition.parameters
    unknown = [one for one in found if one not in parameters]
    if unknown:
        takes = f"its parameters are {', '.join(parameters)}" if parameters else "it has none"
        raise GenError(f"the function {name} has no parameter {unknown[0]!r}; {takes}")
    assigned = {one.name for one in statements}
    for one in definition.outputs:
        if one not in assigned:
            raise GenError(f"the function {name} has no output {one!r}")
    size = sum(len(one.nodes) for one in statements)
    outputs = definition.outputs or _outputs(statements)
    return Body(definition, source, statements, parameters, outputs, size)


def _explicit(body: Body) -> Definition:
    """A definition that needs no options to say what it means."""
    (value,) = body.outputs
    natural = (value,) == _outputs(body.statements)
    expr = body.definition.expr if natural else f"{body.definition.expr}\n{value}"
    return Definition(body.definition.name, body.parameters, expr)


def _outputs(statements: Sequence[Statement]) -> tuple[str | None, ...]:
    """The value without a name, or all that no other statement reads."""
    if statements[-1].name is None:
        return (None,)
    read = {node.id for statement in statements for node in statement.reads}
    return tuple(one.name for one in statements if one.name not in read)
