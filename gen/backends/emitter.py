"""A kernel on its way to the strings of a Python module: what all backends do alike.

In: a kernel. Out: the lines of forward and backward. A backend says how its library
copies, sums and spells; see `Emitter`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from gen.backends.code import ARRAY, FLOAT, MASK, Dialect, Writer
from gen.backends.custom import Customs
from gen.backends.gradients import Gradients
from gen.backends.layout import BODY, WIDTH, assigned, called, returning
from gen.backends.names import Names, entry_name
from gen.backends.outline import Outline, literal
from gen.backends.pieces import FREED, LARGEST, Scope, cut, freed, steps
from gen.errors import GenError
from gen.graph.graph import INPUT
from gen.graph.infix import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gen.model import Block, Kernel, Operand

# A value this long has room for a copy on its line.
_SHORT = WIDTH - BODY - len("output: Tensor = .clone()")

# Operations whose value may share the memory of their operand.
_VIEWS = frozenset({INPUT, "view", "expand", "spread"})

View = TypeVar("View")


class Emitter(ABC, Generic[View]):
    """One kernel on its way to the strings of a module.

    Args:
        kernel: what to emit.
        reserved: names that the module needs for itself.
    """

    backend: str  # its name
    short: ClassVar[Mapping[str, str]]  # what the modules that it imports are called in its code
    always: tuple[str, ...]  # what it imports from its runtime in any case
    copy: str  # the call that makes an array one of its own
    kept_shape: str  # what gives the shape of what ctx keeps of an input
    array: str  # the type of an array
    mask: str  # the type of an array of conditions
    views: frozenset[str] = _VIEWS  # operations whose value may be a view of their operand
    needs: str = "ctx.needs_input_grad"  # where backward reads which gradients are asked for

    def __init__(self, kernel: Kernel, reserved: frozenset[str]) -> None:
        request = kernel.formula.request
        self.customs = Customs.of(request.primitives, self.backend, self.short)
        reserved |= self.customs.roots
        if request.name in reserved:
            raise GenError(f"{request.name!r} cannot name a function: the module needs that name")
        self.kernel = kernel
        self.entry = entry_name(request.name, reserved)
        taken = reserved | {request.name, self.entry}
        outputs = kernel.formula.outputs
        names = Names.for_formula(
            (one.name for one in kernel.formula.inputs),
            (name for one in outputs for name in (one.name, one.grad)),
            # One output alone is called so by every module.
            taken - {"output", "grad_output"} if len(outputs) == 1 else taken,
        )
        self.outline = Outline(kernel, names, self.customs.paths)
        self.runtime = set(self.always)
        self._operands = {one.input.name: one for one in kernel.operands}
        self.functions: list[str] = []  # the lines of those that long bodies are cut into

    @abstractmethod
    def view(self, header: tuple[str, ...]) -> View:
        """The strings of the module; `runtime` is then what it imports from its runtime."""

    @abstractmethod
    def dialect(self, beside: Sequence[str]) -> Dialect:
        """How the library spells functions; `beside` are arrays that give numbers a dtype."""

    @abstractmethod
    def target(self, operand: Operand) -> str:
        """What a cotangent is summed to."""

    @abstractmethod
    def clamped(self, code: str, low: str, high: str) -> str:
        """A value between two numbers."""

    @abstractmethod
    def zeros(self, operand: Operand) -> str:
        """The gradient of an input that the output does not depend on."""

    @abstractmethod
    def guard(self, operand: Operand) -> str:
        """What a gradient needs besides being asked for; empty: nothing."""

    @abstractmethod
    def returned(self, name: str, value: str, lines: Sequence[str]) -> list[str]:
        """The lines that return `value`, given a name for it and the lines before."""

    def writer(
        self, block: Block, beside: Sequence[str], shape: Callable[[str, str], str]
    ) -> Writer:
        names = self.outline.names.scope()
        dialect = self.dialect(beside)
        uniform = not self.kernel.formula.has_tensors and len(self.outline.tensors) == 1
        return Writer(block, self.outline.plain, names, dialect, shape, uniform)

    def scope(self, writer: Writer, optional: str, grads: Sequence[str] = ()) -> Scope:
        """The names of a body: their types, and which of them are worth deleting.

        Args:
            writer: has written the body.
            optional: what the type of an input that may be left out ends with.
            grads: the names of gradients, which may be None.
        """
        types = {ARRAY: self.array, MASK: self.mask, FLOAT: "float"}
        made = {name: types[kind] for name, kind in writer.kinds.items()}
        made |= dict.fromkeys(grads, f"{self.array} | None")
        return Scope(self._given(optional), made, writer.arrays)

    def _given(self, optional: str) -> dict[str, str]:
        """The type of each name that a body may find."""
        found = {"ctx": "Context", "inputs": f"tuple[{self.array}, ...]"}
        found |= dict.fromkeys([*self.outline.outputs, *self.outline.cotangents], self.array)
        for one in self.kernel.operands:
            kind = self.array if one.input.differentiable else one.input.kind
            found[self.outline.identifier(one)] = kind + optional * one.input.optional
        return found

    def straight(self, name: str, writer: Writer, tail: Sequence[str]) -> None:
        """Delete what is dead among the lines of a writer, and cut them if they are many."""
        is_forward, kernel = name == "forward", self.kernel
        operations = kernel.forward_operations if is_forward else kernel.backward_operations
        if operations <= FREED:
            return
        whole = steps(writer.lines)
        if operations > LARGEST:
            scope = self.scope(writer, " | None" if is_forward else "")
            whole, functions = cut(writer.names.private(name), whole, tail, scope)
            self.functions += functions
        writer.lines[:] = freed(whole, tail, writer.arrays)

    def _shape_in_forward(self, op: str, name: str) -> str:
        return f"{self.outline.names.of_inputs[name]}.shape"

    def _shape_in_backward(self, op: str, name: str) -> str:
        if op != INPUT:
            return f"{self.outline.names.of_outputs[name]}.shape"
        operand = self._operands[name]
        if operand.saved:
            return f"{self.outline.identifier(operand)}.shape"
        return f"{self.kept(operand)}{self.kept_shape}"

    def kept(self, operand: Operand) -> str:
        """Where backward finds a number, or what stands for an input that is not saved."""
        return self.outline.kept(operand)

    def constant(self, operand: Operand) -> str:
        """An input that is no tensor, checked."""
        name, words = self.outline.identifier(operand), operand.input.words
        check = {"float": "number", "bool": "flag", "str": "word" if words else ""}
        function = check[operand.input.kind]
        if not function:
            return name
        self.runtime.add(function)
        return f"{function}({', '.join([name, *map(literal, words)])})"

    # ---- forward

    def forward(self) -> tuple[list[str], list[str], list[str]]:
        """The lines that check, the lines that compute, and the code of each output."""
        block = self.kernel.forward
        writer = self.writer(block, self.outline.beside(), self._shape_in_forward)
        writer.write("")
        values = [self._value(writer, node) for node in block.results if node is not None]
        checks = self.outline.checks()
        self.runtime |= {"check_shapes"} if checks else set()
        lines = [*checks, *self.outline.gathered([*writer.lines, *values])]
        names = values
        if len(values) > 1:
            names = self.outline.outputs
            pairs = zip(names, values, strict=True)
            writer.lines += [f"{name} = {value}" for name, value in pairs]
        self.straight("forward", writer, names)
        return lines, writer.lines, names

    def _value(self, writer: Writer, node: int) -> str:
        """The code of an output, an array of its own in the inputs' common shape."""
        if self.kernel.expands:
            self.runtime.add("expand")
            whole = writer.named(node) if len(writer.code(node)) > WIDTH // 3 else writer.code(node)
            return f"expand({', '.join([whole, *self.outline.beside()])})"
        if writer.is_number(node) and self.kernel.formula.has_tensors:
            return writer.dialect.scalar(Text(writer.code(node))).code
        if writer.is_number(node) or node in writer.fixed:
            self.runtime.add("expand")
            return f"expand({', '.join([writer.code(node), *self.outline.beside()])})"
        if self.kernel.forward.graph[node].op in self.views:
            whole = writer.code(node) if len(writer.code(node)) <= _SHORT else writer.named(node)
            return f"{whole}{self.copy}"
        return (
            f"({writer.code(node)}){self.copy}"
            if self._may_alias(writer, node)
            else writer.code(node)
        )

    def _may_alias(self, writer: Writer, node: int) -> bool:
        """Whether the output is an input where an optional one is left out, or a flag says so."""
        op, args, _ = self.kernel.forward.graph[node]
        if op.startswith("optional_"):
            return self._is_given(writer, args[0])
        if op == "select" and writer.is_number(args[0]):
            return any(self._is_given(writer, arg) for arg in args[1:])
        return False

    def _is_given(self, writer: Writer, node: int) -> bool:
        op = self.kernel.forward.graph[node].op
        return op in self.views or self._may_alias(writer, node)

    # ---- backward

    def given(self) -> list[str]:
        """Lines that put zeros in the place of missing cotangents."""
        names = self.outline.cotangents
        if len(names) == 1:
            return []
        self.runtime.add("cotangents")
        source = called("cotangents", ["ctx.like_outputs", *names])
        return [*assigned(names, source[0]), *source[1:]]

    def unpack(self) -> list[str]:
        """Lines that give the saved tensors and the numbers on ctx their names."""
        lines = assigned(self.outline.saved, "ctx.saved_tensors") if self.outline.saved else []
        used = self._read()
        return lines + [
            f"{self.outline.identifier(one)}: {one.input.kind} = {self.outline.kept(one)}"
            for one in self.kernel.operands
            if not one.input.differentiable and one.input.name in used
        ]

    def _read(self) -> set[str]:
        """The inputs that backward reads."""
        block = self.kernel.backward
        roots = [node for node in block.results if node is not None]
        order = block.graph.order(roots)
        return {str(block.graph[node].payload) for node in order if block.graph[node].op == INPUT}

    def finish(self, operand: Operand, code: str) -> str:
        """The code of a gradient from that of its cotangent: summed to its input, clamped."""
        if operand.zero:
            return self.zeros(operand)
        if operand.reduced:
            self.runtime.add("sum_to")
            code = f"sum_to({code}, {self.target(operand)})"
        bounds = self.kernel.formula.request.gradient.clamp
        return self.clamped(code, *bounds) if bounds else code

    def backward(self) -> list[str]:
        """The lines that compute and return the gradients."""
        given = self.outline.cotangents[:1]
        writer = self.writer(self.kernel.backward, given, self._shape_in_backward)
        writer.lines = [*self.given(), *self.unpack()]
        results = self.kernel.backward.results
        if len(results) == 1 and results[0] is not None:
            found = self._whole(writer, 0)
            name = self._gradient_name(writer, 0)
            writer.lines += self.returned(name, found, writer.lines)
            return writer.lines
        places = [place for place, node in enumerate(results) if node is not None]
        if len(places) == 1:
            return self._only(writer, places[0])
        gradients = Gradients(self, writer)
        writer.lines += gradients.lines()
        self.functions += gradients.functions
        names = gradients.names
        writer.lines += returning([names.get(place, "None") for place in range(len(results))])
        return writer.lines

    def _only(self, writer: Writer, place: int) -> list[str]:
        """One gradient, None for the inputs that are plain numbers."""
        found = self._whole(writer, place)
        returned = ["None"] * len(self.kernel.operands)
        returned[place] = found
        if len(", ".join(returned)) > WIDTH - BODY - len("return "):
            name = self._gradient_name(writer, place)
            writer.lines.append(f"{name} = {found}")
            returned[place] = name
        writer.lines += returning(returned)
        return writer.lines

    def _whole(self, writer: Writer, place: int) -> str:
        """The code of the one gradient that there is, all that it needs computed before."""
        start = len(writer.lines)
        writer.write("")
        node = self.kernel.backward.results[place]
        assert node is not None
        found = self.finish(self.kernel.operands[place], writer.code(node))
        before = writer.lines[:start]
        del writer.lines[:start]
        self.straight("backward", writer, [found])
        writer.lines[:0] = before
        return found

    def _gradient_name(self, writer: Writer, place: int) -> str:
        return writer.names.fresh(f"grad_{self.outline.identifier(self.kernel.operands[place])}")


def without_collisions(
    kernel: Kernel,
    header: tuple[str, ...],
    reserved: frozenset[str],
    emitter: type[Emitter[View]],
) -> View:
    """The strings of a module none of whose inputs bears the name of what it imports.

    What it imports is known once it is emitted: an input called gamma keeps its name
    wherever the module has no need of the function.
    """
    while True:
        one = emitter(kernel, reserved)
        view = one.view(header)
        names = one.outline.names
        taken = {one.outline.name, one.entry, *names.of_inputs.values(), *names.of_outputs.values()}
        if not one.runtime & taken - reserved:
            return view
        reserved |= one.runtime
