"""Text → Formula, through the standard library's parser and a whitelist.

In: a `Request` whose expression is text. Out: a `Formula`, or an `ExpressionError` with
a caret under what is not part of the language. Nothing of the text is ever evaluated:
`ast.parse` gives a syntax tree, and each kind of node in it is either built into the
graph here or refused. The walk uses a stack of its own, so depth costs no recursion.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from gen.errors import ExpressionError, GenError, nearest
from gen.frontend.inputs import check_name, resolve
from gen.frontend.syntax import LANGUAGE, MAX_DIGITS, Source, check_quotes, names, parse
from gen.graph.algebra import (
    Term,
    both,
    call,
    compare,
    constant,
    either,
    matmul,
    negated,
    number,
    select,
    symbol,
    transpose,
    truth,
)
from gen.graph.evaluate import as_float, decide
from gen.graph.functions import FUNCTIONS, MANY
from gen.graph.graph import BOOLEANS, INPUT, Builder, reachable
from gen.graph.shapes import infer
from gen.model import Formula, Input, Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Selections inside selections: each level repeats the conditions around it.
MAX_BRANCHES = 100

CONSTANTS = ("pi", "E")

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Eq: "eq",
    ast.NotEq: "ne",
}

_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.MatMult)

# What people write in other languages, and what it is here.
_WRONG_OPERATORS: dict[type[ast.AST], tuple[str, str]] = {
    ast.BitXor: ("^", "did you mean `**`?"),
    ast.FloorDiv: ("//", "write floor(a / b)"),
    ast.Mod: ("%", "write Mod(a, b)"),
    ast.BitAnd: ("&", "write `and`"),
    ast.BitOr: ("|", "write `or`, or Abs(x) for a magnitude"),
    ast.LShift: ("<<", ""),
    ast.RShift: (">>", ""),
    ast.Invert: ("~", "write `not`"),
}

_WRONG_NODES: dict[type[ast.AST], tuple[str, str]] = {
    ast.Subscript: ("a subscript", "each input is one name, such as x0"),
    ast.Lambda: ("a lambda", "write the formula itself"),
    ast.JoinedStr: ("an f-string", ""),
    ast.Tuple: ("a tuple", "pairs belong inside Piecewise((value, condition), ...)"),
    ast.List: ("a list", ""),
    ast.Set: ("a set", ""),
    ast.Dict: ("a dict", ""),
    ast.Starred: ("an unpacked argument", ""),
    ast.NamedExpr: ("an assignment", ""),
    ast.ListComp: ("a comprehension", ""),
    ast.SetComp: ("a comprehension", ""),
    ast.DictComp: ("a comprehension", ""),
    ast.GeneratorExp: ("a comprehension", ""),
    ast.Await: ("await", ""),
    ast.Yield: ("yield", ""),
    ast.YieldFrom: ("yield", ""),
    ast.Slice: ("a slice", ""),
}


def read(request: Request) -> Formula:
    """The formula of a request whose expression is text.

    Raises:
        GenError: for whatever is not part of the language.
    """
    check_name(request.name)
    source = Source(request.expr)
    tree = parse(source)
    inputs = [
        name for name in names(tree, source) if name not in CONSTANTS or name in request.declared
    ]
    reader = _Reader(request, source, inputs)
    output = reader.read(tree)
    check_quotes(source)
    order = reachable(reader.builder.nodes, [output.id])
    graph = reader.builder.freeze()
    infer(graph, order, {one.name: one.shape for one in reader.inputs})
    return Formula(request, reader.inputs, graph, output.id)


@dataclass(slots=True)
class _Reader:
    """One expression on its way into a graph."""

    request: Request
    source: Source
    names: Sequence[str]
    builder: Builder = field(default_factory=Builder)
    inputs: tuple[Input, ...] = ()

    def read(self, tree: ast.expr) -> Term:
        """Build the tree bottom-up; each node's operands are built before it."""
        built: dict[int, Term] = {}
        pending: list[tuple[ast.expr, bool]] = [(tree, False)]
        while pending:
            node, ready = pending.pop()
            operands = list(self._operands(node))
            if ready:
                built[id(node)] = self._build(node, [built[id(child)] for child in operands])
            else:
                pending.append((node, True))
                pending.extend((child, False) for child in reversed(operands))
        # Only now, so that a fault with a place is reported before one without.
        self.inputs = resolve(self.names, self.request)
        output = self._real(built[id(tree)])
        self._check_optional(tree, output)
        self._check_branches(output)
        return output

    def _check_branches(self, output: Term) -> None:
        depths: dict[int, int] = {}
        for node in reachable(self.builder.nodes, [output.id]):
            op, args, _ = self.builder.nodes[node]
            depths[node] = max((depths[arg] for arg in args), default=0) + (op == "select")
        if depths[output.id] > MAX_BRANCHES:
            raise GenError(
                f"the expression has {depths[output.id]} branches inside each other; "
                f"at most {MAX_BRANCHES} are read"
            )

    # ---- structure

    def _operands(self, node: ast.expr) -> Iterator[ast.expr]:
        """The parts of a node that are expressions of their own."""
        match node:
            case ast.BinOp(left=left, right=right):
                yield from (left, right)
            case ast.UnaryOp(operand=operand):
                yield operand
            case ast.Compare(left=left, comparators=comparators):
                yield from (left, *comparators)
            case ast.BoolOp(values=values):
                yield from values
            case ast.IfExp(test=test, body=body, orelse=orelse):
                yield from (test, body, orelse)
            case ast.Attribute(value=value, attr="T"):
                yield value
            case ast.Call(func=ast.Name(id="Piecewise"), args=args):
                self._check_keywords(node)
                for pair in args:
                    yield from self._pair(pair)
            case ast.Call(args=args):
                self._check_call(node)
                yield from args
            case ast.Name() | ast.Constant():
                pass
            case _:
                raise self._unsupported(node)

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
        if name not in FUNCTIONS:
            hint = nearest(name, (*FUNCTIONS, "Piecewise"))
            if name in self.names or name in CONSTANTS:
                hint = f"a product needs its sign: write {name}*(...)"
            raise self.source.fault(node.func, f"unknown function {name!r}", hint)
        self._check_keywords(node)
        function, count = FUNCTIONS[name], len(node.args)
        if not function.fewest <= count <= function.most:
            raise self.source.fault(
                node, f"{name} takes {_counted(function.fewest, function.most)}, given {count}"
            )

    def _check_keywords(self, node: ast.Call) -> None:
        for one in node.keywords:
            what = f"{ast.unparse(node.func)} was given a keyword argument"
            raise self.source.fault(one.value, what, "arguments are positional")

    def _unsupported(self, node: ast.expr) -> ExpressionError:
        what, hint = _WRONG_NODES.get(type(node), (type(node).__name__, ""))
        if isinstance(node, ast.Attribute):
            known = node.attr in FUNCTIONS
            what = f"the attribute .{node.attr}"
            hint = f"write {node.attr}(...)" if known else "the one attribute is .T, a transpose"
        return self.source.fault(node, f"{what} is not part of an expression", hint or LANGUAGE)

    # ---- nodes

    def _build(self, node: ast.expr, operands: list[Term]) -> Term:
        try:
            self._check_constants(node, operands)
            return self._term(node, operands)
        except ExpressionError:
            raise
        except GenError as fault:
            raise self.source.fault(node, str(fault)) from None

    def _check_constants(self, node: ast.expr, operands: list[Term]) -> None:
        """Refuse constants that are no finite numbers where they meet an input."""
        if all(term.is_constant for term in operands):
            return
        for term, place in zip(operands, self._operands(node), strict=True):
            if term.is_constant and term.op not in BOOLEANS:
                try:
                    as_float(self.builder.nodes, term.id)
                except GenError as fault:
                    raise self.source.fault(place, str(fault)) from None

    def _term(self, node: ast.expr, operands: list[Term]) -> Term:
        match node:
            case ast.Name(id=name):
                return self._name(name)
            case ast.Constant():
                return self._constant(node)
            case ast.BinOp():
                return self._binary(node, operands)
            case ast.UnaryOp():
                return self._unary(node, operands[0])
            case ast.Compare(ops=ops):
                return self._comparison(node, ops, operands)
            case ast.BoolOp(op=op, values=values):
                terms = [self._condition(*pair) for pair in zip(operands, values, strict=True)]
                result = terms[0]
                for term in terms[1:]:
                    result = both(result, term) if isinstance(op, ast.And) else either(result, term)
                return result
            case ast.IfExp():
                test, body, orelse = operands
                return self._where(node.test, test, body, orelse)
            case ast.Attribute():
                return transpose(self._real(operands[0]))
        assert isinstance(node, ast.Call)
        return self._call(node, operands)

    def _name(self, name: str) -> Term:
        if name in CONSTANTS and name not in self.request.declared:
            return constant(self.builder, name)
        return symbol(self.builder, name)

    def _constant(self, node: ast.Constant) -> Term:
        value = node.value
        if isinstance(value, bool):
            return truth(self.builder, value)
        if isinstance(value, int):
            return number(self.builder, value)
        if isinstance(value, float):
            return number(self.builder, self._decimal(node))
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

    def _binary(self, node: ast.BinOp, operands: list[Term]) -> Term:
        if not isinstance(node.op, _ARITHMETIC):
            sign, hint = _WRONG_OPERATORS[type(node.op)]
            raise self.source.fault_after(node.left, sign, hint)
        left, right = map(self._real, operands)
        if self._is_optional(left) or self._is_optional(right):
            return self._optional(node, left, right)
        match node.op:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case ast.Div():
                return left / right
            case ast.Pow():
                return left**right
        return matmul(left, right)

    def _unary(self, node: ast.UnaryOp, operand: Term) -> Term:
        match node.op:
            case ast.USub():
                return -self._real(operand)
            case ast.UAdd():
                return self._real(operand)
            case ast.Not():
                return negated(self._condition(operand, node))
        sign, hint = _WRONG_OPERATORS[type(node.op)]
        raise self.source.fault(node, f"{sign} is not part of an expression", hint)

    def _comparison(self, node: ast.Compare, ops: list[ast.cmpop], operands: list[Term]) -> Term:
        terms = [self._real(term) for term in operands]
        result = truth(self.builder, True)
        for op, left, right in zip(ops, terms[:-1], terms[1:], strict=True):
            if type(op) not in _COMPARISONS:
                raise self.source.fault(
                    node, "`is` and `in` are not part of an expression", LANGUAGE
                )
            result = both(result, compare(_COMPARISONS[type(op)], left, right))
        return result

    def _call(self, node: ast.Call, operands: list[Term]) -> Term:
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name == "Piecewise":
            return self._piecewise(node, operands)
        if name in ("where", "ITE", "select"):
            return self._where(node.args[0], *operands)
        wants_conditions = name in ("And", "Or", "Not") or name.startswith("logical_")
        pairs = zip(operands, node.args, strict=True)
        if wants_conditions:
            return FUNCTIONS[name].build(*(self._condition(*pair) for pair in pairs))
        return FUNCTIONS[name].build(*map(self._real, operands))

    def _where(self, place: ast.expr, condition: Term, yes: Term, no: Term) -> Term:
        return select(self._condition(condition, place), self._real(yes), self._real(no))

    def _piecewise(self, node: ast.Call, operands: list[Term]) -> Term:
        """The first value whose condition holds; values and conditions alternate."""
        places = list(self._operands(node))[1::2]
        pairs = zip(operands[1::2], places, strict=True)
        conditions = [self._condition(*pair) for pair in pairs]
        values = [self._real(term) for term in operands[::2]]
        if not conditions or conditions[-1].op != "true":
            raise self.source.fault(
                node, "no value where every condition fails", "end with a pair (value, True)"
            )
        result = values[-1]
        for value, condition in zip(values[-2::-1], conditions[-2::-1], strict=True):
            result = select(condition, value, result)
        return result

    # ---- optional inputs

    def _is_optional(self, term: Term) -> bool:
        return term.op == INPUT and _input_name(term) in self.request.optional

    def _optional(self, node: ast.BinOp, left: Term, right: Term) -> Term:
        """An operation that is skipped where its optional operand is None."""
        kinds: Mapping[type[ast.operator], str] = {
            ast.Add: "optional_add",
            ast.Sub: "optional_sub",
            ast.Mult: "optional_mul",
        }
        kind = kinds.get(type(node.op))
        if kind is None or (self._is_optional(left) and self._is_optional(right)):
            raise self._misplaced(node, left if self._is_optional(left) else right)
        if self._is_optional(right):
            return call(kind, left, right)
        if kind == "optional_sub":
            return call("optional_add", -right, left)
        return call(kind, right, left)

    def _check_optional(self, tree: ast.expr, output: Term) -> None:
        if self._is_optional(output):
            raise self._misplaced(tree, output)
        for index in reachable(self.builder.nodes, [output.id]):
            term = Term(self.builder, index)
            checked = term.args[:1] if term.op.startswith("optional_") else term.args
            for arg in checked:
                if self._is_optional(arg):
                    raise self._misplaced(tree, arg)

    def _misplaced(self, node: ast.expr, term: Term) -> ExpressionError:
        name = _input_name(term)
        return self.source.fault(
            node,
            f"without the optional input {name!r} this has no meaning",
            "an optional input must be a term of a sum or a factor of a product",
        )

    # ---- kinds

    def _real(self, term: Term) -> Term:
        """A number; a condition counts as 1 where it holds and 0 elsewhere."""
        if term.op not in BOOLEANS:
            return term
        return select(decide(term), number(self.builder, 1), number(self.builder, 0))

    def _condition(self, term: Term, node: ast.expr) -> Term:
        if term.op in BOOLEANS:
            return decide(term)
        raise self.source.fault(node, "a condition is needed here", "compare with something: x > 0")


def _input_name(term: Term) -> str:
    return str(term.builder.nodes[term.id].payload)


def _counted(fewest: int, most: int) -> str:
    if fewest == most:
        return "1 argument" if most == 1 else f"{most} arguments"
    if most == MANY:
        return f"at least {fewest} argument{'s' if fewest > 1 else ''}"
    return f"{fewest} to {most} arguments"
