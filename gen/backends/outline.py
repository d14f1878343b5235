"""What the modules of all Python backends have alike: docstrings, signatures, gradients.

In: a kernel and the identifiers of its inputs. Out: lines and strings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.backends.code import WIDTH, Writer
from gen.graph.graph import INPUT, reachable
from gen.provenance import broken, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gen.backends.names import Names
    from gen.model import Kernel, Operand

_BODY = 8  # how far the body of a method is indented
_SAVING = 50  # the room for what is saved in a line of a docstring
_ALL = 3  # saved inputs are named up to this many
_SCATTERED = 8  # gradients are asked for one by one up to this many


@dataclass(frozen=True, slots=True)
class Outline:
    """One kernel with the identifiers of its inputs."""

    kernel: Kernel
    names: Names

    @property
    def name(self) -> str:
        return self.kernel.formula.request.name

    def identifier(self, operand: Operand) -> str:
        return self.names.of_inputs[operand.input.name]

    @property
    def tensors(self) -> list[str]:
        """The identifiers of the inputs that are no plain numbers."""
        return [self.identifier(one) for one in self.kernel.operands if one.input.differentiable]

    @property
    def numbers(self) -> list[str]:
        return [
            self.identifier(one) for one in self.kernel.operands if not one.input.differentiable
        ]

    @property
    def saved(self) -> list[str]:
        """What forward leaves for backward, in order."""
        inputs = [self.identifier(one) for one in self.kernel.operands if one.saved]
        return [*inputs, "output"] if self.kernel.saves_output else inputs

    def kept(self, operand: Operand) -> str:
        """Where ctx keeps a number, or the shape of an input that is not saved."""
        name = self.names.attribute(self.identifier(operand))
        return f"ctx.{name}" if not operand.input.differentiable else f"ctx.like_{name}"

    def checks(self) -> list[str]:
        """The call that compares shapes with what is declared."""
        checks = [
            f'("{one.input.name}", "{" ".join(one.dimensions)}", {self.identifier(one)})'
            for one in self.kernel.operands
            if one.dimensions is not None
        ]
        return called("check_shapes", checks) if checks else []

    def beside(self) -> list[str]:
        """The inputs as arguments of a call that wants them all."""
        return self.tensors if len(self.tensors) <= _ALL else ["*inputs"]

    def gathered(self, lines: Iterable[str]) -> list[str]:
        """The line that gathers the inputs, where one of `lines` wants them all."""
        if not any("*inputs" in line for line in lines):
            return []
        names = self.tensors
        line = f"inputs = {', '.join(names)}"
        if len(line) + _BODY <= WIDTH:
            return [line]
        return ["inputs = (", *(f"    {name}," for name in names), ")"]

    @property
    def plain(self) -> list[str]:
        """The names of the inputs that are plain numbers, as in the formula."""
        return [one.input.name for one in self.kernel.operands if not one.input.differentiable]

    # ---- words

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(one.input.name for one in self.kernel.operands)})"

    def documentation(self) -> tuple[str, ...]:
        """The body of the module's docstring."""
        lines = self._equation(self.signature, one_line(self.kernel.formula.request.expr))
        pairs = zip(self.kernel.operands, self.kernel.derivatives, strict=True)
        for operand, derivative in pairs:
            if derivative is not None:
                lines += self._equation(f"d{self.name}/d{operand.input.name}", derivative)
        forward, backward = self.kernel.forward_operations, self.kernel.backward_operations
        lines += ["", f"Saved for backward: {self._kept()}."]
        lines += [f"{name} stays on ctx, a plain number without a gradient." for name in self.plain]
        lines += [
            f"{one.input.name} may be None, and its operation is skipped then."
            for one in self.kernel.operands
            if one.input.optional
        ]
        renamed = {old: new for old, new in self.names.of_inputs.items() if old != new}
        lines += [f"{old} is called {new} in the code." for old, new in renamed.items()]
        return (*lines, f"Operations: {forward} forward, {backward} backward.")

    def _equation(self, left: str, right: str) -> list[str]:
        start = f"    {left} = "
        if len(start) > WIDTH // 2:
            return [*self._broken(left, "    ", " ="), *self._broken(right, " " * _BODY)]
        lines = broken(right, WIDTH - _BODY, len(start) - _BODY)
        return [start + lines[0], *(" " * _BODY + line.strip() for line in lines[1:])]

    def _broken(self, text: str, indent: str, end: str = "") -> list[str]:
        lines = [indent + line.strip() for line in broken(text, WIDTH - len(indent) - 4)]
        return [*lines[:-1], lines[-1] + end]

    def _kept(self) -> str:
        inputs = [one.input.name for one in self.kernel.operands if one.saved]
        if len(inputs) > _ALL:
            inputs = [f"{len(inputs)} inputs"]
        kept = [*inputs, *(["the output"] if self.kernel.saves_output else [])] or ["nothing"]
        return " and ".join(kept) if len(kept) < _ALL else ", ".join(kept)

    def summary(self) -> str:
        """One sentence for the class and the function beside it."""
        formula = f"{self.signature} = {one_line(self.kernel.formula.request.expr)}."
        if len(formula) <= WIDTH - 12:
            return formula
        short = f"Evaluate {self.name}, whose formula stands at the top of this file."
        return (
            short if len(short) <= WIDTH - 12 else "Evaluate the formula at the top of this file."
        )

    def invitation(self, entry: str) -> str:
        """One sentence for the plain function, which must not look like its signature."""
        return f"Apply {self.name}." if f"{entry}(" in self.summary() else self.summary()

    def saving(self) -> str:
        kept = f"save {self._kept()} for backward"
        return kept if len(kept) <= _SAVING else "save what backward needs"

    # ---- signatures

    def parameters(self, first: Iterable[str], tensor: str, before: int, indent: int) -> str:
        """Typed parameters, on one line where they fit behind `before` characters."""
        typed = list(first)
        for place, one in enumerate(self.kernel.operands):
            kind = tensor if one.input.differentiable else "float"
            last = all(rest.input.optional for rest in self.kernel.operands[place:])
            optional = " | None = None" if last else " | None"
            typed.append(f"{self.identifier(one)}: {kind}{optional if one.input.optional else ''}")
        return listed(typed, before, len(") -> Tensor:"), indent)

    def gradient_type(self, array: str) -> str:
        several = len(self.kernel.operands) > 1
        return f"tuple[{array} | None, ...]" if several else array

    # ---- backward

    def unpack(self, source: str) -> list[str]:
        """Lines that give the saved tensors and the numbers on ctx their names."""
        lines = assigned(self.saved, source) if self.saved else []
        used = self._read()
        return lines + [
            f"{self.identifier(one)}: float = {self.kept(one)}"
            for one in self.kernel.operands
            if not one.input.differentiable and one.input.name in used
        ]

    def _read(self) -> set[str]:
        """The inputs that backward reads."""
        block = self.kernel.backward
        roots = [node for node in block.results if node is not None]
        order = reachable(block.graph.nodes, roots)
        return {str(block.graph[node].payload) for node in order if block.graph[node].op == INPUT}

    def backward(
        self,
        writer: Writer,
        finish: Callable[[Operand, str], str],
        guard: Callable[[Operand], str],
        returned: Callable[[str, str, list[str]], list[str]],
    ) -> list[str]:
        """The lines that compute and return the gradients.

        Args:
            writer: writes the backward block.
            finish: the code of a gradient from that of its cotangent: summed to its input.
            guard: what an input's gradient needs besides being asked for; empty: nothing.
            returned: the lines that return one value, given a name for it, its code, and
                the lines before.
        """
        results = self.kernel.backward.results
        if len(results) == 1 and results[0] is not None:
            writer.write("")
            found = finish(self.kernel.operands[0], writer.code(results[0]))
            name = self._gradient_name(writer, 0)
            writer.lines += returned(name, found, writer.lines)
            return writer.lines
        places = [place for place, node in enumerate(results) if node is not None]
        grads = {place: self._gradient_name(writer, place) for place in places}
        if len(places) == 1:
            return self._only(writer, places[0], finish)
        writer.lines += _none(list(grads.values()))
        self._shared(writer, len(places))
        by_result = writer.nodes_by_result()
        for place in places:
            operand, node = self.kernel.operands[place], results[place]
            assert node is not None
            writer.lines.append(f"if ctx.needs_input_grad[{place}]{guard(operand)}:")
            own = [one for one, needed in by_result.items() if needed == (place,)]
            writer.write("    ", own)
            self._finish(writer, f"    {grads[place]} = ", operand, node, finish)
        writer.lines += returning([grads.get(place, "None") for place in range(len(results))])
        return writer.lines

    def _only(self, writer: Writer, place: int, finish: Callable[[Operand, str], str]) -> list[str]:
        """One gradient, None for the inputs that are plain numbers."""
        writer.write("")
        node = self.kernel.backward.results[place]
        assert node is not None
        found = finish(self.kernel.operands[place], writer.code(node))
        returned = ["None"] * len(self.kernel.operands)
        returned[place] = found
        if len(", ".join(returned)) > WIDTH - _BODY - len("return "):
            name = self._gradient_name(writer, place)
            writer.lines.append(f"{name} = {found}")
            returned[place] = name
        writer.lines += returning(returned)
        return writer.lines

    def _gradient_name(self, writer: Writer, place: int) -> str:
        return writer.names.fresh(f"grad_{self.identifier(self.kernel.operands[place])}")

    def _shared(self, writer: Writer, count: int) -> None:
        """What several gradients need, computed once if any of them is asked for."""
        opened: tuple[int, ...] | None = None
        for node, needed in writer.nodes_by_result().items():
            if len(needed) < 2:
                continue
            before = len(writer.lines)
            writer.write("" if len(needed) == count else "    ", [node])
            written = writer.lines[before:]
            if written and len(needed) < count and needed != opened:
                writer.lines.insert(before, f"if {_asked(needed)}:")
            if written:
                opened = needed if len(needed) < count else None

    def _finish(
        self,
        writer: Writer,
        before: str,
        operand: Operand,
        node: int,
        finish: Callable[[Operand, str], str],
    ) -> None:
        line = before + finish(operand, writer.code(node))
        if operand.zero:
            writer.lines.append(line)
            return
        if len(line) > WIDTH - _BODY and not writer.code(node).isidentifier():
            name = writer.names.fresh("t")
            writer.lines.append(f"    {name} = {writer.code(node)}")
            line = before + finish(operand, name)
        writer.lines.append(line)


