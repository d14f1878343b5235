"""What a PyTorch module has beside its function, where it is asked for.

In: the signature of the function. Out: the lines of a `torch.nn.Module` with learnable
scalars, and those of an operator of `torch.library`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.backends.layout import BODY, WIDTH, called, listed
from gen.backends.outline import literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.backends.outline import Outline
    from gen.model import Operand

# Attributes of every torch.nn.Module that an input's name must not hide.
_ATTRIBUTES = frozenset(
    "T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda "
    "double dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter "
    "get_submodule half ipu load_state_dict modules mtia named_buffers named_children "
    "named_modules named_parameters parameters register_buffer register_module register_parameter "
    "requires_grad_ set_extra_state set_submodule share_memory state_dict to to_empty train "
    "training type xpu zero_grad".split()
)


@dataclass(frozen=True, slots=True)
class Forms:
    """The forms of one function beside it.

    Attributes:
        outline: its names and words.
        entry: what the plain function is called.
        pointwise: the argument that says whether it is.
    """

    outline: Outline
    entry: str
    pointwise: str

    def lines(self) -> list[str]:
        """All that are asked for, two empty lines before each."""
        forms = self.outline.kernel.formula.request.forms
        found: list[str] = []
        if forms.module or forms.parameters:
            found += ["", "", *self._module()]
        if forms.operator:
            found += ["", "", *self._operator(forms.operator)]
        return found

    # ---- torch.nn.Module

    def _module(self) -> list[str]:
        name = self.outline.name
        learnt = [one for one in self._operands if one.input.name in self._starts]
        what = f", which learns {' and '.join(one.input.name for one in learnt)}" if learnt else ""
        docstring = f'    """{name} as a module{what}."""'
        if len(docstring) > WIDTH:
            docstring = f'    """{name} as a module, which learns some of its inputs."""'
        lines = [f"class {name}Module(torch.nn.Module):", docstring]
        return [*lines, *self._init(), "", *self._forward(), *self._representation()]

    @property
    def _operands(self) -> Sequence[Operand]:
        return self.outline.kernel.operands

    @property
    def _starts(self) -> dict[str, float]:
        """Where the learnable scalars start."""
        return dict(self.outline.kernel.formula.request.forms.parameters)

    @property
    def _kept(self) -> list[Operand]:
        """The inputs that the module has itself, those without a default first."""
        kept = [
            one
            for one in self._operands
            if one.input.name in self._starts or not one.input.differentiable
        ]
        return sorted(kept, key=lambda one: self._default(one) is not None)

    def _default(self, one: Operand) -> str | None:
        if one.input.name in self._starts:
            return repr(self._starts[one.input.name])
        return None if one.input.default is None else literal(one.input.default)

    def _attribute(self, one: Operand) -> str:
        name = self.outline.identifier(one)
        return f"self.{name}_" if name in _ATTRIBUTES else f"self.{name}"

    def _init(self) -> list[str]:
        if not self._kept:
            return []
        typed, body = [], []
        for one in self._kept:
            name, default = self.outline.identifier(one), self._default(one)
            kind = one.input.kind if not one.input.differentiable else "float"
            typed.append(f"{name}: {kind}" + (f" = {default}" if default is not None else ""))
            value = f"torch.nn.Parameter(torch.tensor(float({name})))"
            learnt = one.input.name in self._starts
            body.append(f"        {self._attribute(one)} = {value if learnt else name}")
        start = "    def __init__("
        parameters = listed(["self", *typed], len(start), len(") -> None:"), 4)
        return [
            "",
            *f"{start}{parameters}) -> None:".split("\n"),
            '        """Start from these values."""',
            "        super().__init__()",
            *body,
        ]

    def _forward(self) -> list[str]:
        kept = [one.input.name for one in self._kept]
        rest = [one for one in self._operands if one.input.name not in kept]
        needed = max((i for i, one in enumerate(rest) if not one.input.optional), default=-1)
        typed = []
        for place, one in enumerate(rest):
            kind = "Tensor | None" if one.input.optional else "Tensor"
            default = " = None" if place > needed else ""
            typed.append(f"{self.outline.identifier(one)}: {kind}{default}")
        arguments = [
            self._attribute(one) if one.input.name in kept else self.outline.identifier(one)
            for one in self._operands
        ]
        result = self.outline.output_type("Tensor")
        start = "    def forward("
        parameters = listed(["self", *typed], len(start), len(f") -> {result}:"), 4)
        return [
            *f"{start}{parameters}) -> {result}:".split("\n"),
            '        """Return the value."""',
            *(" " * BODY + line for line in called(f"return {self.entry}", arguments)),
        ]

    def _representation(self) -> list[str]:
        """What is printed between the parentheses of the module."""
        if not self._kept:
            return []
        shown = []
        for one in self._kept:
            place = self._attribute(one)
            value = f"{place}.item():g" if one.input.name in self._starts else f"{place}!r"
            shown.append(f"{self.outline.identifier(one)}={{{value}}}")
        text = ", ".join(shown)
        line = f'        return f"{text}"'
        pieces = [f'            f"{one}{", " * (one is not shown[-1])}"' for one in shown]
        whole = [line] if len(line) <= WIDTH else ["        return (", *pieces, "        )"]
        return [
            "",
            "    def extra_repr(self) -> str:",
            '        """Return what a printed module shows of it."""',
            *whole,
        ]

    # ---- torch.library

    def _operator(self, namespace: str) -> list[str]:
        outline = self.outline
        count = len(outline.outputs)
        result = "Tensor" if count == 1 else f"tuple[{', '.join(['Tensor'] * count)}]"
        start = f"def {self.entry}_op("
        parameters = outline.parameters([], "Tensor", len(start), 0)
        arguments = [outline.identifier(one) for one in self._operands]
        value = called(f"{outline.name}.forward", arguments)
        body = [f"return {value[0]}", *value[1:]]
        if count > 1:
            names = ", ".join(outline.outputs)
            body = [f"{names} = {value[0]}", *value[1:], f"return {names}"]
        return [
            f'@torch.library.custom_op("{namespace}::{self.entry}", mutates_args=())',
            *f"{start}{parameters}) -> {result}:".split("\n"),
            f'    """{outline.name} as one opaque operator of PyTorch."""',
            *(f"    {line}" for line in body),
            "",
            "",
            *called("register", [f"{self.entry}_op", outline.name, self.pointwise]),
        ]
