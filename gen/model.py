"""What the stages hand to each other: small, frozen, in the order of the road.

Request → Formula → Program → Kernel → a backend's own strings → File. Nothing here
computes; a request brings what it was given into one form.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from gen.errors import GenError
from gen.graph.graph import COTANGENT, OUTPUT
from gen.graph.indices import ELLIPSIS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.graph.graph import Graph, Leaf
    from gen.graph.indices import Index


# How long an expression may be.
MAX_CHARACTERS = 10_000_000

# What forward may leave for backward: whatever is cheapest, inputs alone, or outputs
# wherever they are of use.
SAVE = ("auto", "inputs", "output")

# What an input that is no tensor may be.
Constant: TypeAlias = float | int | bool | str

# One axis of an array: an index, or None where its size is 1.
Axis: TypeAlias = "Index | None"


def _quoted(expr: str) -> str:
    # One kind of quotes, so that the command in the header can have the other.
    return expr.strip().replace('"', "'")


@dataclass(frozen=True, slots=True)
class Definition:
    """A function that expressions may call, an expression itself."""

    name: str  # "P3"
    parameters: tuple[str, ...] | None  # ("x",); None: those it has, by first appearance
    expr: str  # "0.5*(5*x**3-3*x)"
    outputs: tuple[str, ...] = ()  # names it assigns that are its values; empty: as for a request

    def __post_init__(self) -> None:
        object.__setattr__(self, "expr", _quoted(self.expr))


@dataclass(frozen=True, slots=True)
class Primitive:
    """A function of the user's own, which emitted code calls."""

    name: str  # "f"
    parameters: tuple[str, ...]  # ("x", "n")
    spellings: tuple[tuple[str, str], ...]  # ("numpy", "mylib.ops.f"), by backend
    derivatives: tuple[str | None, ...]  # ("n*f(x, n - 1)", None): in each; None: there is none


@dataclass(frozen=True, slots=True)
class Gradient:
    """A gradient that is not the derivative, by declaration; empty: it is the derivative."""

    backward: tuple[tuple[str, str], ...] = ()  # ("x", "grad_output/(1 + x**2)"); "": of the one
    primitive: str = ""  # whose derivative backward is: "atan(x)"
    straight_through: bool = False  # whether rounding and steps count as the identity
    clamp: tuple[str, str] | None = None  # bounds of each gradient: ("-1", "1")
    once: bool = False  # whether a second derivative is refused

    def __post_init__(self) -> None:
        object.__setattr__(self, "primitive", _quoted(self.primitive))
        rules = tuple(sorted((name, _quoted(rule)) for name, rule in self.backward))
        object.__setattr__(self, "backward", rules)

    @property
    def is_declared(self) -> bool:
        """Whether backward is something else than the derivative."""
        return bool(self.backward or self.primitive or self.straight_through or self.clamp)


@dataclass(frozen=True, slots=True)
class Forms:
    """What a module has beside its function; of use to PyTorch alone."""

    module: bool = False  # whether there is a torch.nn.Module
    parameters: tuple[tuple[str, float], ...] = ()  # ("alpha", 1.0), its learnable scalars
    operator: str = ""  # the namespace of an operator of torch.library; empty: none

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", tuple(sorted(self.parameters)))


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for, the same from the command, gen.toml and Python."""

    name: str  # the class: "P3"
    expr: str  # the expression as text, stripped: "0.5*(5*x**3-3*x)"
    args: tuple[str, ...] = ()  # inputs in the order wanted; empty: first appearance
    const: tuple[str, ...] = ()  # inputs that are plain numbers without a gradient
    optional: tuple[str, ...] = ()  # inputs that may be None
    shape: tuple[tuple[str, tuple[str, ...]], ...] = ()  # ("weight", ("O", "I")), by name
    outputs: tuple[str, ...] = ()  # names the expression assigns; empty: those it does not use
    save: str = "auto"  # what forward may leave for backward: see SAVE
    definitions: tuple[Definition, ...] = ()  # what it may call besides the language
    primitives: tuple[Primitive, ...] = ()  # what it may call that code of the user's evaluates
    default: tuple[tuple[str, Constant], ...] = ()  # ("beta", 1.0), what inputs are if left out
    gradient: Gradient = Gradient()  # what backward is to be instead of the derivative
    forms: Forms = Forms()  # what is emitted beside the function

    def __post_init__(self) -> None:
        object.__setattr__(self, "expr", _quoted(self.expr))
        for kind in ("definitions", "primitives"):
            by_name = {one.name: one for one in getattr(self, kind)}
            object.__setattr__(self, kind, tuple(by_name[name] for name in sorted(by_name)))
        both = {one.name for one in self.definitions} & {one.name for one in self.primitives}
        for name in sorted(both):
            raise GenError(f"{name} is a function and a primitive; one of them needs another name")
        object.__setattr__(self, "shape", tuple(sorted(self.shape)))
        object.__setattr__(self, "default", tuple(sorted(self.default)))
        for option in ("args", "const", "optional", "outputs"):
            names: tuple[str, ...] = getattr(self, option)
            if len(set(names)) < len(names):
                raise GenError(f"--{option} {','.join(names)} names one twice")

    @property
    def declared(self) -> tuple[str, ...]:
        """Every name that an option makes an input."""
        shaped = (name for name, _ in self.shape)
        return (*self.args, *self.const, *self.optional, *shaped)


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a formula."""

    name: str  # as in the expression
    differentiable: bool = True  # False: a constant, kept on ctx, gradient None
    optional: bool = False  # True: may be None, and its operation is skipped then
    order: tuple[Axis, ...] = (ELLIPSIS,)  # its axes: any leading dimensions, then these
    dimensions: tuple[str, ...] | None = None  # what its shape is checked against; None: any
    loose: bool = False  # True: axes may be missing or 1, as far as broadcasting goes
    read: bool = True  # False: declared alone, the expression does not have it
    kind: str = "float"  # of a constant: "float", "bool" or "str"
    words: tuple[str, ...] = ()  # what a text may be: those it is compared with, and its default
    default: Constant | None = None  # what it is if it is left out; None: it has to be given


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a formula."""

    name: str  # "u"; "output" where there is one alone
    node: int
    order: tuple[Axis, ...] = (ELLIPSIS,)  # its axes
    leading: tuple[str, ...] = ()  # the inputs that its leading dimensions come from

    @property
    def axes(self) -> frozenset[Index]:
        """Its axes but those of size 1; the node may be the same along some of them."""
        return frozenset(axis for axis in self.order if axis is not None)

    @property
    def grad(self) -> str:
        """The name of its cotangent."""
        return f"grad_{self.name}"


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression, understood: what every backend starts from."""

    request: Request  # what was asked for; the header of the emitted file repeats it
    inputs: tuple[Input, ...]  # in the order of the emitted signature
    graph: Graph  # the expression
    outputs: tuple[Output, ...]  # its values, at least one

    has_tensors: bool = False  # whether it is more than one elementwise value
    gradients: tuple[tuple[str, int], ...] = ()  # declared, by input
    primitives: tuple[int, ...] = ()  # of the outputs: what is differentiated in their place

    @property
    def roots(self) -> tuple[int, ...]:
        """The nodes of the outputs."""
        return tuple(one.node for one in self.outputs)

    @property
    def ends(self) -> tuple[int, ...]:
        """Those, and the nodes that the declared gradient is made of."""
        return (*self.roots, *self.primitives, *(node for _, node in self.gradients))

    @property
    def differentiated(self) -> Formula:
        """The formula whose derivative backward is."""
        pairs = zip(self.outputs, self.primitives, strict=bool(self.primitives))
        return replace(self, outputs=tuple(replace(a, node=b) for a, b in pairs) or self.outputs)

    @property
    def leading(self) -> dict[Leaf, tuple[str, ...]]:
        """The inputs that outputs and their cotangents have their leading dimensions from."""
        found: dict[Leaf, tuple[str, ...]] = {}
        for one in self.outputs:
            found[OUTPUT, one.name] = found[COTANGENT, one.grad] = one.leading
        return found


