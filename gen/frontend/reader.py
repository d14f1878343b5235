"""Statements → views: each kind of syntax is built into the graph here, or refused.

In: the statements of an expression, what its names stand for. Out: a view for each name
that a statement assigns. Nothing of the text is ever evaluated. The walk uses a stack of
its own, so depth costs no recursion.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gen.errors import CalledError, DefinitionError, ExpressionError, GenError
from gen.frontend import calls
from gen.frontend.arrays import ARRAY_FUNCTIONS
from gen.frontend.library import CONSTANTS
from gen.frontend.matrices import swapped, transposed
from gen.frontend.operators import Operators, text_compared
from gen.frontend.refusals import WRONG_NODES
from gen.frontend.source import LANGUAGE
from gen.frontend.views import MisfitError, View, show
from gen.graph.algebra import constant, custom
from gen.graph.evaluate import as_float
from gen.graph.functions import FUNCTIONS
from gen.graph.graph import BOOLEANS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.frontend.library import Body, Library
    from gen.frontend.source import Source
    from gen.frontend.syntax import Statement
    from gen.frontend.views import Space
    from gen.graph.graph import Builder

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
    constants: frozenset[str] = frozenset()  # inputs that are no tensors
    values: list[View] = field(default_factory=list)  # of statements without a name
    operators: Operators = field(init=False)

    def __post_init__(self) -> None:
        self.operators = Operators(self.space, self.source, self.optional, self.constants)

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
            if type(node) is ast.Name and node.id in self.variables:
                built[id(node)] = self.variables[node.id]
                continue
            if operands is None:
                operands = self._operands(node)
                if operands:
                    pending.append((node, operands))
                    pending.extend([(child, None) for child in reversed(operands)])
                    continue
            built[id(node)] = self._build(node, [built[id(child)] for child in operands])
        return self.operators.array(built[id(tree)], tree)

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
                return node.left, *(() if text_compared(node) is not None else node.comparators)
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

    def _unsupported(self, node: ast.expr) -> ExpressionError:
        what, hint = WRONG_NODES.get(type(node), (type(node).__name__, ""))
        if isinstance(node, ast.Attribute):
            known = node.attr in FUNCTIONS or node.attr in ARRAY_FUNCTIONS
            what = f"the attribute .{node.attr}"
            hint = f"write {node.attr}(...)" if known else "there are .T, a transpose, and .mT"
            if node.attr in ("T", "mT"):
                what, hint = f".{node.attr} called", "it is an attribute: x.T"
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
                return self.operators.constant(node)
            case ast.BinOp():
                return self.operators.binary(node, operands)
            case ast.UnaryOp():
                return self.operators.unary(node, operands[0])
            case ast.Compare():
                return self.operators.comparison(node, operands)
            case ast.BoolOp():
                return self.operators.boolean(node, operands)
            case ast.IfExp(test=test):
                return self.operators.where(test, *operands)
            case ast.Attribute(attr=attr):
                view = self.operators.array(operands[0], node)
                return transposed(view) if attr == "T" else swapped(view)
            case ast.Subscript(slice=index):
                return self.operators.indexed(node, index, self.operators.array(operands[0], node))
        assert isinstance(node, ast.Call)
        return self._call(node, operands)

    def _name(self, node: ast.Name) -> View:
        name = node.id
        if name in CONSTANTS:
            return View(constant(self.builder, name))
        raise self.source.fault(node, f"{name} is read before it is assigned")

    # ---- calls

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

    def _call(self, node: ast.Call, operands: list[View]) -> View:
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name in self.library.primitives:
            views = [self.operators.array(view, node) for view in operands]
            terms, like = self.space.united(views, name)
            return like.with_term(custom(name, *terms))
        if self._is_own(name):
            return self._own(node, name, operands)
        if name == "Piecewise":
            return self.operators.piecewise(node, self._operands(node)[1::2], operands)
        if name in ("where", "ITE", "select"):
            return self.operators.where(node.args[0], *operands)
        if self._is_array_call(node):
            views = [self.operators.array(view, node) for view in operands]
            function = ARRAY_FUNCTIONS[name]
            return function.build(self.space, name, views, calls.options(node, self.source))
        if name in _CONDITIONS:
            pairs = zip(operands, node.args, strict=True)
            views = [self.operators.condition(*pair) for pair in pairs]
        else:
            views = [self.operators.array(view, node) for view in operands]
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
        views = [self.operators.array(view, node) for view in operands]
        self.library.count(body)
        variables = dict(zip(body.parameters, views, strict=True))
        inner = Reader(
            *(self.space, body.source, self.library, variables),
            stack=(*self.stack, name),
            constants=self.constants,
        )
        try:
            inner.run(body.statements)
            (value,) = body.outputs
            return inner.values[-1] if value is None else inner.variables[value]
        except DefinitionError:
            raise
        except ExpressionError as fault:
            raise CalledError(name, fault) from None


def _excerpt(code: str) -> str:
    return code if len(code) <= _LONGEST_SHOWN else f"{code[:_LONGEST_SHOWN]}..."
