"""Block → lines of Python.

In: a block, the names of its inputs, a dialect that knows how a library spells its
functions. Out: lines. A node that is used once stands where it is used, as long as the
line stays short; the others are assigned first. Lines never need a formatter to break
them, so they read the same under every line length from 88 up.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from gen.backends.arrays import ARRAY_OPERATIONS, ArrayDialect, Operand, array_operation
from gen.backends.layout import WIDTH, broken
from gen.graph.conditions import MIRRORED
from gen.graph.graph import (
    BOOLEANS,
    COMPARISONS,
    COTANGENT,
    CUSTOM,
    FLAG,
    INPUT,
    OUTPUT,
    Graph,
    Node,
    constants,
)
from gen.graph.infix import (
    AND,
    ATOM,
    CHOICE,
    COMPARE,
    NOT,
    OR,
    SUM,
    Text,
    divided,
    enclose,
    flag,
    infix,
    literal,
    raised,
    third,
)
from gen.naming import snake_case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gen.backends.names import Names
    from gen.model import Block

# Operations whose kind, in the payload, says more than their name.
_KINDS = frozenset({"reduce", "normalise", "linalg"})

# Operations whose name says nothing about their value.
_NAMELESS = frozenset({"neg", "pow", "view", "expand", "einsum"})

# The input at the start of a view of it.
_NAME = re.compile(r"\w+")

# What stands before an expression on its line at most: indentation, a name, "return".
_BEFORE = 28

# What a name may stand for.
ARRAY, MASK, FLOAT = "array", "mask", "float"

_LOGICAL = frozenset({"and", "or", "not"})

_OPTIONAL = {"optional_add": "add", "optional_sub": "sub", "optional_mul": "mul"}


class Dialect(ArrayDialect, Protocol):
    """How a library spells what arithmetic does not."""

    def call(self, op: str, operands: Sequence[Operand]) -> Text:
        """The code of a function, selection or boolean operation."""

    def custom(self, name: str, operands: Sequence[Operand]) -> Text:
        """The code of a function of the user's own."""

    def truth(self, condition: Text) -> Text:
        """A condition of plain numbers as an array."""

    def filled(self, number: Text) -> Text:
        """An array of the shape of those beside it, of one number throughout."""


