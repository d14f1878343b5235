"""SymPy and the graph: expressions from there, and derivatives that it knows.

In: a `sympy.Expr`, or a function of the table whose derivative is not written by hand.
Out: the expression in the language, or a partial derivative as a term. The conversion
uses a stack of its own and visits a shared subexpression once.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from gen.errors import GenError, nearest
from gen.frontend.options import request as make_request
from gen.graph.algebra import (
    Term,
    both,
    call,
    compare,
    constant,
    either,
    negated,
    number,
    select,
    symbol,
    truth,
)
from gen.graph.evaluate import CONSTANTS, decide
from gen.graph.functions import FUNCTIONS
from gen.graph.graph import Builder
from gen.graph.language import express
from gen.graph.operations import OPERATIONS
from gen.model import MAX_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import sympy

    from gen.model import Request

# SymPy's names of what is built otherwise than as a row of the table.
_BUILDERS: dict[str, Callable[..., Term]] = {
    "And": lambda *terms: _folded(both, terms),
    "Or": lambda *terms: _folded(either, terms),
    "Not": negated,
    "ITE": select,
    "StrictLessThan": lambda a, b: compare("lt", a, b),
    "LessThan": lambda a, b: compare("le", a, b),
    "StrictGreaterThan": lambda a, b: compare("gt", a, b),
    "GreaterThan": lambda a, b: compare("ge", a, b),
    "Equality": lambda a, b: compare("eq", a, b),
    "Unequality": lambda a, b: compare("ne", a, b),
    "Max": lambda *terms: _folded(lambda a, b: call("maximum", a, b), terms),
    "Min": lambda *terms: _folded(lambda a, b: call("minimum", a, b), terms),
    "Add": lambda *terms: _folded(lambda a, b: a + b, terms),
    "Mul": lambda *terms: _folded(lambda a, b: a * b, terms),
    "Pow": lambda a, b: a**b,
}


def request(name: str, expr: sympy.Expr, options: Mapping[str, object]) -> Request:
    """The request of a function given as a `sympy.Expr`."""
    written = to_text(expr)
    names = [one.name for one in expr.free_symbols]
    if set(names) & {"pi", "E"} and not options.get("args"):
        # In text these two are constants, unless they are declared.
        words = re.findall(r"\w+", written)
        names.sort(key=words.index)
        options = {**options, "args": names}
    return make_request(name, written, options)


def to_text(expr: sympy.Expr) -> str:
    """The expression of a `sympy.Expr` in the language.

    Raises:
        GenError: where it contains something that the language does not have.
    """
    import sympy

    if not isinstance(expr, sympy.Expr):
        raise GenError(f"SymPy's {type(expr).__name__} is no expression of one value")
    builder = Builder()
    names = sorted(one.name for one in expr.free_symbols)
    for name in names:
        if not name.isidentifier():
            raise GenError(f"the symbol {name!r} is no name for an input")
        if names.count(name) > 1:
            raise GenError(f"{names.count(name)} different symbols are called {name!r}")
    term = _convert(expr, builder, {})
    written = express(builder.freeze(), term.id, MAX_CHARACTERS)
    if written is None:
        raise GenError(f"the expression has more than {MAX_CHARACTERS} characters written out")
    return written


def partial(op: str, args: tuple[Term, ...], index: int) -> Term:
    """The partial derivative of a function in one argument, from SymPy's `fdiff`."""
    import sympy
    from sympy.core.function import ArgumentIndexError

    row = OPERATIONS[op]
    dummies = sympy.symbols(f"a:{len(args)}", cls=sympy.Dummy)
    function = getattr(sympy, row.sympy)(*dummies)
    try:
        derivative = function.fdiff(index + 1)
    except (ArgumentIndexError, NotImplementedError):
        derivative = None
    if derivative is None or derivative.has(sympy.Derivative, sympy.Subs):
        raise GenError(f"the derivative of {op} in its argument {index + 1} is not known")
    return _convert(derivative, args[0].builder, dict(zip(dummies, args, strict=True)))


def _folded(build: Callable[[Term, Term], Term], terms: Sequence[Term]) -> Term:
    result = terms[0]
    for term in terms[1:]:
        result = build(result, term)
    return result


def _convert(expr: sympy.Basic, builder: Builder, known: Mapping[sympy.Basic, Term]) -> Term:
    """Build `expr` bottom-up; `known` says what some symbols stand for."""
    built: dict[sympy.Basic, Term] = dict(known)
    pending: list[tuple[sympy.Basic, bool]] = [(expr, False)]
    while pending:
        node, ready = pending.pop()
        if node in built:
            continue
        if ready or not _operands(node):
            built[node] = _term(node, [built[arg] for arg in _operands(node)], builder)
        else:
            pending.append((node, True))
            pending.extend((arg, False) for arg in reversed(_operands(node)))
    return built[expr]


def _operands(node: sympy.Basic) -> tuple[sympy.Basic, ...]:
    """The parts of a node in a reading order; values and conditions of Piecewise alternate."""
    import sympy

    if isinstance(node, sympy.Piecewise):
        return tuple(part for pair in node.args for part in pair.args)
    if isinstance(node, sympy.Add | sympy.Mul):
        return tuple(node.as_ordered_terms() if node.is_Add else node.as_ordered_factors())
    return tuple(node.args)


def _term(node: sympy.Basic, operands: list[Term], builder: Builder) -> Term:
    import sympy

    if isinstance(node, sympy.Symbol):
        return symbol(builder, node.name)
    if isinstance(node, sympy.Float):
        return number(builder, _decimal(node))
    if isinstance(node, sympy.Rational):
        return number(builder, Fraction(int(node.p), int(node.q)))
    if node in (sympy.true, sympy.false):
        return truth(builder, bool(node))
    name = type(node).__name__
    if isinstance(node, sympy.core.function.AppliedUndef):
        raise GenError(f"SymPy's undefined function {name} is not part of the language")
    if isinstance(node, sympy.NumberSymbol):
        return _constant(name, builder)
    if isinstance(node, sympy.Piecewise):
        return _piecewise(operands)
    if name in _BUILDERS:
        return _BUILDERS[name](*operands)
    function = FUNCTIONS.get(name)
    if function is None or not function.fewest <= len(operands) <= function.most:
        hint = nearest(name, FUNCTIONS)
        raise GenError(
            f"SymPy's {name} is not part of the language" + (f"; {hint}" if hint else "")
        )
    return function.build(*operands)


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
    if conditions[-1].op != "true":
        raise GenError(
            "a Piecewise has no value where every condition fails; end with (value, True)"
        )
    result = values[-1]
    for value, condition in zip(values[-2::-1], conditions[-2::-1], strict=True):
        result = select(decide(condition), value, result)
    return result
