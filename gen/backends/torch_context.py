"""What a Function of PyTorch does with its ctx.

In: the names of a kernel. Out: the lines of setup_context, and those of a backward whose
output nobody used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.backends.layout import BODY, WIDTH, assigned, called

if TYPE_CHECKING:
    from gen.backends.outline import Outline


@dataclass(frozen=True, slots=True)
class Saving:
    """The context of one function."""

    outline: Outline

    def nothing(self) -> list[str]:
        """The lines for a backward whose output nobody used."""
        several = len(self.outline.kernel.operands)
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

    def setup(self) -> list[str]:
        """What forward leaves on ctx: tensors as such, numbers and shapes as attributes."""
        outline = self.outline
        kept = []
        for one in self.outline.kernel.operands:
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
        names = [self.outline.identifier(one) for one in self.outline.kernel.operands]
        needed = [
            one.saved or one.shaped or not one.input.differentiable
            for one in self.outline.kernel.operands
        ]
        if not any(needed):
            return []
        targets = [name if need else "_" for name, need in zip(names, needed, strict=True)]
        return assigned(targets, "inputs")