@dataclass(frozen=True, slots=True)
class Expression:
    """A node with the graph that it belongs to."""

    graph: Graph
    node: int


@dataclass(frozen=True, slots=True)
class Program:
    """Forward and VJP in one graph."""

    formula: Formula
    graph: Graph
    outputs: tuple[int, ...]  # the values
    gradients: tuple[int | None, ...]  # the cotangent of each input; None: not differentiable
    derivatives: tuple[Expression | None, ...]  # to be shown; None: not differentiable
    slopes: bool  # whether they are d output / d input; False: gradients in the cotangents

    @property
    def roots(self) -> list[int]:
        """The outputs, then the gradients that there are."""
        return [*self.outputs, *(node for node in self.gradients if node is not None)]

    def moved(self, graph: Graph, roots: Sequence[int]) -> Program:
        """The same program in another graph, its roots there in the same order."""
        count = len(self.outputs)
        rest = iter(roots[count:])
        gradients = tuple(None if node is None else next(rest) for node in self.gradients)
        return replace(self, graph=graph, outputs=tuple(roots[:count]), gradients=gradients)


@dataclass(frozen=True, slots=True)
class Block:
    """Straight-line code: a graph whose nodes are computed once, in order."""

    graph: Graph
    shared: tuple[int, ...]  # nodes used more than once: each gets a name
    results: tuple[int | None, ...]  # what the block computes; None: nothing is asked


@dataclass(frozen=True, slots=True)
class Operand:
    """What a kernel does with one input."""

    input: Input
    dimensions: tuple[str, ...] | None  # checked before running: ("...", "I"); None: any
    saved: bool  # whether backward is given it
    reduced: bool  # whether its cotangent may be larger than it, and is summed to it
    shaped: bool  # whether backward needs its shape alone
    zero: bool  # whether its gradient is 0 everywhere


@dataclass(frozen=True, slots=True)
class Kernel:
    """A program as straight-line code, with what forward leaves for backward."""

    formula: Formula
    forward: Block  # one result for each output
    backward: Block  # one result for each input
    operands: tuple[Operand, ...]  # one for each input
    saved_outputs: tuple[bool, ...]  # for each output, whether backward is given it
    expands: bool  # whether the output may lack dimensions of an input, and is expanded
    derivatives: tuple[str | None, ...]  # in the language; None: none, or too long to show
    slopes: bool  # as in the program
    is_linear: bool  # whether the gradients are linear in the cotangents
    forward_operations: int
    backward_operations: int  # with all gradients asked for
    repeated_operations: int  # those of forward that backward computes again
    eager: int | None  # how many tensors PyTorch's own autograd would keep; None: not known


@dataclass(frozen=True, slots=True)
class File:
    """One file to write: its name inside the output folder, and its text."""

    name: str  # "p3_torch.py"
    text: str
    yields: bool = False  # True: a file of that name that is not ours stays as it is