def _asked(places: tuple[int, ...]) -> str:
    """The condition under which one of several gradients is asked for."""
    first, last = places[0], places[-1]
    if len(places) == 2:
        return f"ctx.needs_input_grad[{first}] or ctx.needs_input_grad[{last}]"
    # Of many scattered ones the whole range: what they share needs no less.
    if last - first + 1 == len(places) or len(places) > _SCATTERED:
        return f"any(ctx.needs_input_grad[{first}:{last + 1}])"
    return f"any(ctx.needs_input_grad[i] for i in {places})"


# ---- lists on one line, or one item a line with the comma that formatters keep


def listed(items: list[str], before: int, after: int, indent: int) -> str:
    """The items between two parentheses."""
    line = ", ".join(items)
    if before + len(line) + after <= WIDTH:
        return line
    inner = " " * (indent + 4)
    return "\n" + "".join(f"{inner}{item},\n" for item in items) + " " * indent


def assigned(targets: list[str], source: str) -> list[str]:
    """Lines that unpack `source`."""
    if len(targets) == 1:
        return [f"({targets[0]},) = {source}"]
    line = f"{', '.join(targets)} = {source}"
    if len(line) + _BODY <= WIDTH:
        return [line]
    return ["(", *(f"    {target}," for target in targets), f") = {source}"]


def called(start: str, items: list[str]) -> list[str]:
    """Lines of a call: `start` is what stands before its parenthesis."""
    line = f"{start}({', '.join(items)})"
    if len(line) + _BODY <= WIDTH and "\n" not in line:
        return [line]
    inner = [f"    {line}" for item in items for line in f"{item},".split("\n")]
    return [f"{start}(", *inner, ")"]


def returning(items: list[str]) -> list[str]:
    line = f"return {', '.join(items)}"
    if len(line) + _BODY <= WIDTH:
        return [line]
    return ["return (", *(f"    {item}," for item in items), ")"]


def imported(module: str, names: Iterable[str]) -> list[str]:
    """A from-import, sorted as isort does: classes before functions."""
    ordered = sorted(names, key=lambda name: (not name[0].isupper(), name))
    line = f"from {module} import {', '.join(ordered)}"
    if len(line) <= WIDTH:
        return [line]
    return [f"from {module} import (", *(f"    {name}," for name in ordered), ")"]


def _none(names: list[str]) -> list[str]:
    line = f"{' = '.join(names)} = None"
    return [line] if len(line) + _BODY <= WIDTH else [f"{name} = None" for name in names]
