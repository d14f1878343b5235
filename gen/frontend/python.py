"""Python functions → requests, by way of the text that their bodies say.

In: a function that `gen.function` decorates. Out: a `Request` with its statements as text
and those of the functions that it calls as definitions; and where in the user's file a
fault of that text stands.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gen.errors import CalledError, DefinitionError, ExpressionError, GenError
from gen.frontend.bodies import Body, Returned, Step
from gen.frontend.definitions import definitions as read_definitions
from gen.frontend.library import CONSTANTS, LANGUAGE_FUNCTIONS
from gen.frontend.options import request as make_request
from gen.frontend.primitives import primitives
from gen.frontend.scope import Scope
from gen.frontend.values import Values
from gen.frontend.written import Place, Written, parameters, syntax
from gen.model import Definition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen.frontend.values import Names
    from gen.model import Primitive, Request


@dataclass(frozen=True, slots=True)
class Script:
    """A function's body as statements of the language."""

    place: Place
    node: ast.FunctionDef
    parameters: tuple[str, ...]
    optional: tuple[str, ...]  # those that may be None
    steps: tuple[Step, ...]
    value: ast.expr | None  # the last line; None where it has several outputs
    outputs: tuple[str, ...]  # their names

    @property
    def text(self) -> str:
        """The statements, a line each."""
        lines = [f"{step.name} = {ast.unparse(step.tree)}" for step in self.steps]
        last = [] if self.value is None else [ast.unparse(self.value)]
        return "\n".join([*lines, *last])

    def located(self, fault: ExpressionError) -> ExpressionError:
        """A fault of the text as one of the file."""
        trees = [step.tree for step in self.steps]
        trees += [] if self.value is None else [self.value]
        if isinstance(fault, DefinitionError) or not 0 < fault.line <= len(trees):
            return fault
        written = ast.parse(self.text.split("\n")[fault.line - 1]).body[0]
        assert isinstance(written, ast.Assign | ast.Expr)
        tree = trees[fault.line - 1]
        pairs = zip(ast.walk(written.value), ast.walk(tree), strict=False)
        for there, here in pairs:
            if getattr(there, "col_offset", -1) == fault.column and hasattr(here, "lineno"):
                return self.place.fault(here, fault.what, fault.hint)
        return self.place.fault(tree, fault.what, fault.hint)


@dataclass(slots=True)
class Collection:
    """Functions that call each other; each is read once."""

    root: Written
    options: Mapping[str, object]  # of the root: its decorator's, and those given besides
    scripts: dict[Written, Script] = field(default_factory=dict)
    names: dict[Written, str] = field(default_factory=dict)  # as definitions
    stack: list[Written] = field(default_factory=list)

    def script(self, written: Written) -> Script:
        """The statements of a function."""
        if written in self.stack:
            around = [*self.stack[self.stack.index(written) :], written]
            circle = " -> ".join(one.label for one in around)
            raise GenError(f"the functions call each other in a circle: {circle}")
        if written not in self.scripts:
            self.stack.append(written)
            self.scripts[written] = _script(written, self)
            self.stack.pop()
        return self.scripts[written]

    def options_of(self, written: Written) -> Mapping[str, object]:
        return self.options if written is self.root else written.options

    def called(self, written: Written) -> tuple[str, tuple[str, ...]]:
        """How a call of a function is written."""
        return self._name(written), self.script(written).parameters

    def definitions(self) -> tuple[Definition, ...]:
        """All but the root, as what it may call."""
        return tuple(
            Definition(self._name(one), script.parameters, script.text, script.outputs)
            for one, script in self.scripts.items()
            if one is not self.root
        )

    def located(self, fault: ExpressionError) -> ExpressionError:
        """A fault of the texts as one of the file that its function stands in."""
        if not isinstance(fault, CalledError):
            return self.scripts[self.root].located(fault)
        if not isinstance(fault.fault, ExpressionError):
            return fault
        for written, name in self.names.items():
            if name == fault.name:
                return self.scripts[written].located(fault.fault)
        return fault

    def _name(self, written: Written) -> str:
        """A name that neither the language has nor another function."""
        if written not in self.names:
            name = written.label
            brought = (one.name for some in given(self.options) for one in some)
            taken = {*LANGUAGE_FUNCTIONS, *self.names.values(), *brought}
            while name in taken or name == self.root.class_name:
                name += "_"
            self.names[written] = name
        return self.names[written]


