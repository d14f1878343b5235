"""How PyTorch spells operations.

In: an operation and the code of its operands. Out: the code of its value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from gen.backends.arrays import Operand, method
from gen.backends.code import call, logical
from gen.backends.spelling import Spelling
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
    from collections.abc import Sequence


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

# Contractions of two operands, which hardware computes in half precision.
PRODUCTS = frozenset({"matmul", "contract", "einsum"})

# Reductions that are methods of a tensor, and those that take several axes at once.
_METHODS = frozenset({"sum", "mean", "amax", "amin", "prod"})

# Functions of two tensors that take no plain number in place of one.
_TENSORS_ONLY = frozenset({"hypot", "atan2", "logaddexp", "heaviside"})


@dataclass(slots=True)
class TorchDialect(Spelling):
    """torch's spellings; it notes what the module has to import from its runtime."""

    library: ClassVar[str] = "torch"
    keep: ClassVar[str] = "keepdim=True"

    def call(self, op: str, operands: Sequence[Operand]) -> Text:
        if op == "polygamma":
            return self._polygamma(*operands)
        if op == "select":
            return self._where(operands)
        if op in ("maximum", "minimum"):
            return self._extremum(op, operands)
        if op == "clamp":
            return self._clamp(operands)
        if op in _TENSORS_ONLY:
            operands = [Operand(self.array(one), False) for one in operands]
        if all(one.is_number for one in operands):
            operands = [Operand(self.scalar(operands[0].text), False), *operands[1:]]
        texts = [one.text for one in operands]
        if op in _TORCH:
            return call(_TORCH[op], texts)
        if op in _RUNTIME:
            self.runtime.add(op)
            return call(op, texts)
        return self._other(op, texts)

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
        return self.runtime_call("einsum", [Text(f'"{equation}"'), *operands])

    def linalg(self, kind: str, operands: Sequence[Text]) -> Text:
        if kind == "inv":
            return call("torch.linalg.inv", operands)
        return self.runtime_call(kind if kind == "cofactor" else f"{kind}_exactly", operands)

    # ---- elementwise

    def _where(self, operands: Sequence[Operand]) -> Text:
        condition, yes, no = operands
        if yes.is_number and no.is_number:
            yes = Operand(self.scalar(yes.text), False)
        return call("torch.where", [condition.text, yes.text, no.text])

    def _extremum(self, op: str, operands: Sequence[Operand]) -> Text:
        """Of two tensors, or of a tensor and a number, which is clamping; both keep NaN."""
        a, b = sorted(operands, key=lambda one: one.is_number)
        if not b.is_number:
            return call(f"torch.{op}", [one.text for one in operands])
        bound = "min" if op == "maximum" else "max"
        return call("torch.clamp", [self.array(a), Text(f"{bound}={b.text.code}")])

    def _clamp(self, operands: Sequence[Operand]) -> Text:
        x, low, high = operands
        if low.is_number != high.is_number:
            low, high = (Operand(self.array(one), False) for one in (low, high))
        return call("torch.clamp", [self.array(x), low.text, high.text])

    def _polygamma(self, n: Operand, x: Operand) -> Text:
        if not n.is_number or not n.text.code.isdigit():
            raise GenError(f"polygamma needs a whole order, given {n.text.code}")
        return call("torch.polygamma", [n.text, self.array(x)])

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
