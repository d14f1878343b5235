"""The numpy backend: the embedded default.

In: a kernel. Out: the strings of templates/numpy/module.py.jinja.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, ClassVar

from gen.backends.arrays import Operand as Code
from gen.backends.arrays import method
from gen.backends.code import Dialect, call, logical
from gen.backends.emitter import Emitter, without_collisions
from gen.backends.layout import assigned, called, imported, listed, returning
from gen.errors import GenError
from gen.graph.infix import ATOM, BIT_AND, BIT_OR, PRODUCT, QUOTIENT, SIGN, Text, enclose, negated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gen.backends.custom import Customs
    from gen.model import Kernel, Operand

# What the module needs for itself; an input of such a name gets an underscore.
_RESERVED = frozenset(
    "any np special staticmethod tuple float ctx inputs grad_output output "
    "Array ArrayLike Context Function TupleFunction array arrays "
    "needs_input_grad saved_tensors save_for_backward".split()
)

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


@dataclass(slots=True)
class _Dialect:
    """numpy's spellings; it notes what the module has to import from its runtime."""

    beside: tuple[str, ...]  # the arrays whose dtype a plain number takes
    runtime: set[str]  # the names that the module imports from its runtime
    customs: Customs  # the user's own functions
    keep: str = "keepdims=True"

    def scalar(self, number: Text) -> Text:
        self.runtime.add("scalar")
        return call("scalar", [number, *map(Text, self.beside)])

    def call(self, op: str, operands: Sequence[Code]) -> Text:
        if op == "select":
            return self._where(operands)
        if op == "polygamma":
            return self._polygamma(*operands)
        if op in _ARRAYS_ONLY or (op == "clamp" and operands[0].is_number):
            operands = [Code(self._array(one), False) for one in operands]
        if all(one.is_number for one in operands):
            # Functions of plain numbers are float64, and would make float32 so.
            operands = [Code(self.scalar(operands[0].text), False), *operands[1:]]
        texts = [one.text for one in operands]
        if op in _NUMPY:
            return call(_NUMPY[op], texts)
        if op in _SCIPY:
            return self._special(_SCIPY[op], texts)
        if op in _SCIPY_PARTS:
            function, part = _SCIPY_PARTS[op]
            return Text(f"{self._special(function, texts).code}[{part}]")
        return self._other(op, operands)

    def custom(self, name: str, operands: Sequence[Code]) -> Text:
        return self.customs.call(name, [self._array(one) for one in operands])

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
        if kind == "prod_others":
            return self.runtime_call(kind, [operand, *([Text(axes)] if axes else [])])
        return self._special(kind, [operand, *([Text(f"axis={axes}")] if axes else [])])

    def einsum(self, equation: str, operands: Sequence[Text]) -> Text:
        return self.runtime_call("einsum", [Text(f'"{equation}"'), *operands])

    def linalg(self, kind: str, operands: Sequence[Text]) -> Text:
        if kind == "logdet":
            return Text(f"{call('np.linalg.slogdet', operands).code}.logabsdet")
        if kind == "cofactor":
            return self.runtime_call(kind, operands)
        return call(f"np.linalg.{kind}", operands)

    def runtime_call(self, function: str, operands: Sequence[Text]) -> Text:
        self.runtime.add(function)
        return call(function, operands)

    def eye(self, size: Text) -> Text:
        return self.runtime_call("eye", [size, *map(Text, self.beside)])

    # ---- elementwise

    def _special(self, function: str, texts: Sequence[Text]) -> Text:
        return call(f"special.{function}", texts)

    def _where(self, operands: Sequence[Code]) -> Text:
        condition, yes, no = operands
        if yes.is_number and no.is_number:
            yes = Code(self.scalar(yes.text), False)
        return call("np.where", [condition.text, yes.text, no.text])

    def _other(self, op: str, operands: Sequence[Code]) -> Text:
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

    def _array(self, one: Code) -> Text:
        return self.scalar(one.text) if one.is_number else one.text

    def _polygamma(self, n: Code, x: Code) -> Text:
        if not n.is_number or not n.text.code.isdigit() or n.text.code == "0":
            raise GenError(f"polygamma needs a whole order from 1 on, given {n.text.code}")
        # scipy's polygamma makes float32 float64; the zeta function it is made of does not.
        order = int(n.text.code)
        if order > _HIGHEST_ORDER:
            raise GenError(f"polygamma has orders up to {_HIGHEST_ORDER}, given {order}")
        factor = (-1) ** (order + 1) * math.factorial(order)
        zeta = self._special("zeta", [Text(str(order + 1)), self._array(x)])
        return zeta if factor == 1 else Text(f"{factor} * {zeta.code}", PRODUCT)


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
        return _Dialect(tuple(beside), self.runtime, self.customs)

    def target(self, operand: Operand) -> str:
        return self.outline.identifier(operand) if operand.saved else self.outline.kept(operand)

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
        numbers = [f"{name} = number({name})" for name in self.outline.numbers]
        self.runtime |= {"number"} if numbers else set()
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
