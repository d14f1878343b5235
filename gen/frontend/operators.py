"""Operators → views: arithmetic, comparisons, conditions, constants and subscripts.

In: a node of the syntax tree, the views of its operands. Out: the view of its value, or a
fault at the node. A condition counts as 1 or 0 where a number is needed; an operation on
an optional input is skipped where that is None.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from gen.frontend.refusals import WRONG_OPERATORS
from gen.frontend.source import LANGUAGE
from gen.frontend.syntax import MAX_DIGITS, WORD
from gen.frontend.views import View, show
from gen.graph.algebra import call, number, truth
from gen.graph.conditions import both, compare, either, negated, select
from gen.graph.evaluate import decide
from gen.graph.graph import BOOLEANS, FLAG, INPUT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gen.errors import ExpressionError
    from gen.frontend.source import Source
    from gen.frontend.views import Space
    from gen.graph.algebra import Term
    from gen.graph.graph import Builder
    from gen.model import Axis

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Eq: "eq",
    ast.NotEq: "ne",
}

_SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
    ast.MatMult: "@",
}

# An operation that is skipped where its optional operand is None.
_OPTIONAL: dict[type[ast.operator], str] = {
    ast.Add: "optional_add",
    ast.Sub: "optional_sub",
    ast.Mult: "optional_mul",
}


@dataclass(frozen=True, slots=True)
class Operators:
    """How the operators of one text act on views."""

    space: Space
    source: Source
    optional: frozenset[str]  # inputs that may be None
    constants: frozenset[str] = frozenset()  # inputs that are no tensors

    @property
    def builder(self) -> Builder:
        return self.space.builder

    def constant(self, node: ast.Constant) -> View:
        value = node.value
        if isinstance(value, bool):
            return View(truth(self.builder, value))
        if isinstance(value, int):
            return View(number(self.builder, value))
        if isinstance(value, float):
            return View(number(self.builder, self._decimal(node)))
        what = {str: "text", bytes: "text", complex: "a complex number"}.get(type(value), "this")
        raise self.source.fault(node, f"{what} is not part of an expression", LANGUAGE)

    def _decimal(self, node: ast.Constant) -> Fraction:
        """The exact value of a literal's digits: 0.1 is 1/10."""
        literal = self.source.segment(node).replace("_", "")
        mantissa, _, exponent = re.sub("[eE]", "e", literal).partition("e")
        if len(mantissa) > MAX_DIGITS or abs(int(exponent[:9] or "0")) > MAX_DIGITS:
            raise self.source.fault(
                node, "a number is too long", f"at most {MAX_DIGITS} digits are read"
            )
        return Fraction(literal)

    # ---- arithmetic

    def binary(self, node: ast.BinOp, operands: list[View]) -> View:
        sign = _SIGNS.get(type(node.op))
        if sign is None:
            wrong, hint = WRONG_OPERATORS[type(node.op)]
            raise self.source.fault_after(node.left, wrong, hint)
        left, right = self.real(operands[0]), self.real(operands[1])
        if self.optional and (self.is_optional(left) or self.is_optional(right)):
            return self._skipped(node, left, right)
        if isinstance(node.op, ast.MatMult):
            return self.space.product(left, right)
        (a, b), like = self.space.united([left, right], sign)
        match node.op:
            case ast.Add():
                return like.with_term(a + b)
            case ast.Sub():
                return like.with_term(a - b)
            case ast.Mult():
                return like.with_term(a * b)
            case ast.Div():
                return like.with_term(a / b)
        return like.with_term(a**b)

    def unary(self, node: ast.UnaryOp, operand: View) -> View:
        match node.op:
            case ast.USub():
                view = self.array(operand, node)
                return view.with_term(-view.term)
            case ast.UAdd():
                return self.array(operand, node)
            case ast.Not():
                view = self.condition(operand, node)
                return view.with_term(negated(view.term))
        sign, hint = WRONG_OPERATORS[type(node.op)]
        raise self.source.fault(node, f"{sign} is not part of an expression", hint)

    def indexed(self, node: ast.expr, index: ast.expr, view: View) -> View:
        """New axes of size 1, as in x[:, None]."""
        items = index.elts if isinstance(index, ast.Tuple) else [index]
        order: list[Axis] = []
        rest = list(view.order)
        if items and isinstance(items[0], ast.Constant) and items[0].value is Ellipsis:
            kept = len(rest) - sum(isinstance(one, ast.Slice) for one in items)
            order, rest, items = rest[: max(kept, 0)], rest[max(kept, 0) :], items[1:]
        for item in items:
            match item:
                case ast.Slice(lower=None, upper=None, step=None) if rest:
                    order.append(rest.pop(0))
                case ast.Constant(value=None):
                    order.append(None)
                case _:
                    what = "this subscript is not part of an expression"
                    hint = "the one there is adds an axis, as in x[:, None]"
                    raise self.source.fault(item, what, hint)
        found = (*order, *rest)
        if view.leads and found[:1] != view.order[:1]:
            given = show(view.order)
            raise self.source.fault(node, f"no new axis before leading dimensions, given {given}")
        free = frozenset() if None in found else view.free
        return View(view.term, found, free, view.sources)

    # ---- conditions

    def comparison(self, node: ast.Compare, operands: list[View]) -> View:
        text = text_compared(node)
        if text is not None:
            flag = self._flag(operands[0], text, node)
            return flag if isinstance(node.ops[0], ast.Eq) else flag.with_term(negated(flag.term))
        views = [self.array(view, node) for view in operands]
        found = []
        for op, left, right in zip(node.ops, views[:-1], views[1:], strict=True):
            if type(op) not in _COMPARISONS:
                raise self.source.fault(
                    node, "`is` and `in` are not part of an expression", LANGUAGE
                )
            name = _COMPARISONS[type(op)]
            (a, b), like = self.space.united([left, right], "a comparison")
            found.append(like.with_term(compare(name, a, b)))
        return self._folded(both, found)

    def boolean(self, node: ast.BoolOp, operands: list[View]) -> View:
        views = [self.condition(*pair) for pair in zip(operands, node.values, strict=True)]
        return self._folded(both if isinstance(node.op, ast.And) else either, views)

    def _folded(self, build: Callable[[Term, Term], Term], views: Sequence[View]) -> View:
        result = views[0]
        for view in views[1:]:
            (a, b), like = self.space.united([result, view], "a condition")
            result = like.with_term(build(a, b))
        return result

    def where(self, place: ast.expr, condition: View, yes: View, no: View) -> View:
        test = self.condition(condition, place)
        (c, a, b), like = self.space.united([test, self.real(yes), self.real(no)], "where")
        return like.with_term(select(c, a, b))

    def piecewise(self, node: ast.Call, places: Sequence[ast.expr], operands: list[View]) -> View:
        """The first value whose condition holds; values and conditions alternate.

        Args:
            node: the call.
            places: where its conditions stand.
            operands: the views of both.
        """
        pairs = zip(operands[1::2], places, strict=True)
        conditions = [self.condition(*pair) for pair in pairs]
        values = operands[::2]
        if not conditions or conditions[-1].term.op != "true":
            raise self.source.fault(
                node, "no value where every condition fails", "end with a pair (value, True)"
            )
        result = self.real(values[-1])
        for value, condition, place in zip(
            values[-2::-1], conditions[-2::-1], places[-2::-1], strict=True
        ):
            result = self.where(place, condition, value, result)
        return result

    # ---- optional inputs

    def is_optional(self, view: View) -> bool:
        return view.term.op == INPUT and _input_name(view.term) in self.optional

    def _skipped(self, node: ast.BinOp, left: View, right: View) -> View:
        """An operation that is skipped where its optional operand is None."""
        kind = _OPTIONAL.get(type(node.op))
        if kind is None or (self.is_optional(left) and self.is_optional(right)):
            raise self.misplaced(node, left if self.is_optional(left) else right)
        (a, b), like = self.space.united([left, right], _SIGNS[type(node.op)])
        if self.is_optional(right):
            return like.with_term(call(kind, a, b))
        if kind == "optional_sub":
            return like.with_term(call("optional_add", -b, a))
        return like.with_term(call(kind, b, a))

    def array(self, view: View, node: ast.expr) -> View:
        """A value where an optional input has no place."""
        if self.is_optional(view):
            raise self.misplaced(node, view)
        return self.real(view)

    def misplaced(self, node: ast.expr, view: View) -> ExpressionError:
        return self.source.fault(
            node,
            f"without the optional input {_input_name(view.term)!r} this has no meaning",
            "an optional input must be a term of a sum or a factor of a product",
        )

    # ---- kinds

    def real(self, view: View) -> View:
        """A number; a condition counts as 1 where it holds and 0 elsewhere."""
        if view.term.op not in BOOLEANS:
            return view
        chosen = select(decide(view.term), number(self.builder, 1), number(self.builder, 0))
        return view.with_term(chosen)

    def condition(self, view: View, node: ast.expr) -> View:
        if view.term.op in BOOLEANS:
            return view.with_term(decide(view.term))
        if self._is_constant(view):
            return self._flag(view, None, node)
        raise self.source.fault(node, "a condition is needed here", "compare with something: x > 0")

    def _is_constant(self, view: View) -> bool:
        return view.term.op == INPUT and _input_name(view.term) in self.constants

    def _flag(self, view: View, text: str | None, node: ast.expr) -> View:
        """Whether a constant is true, or is some text."""
        if not self._is_constant(view):
            what = f"only a constant is compared with {text!r}"
            raise self.source.fault(node, what, "declare it by --const")
        if text is not None and not WORD.fullmatch(text):
            raise self.source.fault(node, f"{text!r} is no word of letters, digits, - and _")
        term = view.term
        return view.with_term(term.node(FLAG, term, payload=text))


def text_compared(node: ast.Compare) -> str | None:
    """The text that a constant is compared with, as in mode == 'tanh'."""
    match node:
        case ast.Compare(ops=[ast.Eq() | ast.NotEq()], comparators=[ast.Constant(value=str(text))]):
            return text
    return None


def _input_name(term: Term) -> str:
    return str(term.builder.nodes[term.id].payload)
