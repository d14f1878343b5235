"""The body of a Python function → statements of the language.

In: the syntax of a function, and what names outside it stand for. Out: one statement for
each assignment, each name assigned once, and what is returned; branches become
conditional expressions. Each node keeps its place in the file.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gen.frontend.library import CONSTANTS
from gen.frontend.values import either_holds, is_condition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gen.errors import GenError
    from gen.frontend.values import Names, Values
    from gen.frontend.written import Place


BODY = "a body has assignments, if and else, and return"

_MOST_STATEMENTS = 20_000
_DEEPEST = 100
_LONGEST_CONDITION = 1000  # nodes: a condition is written out wherever its name stands


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

    values: Values
    inputs: tuple[str, ...]  # its parameters
    taken: set[str] = field(init=False)  # names that no new one may have
    steps: list[Step] = field(default_factory=list)
    read: int = 0  # statements so far
    depth: int = 0

    def __post_init__(self) -> None:
        self.taken = {*self.inputs, *CONSTANTS}

    @property
    def place(self) -> Place:
        return self.values.place

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
                case ast.Assign(targets=[target], value=value):
                    self._assign(target, value, names)
                case ast.Assign(targets=[first, *others], value=value):
                    self._assign(first, value, names)
                    for target in others:
                        self._assign(target, first, names)
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
                self._bind(name, self.values.read(value, names), names)
            case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), ast.Tuple(elts=values)) if (
                len(targets) == len(values) and all(isinstance(one, ast.Name) for one in targets)
            ):
                found = [self.values.read(one, names) for one in values]
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
        self._bind(node.target.id, self.values.read(whole, names), names)

    def _bind(self, name: str, tree: ast.expr, names: Names) -> None:
        """Let a name stand for a value, which a statement computes unless it is plain."""
        if isinstance(tree, ast.Name | ast.Constant):
            names[name] = tree
        elif is_condition(tree):
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
            tuple(self.values.read(one, names) for one in values),
            tuple(one.id if isinstance(one, ast.Name) else None for one in values),
            several,
        )

    # ---- branches

    def _branches(self, node: ast.If, rest: Sequence[ast.stmt], names: Names) -> Returned | None:
        """What `if` and the statements behind it return; None where it only assigns."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.place.fault(node, f"more than {_DEEPEST} branches inside each other")
        test = self.values.read(node.test, names)
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
        elif is_condition(yes) and is_condition(no):
            self._bind(name, either_holds(test, yes, no), names)
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


def _returns(node: ast.stmt) -> bool:
    return any(isinstance(one, ast.Return) for one in ast.walk(node))


def _chosen(test: ast.expr, yes: ast.expr, no: ast.expr) -> ast.expr:
    return ast.copy_location(ast.IfExp(test, yes, no), test)
