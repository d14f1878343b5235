"""The body of a Python function → statements of the language.

In: the syntax of a function, and what names outside it stand for. Out: one statement for
each assignment, each name assigned once, and what is returned; branches become
conditional expressions. Each node keeps its place in the file.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from gen.frontend.library import CONSTANTS
from gen.frontend.refusals import WRONG_NODES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gen.errors import GenError
    from gen.frontend.scope import Scope
    from gen.frontend.written import Place, Written

    # How a call of another such function is written: its name, its parameters.
    Called: TypeAlias = Callable[[Written], tuple[str, tuple[str, ...]]]

BODY = "a body has assignments, if and else, and return"

_MOST_STATEMENTS = 20_000
_DEEPEST = 100
_LONGEST_CONDITION = 1000  # nodes: a condition is written out wherever its name stands

# What names stand for; None: assigned in one branch alone.
Names: TypeAlias = dict[str, "ast.expr | None"]

_CONDITIONS = (ast.Compare, ast.BoolOp)


class Step(NamedTuple):
    """`name = tree`."""

    name: str
    tree: ast.expr


@dataclass(frozen=True, slots=True)
class Returned:
    """What a function returns."""

    values: tuple[ast.expr, ...]
    names: tuple[str | None, ...]  # of the variables that hold them
    is_tuple: bool


@dataclass(slots=True)
class Body:
    """One function on its way to statements."""

    scope: Scope
    place: Place
    called: Called
    inputs: tuple[str, ...]  # its parameters
    taken: set[str] = field(init=False)  # names that no new one may have
    steps: list[Step] = field(default_factory=list)
    read: int = 0  # statements so far
    depth: int = 0

    def __post_init__(self) -> None:
        self.taken = {*self.inputs, *CONSTANTS}

    # ---- statements

    def block(self, statements: Sequence[ast.stmt], names: Names) -> Returned | None:
        """What some statements return; None where they only assign, which `names` then has."""
        for i, node in enumerate(statements):
            self._count(node)
            match node:
                case ast.Return():
                    return self._returned(node, names)
                case ast.If():
                    found = self._branches(node, statements[i + 1 :], names)
                    if found is not None:
                        return found
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._assign(target, value, names)
                case ast.AnnAssign(target=target, value=value):
                    if value is not None:
                        self._assign(target, value, names)
                case ast.AugAssign():
                    self._augment(node, names)
                case ast.Pass() | ast.Expr(value=ast.Constant(value=str())):
                    pass
                case _:
                    raise self._refused(node)
        return None

    def _count(self, node: ast.stmt) -> None:
        self.read += 1
        if self.read > _MOST_STATEMENTS:
            raise self.place.fault(node, f"more than {_MOST_STATEMENTS} statements, written out")

    def _refused(self, node: ast.stmt) -> GenError:
        if isinstance(node, ast.Expr):
            return self.place.fault(node, "a value that nobody uses", BODY)
        word = ast.unparse(node).split(maxsplit=1)[0].rstrip(":")
        at = ast.Pass(lineno=node.lineno, col_offset=node.col_offset)
        return self.place.fault(at, f"{word} is not part of a function's body", BODY)

    def _assign(self, target: ast.expr, value: ast.expr, names: Names) -> None:
        match target, value:
            case ast.Name(id=name), _:
                self._bind(name, self.expression(value, names), names)
            case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), ast.Tuple(elts=values)) if (
                len(targets) == len(values) and all(isinstance(one, ast.Name) for one in targets)
            ):
                found = [self.expression(one, names) for one in values]
                for one, tree in zip(targets, found, strict=True):
                    assert isinstance(one, ast.Name)
                    self._bind(one.id, tree, names)
            case _:
                hint = "write name = expression, or a, b = one expression each"
                raise self.place.fault(target, "not a name that can be assigned", hint)

    def _augment(self, node: ast.AugAssign, names: Names) -> None:
        if not isinstance(node.target, ast.Name):
            raise self.place.fault(node.target, "not a name that can be assigned")
        left = ast.copy_location(ast.Name(node.target.id), node.target)
        whole = ast.copy_location(ast.BinOp(left, node.op, node.value), node)
        self._bind(node.target.id, self.expression(whole, names), names)

    def _bind(self, name: str, tree: ast.expr, names: Names) -> None:
        """Let a name stand for a value, which a statement computes unless it is plain."""
        if isinstance(tree, ast.Name | ast.Constant):
            names[name] = tree
        elif _is_condition(tree):
            # A statement would make a number of it.
            if sum(1 for _ in ast.walk(tree)) > _LONGEST_CONDITION:
                raise self.place.fault(tree, "a condition is too long")
            names[name] = tree
        else:
            fresh = self.fresh(name)
            self.steps.append(Step(fresh, tree))
            names[name] = ast.copy_location(ast.Name(fresh), tree)

    def fresh(self, name: str) -> str:
        """A name that nothing has yet: x, x_2, x_3."""
        found, count = name, 1
        while found in self.taken:
            count += 1
            found = f"{name}_{count}"
        self.taken.add(found)
        return found

    def rename(self, names: Mapping[str, str]) -> None:
        """Call what statements assign by other names, all at once."""
        self.steps = [Step(names.get(name, name), tree) for name, tree in self.steps]
        # A tree may stand in several statements.
        nodes = {id(node): node for _, tree in self.steps for node in ast.walk(tree)}
        called = {id(node.func) for node in nodes.values() if isinstance(node, ast.Call)}
        for node in nodes.values():
            if isinstance(node, ast.Name) and id(node) not in called:
                node.id = names.get(node.id, node.id)

    # ---- returning

    def _returned(self, node: ast.Return, names: Names) -> Returned:
        if node.value is None:
            raise self.place.fault(node, "nothing is returned", "a function has a value")
        several = isinstance(node.value, ast.Tuple)
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        if not values:
            raise self.place.fault(node, "nothing is returned", "a function has a value")
        return Returned(
            tuple(self.expression(one, names) for one in values),
            tuple(one.id if isinstance(one, ast.Name) else None for one in values),
            several,
        )

    # ---- branches

    def _branches(self, node: ast.If, rest: Sequence[ast.stmt], names: Names) -> Returned | None:
        """What `if` and the statements behind it return; None where it only assigns."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.place.fault(node, f"more than {_DEEPEST} branches inside each other")
        test = self.expression(node.test, names)
        yes, no = dict(names), dict(names)
        if _returns(node):
            found = self.block([*node.body, *rest], yes), self.block([*node.orelse, *rest], no)
            self.depth -= 1
            return self._either(node, test, *found)
        self.block(node.body, yes)
        self.block(node.orelse, no)
        self.depth -= 1
        for name in dict.fromkeys((*yes, *no)):
            self._merge(name, test, yes.get(name), no.get(name), names)
        return None

    def _merge(
        self, name: str, test: ast.expr, yes: ast.expr | None, no: ast.expr | None, names: Names
    ) -> None:
        if yes is None or no is None:
            names[name] = None
        elif ast.dump(yes) == ast.dump(no):
            names[name] = yes
        elif _is_condition(yes) and _is_condition(no):
            parts = [_joined(ast.And(), test, yes), _joined(ast.And(), _negated(test), no)]
            self._bind(name, _joined(ast.Or(), *parts), names)
        else:
            self._bind(name, _chosen(test, yes, no), names)

    def _either(
        self, node: ast.If, test: ast.expr, yes: Returned | None, no: Returned | None
    ) -> Returned:
        if yes is None or no is None:
            where = "holds" if yes is None else "fails"
            what = f"nothing is returned where this condition {where}"
            raise self.place.fault(node.test, what, "each branch of a function returns a value")
        if len(yes.values) != len(no.values) or yes.is_tuple != no.is_tuple:
            raise self.place.fault(node.test, "the branches return different numbers of values")
        values = zip(yes.values, no.values, strict=True)
        both = zip(yes.names, no.names, strict=True)
        return Returned(
            tuple(_chosen(test, a, b) for a, b in values),
            tuple(a if a == b else None for a, b in both),
            yes.is_tuple,
        )

    # ---- expressions

    def expression(self, node: ast.expr, names: Names) -> ast.expr:
        """An expression with what its names stand for in their place."""
        match node:
            case ast.Name():
                return self._name(node, names)
            case ast.Attribute(value=value, attr="T" | "mT" as attr):
                inner = self.expression(value, names)
                return ast.copy_location(ast.Attribute(inner, attr), node)
            case ast.Attribute():
                self._no_value(node, names)
                return self._constant(node, self.scope.value(node), names)
            case ast.Call():
                return self._call(node, names)
            case ast.Subscript(value=value, slice=index):
                inner = self.expression(value, names)
                return ast.copy_location(ast.Subscript(inner, index), node)
            case ast.Constant():
                return node
        return self._operation(node, names)

    def _operation(self, node: ast.expr, names: Names) -> ast.expr:
        """The same operation on translated operands."""

        def of(one: ast.expr) -> ast.expr:
            return self.expression(one, names)

        found: ast.expr
        match node:
            case ast.BinOp(left=left, op=op, right=right):
                found = ast.BinOp(of(left), op, of(right))
            case ast.UnaryOp(op=sign, operand=operand):
                found = ast.UnaryOp(sign, of(operand))
            case ast.Compare(left=left, ops=ops, comparators=rest):
                found = ast.Compare(of(left), ops, list(map(of, rest)))
            case ast.BoolOp(op=word, values=values):
                found = ast.BoolOp(word, list(map(of, values)))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                found = ast.IfExp(of(test), of(body), of(orelse))
            case _:
                what, hint = WRONG_NODES.get(type(node), (type(node).__name__, ""))
                raise self.place.fault(node, f"{what} is not part of a function's body", hint)
        return ast.copy_location(found, node)

    def _name(self, node: ast.Name, names: Names) -> ast.expr:
        if node.id not in names:
            return self._constant(node, self.scope.value(node), names)
        found = names[node.id]
        if found is None:
            hint = "assign it in both, or before"
            raise self.place.fault(node, f"{node.id} is assigned in one branch alone", hint)
        if isinstance(found, ast.Name):
            return ast.copy_location(ast.Name(found.id), node)
        return found

    def _constant(self, node: ast.expr, value: ast.expr, names: Names) -> ast.expr:
        if isinstance(value, ast.Name) and value.id in names:
            what = f"{ast.unparse(node)}, and an input or variable {value.id}"
            raise self.place.fault(node, what, f"{value.id} is a constant; rename the other")
        return value

    def _no_value(self, node: ast.expr, names: Names) -> None:
        """Refuse an attribute of a value, such as x.shape."""
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name) and root.id in names:
            assert isinstance(node, ast.Attribute)
            what = f"the attribute .{node.attr} is not part of a function's body"
            hint = f"there are .T, a transpose, and .mT; functions are called as in {node.attr}(x)"
            raise self.place.fault(node, what, hint)

    def _call(self, node: ast.Call, names: Names) -> ast.expr:
        self._no_value(node.func, names)
        if isinstance(node.func, ast.Name) and node.func.id in names:
            raise self.place.fault(node.func, f"{node.func.id} is a value, no function")
        for one in node.args:
            if isinstance(one, ast.Starred):
                raise self.place.fault(one, "an unpacked argument is not part of a call")
        callee = self.scope.callee(node.func)
        if isinstance(callee, str):
            return self._language_call(node, callee, names)
        name, parameters = self.called(callee)
        given = [*node.args, *self._by_keyword(node, name, parameters)]
        arguments = [self.expression(one, names) for one in given]
        func = ast.copy_location(ast.Name(name), node.func)
        return ast.copy_location(ast.Call(func, arguments, []), node)

    def _language_call(self, node: ast.Call, name: str, names: Names) -> ast.expr:
        arguments = [self._argument(one, names) for one in node.args]
        func = ast.copy_location(ast.Name(name), node.func)
        return ast.copy_location(ast.Call(func, arguments, node.keywords), node)

    def _argument(self, node: ast.expr, names: Names) -> ast.expr:
        """An argument; pairs, as in Piecewise, texts and literal axes are ones too."""
        if isinstance(node, ast.Tuple):
            inner = [self._argument(one, names) for one in node.elts]
            return ast.copy_location(ast.Tuple(inner), node)
        return self.expression(node, names)

    def _by_keyword(self, node: ast.Call, name: str, parameters: tuple[str, ...]) -> list[ast.expr]:
        """The arguments of a call that are given by name, in order."""
        given = {one.arg: one.value for one in node.keywords}
        behind = parameters[len(node.args) :]
        if given and sorted(map(str, given)) != sorted(behind):
            hint = f"it is {name}({', '.join(parameters)})"
            raise self.place.fault(node, f"{name} is not given what it takes", hint)
        return [given[one] for one in behind] if given else []


def _returns(node: ast.stmt) -> bool:
    return any(isinstance(one, ast.Return) for one in ast.walk(node))


def _is_condition(tree: ast.expr) -> bool:
    if isinstance(tree, ast.UnaryOp):
        return isinstance(tree.op, ast.Not)
    return isinstance(tree, _CONDITIONS)


def _chosen(test: ast.expr, yes: ast.expr, no: ast.expr) -> ast.expr:
    return ast.copy_location(ast.IfExp(test, yes, no), test)


def _joined(word: ast.boolop, *parts: ast.expr) -> ast.expr:
    return ast.copy_location(ast.BoolOp(word, list(parts)), parts[0])


def _negated(test: ast.expr) -> ast.expr:
    return ast.copy_location(ast.UnaryOp(ast.Not(), test), test)