class Writer:
    """Writes one block.

    Args:
        block: what to write.
        numbers: the inputs that are plain numbers.
        names: what the inputs are called, and where new names come from.
        dialect: how the library spells functions.
        shape: the code of the shape of an input or a cotangent, by kind and name.
        uniform: whether all arrays in it have the same shape.
    """

    def __init__(
        self,
        block: Block,
        numbers: Iterable[str],
        names: Names,
        dialect: Dialect,
        shape: Callable[[str, str], str],
        uniform: bool = False,
    ) -> None:
        self.shape = shape
        self.uniform = uniform
        self.block = block
        self.graph: Graph = block.graph
        self.names = names
        self.dialect = dialect
        self.lines: list[str] = []
        self.kinds: dict[str, str] = {}  # of each name assigned: ARRAY, MASK or FLOAT
        self.arrays: set[str] = set()  # those that are no plain numbers
        self.made: list[str] = []  # all of them, in order
        self._order = self.graph.order([r for r in block.results if r is not None])
        self.fixed = constants(self.graph, self._order)
        self._shared = frozenset(block.shared)
        self._numbers = frozenset(numbers)
        self._operands: dict[int, Operand] = {}
        self._powers: dict[int, tuple[int, int]] = {}

    # ---- lines

    def write(self, indent: str, wanted: Iterable[int] | None = None) -> None:
        """Compute all nodes, or the `wanted` ones, assigning those that deserve a name."""
        for node in self._order if wanted is None else wanted:
            if node not in self._operands:
                self._compute(node, indent)

    def code(self, node: int) -> str:
        return self._operands[node].text.code

    def named(self, node: int) -> str:
        """The name of a node, which is given one if need be."""
        if not self._is_atom(node):
            self._assign(node, "")
        return self.code(node)

    def is_number(self, node: int) -> bool:
        return self._operands[node].is_number

    def needs(self) -> dict[int, int]:
        """For each operation in order, the results that need it: one bit for each place."""
        needed = dict.fromkeys(self._order, 0)
        for place, root in enumerate(self.block.results):
            if root is not None:
                needed[root] |= 1 << place
        for node in reversed(self._order):
            for arg in self.graph[node].args:
                needed[arg] |= needed[node]
        return needed

    def owners(self) -> dict[int, int]:
        """For each operation in order, the place of the one result that needs it; -1: several."""
        found: dict[int, int] = {}
        for place, root in enumerate(self.block.results):
            if root is not None:
                found[root] = -1 if root in found else place
        for node in reversed(self._order):
            owner = found[node]
            for arg in self.graph[node].args:
                found[arg] = owner if found.setdefault(arg, owner) == owner else -1
        return {node: found[node] for node in self._order}

    def _compute(self, node: int, indent: str) -> None:
        operand = self._written(node)
        while len(operand.text.code) > WIDTH - _BEFORE and self._hoist(node, indent):
            operand = self._written(node)
        self._operands[node] = operand
        if node in self._shared:
            self._assign(node, indent)

    def _hoist(self, node: int, indent: str) -> bool:
        """Give the longest operand of `node` a name; False where all have one."""
        inline = [arg for arg in self.graph[node].args if not self._is_atom(arg)]
        if not inline:
            return False
        self._assign(max(inline, key=lambda arg: len(self.code(arg))), indent)
        return True

    def _is_atom(self, node: int) -> bool:
        return node in self.fixed or self.code(node).isidentifier()

    def _assign(self, node: int, indent: str) -> None:
        name = self.names.fresh(self._hint(node))
        operand = self._operands[node]
        self.lines += broken(f"{indent}{name} = {operand.text.code}")
        self._operands[node] = Operand(Text(name), operand.is_number)
        mask = MASK if self.graph.nodes[node].op in BOOLEANS else ARRAY
        self.kinds[name] = FLOAT if operand.is_number else mask
        self.made.append(name)
        if not operand.is_number:
            self.arrays.add(name)

    # ---- names

    def _hint(self, node: int) -> str:
        """A name that says what the value is, where that is short to say."""
        op, args, _ = self.graph[node]
        if node in self._powers:
            base, exponent = self._powers[node]
            name = self.code(base)
            separator = "_" if name[-1:].isdigit() else ""
            return f"{name}{separator}{exponent}" if name.isidentifier() else "t"
        if op in BOOLEANS:
            return "mask"
        if op == CUSTOM:
            op = snake_case(str(self.graph[node].payload))
        if op in _KINDS and isinstance(self.graph[node].payload, tuple):
            op = str(self.graph[node].payload[0])  # type: ignore[index]
        if len(args) == 1 and op not in _NAMELESS and self.code(args[0]).isidentifier():
            return f"{op}_{self.code(args[0])}"
        return "t"

    def _note_power(self, node: int) -> None:
        op, args, payload = self.graph.nodes[node]
        if op == "pow" and isinstance(payload, int):
            self._powers[node] = (args[0], payload)
        if op == "mul":
            a, b = args
            (base, m), (same, n) = self._powers.get(a, (a, 1)), self._powers.get(b, (b, 1))
            if base == same:
                self._powers[node] = (base, m + n)

    # ---- expressions

    def _written(self, node: int) -> Operand:
        """The code of one node, from that of its operands."""
        op, args, payload = self.graph.nodes[node]
        if node in self.fixed and op not in ("true", "false"):
            return Operand(literal(self.graph, node), True)
        if op in (COTANGENT, OUTPUT):
            return Operand(Text(self.names.of_outputs[str(payload)]), False)
        if op == INPUT:
            name = str(payload)
            return Operand(Text(self.names.of_inputs[name]), name in self._numbers)
        if op in ("mul", "pow"):
            self._note_power(node)
        operands = [self._operands[arg] for arg in args]
        return self._operation(self.graph.nodes[node], operands)

    def _operation(self, node: Node, operands: list[Operand]) -> Operand:
        if node.op in ARRAY_OPERATIONS:
            return array_operation(node, operands, self.dialect, self.shape)
        texts = [operand.text for operand in operands]
        if node.op in _OPTIONAL:
            return Operand(self._optional(node, texts), False)
        numbers_only = False not in [operand.is_number for operand in operands]
        fraction = third(self.graph, node) if node.op == "mul" else None
        if fraction is not None:
            return Operand(divided(texts[1], fraction), numbers_only)
        if node.op == FLAG:
            return Operand(flag(node, texts[0], '"'), True)
        if node.op in _LOGICAL and numbers_only:
            return Operand(_logical(node.op, texts), True)
        if node.op == "select" and operands[0].is_number:
            return self._chosen(node, operands)
        is_comparison = node.op in COMPARISONS
        if is_comparison and numbers_only:
            texts[0] = self.dialect.scalar(texts[0])
        elif is_comparison and operands[0].is_number:
            node, texts = node._replace(op=MIRRORED[node.op]), texts[::-1]
        arithmetic = infix(node, texts)
        if arithmetic is not None:
            return Operand(arithmetic, numbers_only and not is_comparison)
        if node.op == "power" and not numbers_only:
            return Operand(raised(*texts), False)
        if node.op == CUSTOM:
            return Operand(self.dialect.custom(str(node.payload), operands), False)
        return Operand(self.dialect.call(node.op, operands), False)

    def _chosen(self, node: Node, operands: list[Operand]) -> Operand:
        """A choice by constants: a branch of Python wherever both values have one shape."""
        condition, yes, no = operands
        if not (yes.is_number and no.is_number):
            if not self.uniform:
                stand_in = Operand(self.dialect.truth(condition.text), False)
                return Operand(self.dialect.call("select", [stand_in, yes, no]), False)
            yes, no = (
                Operand(self.dialect.filled(one.text), False) if one.is_number else one
                for one in (yes, no)
            )
        code = f"{enclose(yes.text, OR)} if {condition.text.code} else {enclose(no.text, CHOICE)}"
        return Operand(Text(code, CHOICE), yes.is_number and no.is_number)

    def _optional(self, node: Node, texts: list[Text]) -> Text:
        """`a` where the input `b` is left out, else a + b, a - b or a * b."""
        a, b = texts
        both = infix(node._replace(op=_OPTIONAL[node.op]), [a, b])
        assert both is not None
        name = _NAME.match(b.code)
        assert name is not None
        return Text(f"{enclose(a, SUM)} if {name[0]} is None else {both.code}", CHOICE)


def _logical(op: str, texts: Sequence[Text]) -> Text:
    """Python's own and, or and not."""
    if op == "not":
        return Text(f"not {enclose(texts[0], COMPARE)}", NOT)
    binding = {"and": AND, "or": OR}[op]
    return Text(f" {op} ".join(enclose(one, binding + 1) for one in texts), binding)


def call(function: str, operands: Iterable[Text]) -> Text:
    """A call; its arguments need no parentheses."""
    return Text(f"{function}({', '.join(operand.code for operand in operands)})", ATOM)


def logical(sign: str, binding: int, operands: Iterable[Text]) -> Text:
    """Elementwise and/or, whose signs bind more tightly than comparisons."""
    return Text(f" {sign} ".join(enclose(one, binding) for one in operands), binding)
