"""Random formulas of arrays, each beside what plain torch code makes of it.

A formula is drawn statement by statement; whatever was drawn may be used again. Its value
is computed along with its text, so that torch's autograd knows what is to be expected.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from hypothesis import strategies as st
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

Draw: TypeAlias = "Callable[[st.SearchStrategy[Any]], Any]"

# The inputs of a formula of arrays, by dimensions. S is positive definite.
SHAPES: dict[str, tuple[str, ...]] = {
    "x": ("N", "D"),
    "y": ("M", "D"),
    "A": ("D", "D"),
    "S": ("D", "D"),
    "W": ("D", "M"),
    "b": ("D",),
    "c": ("N",),
    "k": ("B", "N", "D"),
    "r": ("N", "1"),
    "l": ("...", "D"),
    "m": ("...", "M", "D"),
}
SIZES = {"N": (3, 1), "M": (4, 1), "D": (2, 3), "B": (2, 1)}
LEADING = ((), (2,), (3, 2))
# Shapes that broadcast with each other.
BROADCASTING = ((), (1,), (3,), (4, 1), (1, 3), (4, 3), (2, 1, 1), (2, 4, 3))


@dataclass(frozen=True)
class Part:
    """A value: how it is written, its dimensions, what it is."""

    text: str
    dims: tuple[str, ...]
    value: Tensor

    @property
    def leads(self) -> bool:
        return self.dims[:1] == ("...",)

    @property
    def tail(self) -> tuple[str, ...]:
        return self.dims[1:] if self.leads else self.dims


@dataclass
class Drawn:
    """A formula in the making."""

    inputs: dict[str, Tensor]
    shape: dict[str, tuple[str, ...]]
    parts: list[Part]
    constants: dict[str, float] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)
    outputs: list[Part] = field(default_factory=list)

    @property
    def expr(self) -> str:
        return "; ".join(self.statements)

    @property
    def options(self) -> dict[str, Any]:
        names = [one.text for one in self.outputs]
        args, const = [*self.inputs, *self.constants], list(self.constants)
        return {"args": args, "const": const, "shape": self.shape, "outputs": names}

    def __repr__(self) -> str:
        shapes = {name: tuple(one.shape) for name, one in self.inputs.items()}
        return f"{self.expr!r}, {self.options}, {shapes}"


# ---- elementwise

_UNARY: dict[str, Callable[[Tensor], Tensor]] = {
    "sin({})": torch.sin,
    "tanh({})": torch.tanh,
    "exp({})": torch.exp,
    "sigmoid({})": torch.sigmoid,
    "relu({})": torch.relu,
    "abs({})": torch.abs,
    "softplus({})": torch.nn.functional.softplus,
    "sqrt(1 + ({})**2)": lambda a: torch.sqrt(1 + a**2),
    "log(1 + ({})**2)": lambda a: torch.log(1 + a**2),
    "({})**2": lambda a: a**2,
    "({})**3": lambda a: a**3,
    "-({})": torch.neg,
    "2*({})": lambda a: 2 * a,
    "({})/3": lambda a: a / 3,
    "1 - ({})": lambda a: 1 - a,
    "3 + 0*({})": lambda a: 3 + 0 * a,
}

_BINARY: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "({}) + ({})": torch.add,
    "({}) - ({})": torch.sub,
    "({}) * ({})": torch.mul,
    "({}) / (1 + ({})**2)": lambda a, b: a / (1 + b**2),
    "maximum({}, {})": torch.maximum,
    "minimum({}, {})": torch.minimum,
}


def _unary(draw: Draw, drawn: Drawn) -> Part:
    a = draw(st.sampled_from(drawn.parts))
    text = draw(st.sampled_from(sorted(_UNARY)))
    return Part(text.format(a.text), a.dims, _UNARY[text](a.value))


def _fits(a: Part, b: Part) -> bool:
    """Whether numpy broadcasts the two whatever the sizes of their dimensions are."""
    pairs = zip(reversed(a.tail), reversed(b.tail), strict=False)
    if any(one != other and "1" not in (one, other) for one, other in pairs):
        return False
    longest = max(len(a.tail), len(b.tail))
    return all(len(one.tail) == longest for one in (a, b) if one.leads)


def _common(*parts: Part) -> tuple[str, ...]:
    longest = max((part.tail for part in parts), key=len)
    dims = list(longest)
    for part in parts:
        for place in range(1, len(part.tail) + 1):
            if part.tail[-place] != "1":
                dims[-place] = part.tail[-place]
    return (*(("...",) if any(part.leads for part in parts) else ()), *dims)


def _binary(draw: Draw, drawn: Drawn) -> Part | None:
    a = draw(st.sampled_from(drawn.parts))
    others = [one for one in drawn.parts if _fits(a, one)]
    b = draw(st.sampled_from(others))
    text = draw(st.sampled_from(sorted(_BINARY)))
    return Part(text.format(a.text, b.text), _common(a, b), _BINARY[text](a.value, b.value))


def _where(draw: Draw, drawn: Drawn) -> Part:
    a = draw(st.sampled_from(drawn.parts))
    b = draw(st.sampled_from([one for one in drawn.parts if _fits(a, one)]))
    both = Part("", _common(a, b), a.value)
    c = draw(st.sampled_from([one for one in drawn.parts if _fits(both, one)]))
    text = f"where({c.text} > 0.25, {a.text}, {b.text})"
    return Part(text, _common(both, c), torch.where(c.value > 0.25, a.value, b.value))


# ---- over axes

_REDUCTIONS: dict[str, Callable[[Tensor, tuple[int, ...], bool], Tensor]] = {
    "sum": lambda a, axes, keep: a.sum(axes, keep),
    "mean": lambda a, axes, keep: a.mean(axes, keep),
    "max": lambda a, axes, keep: a.amax(axes, keep),
    "amin": lambda a, axes, keep: a.amin(axes, keep),
    "var": lambda a, axes, keep: a.var(axes, correction=0, keepdim=keep),
    "norm": lambda a, axes, keep: torch.linalg.vector_norm(a, dim=axes, keepdim=keep),
    "logsumexp": lambda a, axes, keep: torch.logsumexp(a, axes, keep),
    "prod": lambda a, axes, keep: _product(a, axes, keep),
}


def _product(a: Tensor, axes: tuple[int, ...], keep: bool) -> Tensor:
    for axis in sorted((axis % a.ndim for axis in axes), reverse=True):
        a = a.prod(axis, keep)
    return a


def _reduced(draw: Draw, drawn: Drawn) -> Part | None:
    a = draw(st.sampled_from([one for one in drawn.parts if one.tail]))
    name = draw(st.sampled_from(sorted(_REDUCTIONS)))
    count = len(a.tail)
    places = draw(st.sets(st.integers(-count, -1), min_size=1))
    keep = draw(st.booleans())
    axes = tuple(sorted(places))
    if not a.leads and draw(st.booleans()):
        axes = tuple(axis + count for axis in axes)
    if not a.leads and len(axes) == count and not keep and draw(st.booleans()):
        return Part(f"{name}({a.text})", (), _REDUCTIONS[name](a.value, axes, False))
    written = str(axes[0]) if len(axes) == 1 else str(axes)
    option = ", keepdims=True" if keep else ""
    dims = [("1" if keep else "") if i - count in places else a.tail[i] for i in range(count)]
    lead = ("...",) if a.leads else ()
    value = _REDUCTIONS[name](a.value, axes, keep)
    text = f"{name}({a.text}, axis={written}{option})"
    return Part(text, (*lead, *(one for one in dims if one)), value)


def _reduced_to_a_number(draw: Draw, drawn: Drawn) -> Part:
    a = draw(st.sampled_from(drawn.parts))
    name = draw(st.sampled_from(sorted(_REDUCTIONS)))
    return Part(f"{name}({a.text})", (), _REDUCTIONS[name](a.value.flatten(), (0,), False))


def _normalised(draw: Draw, drawn: Drawn) -> Part | None:
    candidates = [one for one in drawn.parts if one.tail]
    a = draw(st.sampled_from(candidates))
    axis = draw(st.integers(-len(a.tail), -1))
    if a.tail[axis] == "1":
        return None
    name = draw(st.sampled_from(["softmax", "log_softmax"]))
    value = getattr(torch, name)(a.value, axis)
    return Part(f"{name}({a.text}, axis={axis})", a.dims, value)


# ---- axes and matrices


def _transposed(draw: Draw, drawn: Drawn) -> Part | None:
    candidates = [one for one in drawn.parts if len(one.tail) > 1]
    a = draw(st.sampled_from(candidates))
    if not a.leads and draw(st.booleans()):
        axes = tuple(reversed(range(a.value.ndim)))
        return Part(f"({a.text}).T", a.dims[::-1], a.value.permute(axes))
    return Part(f"({a.text}).mT", (*a.dims[:-2], *a.dims[:-3:-1]), a.value.mT)


def _extended(draw: Draw, drawn: Drawn) -> Part | None:
    a = draw(st.sampled_from([one for one in drawn.parts if one.tail]))
    if len(a.tail) > 2 or (a.leads and len(a.tail) > 1):
        return None
    if a.leads:
        return Part(f"({a.text})[..., None]", (*a.dims, "1"), a.value[..., None])
    place = draw(st.integers(0, len(a.dims)))
    key = ", ".join((*[":"] * place, "None", *[":"] * (len(a.dims) - place)))
    dims = (*a.dims[:place], "1", *a.dims[place:])
    return Part(f"({a.text})[{key}]", dims, a.value.unsqueeze(place))


def _stack(part: Part) -> tuple[str, ...]:
    return part.dims[: len(part.dims) - min(len(part.tail), 2)]


def _multiplied(draw: Draw, drawn: Drawn) -> Part | None:
    a = draw(st.sampled_from([one for one in drawn.parts if one.tail and one.tail[-1] != "1"]))
    k = a.tail[-1]
    others = [one for one in drawn.parts if one.tail and one.tail[-2:][0] == k]
    if not others:
        return None
    b = draw(st.sampled_from(others))
    if any(one.leads and len(one.tail) == 1 for one in (a, b)):
        # To plain code the leading dimensions of a vector are those of a matrix.
        if b.leads or len(b.dims) != 2:
            return None
        return Part(f"({a.text}) @ ({b.text})", (*a.dims[:-1], b.dims[-1]), a.value @ b.value)
    stacks = [Part("", _stack(one), one.value) for one in (a, b)]
    if all(one.dims for one in stacks) and not _fits(*stacks):
        return None
    batch = _common(*stacks)
    dims = (*batch, *a.tail[-2:-1], *(b.tail[-1:] if len(b.tail) > 1 else ()))
    return Part(f"({a.text}) @ ({b.text})", dims, a.value @ b.value)


def _summed(draw: Draw, drawn: Drawn) -> Part | None:
    """An einsum of one to three operands; a dimension has a letter, or two."""
    candidates = [one for one in drawn.parts if one.dims and "1" not in one.dims]
    parts = draw(st.lists(st.sampled_from(candidates), min_size=1, max_size=3))
    letters: dict[str, str] = {}  # the dimension of each letter
    sides = []
    for part in parts:
        side = ""
        for dim in part.tail:
            known = [one for one in sorted(letters) if letters[one] == dim]
            if not known or draw(st.integers(0, 3)) == 0:
                known = ["ijklnopqrstuv"[len(letters)]]
            letter = draw(st.sampled_from(known))
            letters[letter] = dim
            side += letter
        sides.append(("..." if part.leads else "") + side)
    kept = draw(st.permutations(sorted(letters)))[: draw(st.integers(0, 3))]
    dots = any(part.leads for part in parts)
    right = ("..." if dots else "") + "".join(kept)
    equation = f"{','.join(sides)}->{right}"
    text = f"einsum('{equation}', {', '.join(part.text for part in parts)})"
    value = torch.einsum(equation, *(part.value for part in parts))
    dims = (*(("...",) if dots else ()), *(letters[letter] for letter in kept))
    return Part(text, dims, value)


def _solved(draw: Draw, drawn: Drawn) -> Part | None:
    """A function of the matrix S."""
    s = next((one for one in drawn.parts if one.text == "S"), None)
    if s is None:
        return None
    kind = draw(st.sampled_from(["inv", "det", "logdet", "trace", "solve"]))
    if kind == "inv":
        return Part("inv(S)", s.dims, torch.linalg.inv(s.value))
    if kind == "solve":
        sides = [one for one in drawn.parts if one.dims[-2:-1] == ("D",) or one.dims == ("D",)]
        sides = [one for one in sides if len(one.dims) < 3]
        b = draw(st.sampled_from([*sides, s]))
        return Part(f"solve(S, {b.text})", b.dims, torch.linalg.solve(s.value, b.value))
    functions = {"det": torch.linalg.det, "logdet": torch.logdet, "trace": torch.trace}
    return Part(f"{kind}(S)", (), functions[kind](s.value))


_KINDS = (_unary, _binary, _where, _reduced, _normalised, _transposed, _extended, _multiplied)
_ALL = (*_KINDS, _unary, _binary, _binary, _reduced, _multiplied, _summed, _summed, _solved)


@st.composite
def formulas(draw: st.DrawFn) -> Drawn:
    """Formulas over declared shapes, now and then with an undeclared number t, a constant q."""
    sizes = {name: draw(st.sampled_from(options)) for name, options in SIZES.items()}
    leading = draw(st.sampled_from(LEADING))
    names = draw(st.lists(st.sampled_from(sorted(SHAPES)), min_size=1, max_size=4, unique=True))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 3)))
    drawn = Drawn({}, {name: SHAPES[name] for name in names}, [])
    for name in names:
        size = [sizes.get(one, 1) for one in SHAPES[name] if one != "..."]
        lead = leading if "..." in SHAPES[name] else ()
        lead = lead[draw(st.integers(0, len(lead))) :]
        value = torch.randn((*lead, *size), generator=generator, dtype=torch.float64)
        if name == "S":
            value = value @ value.mT + 2 * torch.eye(len(value), dtype=value.dtype)
        drawn.inputs[name] = value.requires_grad_()
        drawn.parts.append(Part(name, SHAPES[name], value))
    if draw(st.booleans()):
        t = torch.tensor(0.6, dtype=torch.float64, requires_grad=True)
        drawn.inputs["t"] = t
        first = drawn.parts[0]
        drawn.parts.append(Part(f"(t*{first.text})", first.dims, t * first.value))
    if draw(st.booleans()):
        drawn.constants["q"] = 0.7
        drawn.parts.append(Part("q", (), torch.tensor(0.7, dtype=torch.float64)))
    _draw_statements(draw, drawn, _ALL)
    return drawn


@st.composite
def programs(draw: st.DrawFn) -> Drawn:
    """Elementwise formulas of numbers, with much sharing."""
    drawn = Drawn({}, {}, [])
    for name, at in zip("xyz", (0.7, 1.3, -0.4), strict=True):
        value = torch.tensor(at, dtype=torch.float64, requires_grad=True)
        drawn.inputs[name] = value
        drawn.parts.append(Part(name, (), value))
    _draw_statements(draw, drawn, (_unary, _binary, _binary, _where))
    return drawn


@st.composite
def broadcasting(draw: st.DrawFn) -> Drawn:
    """Formulas of undeclared inputs that broadcast with each other."""
    drawn = Drawn({}, {}, [])
    generator = torch.Generator().manual_seed(draw(st.integers(0, 3)))
    for name in "xyz"[: draw(st.integers(1, 3))]:
        size = draw(st.sampled_from(BROADCASTING))
        value = torch.randn(size, generator=generator, dtype=torch.float64)
        drawn.inputs[name] = value.requires_grad_()
        drawn.parts.append(Part(name, ("...",), value))
    _draw_statements(draw, drawn, (_unary, _binary, _binary, _where, _reduced_to_a_number))
    return drawn


def _draw_statements(
    draw: st.DrawFn, drawn: Drawn, kinds: tuple[Callable[[Draw, Drawn], Part | None], ...]
) -> None:
    for place in range(draw(st.integers(1, 7))):
        kind = draw(st.sampled_from(kinds))
        candidates = drawn.parts
        if kind in (_reduced, _normalised, _extended) and not any(o.tail for o in candidates):
            continue
        if kind is _transposed and not any(len(one.tail) > 1 for one in candidates):
            continue
        if kind is _multiplied and not any(o.tail and o.tail[-1] != "1" for o in candidates):
            continue
        if kind is _summed and not any(o.dims and "1" not in o.dims for o in candidates):
            continue
        part = kind(draw, drawn)
        if part is None or part.value.numel() > 500 or part.value.ndim > 4:
            continue
        if draw(st.booleans()):
            drawn.statements.append(f"v{place} = {part.text}")
            part = Part(f"v{place}", part.dims, part.value)
        drawn.parts.append(part)
    count = draw(st.integers(1, 3))
    for place, part in enumerate(drawn.parts[-count:]):
        drawn.statements.append(f"u{place} = {part.text}")
        drawn.outputs.append(Part(f"u{place}", part.dims, part.value))


def is_tame(values: list[Tensor]) -> bool:
    """Whether rounding cannot hide or feign a difference."""
    return all(bool(one.isfinite().all()) and one.abs().max() < 1e5 for one in values)


def cotangent(output: Tensor) -> Tensor:
    """Cotangents that are not constant."""
    count = torch.arange(1.0, output.numel() + 1, dtype=output.dtype)
    return count.cos().reshape(output.shape)
