"""sympy.Expr → graph, bottom-up, with a stack of its own.

In: an expression. Out: a term, or a `GenError` that names the class of SymPy that the
language does not have. Expressions are told apart by identity: hashing or comparing them
would walk the tree, and SymPy does so by recursion.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from gen.errors import GenError, nearest
from gen.frontend.heads import HINTS, apply, head
from gen.frontend.recognise import Families, families
from gen.graph.algebra import Term, constant, custom, number, symbol, truth
from gen.graph.conditions import select
from gen.graph.evaluate import CONSTANTS, decide
from gen.graph.functions import FUNCTIONS
from gen.graph.graph import BOOLEANS, Builder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import sympy

    # What some symbols stand for.
    Known: TypeAlias = Mapping[sympy.Basic, Term]

# Sums and products are written out: so many terms each, so many nodes in all of them, and
# so many inside each other.
MAX_TERMS = 10_000
MAX_WRITTEN_OUT = 400_000
MAX_NESTED = 20

# Only small sums and products are put into the order in which people write them.
_FEW, _FLAT = 32, 12


@dataclass(slots=True)
class Conversion:
    """One expression on its way into the graph of `builder`."""

    builder: Builder
    inputs: dict[str, sympy.Symbol] = field(default_factory=dict)  # those met, by name
    own: Mapping[type[sympy.Basic], str] = field(default_factory=dict)  # the user's, with names
    met: dict[str, int] = field(default_factory=dict)  # those met, and how many arguments they had
    _heights: dict[int, int] = field(default_factory=dict)  # of the parts, by identity
    _nested: int = 0  # in how many sums and products the conversion is
    _written_out: int = 0  # nodes in sums and products so far

    def convert(self, expr: sympy.Basic, known: Known | None = None) -> Term:
        """The term of an expression."""
        if not self._nested:
            self._heights = _heights(expr)
        known = known or {}
        built: dict[int, Term] = {}
        parts: dict[int, _Parts] = {}  # which keeps alive what identities belong to
        pending = [expr]
        while pending:
            node = pending[-1]
            if id(node) in built:
                pending.pop()
            elif id(node) not in parts:
                parts[id(node)] = self._parts(node)
                pending.extend(reversed(parts[id(node)].operands))
            else:
                operands = [built[id(part)] for part in parts[id(node)].operands]
                built[id(node)] = self._term(parts[id(node)], operands, known)
        return built[id(expr)]

    # ---- structure

    def _parts(self, node: sympy.Basic) -> _Parts:
        """The parts of a node in a reading order."""
        import sympy

        self._count()
        if isinstance(node, sympy.Piecewise):
            return _Parts(node, tuple(part for pair in node.args for part in pair.args))
        if isinstance(node, sympy.Sum | sympy.Product) or not node.args:
            return _Parts(node, ())
        if type(node) in self.own:
            return _Parts(node, node.args)
        if head(type(node).__name__) is None or _is_undefined(node):
            raise _refused(node)
        is_small = len(node.args) <= _FEW and self._heights.get(id(node), 0) <= _FLAT
        if isinstance(node, sympy.Add):
            if self._heights.get(id(node), 0) <= _FLAT and (found := families(node)):
                return _Parts(node, (*found.bases, *found.rest), found)
            return _Parts(node, tuple(node.as_ordered_terms()) if is_small else node.args)
        if isinstance(node, sympy.Mul) and is_small:
            return _Parts(node, tuple(node.as_ordered_factors()))
        return _Parts(node, node.args)

    def _count(self) -> None:
        self._written_out += bool(self._nested)
        if self._written_out > MAX_WRITTEN_OUT:
            raise GenError(
                f"the sums and products have more than {MAX_WRITTEN_OUT} operations written out"
            )

    # ---- nodes

    def _term(self, parts: _Parts, operands: list[Term], known: Known) -> Term:
        import sympy

        node = parts.node
        if parts.families is not None:
            return parts.families.of(operands)
        if isinstance(node, sympy.Symbol):
            return known[node] if node in known else self._input(node)
        if isinstance(node, sympy.Sum | sympy.Product):
            return self._written(node, node.limits, known)
        if isinstance(node, sympy.Piecewise):
            return _piecewise(operands)
        if type(node) in self.own:
            return self._custom(self.own[type(node)], operands)
        if node.args:
            return apply(type(node).__name__, operands)
        return _leaf(node, self.builder)

    def _custom(self, name: str, operands: list[Term]) -> Term:
        """A function of the user's own."""
        if self.met.setdefault(name, len(operands)) != len(operands):
            counts = f"{self.met[name]} and {len(operands)}"
            raise GenError(f"{name} has {counts} arguments; one number of them is needed")
        return custom(name, *operands)

    def _input(self, node: sympy.Symbol) -> Term:
        name = node.name
        if not name.isidentifier():
            raise GenError(f"the symbol {name!r} is no name for an input")
        if not node.is_commutative:
            raise GenError(f"the symbol {name!r} does not commute; inputs are real numbers")
        if self.inputs.setdefault(name, node) != node:
            raise GenError(f"different symbols are called {name!r}")
        return symbol(self.builder, name)

    # ---- sums and products

    def _written(
        self, node: sympy.Sum | sympy.Product, limits: Sequence[sympy.Tuple], known: Known
    ) -> Term:
        """A sum or product, its terms written out; the last limit is the outermost."""
        if not limits:
            return self._inner(node.function, known)
        if self._nested + len(limits) > MAX_NESTED:
            raise GenError(f"sums and products inside each other; at most {MAX_NESTED} are read")
        name = type(node).__name__
        index, low, high = self._limit(name, limits[-1], known)
        combine = "Add" if name == "Sum" else "Mul"
        neutral = number(self.builder, 0 if name == "Sum" else 1)
        # SymPy's convention, after Karr: a range that runs down takes its inside back.
        backwards = high < low - 1
        values = range(high + 1, low) if backwards else range(low, high + 1)
        if len(values) > MAX_TERMS:
            raise GenError(f"SymPy's {name} of {len(values)} terms; at most {MAX_TERMS} are read")
        terms = [
            self._written(node, limits[:-1], {**known, index: number(self.builder, value)})
            for value in values
        ]
        total = apply(combine, [neutral, *terms])
        if not backwards:
            return total
        return -total if name == "Sum" else 1 / total

    def _limit(self, name: str, limit: sympy.Tuple, known: Known) -> tuple[sympy.Basic, int, int]:
        bounds = [self._inner(bound, known).number for bound in limit.args[1:]]
        whole = [one.numerator for one in bounds if one is not None and one.denominator == 1]
        if len(whole) != 2:
            raise GenError(f"SymPy's {name} over {limit.args[0]} needs whole numbers as bounds")
        return limit.args[0], whole[0], whole[1]

    def _inner(self, expr: sympy.Basic, known: Known) -> Term:
        self._nested += 1
        term = self.convert(expr, known)
        self._nested -= 1
        return term


