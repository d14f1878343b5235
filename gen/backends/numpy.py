"""The numpy backend: the embedded default.

In: a kernel. Out: the strings of templates/numpy/module.py.jinja.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, ClassVar

from gen.backends.emitter import Emitter, without_collisions
from gen.backends.layout import assigned, called, imported, listed, returning
from gen.backends.numpy_dialect import NumpyDialect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gen.backends.code import Dialect
    from gen.model import Kernel, Operand

# What the module needs for itself; an input of such a name gets an underscore.
_RESERVED = frozenset(
    "any np special staticmethod tuple float ctx inputs grad_output output "
    "Array ArrayLike Context Function TupleFunction array arrays "
    "needs_input_grad saved_tensors save_for_backward".split()
)


@dataclass(frozen=True, slots=True)
class Module:
    """The placeholders of module.py.jinja."""

    header: tuple[str, ...]
    name: str
    base: str
    entry: str
    summary: str
    invitation: str
    documentation: tuple[str, ...]
    imports: tuple[str, ...]
    saving: str
    output_type: str
    forward_parameters: str
    forward: tuple[str, ...]
    backward_parameters: str
    gradient_type: str
    backward: tuple[str, ...]
    entry_parameters: str
    arguments: str
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Numpy:
    name: str = "numpy"
    suffix: str = ""

    def view(self, kernel: Kernel, header: tuple[str, ...]) -> Module:
        return without_collisions(kernel, header, _RESERVED, _Emitter)


BACKEND = _Numpy()


# Beyond so many operations with plain numbers, mypy gives up on numpy's overloads.
_SIGN = re.compile(r" [-+*/] ")
_SIGNS = 2
# And beyond so many lines, each of which takes its type from those before.
_LINES = 60

# numpy declares that its universal functions return Any, and so does arithmetic with
# the result of np.where.
_ANY = re.compile(r"\b(np|special)\.|\bscalar\(|\.(sum|mean|max|min|prod)\(|\.m?T\b|\[|@")


def _is_selection(value: str) -> bool:
    """Whether a value is a call of np.where and nothing else."""
    if not value.startswith("np.where("):
        return False
    depths = accumulate((c == "(") - (c == ")") for c in value)
    return list(depths).index(0, len("np.where")) == len(value) - 1


class _Emitter(Emitter[Module]):
    array = "Array"
    mask = "Mask"
    copy = ".copy()"
    kept_shape = ".shape"
    always = ("Array", "Context")
    backend = "numpy"
    short: ClassVar[Mapping[str, str]] = {"numpy": "np", "scipy.special": "special"}

    def dialect(self, beside: Sequence[str]) -> Dialect:
        return NumpyDialect(tuple(beside), self.runtime, self.customs)

    def target(self, operand: Operand) -> str:
        return self.outline.identifier(operand) if operand.saved else self.outline.kept(operand)

    def clamped(self, code: str, low: str, high: str) -> str:
        return f"np.clip({code}, {low}, {high})"

    def zeros(self, operand: Operand) -> str:
        if not operand.reduced:
            return f"np.zeros_like({self.outline.cotangents[0]})"
        target = self.target(operand)
        return f"np.zeros({target}.shape, {target}.dtype)"

    def guard(self, operand: Operand) -> str:
        return f" and {self.target(operand)} is not None" if operand.input.optional else ""

    def returned(self, name: str, value: str, lines: Sequence[str]) -> list[str]:
        """Through a variable with a type where mypy would take the value for Any."""
        annotation = self._annotation([*lines, value])
        if len(lines) > _LINES or (self.outline.plain and len(_SIGN.findall(value)) > _SIGNS):
            annotation = ": Array"
        if not annotation or _is_selection(value):
            return [f"return {value}"]
        return [f"{name}{annotation} = {value}", f"return {name}"]

    def _annotation(self, lines: Sequence[str]) -> str:
        """What a variable needs whose value mypy would take for Any."""
        found = any(_ANY.search(line) for line in lines) or self.customs.is_in(lines)
        return ": Array" if found else ""

    def view(self, header: tuple[str, ...]) -> Module:
        outline = self.outline
        forward, backward, base = self._forward(), self.backward(), self._base()
        arguments = [outline.identifier(one) for one in self.kernel.operands]
        before = len(f"    return {outline.name}.apply()")
        return Module(
            header=header,
            name=outline.name,
            entry=self.entry,
            summary=outline.summary(),
            invitation=outline.invitation(self.entry),
            documentation=outline.documentation(),
            imports=self._imports([*forward, *backward, *self.functions]),
            saving=outline.saving(),
            base=base,
            output_type=outline.output_type("Array"),
            backward_parameters=self._backward_parameters(),
            forward_parameters=outline.parameters(["ctx: Context"], "ArrayLike", 16, 4),
            forward=tuple(forward),
            gradient_type=outline.gradient_type("Array"),
            backward=tuple(backward),
            entry_parameters=outline.parameters([], "ArrayLike", len(f"def {self.entry}("), 0),
            arguments=listed(arguments, before, 0, 4),
            functions=tuple(self.functions),
        )

    def _base(self) -> str:
        base = "Function" if len(self.outline.outputs) == 1 else "TupleFunction"
        self.runtime.add(base)
        return base

    def _backward_parameters(self) -> str:
        names = self.outline.cotangents
        kind = "Array" if len(names) == 1 else "Array | None"
        typed = [f"{name}: {kind}" for name in names]
        room = 6 + len(self.outline.gradient_type("Array"))
        return listed(["ctx: Context", *typed], 17, room, 4)

    def _imports(self, lines: Sequence[str]) -> tuple[str, ...]:
        text = "\n".join(lines)
        self.runtime |= {"Mask"} if "Mask" in text and re.search(r"\bMask\b", text) else set()
        imports = ["import numpy as np"] if "np." in text and re.search(r"\bnp\.", text) else []
        imports.append("from numpy.typing import ArrayLike")
        if "special." in text and re.search(r"\bspecial\.", text):
            imports.append("from scipy import special")
        own = self.customs.imports() if self.customs.modules else []
        return (*imports, *own, "", *imported("._runtime", self.runtime))

    def _forward(self) -> list[str]:
        checks, lines, values = self.forward()
        before, keep = [*self._converted(), *checks], self._kept()
        if len(values) > 1:
            self.runtime.add("like_all")
            like = called("ctx.like_outputs = like_all", values)
            return [*before, *lines, *keep, *like, *returning(values)]
        (value,) = values
        if any(self.kernel.saved_outputs):
            output = f"output{self._annotation([*lines, value])} = {value}"
            return [*before, *lines, output, *keep, "return output"]
        return [*before, *keep, *lines, *self.returned("output", value, lines)]

    def _converted(self) -> list[str]:
        """Inputs become arrays, constants Python numbers."""
        tensors = self.outline.tensors
        constants = [one for one in self.kernel.operands if not one.input.differentiable]
        pairs = [(self.outline.identifier(one), self.constant(one)) for one in constants]
        numbers = [f"{name} = {checked}" for name, checked in pairs if name != checked]
        if len(tensors) == 1:
            self.runtime.add("array")
            return [f"{tensors[0]} = array({tensors[0]})", *numbers]
        self.runtime.add("arrays")
        source = called("arrays", tensors)
        return [*assigned(tensors, source[0]), *source[1:], *numbers]

    def _kept(self) -> list[str]:
        """What forward leaves on ctx."""
        lines = called("ctx.save_for_backward", self.outline.saved) if self.outline.saved else []
        for one in self.kernel.operands:
            name, kept = self.outline.identifier(one), self.outline.kept(one)
            if not one.input.differentiable:
                lines.append(f"{kept} = {name}")
            elif one.shaped or (one.input.optional and not one.saved):
                self.runtime.add("like")
                lines.append(f"{kept} = like({name})")
        return lines