def _script(written: Written, collection: Collection) -> Script:
    place, node = syntax(written)
    inputs, optional = parameters(node, place)
    own, outside = given(collection.options_of(written))
    brought = frozenset(one.name for one in own) | {one.name for one in outside}
    body = Body(Values(Scope(written.function, place, brought), place, collection.called), inputs)
    names: Names = {one: ast.Name(one) for one in inputs}
    try:
        found = body.block(node.body, names)
        if found is None:
            at = ast.Pass(lineno=node.lineno, col_offset=node.col_offset)
            raise place.fault(at, f"{written.label} returns nothing", "end it with return")
        several = found.is_tuple
        wanted = collection.options_of(written).get("outputs", ())
        outputs = _outputs(found, written, body, wanted) if several else ()
        value = None if several else found.values[0]
        return Script(place, node, inputs, optional, tuple(body.steps), value, outputs)
    except RecursionError:
        raise GenError(f"the body of {written.label} is nested too deeply") from None


def given(
    options: Mapping[str, object],
) -> tuple[tuple[Definition, ...], tuple[Primitive, ...]]:
    """The functions that options bring along."""
    return read_definitions(options.get("define", {})), primitives(options.get("primitives", {}))


def _outputs(found: Returned, written: Written, body: Body, given: object) -> tuple[str, ...]:
    """The names of several outputs, each of which a statement assigns."""
    wanted = _wanted(found, written, body, given)
    held: list[str] = []
    for tree, name in zip(found.values, wanted, strict=True):
        known = {step.name for step in body.steps} - set(held)
        if isinstance(tree, ast.Name) and tree.id in known:
            held.append(tree.id)
        else:
            held.append(body.fresh(name))
            body.steps.append(Step(held[-1], tree))
    # A name that is wanted may be that of a value before.
    others = [step.name for step in body.steps if step.name in wanted and step.name not in held]
    body.rename({name: body.fresh(name) for name in others} | dict(zip(held, wanted, strict=True)))
    return wanted


def _wanted(found: Returned, written: Written, body: Body, asked: object) -> tuple[str, ...]:
    """What the outputs are to be called: as the options say, or as the variables are."""
    given = make_request("F", "x", {"outputs": asked}).outputs
    if given and len(given) != len(found.values):
        count = len(found.values)
        raise GenError(f"--outputs {','.join(given)}: {written.label} returns {count} values")
    for name in given:
        if name in body.inputs:
            raise GenError(f"--outputs {name}: {written.label} has an input of that name")
    names: list[str] = []
    for place, one in enumerate(found.names, 1):
        fits = one is not None and one not in (*body.inputs, *CONSTANTS, *names)
        names.append(one if one is not None and fits else f"output{place}")
    return given or tuple(names)


def request(written: Written, options: Mapping[str, object]) -> tuple[Request, Collection]:
    """The request of a decorated function, and what its texts were made from.

    Args:
        written: the function.
        options: those given besides the decorator's; they come first.
    """
    whole = {**written.options, **options}
    collection = Collection(written, whole)
    script = collection.script(written)
    whole.pop("name", None)
    if whole.get("outputs") and not script.outputs:
        raise GenError(f"outputs: {written.label} returns one value, which needs no name")
    if "args" in whole:
        raise GenError(f"args: the inputs of {written.label} are its parameters, in their order")
    whole |= {"args": script.parameters, "outputs": script.outputs}
    whole["optional"] = whole.get("optional") or script.optional
    made = make_request(written.class_name, script.text, whole)
    brought = [given(one.options) for one in collection.scripts if one is not written]
    definitions = [one for several, _ in brought for one in several]
    outside = [one for _, several in brought for one in several]
    made = replace(
        made,
        definitions=(*definitions, *collection.definitions(), *made.definitions),
        primitives=(*outside, *made.primitives),
    )
    return made, collection
