"""The PyTorch backend: a torch.autograd.Function that composes with torch.func.

In: a kernel. Out: the strings of templates/torch/module.py.jinja.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from gen.backends.arrays import Operand as Code
from gen.backends.arrays import method
from gen.backends.code import Dialect, call, logical
from gen.backends.emitter import Emitter, without_collisions
from gen.backends.layout import BODY, WIDTH, assigned, called, imported, listed, returning
from gen.errors import GenError
from gen.graph.infix import (
    ATOM,
    BIT_AND,
    BIT_OR,
    PRODUCT,
    QUOTIENT,
    SIGN,
    SUM,
    Text,
    enclose,
    negated,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gen.backends.custom import Customs
    from gen.model import Kernel, Operand

# What the module needs for itself; an input of such a name gets an underscore. Those
# after the first line are attributes of the context, where numbers are kept.
_RESERVED = frozenset(
    "any staticmethod tuple float torch ctx grad_output output inputs "
    "Any Context Tensor apply apply_all tensors "
    "backward dirty_tensors forward jvp mark_dirty mark_non_differentiable "
    "materialize_grads maybe_clear_saved_tensors metadata name needs_input_grad "
    "next_functions non_differentiable requires_grad saved_tensors register_hook register_prehook "
    "save_for_backward save_for_forward saved_for_forward saved_tensors saved_variables "
    "set_materialize_grads setup_context to_save vjp vmap".split()
)

_TORCH = {
    name: f"torch.{name}"
    for name in (
        "exp exp2 expm1 log log1p log2 log10 sqrt sin cos tan asin acos atan sinh cosh tanh "
        "asinh acosh atanh sigmoid abs sign floor ceil round trunc erf erfc erfinv digamma "
        "hypot atan2 logaddexp xlogy polygamma"
    ).split()
} | {
    "mod": "torch.remainder",
    "loggamma": "torch.lgamma",
    "erfcx": "torch.special.erfcx",
}

_RECIPROCALS = {"sech": "torch.cosh", "csch": "torch.sinh"}

_RUNTIME = frozenset({"cbrt", "gamma", "heaviside"})

# Reductions that are methods of a tensor, and those that take several axes at once.
_METHODS = frozenset({"sum", "mean", "amax", "amin", "prod"})

# Functions of which PyTorch does not say what they return.
_UNTYPED = re.compile(r"torch\.(special|linalg)\.")

# Functions of two tensors that take no plain number in place of one.
_TENSORS_ONLY = frozenset({"hypot", "atan2", "logaddexp", "heaviside"})


@dataclass(frozen=True, slots=True)
class Module:
    """The placeholders of module.py.jinja."""

    header: tuple[str, ...]
    name: str
    entry: str
    summary: str
    invitation: str
    documentation: tuple[str, ...]
    imports: tuple[str, ...]
    output_type: str
    forward_parameters: str
    forward: tuple[str, ...]
    saving: str
    setup: tuple[str, ...]
    backward_parameters: str
    gradient_type: str
    backward: tuple[str, ...]
    entry_parameters: str
    entry_body: tuple[str, ...]
    functions: tuple[str, ...]


@dataclass(slots=True)
class _Dialect:
    """torch's spellings; it notes what the module has to import from its runtime."""

    beside: tuple[str, ...]  # the tensors whose dtype and device a plain number takes
    runtime: set[str]  # the names that the module imports from its runtime
    customs: Customs  # the user's own functions
    keep: str = "keepdim=True"

    def scalar(self, number: Text) -> Text:
        self.runtime.add("scalar")
        return call("scalar", [number, *map(Text, self.beside)])

    def call(self, op: str, operands: Sequence[Code]) -> Text:
        if op == "polygamma":
            return self._polygamma(*operands)
        if op == "select":
            return self._where(operands)
        if op in ("maximum", "minimum"):
            return self._extremum(op, operands)
        if op == "clamp":
            return self._clamp(operands)
        if op in _TENSORS_ONLY:
            operands = [Code(self._tensor(one), False) for one in operands]
        if all(one.is_number for one in operands):
            operands = [Code(self.scalar(operands[0].text), False), *operands[1:]]
        texts = [one.text for one in operands]
        if op in _TORCH:
            return call(_TORCH[op], texts)
        if op in _RUNTIME:
            self.runtime.add(op)
            return call(op, texts)
        return self._other(op, texts)

    def custom(self, name: str, operands: Sequence[Code]) -> Text:
        return self.customs.call(name, [self._tensor(one) for one in operands])

    # ---- along axes

    def reduce(self, kind: str, operand: Text, axes: str) -> Text:
        if kind == "prod" and axes.startswith("("):
            return self.runtime_call("prod", [operand, Text(axes)])
        if kind in _METHODS:
            return method(operand, kind, axes)
        if kind == "norm":
            axes = axes and f"dim={axes}"
            return call("torch.linalg.vector_norm", [operand, *map(Text, [axes] if axes else [])])
        flat = operand if axes else method(operand, "flatten", "")
        return call(f"torch.{kind}", [flat, Text(axes or "0")])

    def normalise(self, kind: str, operand: Text, axes: str) -> Text:
        if kind == "prod_others":
            return self.runtime_call(kind, [operand, *([Text(axes)] if axes else [])])
        if axes and not axes.startswith("("):
            return call(f"torch.{kind}", [operand, Text(axes)])
        whole = f"torch.logsumexp({operand.code}, {axes}, keepdim=True)"
        whole = whole if axes else self.reduce("logsumexp", operand, "").code
        logarithm = f"{enclose(operand, SUM)} - {whole}"
        if kind == "log_softmax":
            return Text(logarithm, SUM)
        return Text(f"torch.exp({logarithm})")

    def einsum(self, equation: str, operands: Sequence[Text]) -> Text:
        return call("torch.einsum", [Text(f'"{equation}"'), *operands])

    def linalg(self, kind: str, operands: Sequence[Text]) -> Text:
        if kind == "logdet":
            return Text(f"{call('torch.linalg.slogdet', operands).code}.logabsdet")
        if kind == "cofactor":
            return self.runtime_call(kind, operands)
        return call(f"torch.linalg.{kind}", operands)

    def runtime_call(self, function: str, operands: Sequence[Text]) -> Text:
        self.runtime.add(function)
        return call(function, operands)

    def eye(self, size: Text) -> Text:
        return self.runtime_call("eye", [size, *map(Text, self.beside)])

    # ---- elementwise

    def _tensor(self, one: Code) -> Text:
        return self.scalar(one.text) if one.is_number else one.text

    def _where(self, operands: Sequence[Code]) -> Text:
        condition, yes, no = operands
        if yes.is_number and no.is_number:
            yes = Code(self.scalar(yes.text), False)
        return call("torch.where", [condition.text, yes.text, no.text])

    def _extremum(self, op: str, operands: Sequence[Code]) -> Text:
        """Of two tensors, or of a tensor and a number, which is clamping; both keep NaN."""
        a, b = sorted(operands, key=lambda one: one.is_number)
        if not b.is_number:
            return call(f"torch.{op}", [one.text for one in operands])
        bound = "min" if op == "maximum" else "max"
        return call("torch.clamp", [self._tensor(a), Text(f"{bound}={b.text.code}")])

    def _clamp(self, operands: Sequence[Code]) -> Text:
        x, low, high = operands
        if low.is_number != high.is_number:
            low, high = (Code(self._tensor(one), False) for one in (low, high))
        return call("torch.clamp", [self._tensor(x), low.text, high.text])

    def _polygamma(self, n: Code, x: Code) -> Text:
        if not n.is_number or not n.text.code.isdigit():
            raise GenError(f"polygamma needs a whole order, given {n.text.code}")
        return call("torch.polygamma", [n.text, self._tensor(x)])

    def _other(self, op: str, texts: Sequence[Text]) -> Text:
        match op, texts:
            case "and", _:
                return logical("&", BIT_AND, texts)
            case "or", _:
                return logical("|", BIT_OR, texts)
            case "not", [a]:
                return Text(f"~{enclose(a, ATOM)}", SIGN)
            case "power", [a, b]:
                return call("torch.pow", [a, b])
            case "softplus", [a]:
                # torch's own softplus returns x itself beyond 20, off by 2e-9.
                return negated(call("torch.nn.functional.logsigmoid", [negated(a)]))
            case "sech" | "csch", [a]:
                return Text(f"1 / {call(_RECIPROCALS[op], [a]).code}", QUOTIENT)
            case "ndtr", [a]:
                # torch.special.ndtr is 0 from -9 down, where the value is 1e-19.
                scaled = Text(f"{-(0.5**0.5)!r} * {enclose(a, PRODUCT)}", PRODUCT)
                return Text(f"0.5 * {call('torch.erfc', [scaled]).code}", PRODUCT)
            case "logsigmoid", _:
                return call("torch.nn.functional.logsigmoid", texts)
        raise GenError(
            f"the torch backend has no {op}: PyTorch has no such function, or one without a "
            "gradient; the numpy backend has it"
        )


