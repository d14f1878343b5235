"""What the modules of all Python backends say alike: docstrings, signatures, names.

In: a kernel and the identifiers of its inputs. Out: lines and strings.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

from gen.backends.layout import BODY, WIDTH, called, listed
from gen.provenance import broken
from gen.statements import one_line, statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gen.backends.names import Names
    from gen.model import Constant, Definition, Input, Kernel, Operand

_SAVING = 50  # the room for what is saved in a line of a docstring
_ALL = 3  # saved inputs are named up to this many


@dataclass(frozen=True, slots=True)
class Outline:
    """One kernel with the identifiers of its inputs."""

    kernel: Kernel
    names: Names
    paths: Mapping[str, str]  # of the user's own functions, by name

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
        return [*inputs, *self.saved_outputs]

    @property
    def saved_outputs(self) -> list[str]:
        """The identifiers of the outputs that backward is given."""
        pairs = zip(self.outputs, self.kernel.saved_outputs, strict=True)
        return [name for name, saved in pairs if saved]

    @property
    def outputs(self) -> list[str]:
        return [self.names.of_outputs[one.name] for one in self.kernel.formula.outputs]

    @property
    def cotangents(self) -> list[str]:
        return [self.names.of_outputs[one.grad] for one in self.kernel.formula.outputs]

    def kept(self, operand: Operand) -> str:
        """Where ctx keeps a number, or the shape of an input that is not saved."""
        name = self.names.attribute(self.identifier(operand))
        if not operand.input.differentiable:
            return f"ctx.{name}"
        like = f"like_{name}"
        if like in self.names.taken:
            while like in self.numbers:
                like += "_"
        return f"ctx.{like}"

    def checks(self) -> list[str]:
        """The call that compares shapes with what is declared."""
        checks = [
            f'("{one.input.name}", "{" ".join(one.dimensions)}", {self.identifier(one)})'
            for one in self.kernel.operands
            if one.dimensions is not None
        ]
        return called("check_shapes", checks) if checks else []

    def beside(self) -> list[str]:
        """The inputs that the expression reads, as arguments of a call that wants them all."""
        return self._read if len(self._read) <= _ALL else ["*inputs"]

    @property
    def _read(self) -> list[str]:
        """The inputs from which an output has its shape and dtype."""
        tensors = [one for one in self.kernel.operands if one.input.differentiable]
        read = [one for one in tensors if one.input.read]
        return [self.identifier(one) for one in read or tensors]

    def gathered(self, lines: Iterable[str]) -> list[str]:
        """The line that gathers the inputs, where one of `lines` wants them all."""
        if not any("*inputs" in line for line in lines):
            return []
        names = self._read
        line = f"inputs = {', '.join(names)}"
        if len(line) + BODY <= WIDTH:
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

    def _definitions(self) -> list[str]:
        """The functions that the formula calls."""
        return [
            line
            for one in self.kernel.formula.request.definitions
            for line in self._definition(one)
        ]

    def _definition(self, one: Definition) -> list[str]:
        *steps, last = statements(one.expr)
        head = f"{one.name}({', '.join(one.parameters or ())})"
        name, sign, value = last.partition(" = ")
        where = f", where {'; '.join(steps)}" if steps else ""
        return self._equation(head, f"{value if sign else name}{where}")

    def _formula(self) -> list[str]:
        """The formula as it was written, a line for each statement."""
        *steps, last = statements(self.kernel.formula.request.expr)
        if not steps and len(self.outputs) == 1 and not last.partition(" = ")[1]:
            return self._equation(self.signature, last)
        lines = [line for step in (*steps, last) for line in self._step(step)]
        value = ", ".join(one.name for one in self.kernel.formula.outputs)
        return lines if len(self.outputs) == 1 else [*lines, *self._equation(self.signature, value)]

    def _step(self, step: str) -> list[str]:
        name, sign, value = step.partition(" = ")
        if not sign:
            return self._equation(self.signature, step)
        return self._equation(name, value)

    def documentation(self) -> tuple[str, ...]:
        """The body of the module's docstring."""
        lines = [*self._definitions(), *self._formula()]
        pairs = zip(self.kernel.operands, self.kernel.derivatives, strict=True)
        for operand, derivative in pairs:
            if derivative is not None:
                lines += self._derivative(operand, derivative)
        forward, backward = self.kernel.forward_operations, self.kernel.backward_operations
        notes = [f"{name} is {path}." for name, path in self.paths.items()]
        notes += self._declared()
        notes += [f"Saved for backward: {self._kept()}{self._reason()}.", *self._compared()]
        notes += [f"{name} stays on ctx, a constant without a gradient." for name in self.plain]
        notes += [
            f"{one.input.name} may be None, and its operation is skipped then."
            for one in self.kernel.operands
            if one.input.optional
        ]
        renamed = {old: new for old, new in self.names.of_inputs.items() if old != new}
        notes += [f"{old} is called {new} in the code." for old, new in renamed.items()]
        notes.append(f"Operations: {forward} forward, {backward} backward.")
        return (*lines, "", *(line for note in notes for line in wrap(note, WIDTH)))

    def _declared(self) -> list[str]:
        """What backward is, where it is not the derivative."""
        gradient = self.kernel.formula.request.gradient
        found = []
        if gradient.backward:
            names = [f"grad_{name}" for name, _ in self.kernel.formula.gradients]
            found.append(" and ".join(names))
        if gradient.primitive:
            found.append(f"backward is that of {one_line(gradient.primitive)}")
        if gradient.straight_through:
            found.append("rounding and steps count as the identity in backward")
        if gradient.clamp:
            found.append(f"each gradient is clamped to {' and '.join(gradient.clamp)}")
        notes = [f"Not the derivative, by declaration: {one}." for one in found]
        return [*notes, "A second derivative is refused."] if gradient.once else notes

    def _derivative(self, operand: Operand, derivative: str) -> list[str]:
        name = operand.input.name
        if self.kernel.slopes:
            return self._equation(f"d{self.name}/d{name}", derivative)
        summed = f", summed to the shape of {name}" if operand.reduced else ""
        return self._equation(f"grad_{name}", derivative + summed)

    def _compared(self) -> list[str]:
        """What is computed again, and what eager autograd would keep."""
        again, eager = self.kernel.repeated_operations, self.kernel.eager
        notes = []
        if again:
            notes.append(f"Backward repeats {_counted(again, 'operation')} of forward.")
        if eager is not None:
            notes.append(f"PyTorch's own autograd would keep {_counted(eager, 'tensor')}.")
        return [" ".join(notes)] if notes else []

    def _reason(self) -> str:
        """Why backward is given just this."""
        if any(self.kernel.saved_outputs) and not any(one.saved for one in self.kernel.operands):
            exists = "exists" if len(self.saved) == 1 else "exist"
            return f", which {exists} anyway and makes backward cheapest"
        exists = "exists" if len(self.saved) == 1 else "exist"
        return f", which {exists} anyway" if self.saved else ""

    def _equation(self, left: str, right: str) -> list[str]:
        start = f"    {left} = "
        if len(start) > WIDTH // 2:
            return [*self._broken(left, "    ", " ="), *self._broken(right, " " * BODY)]
        lines = broken(right, WIDTH - BODY, len(start) - BODY)
        return [start + lines[0], *(" " * BODY + line.strip() for line in lines[1:])]

    def _broken(self, text: str, indent: str, end: str = "") -> list[str]:
        lines = [indent + line.strip() for line in broken(text, WIDTH - len(indent) - 4)]
        return [*lines[:-1], lines[-1] + end]

    def _kept(self) -> str:
        inputs = [one.input.name for one in self.kernel.operands if one.saved]
        if len(inputs) > _ALL:
            every = "all " if len(inputs) == len(self.tensors) else ""
            inputs = [f"{every}{len(inputs)} inputs"]
        outputs = self.saved_outputs if len(self.outputs) > 1 else ["the output"]
        kept = [*inputs, *(outputs if any(self.kernel.saved_outputs) else [])] or ["nothing"]
        return " and ".join(kept) if len(kept) < _ALL else ", ".join(kept)

    def summary(self) -> str:
        """One sentence for the class and the function beside it."""
        whole = statements(self.kernel.formula.request.expr)
        formula = f"{self.signature} = {whole[0]}."
        if len(whole) == 1 and len(formula) <= WIDTH - 12:
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

    def parameters(
        self, first: Iterable[str], tensor: str, before: int, indent: int, defaults: bool = True
    ) -> str:
        """Typed parameters, on one line where they fit behind `before` characters."""
        typed = list(first)
        operands = self.kernel.operands
        given = (i for i, one in enumerate(operands) if _is_needed(one.input))
        needed = max(given, default=-1)
        for place, one in enumerate(operands):
            kind = tensor if one.input.differentiable else one.input.kind
            kind += " | None" if one.input.optional else ""
            default = literal(one.input.default) if one.input.default is not None else "None"
            shown = f" = {default}" if defaults and place > needed else ""
            typed.append(f"{self.identifier(one)}: {kind}{shown}")
        return listed(typed, before, len(f") -> {self.output_type('Tensor')}:"), indent)

    def output_type(self, array: str) -> str:
        """What forward returns."""
        return array if len(self.outputs) == 1 else f"tuple[{array}, ...]"

    def gradient_type(self, array: str) -> str:
        several = len(self.kernel.operands) > 1
        return f"tuple[{array} | None, ...]" if several else array


def _is_needed(one: Input) -> bool:
    return not one.optional and one.default is None


def literal(value: Constant | None) -> str:
    """A constant as code.

    >>> literal("tanh"), literal(1.0)
    ('"tanh"', '1.0')
    """
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
