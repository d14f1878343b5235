"""The PyTorch backend: a torch.autograd.Function that composes with torch.func.

In: a kernel. Out: the strings of templates/torch/module.py.jinja.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from gen.backends.emitter import Emitter, without_collisions
from gen.backends.layout import assigned, called, imported, listed, returning
from gen.backends.names import entry_name
from gen.backends.torch_context import Saving
from gen.backends.torch_dialect import PRODUCTS, TorchDialect
from gen.backends.torch_forms import Forms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gen.backends.code import Dialect
    from gen.model import Kernel, Operand

# What the module needs for itself; an input of such a name gets an underscore. Those
# after the first line are attributes of the context, where numbers are kept.
_RESERVED = frozenset(
    "any bool staticmethod tuple float torch ctx grad_output output inputs needs "
    "Any Context Sequence Tensor apply apply_all tensors products in_float32 with_jvp "
    "_value _vjp plain is_tensor recorded function "
    "composite refused once register float_ self torch super "
    "backward dirty_tensors forward jvp mark_dirty mark_non_differentiable "
    "materialize_grads maybe_clear_saved_tensors metadata name needs_input_grad "
    "next_functions non_differentiable requires_grad saved_tensors register_hook register_prehook "
    "save_for_backward save_for_forward saved_for_forward saved_tensors saved_variables "
    "set_materialize_grads setup_context to_save vjp vmap".split()
)

# Functions of which PyTorch does not say what they return.
_UNTYPED = re.compile(r"torch\.(special|linalg)\.")


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
    value_parameters: str
    value: tuple[str, ...]
    vjp_parameters: str
    vjp_type: str
    vjp: tuple[str, ...]
    forward_parameters: str
    forward: tuple[str, ...]
    saving: str
    setup: tuple[str, ...]
    decorators: tuple[str, ...]
    backward_parameters: str
    gradient_type: str
    backward: tuple[str, ...]
    forward_mode: tuple[str, ...]
    entry_parameters: str
    entry_body: tuple[str, ...]
    functions: tuple[str, ...]


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
    needs = "needs"
    views = Emitter.views | {"einsum"}  # the last step of which moves dimensions
    short: ClassVar[Mapping[str, str]] = {"torch": "torch"}

    def __init__(self, kernel: Kernel, reserved: frozenset[str]) -> None:
        name = kernel.formula.request.name
        own = {f"_{name}", f"_{entry_name(name, reserved)}"}
        super().__init__(kernel, reserved | own)
        self.shapes = {
            one.input.name: self.outline.names.claim(f"like_{self.outline.identifier(one)}")
            for one in kernel.operands
            if one.shaped
        }

    def dialect(self, beside: Sequence[str]) -> Dialect:
        return TorchDialect(tuple(beside), self.runtime, self.customs)

    def kept(self, operand: Operand) -> str:
        return self.shapes[operand.input.name]

    def target(self, operand: Operand) -> str:
        saved = f"{self.outline.identifier(operand)}.shape"
        return saved if operand.saved else self.kept(operand)

    def clamped(self, code: str, low: str, high: str) -> str:
        return f"torch.clamp({code}, {low}, {high})"

    def zeros(self, operand: Operand) -> str:
        cotangent = self.outline.cotangents[0]
        if not operand.reduced:
            return f"torch.zeros_like({cotangent})"
        return f"{cotangent}.new_zeros({self.target(operand)})"

    def guard(self, operand: Operand) -> str:
        # PyTorch knows itself that an input which is None needs no gradient.
        return ""

    def unpack(self) -> list[str]:
        # The VJP is a function of what is saved.
        return []

    def given(self) -> list[str]:
        return []

    def returned(self, name: str, value: str, lines: Sequence[str]) -> list[str]:
        """Through a variable with a type where PyTorch does not say what it returns."""
        code = (*lines, value)
        if any(_UNTYPED.search(line) for line in code) or self.customs.is_in(code):
            return [f"{name}: Tensor = {value}", f"return {name}"]
        return [f"return {value}"]

    def view(self, header: tuple[str, ...]) -> Module:
        outline = self.outline
        checks, lines, values = self.forward()
        pullback = self.backward()
        self.runtime |= {"register"} if self.kernel.formula.request.forms.operator else set()
        several = len(self.kernel.operands)
        kind = outline.gradient_type("Tensor")
        cotangents = [f"{name}: Tensor | None" for name in outline.cotangents]
        parameters, saving = self._vjp_parameters(pullback), Saving(outline)
        return Module(
            header=header,
            name=outline.name,
            entry=self.entry,
            summary=outline.summary(),
            invitation=outline.invitation(self.entry),
            documentation=outline.documentation(),
            output_type=outline.output_type("Tensor"),
            value_parameters=outline.parameters([], "Tensor", len("def _value("), 0, False),
            value=(*checks, *lines, *self._returned(values, lines)),
            vjp_parameters=self._typed(parameters, kind),
            vjp_type=kind,
            vjp=tuple(pullback),
            forward_parameters=outline.parameters([], "Tensor", 16, 4),
            forward=tuple(self._computed("_value", self._names)),
            saving=f"S{outline.saving()[1:]}.",
            setup=tuple(saving.setup()),
            gradient_type=kind if several > 1 else f"{kind} | None",
            backward_parameters=listed(["ctx: Context", *cotangents], 17, 6 + len(kind), 4),
            backward=(*saving.nothing(), *self._pulled(parameters)),
            decorators=self._decorators(),
            forward_mode=tuple(self._forward_mode()),
            entry_parameters=outline.parameters([], "Tensor | float", len(f"def {self.entry}("), 0),
            entry_body=tuple(self._entry_body()),
            functions=(*Forms(outline, self.entry, self._pointwise).lines(), *self.functions),
            imports=self._imports(parameters),
        )

    @property
    def _names(self) -> list[str]:
        return [self.outline.identifier(one) for one in self.kernel.operands]

    def _returned(self, values: Sequence[str], lines: Sequence[str]) -> list[str]:
        if len(values) == 1:
            return self.returned("output", values[0], lines)
        return returning(list(values))

    # ---- what the request asks for

    @property
    def _declared(self) -> bool:
        return self.kernel.formula.request.gradient.is_declared

    @property
    def composite(self) -> str:
        """The name of what stands for the Function where PyTorch would not use backward."""
        return f"_{self.entry}"

    @property
    def _pointwise(self) -> str:
        """Whether each element of one output depends on one of each input, as an argument."""
        formula = self.kernel.formula
        return f"pointwise={not formula.has_tensors and len(formula.outputs) == 1}"

    def _decorators(self) -> tuple[str, ...]:
        """What stands above backward."""
        if not self.kernel.formula.request.gradient.once:
            return ()
        self.runtime.add("once")
        return ("@once",)

    def _forward_mode(self) -> list[str]:
        """What stands for the class in forward mode, and where PyTorch ignores its backward."""
        name = self.outline.name
        if not self.kernel.is_linear:
            self.runtime.add("refused")
            return [f"_{name} = {name}", *called(f"{self.composite} = refused", [name])]
        arguments = [name, self._pointwise]
        self.runtime |= {"with_jvp"} | ({"composite"} if self._declared else set())
        lines = called(f"_{name} = with_jvp", arguments)
        composite = called(f"{self.composite} = composite", arguments)
        return [*lines, *(composite if self._declared else [])]

    # ---- the pure functions and their calls

    def _has_products(self) -> bool:
        """Whether there are matrix products, which are fast in half precision.

        Not beside solve and det, which PyTorch does not have in it.
        """
        graph = self.kernel.forward.graph
        roots = [node for node in self.kernel.forward.results if node is not None]
        operations = {graph[node].op for node in graph.order(roots)}
        return bool(PRODUCTS & operations) and "linalg" not in operations

    def _computed(self, function: str, arguments: list[str]) -> list[str]:
        """The lines that return what a pure function makes of these."""
        if self._has_products():
            return called(f"return {function}", arguments)
        self.runtime.add("in_float32")
        return called("return in_float32", [function, *arguments])

    def _vjp_parameters(self, lines: Sequence[str]) -> dict[str, tuple[str, str]]:
        """What the VJP is given: of each its type, and where backward finds it."""
        found = {name: ("Tensor", name) for name in self.outline.cotangents}
        found |= dict.fromkeys(self.outline.saved, ("Tensor", ""))
        text = "\n".join([*lines, *self.functions])
        for one in self.kernel.operands:
            name, kept = self.outline.identifier(one), self.outline.kept(one)
            if one.saved and one.input.optional:
                found[name] = ("Tensor | None", "")
            if one.shaped:
                found[self.kept(one)] = ("torch.Size", kept)
            elif not one.input.differentiable and one.input.name in self._read():
                found[name] = (one.input.kind, kept)
        if re.search(r"\bneeds\[", text):
            found["needs"] = ("Sequence[bool]", "ctx.needs_input_grad")
        return found

    def _typed(self, parameters: Mapping[str, tuple[str, str]], kind: str) -> str:
        typed = [f"{name}: {type_}" for name, (type_, _) in parameters.items()]
        return listed(typed, len("def _vjp("), len(f") -> {kind}:"), 0)

    def _pulled(self, parameters: Mapping[str, tuple[str, str]]) -> list[str]:
        """The call of the VJP with what ctx has."""
        lines = super().given()
        saved = self.outline.saved
        lines += assigned(saved, "ctx.saved_tensors") if saved else []
        return lines + self._computed(
            "_vjp", [place or name for name, (_, place) in parameters.items()]
        )

    def _given(self, optional: str) -> dict[str, str]:
        found = super()._given(optional)
        found |= dict.fromkeys(self.shapes.values(), "torch.Size")
        return found | {"needs": "Sequence[bool]"}

    def _entry_body(self) -> list[str]:
        """Hand the inputs on, numbers in the place of tensors made tensors."""
        outline = self.outline
        apply = "apply" if len(outline.outputs) == 1 else "apply_all"
        lift = "products" if self._has_products() else "tensors"
        self.runtime |= {lift, apply}
        classes = [outline.name, f"_{outline.name}"]
        composite = [f"composite={self.composite}"] if self._declared else []
        order = [one.input.differentiable for one in self.kernel.operands]
        names = [
            outline.identifier(one) if one.input.differentiable else self.constant(one)
            for one in self.kernel.operands
        ]
        if order == sorted(order, reverse=True):
            lifted = "\n".join(called(f"*{lift}", outline.tensors))
            numbers = names[len(outline.tensors) :]
            return called(f"return {apply}", [*classes, lifted, *numbers, *composite])
        source = called(lift, outline.tensors)
        lines = [*assigned(outline.tensors, source[0]), *source[1:]]
        return [*lines, *called(f"return {apply}", [*classes, *names, *composite])]

    def _imports(self, parameters: Mapping[str, tuple[str, str]]) -> tuple[str, ...]:
        own = self.customs.imports() if self.customs.modules else []
        standard = ["from collections.abc import Sequence"] if "needs" in parameters else []
        standard.append("from typing import Any")
        library = ["import torch", "from torch import Tensor"]
        return (
            *standard,
            *("", *library, *own),
            *("", *imported("._runtime_torch", self.runtime)),
        )