@dataclass(frozen=True, slots=True)
class _Torch:
    name: str = "torch"
    suffix: str = "_torch"

    def view(self, kernel: Kernel, header: tuple[str, ...]) -> Module:
        return without_collisions(kernel, header, _RESERVED, _Emitter)


BACKEND = _Torch()


class _Emitter(Emitter[Module]):
    array = "Tensor"
    mask = "Tensor"
    copy = ".clone()"
    kept_shape = ""
    always = ("Context",)
    backend = "torch"
    short: ClassVar[Mapping[str, str]] = {"torch": "torch"}

    def dialect(self, beside: Sequence[str]) -> Dialect:
        return _Dialect(tuple(beside), self.runtime, self.customs)

    def target(self, operand: Operand) -> str:
        saved = f"{self.outline.identifier(operand)}.shape"
        return saved if operand.saved else self.outline.kept(operand)

    def zeros(self, operand: Operand) -> str:
        cotangent = self.outline.cotangents[0]
        if not operand.reduced:
            return f"torch.zeros_like({cotangent})"
        return f"{cotangent}.new_zeros({self.target(operand)})"

    def guard(self, operand: Operand) -> str:
        # PyTorch knows itself that an input which is None needs no gradient.
        return ""

    def returned(self, name: str, value: str, lines: Sequence[str]) -> list[str]:
        """Through a variable with a type where PyTorch does not say what it returns."""
        code = (*lines, value)
        if any(_UNTYPED.search(line) for line in code) or self.customs.is_in(code):
            return [f"{name}: Tensor = {value}", f"return {name}"]
        return [f"return {value}"]

    def view(self, header: tuple[str, ...]) -> Module:
        outline = self.outline
        checks, lines, values = self.forward()
        several = len(self.kernel.operands)
        kind = outline.gradient_type("Tensor")
        cotangents = [f"{name}: Tensor | None" for name in outline.cotangents]
        return Module(
            header=header,
            name=outline.name,
            entry=self.entry,
            summary=outline.summary(),
            invitation=outline.invitation(self.entry),
            documentation=outline.documentation(),
            forward_parameters=outline.parameters([], "Tensor", 16, 4),
            output_type=outline.output_type("Tensor"),
            forward=(*checks, *lines, *self._returned(values, lines)),
            saving=f"S{outline.saving()[1:]}.",
            setup=tuple(self._setup()),
            gradient_type=kind if several > 1 else f"{kind} | None",
            backward_parameters=listed(["ctx: Context", *cotangents], 17, 6 + len(kind), 4),
            backward=(*self._nothing(), *self.backward()),
            entry_parameters=outline.parameters([], "Tensor | float", len(f"def {self.entry}("), 0),
            entry_body=tuple(self._entry_body()),
            functions=tuple(self.functions),
            imports=self._imports(),
        )

    def _returned(self, values: Sequence[str], lines: Sequence[str]) -> list[str]:
        if len(values) == 1:
            return self.returned("output", values[0], lines)
        return returning(list(values))

    def _nothing(self) -> list[str]:
        """The lines for a backward whose output nobody used."""
        several = len(self.kernel.operands)
        value = ", ".join(["None"] * several) if several < 8 else f"(None,) * {several}"
        names = self.outline.cotangents
        none = " and ".join(f"{name} is None" for name in names)
        listing = f"if all(one is None for one in ({', '.join(names)})):"
        if len(none) <= WIDTH // 2:
            return [f"if {none}:", f"    return {value}"]
        if len(listing) <= WIDTH - BODY:
            return [listing, f"    return {value}"]
        each = (f"        {name}," for name in names)
        start = ["if all(", "    one is None", "    for one in ("]
        return [*start, *each, "    )", "):", f"    return {value}"]

    def _entry_body(self) -> list[str]:
        """Hand the inputs on, numbers in the place of tensors made tensors."""
        outline = self.outline
        apply = "apply" if len(outline.outputs) == 1 else "apply_all"
        self.runtime |= {"tensors", apply}
        order = [one.input.differentiable for one in self.kernel.operands]
        names = [outline.identifier(one) for one in self.kernel.operands]
        names = [name if is_ else f"number({name})" for name, is_ in zip(names, order, strict=True)]
        self.runtime |= {"number"} if outline.numbers else set()
        if order == sorted(order, reverse=True):
            lifted = "\n".join(called("*tensors", outline.tensors))
            numbers = names[len(outline.tensors) :]
            return called(f"return {apply}", [outline.name, lifted, *numbers])
        source = called("tensors", outline.tensors)
        lines = [*assigned(outline.tensors, source[0]), *source[1:]]
        return [*lines, *called(f"return {apply}", [outline.name, *names])]

    def _imports(self) -> tuple[str, ...]:
        own = self.customs.imports() if self.customs.modules else []
        lines = ["from typing import Any", "", "import torch", "from torch import Tensor", *own, ""]
        return (*lines, *imported("._runtime_torch", self.runtime))

    def _setup(self) -> list[str]:
        """What forward leaves on ctx: tensors as such, numbers and shapes as attributes."""
        outline = self.outline
        kept = []
        for one in self.kernel.operands:
            name, place = outline.identifier(one), outline.kept(one)
            if not one.input.differentiable:
                kept.append(f"{place} = {name}")
            elif one.shaped:
                shape = f"None if {name} is None else {name}.shape"
                kept.append(f"{place} = {shape if one.input.optional else f'{name}.shape'}")
        lines = [*self._unpacked(), *self._outputs(), *kept, "ctx.set_materialize_grads(False)"]
        saved = called("ctx.save_for_backward", outline.saved) if outline.saved else []
        return [*lines, *saved]

    def _outputs(self) -> list[str]:
        """What backward has to know of several outputs: their shapes, and what is saved."""
        names = self.outline.outputs
        if len(names) == 1:
            return []
        saved = self.outline.saved_outputs
        kept = ["ctx.like_outputs = tuple(one.shape for one in output)"]
        targets = [name if name in saved else "_" for name in names]
        return [*assigned(targets, "output"), *kept] if saved else kept

    def _unpacked(self) -> list[str]:
        """The inputs that setup_context needs, by name."""
        names = [self.outline.identifier(one) for one in self.kernel.operands]
        needed = [
            one.saved or one.shaped or not one.input.differentiable for one in self.kernel.operands
        ]
        if not any(needed):
            return []
        targets = [name if need else "_" for name, need in zip(names, needed, strict=True)]
        return assigned(targets, "inputs")
