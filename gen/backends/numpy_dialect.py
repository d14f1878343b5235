"""How numpy and scipy spell operations.

In: an operation and the code of its operands. Out: the code of its value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from gen.backends.arrays import Operand, method
from gen.backends.code import call, logical
from gen.backends.spelling import Spelling
from gen.errors import GenError
from gen.graph.infix import ATOM, BIT_AND, BIT_OR, PRODUCT, QUOTIENT, SIGN, Text, enclose, negated

if TYPE_CHECKING:
    from collections.abc import Sequence


_NUMPY = {
    name: f"np.{name}"
    for name in (
        "exp exp2 expm1 log log1p log2 log10 sqrt cbrt sin cos tan sinh cosh tanh hypot "
        "abs sign maximum minimum heaviside floor ceil trunc logaddexp"
    ).split()
} | {
    "asin": "np.arcsin",
    "acos": "np.arccos",
    "atan": "np.arctan",
    "atan2": "np.arctan2",
    "asinh": "np.arcsinh",
    "acosh": "np.arccosh",
    "atanh": "np.arctanh",
    "clamp": "np.clip",
    "round": "np.rint",
    "mod": "np.remainder",
}

_SCIPY = {
    "xlogy": "xlogy",
    "erf": "erf",
    "erfc": "erfc",
    "erfcx": "erfcx",
    "erfi": "erfi",
    "erfinv": "erfinv",
    "erfcinv": "erfcinv",
    "ndtr": "ndtr",
    "gamma": "gamma",
    "loggamma": "gammaln",
    "digamma": "digamma",
    "beta": "beta",
    "Ei": "expi",
    "besselj": "jv",
    "bessely": "yv",
    "besseli": "iv",
    "besselk": "kv",
    "elliptic_k": "ellipk",
    "elliptic_e": "ellipe",
}

# Functions of scipy that return several values at once: which, and which of them.
_SCIPY_PARTS = {
    "Si": ("sici", 0),
    "Ci": ("sici", 1),
    "Shi": ("shichi", 0),
    "Chi": ("shichi", 1),
    "fresnels": ("fresnel", 0),
    "fresnelc": ("fresnel", 1),
    "airyai": ("airy", 0),
    "airyaiprime": ("airy", 1),
    "airybi": ("airy", 2),
    "airybiprime": ("airy", 3),
}

# Reductions that are methods of an array.
_METHODS = {"sum": "sum", "mean": "mean", "amax": "max", "amin": "min", "prod": "prod"}

# Functions of scipy that make float32 float64 where one operand is a plain number.
_ARRAYS_ONLY = frozenset({"xlogy", "beta"})

# n! fits float64 up to here.
_HIGHEST_ORDER = 170

_RECIPROCALS = {"sech": "np.cosh", "csch": "np.sinh"}


@dataclass(slots=True)
class NumpyDialect(Spelling):
    """numpy's spellings; it notes what the module has to import from its runtime."""

    library: ClassVar[str] = "np"
    keep: ClassVar[str] = "keepdims=True"

    def call(self, op: str, operands: Sequence[Operand]) -> Text:
        if op == "select":
            return self._where(operands)
        if op == "polygamma":
            return self._polygamma(*operands)
        if op in _ARRAYS_ONLY or (op == "clamp" and operands[0].is_number):
            operands = [Operand(self.array(one), False) for one in operands]
        if all(one.is_number for one in operands):
            # Functions of plain numbers are float64, and would make float32 so.
            operands = [Operand(self.scalar(operands[0].text), False), *operands[1:]]
        texts = [one.text for one in operands]
        if op in _NUMPY:
            return call(_NUMPY[op], texts)
        if op in _SCIPY:
            return self._special(_SCIPY[op], texts)
        if op in _SCIPY_PARTS:
            function, part = _SCIPY_PARTS[op]
            return Text(f"{self._special(function, texts).code}[{part}]")
        return self._other(op, operands)

    # ---- along axes

    def reduce(self, kind: str, operand: Text, axes: str) -> Text:
        named = [Text(f"axis={axes}")] if axes else []
        if kind in _METHODS:
            return method(operand, _METHODS[kind], axes)
        if kind == "norm":
            found = call("np.linalg.vector_norm", [operand, *named])
        else:
            found = self._special(kind, [operand, *named])
        # Over all axes these are typed as plain numbers.
        return found if axes else call("np.asarray", [found])

    def normalise(self, kind: str, operand: Text, axes: str) -> Text:
        function = kind if kind == "prod_others" else f"{kind}_along"
        return self.runtime_call(function, [operand, *([Text(axes)] if axes else [])])

    def linalg(self, kind: str, operands: Sequence[Text]) -> Text:
        if kind == "logdet":
            return Text(f"{call('np.linalg.slogdet', operands).code}.logabsdet")
        if kind == "cofactor":
            return self.runtime_call(kind, operands)
        return call(f"np.linalg.{kind}", operands)

    def einsum(self, equation: str, operands: Sequence[Text]) -> Text:
        return self.runtime_call("einsum", [Text(f'"{equation}"'), *operands])

    # ---- elementwise

    def _special(self, function: str, texts: Sequence[Text]) -> Text:
        return call(f"special.{function}", texts)

    def _where(self, operands: Sequence[Operand]) -> Text:
        condition, yes, no = operands
        if yes.is_number and no.is_number:
            yes = Operand(self.scalar(yes.text), False)
        return call("np.where", [condition.text, yes.text, no.text])

    def _other(self, op: str, operands: Sequence[Operand]) -> Text:
        texts = [one.text for one in operands]
        match op, texts:
            case "and", _:
                return logical("&", BIT_AND, texts)
            case "or", _:
                return logical("|", BIT_OR, texts)
            case "not", [a]:
                return Text(f"~{enclose(a, ATOM)}", SIGN)
            case "power", [a, b]:
                return call("np.power", [a, b])
            case "sigmoid", _:
                self.runtime.add("sigmoid")
                return call("sigmoid", texts)
            case "softplus", [a]:
                return call("np.logaddexp", [Text("0"), a])
            case "logsigmoid", [a]:
                return negated(call("np.logaddexp", [Text("0"), negated(a)]))
            case "lambertw", [a]:
                complex_ = call("np.asarray", [a, Text("complex")])
                branch = self._special("lambertw", [complex_]).code
                return Text(f"{branch}.real.astype({call('np.result_type', [a]).code})")
            case "sech" | "csch", [a]:
                return Text(f"1 / {call(_RECIPROCALS[op], [a]).code}", QUOTIENT)
        raise GenError(f"numpy has no {op}")

    def _polygamma(self, n: Operand, x: Operand) -> Text:
        if not n.is_number or not n.text.code.isdigit() or n.text.code == "0":
            raise GenError(f"polygamma needs a whole order from 1 on, given {n.text.code}")
        # scipy's polygamma makes float32 float64; the zeta function it is made of does not.
        order = int(n.text.code)
        if order > _HIGHEST_ORDER:
            raise GenError(f"polygamma has orders up to {_HIGHEST_ORDER}, given {order}")
        factor = (-1) ** (order + 1) * math.factorial(order)
        zeta = self._special("zeta", [Text(str(order + 1)), self.array(x)])
        return zeta if factor == 1 else Text(f"{factor} * {zeta.code}", PRODUCT)