@dataclass(frozen=True, slots=True)
class _Parts:
    """A node and what it is built from; of values and conditions, in turn."""

    node: sympy.Basic
    operands: tuple[sympy.Basic, ...]
    families: Families | None = None  # of the first operands; the other ones are added


def _heights(expr: sympy.Basic) -> dict[int, int]:
    """How many nodes are below each other under each part of an expression."""
    heights: dict[int, int] = {}
    pending = [(expr, False)]
    while pending:
        node, ready = pending.pop()
        if ready:
            heights[id(node)] = 1 + max(heights[id(arg)] for arg in node.args)
        elif id(node) not in heights:
            heights[id(node)] = 0
            if node.args:
                pending.append((node, True))
                pending.extend((arg, False) for arg in node.args)
    return heights


def _is_undefined(node: sympy.Basic) -> bool:
    import sympy

    return isinstance(node, sympy.core.function.AppliedUndef)


def _refused(node: sympy.Basic) -> GenError:
    import sympy

    name = type(node).__name__
    if _is_undefined(node):
        return GenError(f"SymPy's undefined function {name} is not part of the language")
    hint = HINTS.get(name) or nearest(name, FUNCTIONS)
    if isinstance(node, sympy.Function) and not type(node).__module__.startswith("sympy."):
        hint = f"say what code calls, as in printers={{{name}: {{'numpy': 'mylib.ops.f'}}}}"
    return GenError(f"SymPy's {name} is not part of the language" + (f"; {hint}" if hint else ""))


# ---- leaves and branches


def _leaf(node: sympy.Basic, builder: Builder) -> Term:
    import sympy

    if isinstance(node, sympy.Float):
        return number(builder, _decimal(node))
    if isinstance(node, sympy.Rational):
        return number(builder, Fraction(int(node.p), int(node.q)))
    if node in (sympy.true, sympy.false):
        return truth(builder, node is sympy.true)
    if isinstance(node, sympy.NumberSymbol):
        return _constant(type(node).__name__, builder)
    raise _refused(node)


def _constant(name: str, builder: Builder) -> Term:
    names = {"Pi": "pi", "Exp1": "E", **{one: one for one in CONSTANTS}}
    if name not in names:
        raise GenError(f"SymPy's constant {name} is not part of the language")
    if names[name] in ("pi", "E"):
        return constant(builder, names[name])
    # The language has names for pi and e alone; the others are numbers of 50 digits.
    import mpmath

    with mpmath.workdps(60):
        digits = mpmath.nstr(+getattr(mpmath, CONSTANTS[names[name]]), 50)
    return number(builder, Fraction(digits))


def _decimal(value: sympy.Float) -> Fraction:
    """A Float that came from a Python float is the decimal that prints it."""
    return Fraction(repr(float(value))) if value._prec == 53 else Fraction(str(value))


def _piecewise(operands: list[Term]) -> Term:
    values, conditions = operands[::2], operands[1::2]
    if any(condition.op not in BOOLEANS for condition in conditions):
        raise GenError("a condition of a Piecewise compares nothing; write one such as x > 0")
    if conditions[-1].op != "true":
        raise GenError(
            "a Piecewise has no value where every condition fails; end with (value, True)"
        )
    result = values[-1]
    for value, condition in zip(values[-2::-1], conditions[-2::-1], strict=True):
        result = select(decide(condition), value, result)
    return result
