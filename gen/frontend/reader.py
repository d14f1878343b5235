"""Statements → views: each kind of syntax is built into the graph here, or refused.

In: the statements of an expression, what its names stand for. Out: a view for each name
that a statement assigns. Nothing of the text is ever evaluated. The walk uses a stack of
its own, so depth costs no recursion.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from gen.errors import DefinitionError, ExpressionError, GenError
from gen.frontend import calls
from gen.frontend.arrays import ARRAY_FUNCTIONS, swapped, transposed
from gen.frontend.library import CONSTANTS
from gen.frontend.refusals import WRONG_NODES, WRONG_OPERATORS
from gen.frontend.syntax import LANGUAGE, MAX_DIGITS
from gen.frontend.views import MisfitError, View, show
from gen.graph.algebra import (
    Term,
    both,
    call,
    compare,
    constant,
    custom,
    either,
    negated,
    number,
    select,
    truth,
)
from gen.graph.evaluate import as_float, decide
from gen.graph.functions import FUNCTIONS
from gen.graph.graph import BOOLEANS, INPUT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gen.frontend.library import Body, Library
    from gen.frontend.syntax import Source, Statement
    from gen.frontend.views import Space
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

_LONGEST_SHOWN = 24  # characters of an operand in a message

_CONDITIONS = ("And", "Or", "Not", "Xor", "logical_and", "logical_or", "logical_not")


@dataclass(slots=True)
class Reader:
    """Statements on their way into a graph."""

    space: Space
    source: Source
    library: Library
    variables: dict[str, View]  # inputs, and what statements have assigned
    optional: frozenset[str] = frozenset()  # inputs that may be None
    stack: tuple[str, ...] = ()  # the functions within whose bodies this is
    values: list[View] = field(default_factory=list)  # of statements without a name

    @property
    def builder(self) -> Builder:
        return self.space.builder

    def run(self, statements: Sequence[Statement]) -> None:
        """Read all statements, in order."""
        for statement in statements:
            view = self.read(statement.tree)
            if statement.name is None:
                self.values.append(view)
            else:
                self.variables[statement.name] = view

    def read(self, tree: ast.expr) -> View:
        """Build the tree bottom-up; each node's operands are built before it."""
        built: dict[int, View] = {}
        pending: list[tuple[ast.expr, tuple[ast.expr, ...] | None]] = [(tree, None)]
        while pending:
            node, operands = pending.pop()
            if operands is None:
                operands = self._operands(node)
                if operands:
                    pending.append((node, operands))
                    pending.extend([(child, None) for child in reversed(operands)])
                    continue
            built[id(node)] = self._build(node, [built[id(child)] for child in operands])
        view = self._real(built[id(tree)])
        if self._is_optional(view):
            raise self._misplaced(tree, view)
        return view

    # ---- structure

    def _operands(self, node: ast.expr) -> tuple[ast.expr, ...]:
        """The parts of a node that are expressions of their own."""
        match node:
            case ast.Name() | ast.Constant():
                return ()
            case ast.BinOp():
                return node.left, node.right
            case ast.UnaryOp():
                return (node.operand,)
            case ast.Compare():
                return node.left, *node.comparators
            case ast.BoolOp():
                return tuple(node.values)
            case ast.IfExp():
                return node.test, node.body, node.orelse
            case ast.Attribute(attr="T" | "mT") | ast.Subscript():
                return (node.value,)
            case ast.Call():
                return self._arguments(node)
        raise self._unsupported(node)

    def _arguments(self, node: ast.Call) -> tuple[ast.expr, ...]:
        self._check_call(node)
        if isinstance(node.func, ast.Name) and node.func.id == "Piecewise":
            return tuple(one for pair in node.args for one in self._pair(pair))
        return tuple(calls.arrays(node) if self._is_array_call(node) else node.args)

    def _pair(self, node: ast.expr) -> tuple[ast.expr, ast.expr]:
        if not isinstance(node, ast.Tuple) or len(node.elts) != 2:
            raise self.source.fault(
                node,
                "Piecewise takes pairs",
                "write Piecewise((value, condition), ..., (value, True))",
            )
        return node.elts[0], node.elts[1]

    def _check_call(self, node: ast.Call) -> None:
        if not isinstance(node.func, ast.Name):
            raise self._unsupported(node.func)
        name = node.func.id
        if name in self.library.primitives:
            self._check_count(node, self.library.primitives[name].parameters)
        elif self._is_own(name):
            self._check_own_call(node)
        elif name == "Piecewise":
            for one in node.keywords:
                raise self.source.fault(
                    one.value, f"{name} was given a keyword argument", "arguments are positional"
                )
        elif not self._is_array_call(node):
            fault = calls.check(node, self.source, self.library, self.variables)
            if fault is not None:
                raise fault

    def _is_own(self, name: str) -> bool:
        """Whether a function is the user's; within itself its name is the language's."""
        if name not in self.library:
            return False
        known = name in FUNCTIONS or name in ARRAY_FUNCTIONS
        return not (known and self.stack[-1:] == (name,))

    def _is_array_call(self, node: ast.Call) -> bool:
        if isinstance(node.func, ast.Name):
            name = node.func.id
            if name in self.library.primitives or self._is_own(name):
                return False
        return calls.is_array_call(node)

    def _check_own_call(self, node: ast.Call) -> None:
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        body = self._body(node, name)
        self._check_count(node, body.parameters)
        if len(body.outputs) > 1:
            several = ", ".join(map(str, body.outputs))
            what = f"{name} has several outputs: {several}"
            raise self.source.fault(node, what, "a function that is called has one value")

    def _check_count(self, node: ast.Call, parameters: Sequence[str]) -> None:
        """Refuse a call that does not give each parameter its argument."""
        assert isinstance(node.func, ast.Name)
        name, due = node.func.id, len(parameters)
        if node.keywords:
            what = f"{name} was given a keyword argument"
            raise self.source.fault(node.keywords[0].value, what, "arguments are positional")
        if len(node.args) != due:
            takes, hint = calls.counted(due, due), f"it is {name}({', '.join(parameters)})"
            raise self.source.fault(node, f"{name} takes {takes}, given {len(node.args)}", hint)

    def _unsupported(self, node: ast.expr) -> ExpressionError:
        what, hint = WRONG_NODES.get(type(node), (type(node).__name__, ""))
        if isinstance(node, ast.Attribute):
            known = node.attr in FUNCTIONS or node.attr in ARRAY_FUNCTIONS
            what = f"the attribute .{node.attr}"
            hint = f"write {node.attr}(...)" if known else "there are .T, a transpose, and .mT"
        return self.source.fault(node, f"{what} is not part of an expression", hint or LANGUAGE)

    # ---- nodes

    def _build(self, node: ast.expr, operands: list[View]) -> View:
        try:
            if len(operands) > 1:
                self._check_constants(node, operands)
            return self._view(node, operands)
        except ExpressionError:
            raise
        except MisfitError as fault:
            raise self._misfit(node, operands, fault) from None
        except GenError as fault:
            raise self.source.fault(node, str(fault)) from None

    def _misfit(self, node: ast.expr, operands: list[View], fault: MisfitError) -> ExpressionError:
        """Shapes that do not fit, with the operands that have them."""
        pairs = zip(self._operands(node), operands, strict=True)
        shown = [
            f"{_excerpt(ast.unparse(one))} {show(view.order)}" for one, view in pairs if view.order
        ]
        what = f"{' and '.join(shown)} do not fit {fault.what}"
        return self.source.fault(node, what)

    def _check_constants(self, node: ast.expr, operands: list[View]) -> None:
        """Refuse constants that are no finite numbers where they meet an input."""
        is_constant = self.builder.is_constant
        constant = [is_constant(view.term.id) for view in operands]
        if True not in constant or False not in constant:
            return
        for view, place in zip(operands, self._operands(node), strict=True):
            if view.term.is_constant and view.term.op not in BOOLEANS:
                try:
                    as_float(self.builder.nodes, view.term.id)
                except GenError as fault:
                    raise self.source.fault(place, str(fault)) from None

    def _view(self, node: ast.expr, operands: list[View]) -> View:
        match node:
            case ast.Name():
                return self._name(node)
            case ast.Constant():
                return self._constant(node)
            case ast.BinOp():
                return self._binary(node, operands)
            case ast.UnaryOp():
                return self._unary(node, operands[0])
            case ast.Compare():
                return self._comparison(node, operands)
            case ast.BoolOp(op=op, values=values):
                views = [self._condition(*pair) for pair in zip(operands, values, strict=True)]
                return self._folded(both if isinstance(op, ast.And) else either, views)
            case ast.IfExp(test=test):
                return self._where(test, *operands)
            case ast.Attribute(attr=attr):
                view = self._array(operands[0], node)
                return transposed(view) if attr == "T" else swapped(view)
            case ast.Subscript(slice=index):
                return self._indexed(node, index, self._array(operands[0], node))
        assert isinstance(node, ast.Call)
        return self._call(node, operands)

    def _name(self, node: ast.Name) -> View:
        name = node.id
        if name in self.variables:
            return self.variables[name]
        if name in CONSTANTS:
            return View(constant(self.builder, name))
        raise self.source.fault(node, f"{name} is read before it is assigned")

    def _constant(self, node: ast.Constant) -> View:
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

    def _binary(self, node: ast.BinOp, operands: list[View]) -> View:
        sign = _SIGNS.get(type(node.op))
        if sign is None:
            wrong, hint = WRONG_OPERATORS[type(node.op)]
            raise self.source.fault_after(node.left, wrong, hint)
        left, right = self._real(operands[0]), self._real(operands[1])
        if self.optional and (self._is_optional(left) or self._is_optional(right)):
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

    def _unary(self, node: ast.UnaryOp, operand: View) -> View:
        match node.op:
            case ast.USub():
                view = self._array(operand, node)
                return view.with_term(-view.term)
            case ast.UAdd():
                return self._array(operand, node)
            case ast.Not():
                view = self._condition(operand, node)
                return view.with_term(negated(view.term))
        sign, hint = WRONG_OPERATORS[type(node.op)]
        raise self.source.fault(node, f"{sign} is not part of an expression", hint)

    def _comparison(self, node: ast.Compare, operands: list[View]) -> View:
        views = [self._array(view, node) for view in operands]
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

    def _folded(self, build: Callable[[Term, Term], Term], views: Sequence[View]) -> View:
        result = views[0]
        for view in views[1:]:
            (a, b), like = self.space.united([result, view], "a condition")
            result = like.with_term(build(a, b))
        return result

    # ---- calls

    def _call(self, node: ast.Call, operands: list[View]) -> View:
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name in self.library.primitives:
            terms, like = self.space.united([self._array(view, node) for view in operands], name)
            return like.with_term(custom(name, *terms))
        if self._is_own(name):
            return self._own(node, name, operands)
        if name == "Piecewise":
            return self._piecewise(node, operands)
        if name in ("where", "ITE", "select"):
            return self._where(node.args[0], *operands)
        if self._is_array_call(node):
            views = [self._array(view, node) for view in operands]
            function = ARRAY_FUNCTIONS[name]
            return function.build(self.space, name, views, calls.options(node, self.source))
        if name in _CONDITIONS:
            pairs = zip(operands, node.args, strict=True)
            views = [self._condition(*pair) for pair in pairs]
        else:
            views = [self._array(view, node) for view in operands]
        terms, like = self.space.united(views, name)
        return like.with_term(FUNCTIONS[name].build(*terms))

    def _body(self, node: ast.Call, name: str) -> Body:
        try:
            return self.library.body(name, self.stack)
        except ExpressionError:
            raise
        except GenError as fault:
            raise self.source.fault(node.func, str(fault)) from None

    def _own(self, node: ast.Call, name: str, operands: list[View]) -> View:
        """A function of the user's, its body read with the arguments in its parameters' place."""
        body = self._body(node, name)
        views = [self._array(view, node) for view in operands]
        self.library.count(body)
        variables = dict(zip(body.parameters, views, strict=True))
        inner = Reader(self.space, body.source, self.library, variables, stack=(*self.stack, name))
        try:
            inner.run(body.statements)
            (value,) = body.outputs
            return inner.values[-1] if value is None else inner.variables[value]
        except DefinitionError:
            raise
        except ExpressionError as fault:
            raise DefinitionError(f"the function {name}", fault) from None

    def _where(self, place: ast.expr, condition: View, yes: View, no: View) -> View:
        test = self._condition(condition, place)
        (c, a, b), like = self.space.united([test, self._real(yes), self._real(no)], "where")
        return like.with_term(select(c, a, b))

    def _piecewise(self, node: ast.Call, operands: list[View]) -> View:
        """The first value whose condition holds; values and conditions alternate."""
        places = list(self._operands(node))[1::2]
        pairs = zip(operands[1::2], places, strict=True)
        conditions = [self._condition(*pair) for pair in pairs]
        values = operands[::2]
        if not conditions or conditions[-1].term.op != "true":
            raise self.source.fault(
                node, "no value where every condition fails", "end with a pair (value, True)"
            )
        result = self._real(values[-1])
        for value, condition, place in zip(
            values[-2::-1], conditions[-2::-1], places[-2::-1], strict=True
        ):
            result = self._where(place, condition, value, result)
        return result

    def _indexed(self, node: ast.expr, index: ast.expr, view: View) -> View:
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
        return View(view.term, found, frozenset() if None in found else view.free)

    # ---- optional inputs

    def _is_optional(self, view: View) -> bool:
        return view.term.op == INPUT and _input_name(view.term) in self.optional

    def _skipped(self, node: ast.BinOp, left: View, right: View) -> View:
        """An operation that is skipped where its optional operand is None."""
        kind = _OPTIONAL.get(type(node.op))
        if kind is None or (self._is_optional(left) and self._is_optional(right)):
            raise self._misplaced(node, left if self._is_optional(left) else right)
        (a, b), like = self.space.united([left, right], _SIGNS[type(node.op)])
        if self._is_optional(right):
            return like.with_term(call(kind, a, b))
        if kind == "optional_sub":
            return like.with_term(call("optional_add", -b, a))
        return like.with_term(call(kind, b, a))

    def _array(self, view: View, node: ast.expr) -> View:
        """A value where an optional input has no place."""
        if self._is_optional(view):
            raise self._misplaced(node, view)
        return self._real(view)

    def _misplaced(self, node: ast.expr, view: View) -> ExpressionError:
        return self.source.fault(
            node,
            f"without the optional input {_input_name(view.term)!r} this has no meaning",
            "an optional input must be a term of a sum or a factor of a product",
        )

    # ---- kinds

    def _real(self, view: View) -> View:
        """A number; a condition counts as 1 where it holds and 0 elsewhere."""
        if view.term.op not in BOOLEANS:
            return view
        chosen = select(decide(view.term), number(self.builder, 1), number(self.builder, 0))
        return view.with_term(chosen)

    def _condition(self, view: View, node: ast.expr) -> View:
        if view.term.op in BOOLEANS:
            return view.with_term(decide(view.term))
        raise self.source.fault(node, "a condition is needed here", "compare with something: x > 0")


def _excerpt(code: str) -> str:
    return code if len(code) <= _LONGEST_SHOWN else f"{code[:_LONGEST_SHOWN]}..."


def _input_name(term: Term) -> str:
    return str(term.builder.nodes[term.id].payload)
