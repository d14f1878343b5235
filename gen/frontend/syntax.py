"""Text → syntax trees, within limits.

In: the text of an expression, or of statements of which the last ones are wanted. Out:
the trees that the standard library's parser makes of them, of bounded size, and the names
that they read.
"""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
import warnings
from typing import TYPE_CHECKING, NamedTuple

from gen.errors import ExpressionError, GenError
from gen.frontend.source import LANGUAGE, Source
from gen.model import MAX_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_DEPTH = 2000
MAX_NODES = 2_000_000
MAX_DIGITS = 1000

# What a constant that chooses a branch may be compared with.
WORD = re.compile(r"[A-Za-z0-9_-]{1,40}")

# The parser skips these two, and they would reach the docstring of what is emitted.
_SKIPPED = (("#", "a comment"), ("\\", "a backslash"))


class Statement(NamedTuple):
    """`name = tree`; without a name, the value that is wanted."""

    name: str | None
    tree: ast.expr
    nodes: tuple[ast.expr, ...]  # all that the tree is made of, each before its own parts
    is_hidden: bool = False  # inserted for the first terms of a long sum or product

    @property
    def reads(self) -> list[ast.Name]:
        """The names in it that are not called."""
        called = {id(one.func) for one in self.nodes if type(one) is ast.Call}
        return [one for one in self.nodes if type(one) is ast.Name and id(one) not in called]


def parse(source: Source) -> tuple[Statement, ...]:
    """The statements of a text, at least one.

    Raises:
        GenError: where it is none, or larger or deeper than can be read.
    """
    _check_characters(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the parser warns of literals refused later
            module = ast.parse(source.code)
    except SyntaxError as fault:
        raise _syntax_error(source, fault) from None
    except (RecursionError, MemoryError):
        raise _too_deep() from None
    except ValueError as fault:  # null bytes, lone surrogates
        raise GenError(f"the expression cannot be read as text: {fault}") from None
    if not module.body:
        raise GenError("the expression is empty; write one, such as 0.5*(5*x**3-3*x)")
    statements = _statements(module.body, source)
    for one in statements[:-1]:
        if one.name is None:
            hint = "write name = ... before it, or join the lines inside parentheses"
            raise source.fault(one.tree, "a value that nobody uses", hint)
    return statements


def _statements(body: Iterable[ast.stmt], source: Source) -> tuple[Statement, ...]:
    found: list[Statement] = []
    room = MAX_NODES
    for one in body:
        name, tree = _assigned(one, source)
        nodes = _nodes(tree, room)
        room -= len(nodes)
        found.append(Statement(name, tree, nodes, name is not None and source.is_hidden(name)))
    return tuple(found)


def _assigned(node: ast.stmt, source: Source) -> tuple[str | None, ast.expr]:
    """The expression of a statement, and the name that it is assigned to."""
    match node:
        case ast.Expr(value=value):
            return None, value
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, value
        case ast.Assign(targets=targets):
            hint = "write name = expression, one name at a time"
            raise source.fault(targets[0], "not a name that can be assigned", hint)
    place = ast.Constant(None, lineno=node.lineno, col_offset=node.col_offset)
    word = re.split(r"\W", source.rows[node.lineno - 1].text[node.col_offset :])[0]
    what = f"{word or 'this statement'} is not part of an expression"
    hint = "lambda is a keyword of Python; call the input lambda_" if word == "lambda" else ""
    raise source.fault(place, what, hint or LANGUAGE)


def check_quotes(source: Source) -> None:
    """Refuse what no valid expression contains, before any of it is printed in a docstring."""
    for sign in ('"', "`", "$"):
        if sign in source.text:
            place = source.find(sign)
            raise ExpressionError(f"{sign} is not part of an expression", source.text, *place)


def _check_characters(source: Source) -> None:
    text = source.text
    if not text:
        raise GenError("the expression is empty; write one, such as 0.5*(5*x**3-3*x)")
    if len(text) > MAX_CHARACTERS:
        raise GenError(
            f"the expression has {len(text)} characters; at most {MAX_CHARACTERS} are read"
        )
    for sign, what in _SKIPPED:
        if sign in text:
            place = source.find(sign)
            raise ExpressionError(f"{what} is not part of an expression", text, *place)
    if re.sub(r"[\t\n\r]", "", text).isprintable():
        return
    control = next(
        (c for c in text if c not in "\t\n\r " and unicodedata.category(c)[0] == "C"), ""
    )
    if control:
        place = source.find(control)
        what = f"the character U+{ord(control):04X} is not part of an expression"
        raise ExpressionError(what, text, *place)


def _too_deep() -> GenError:
    return GenError(
        f"the expression is nested too deeply; at most {MAX_DEPTH} levels are read, "
        "200 of them parentheses (sums and products may have any number of operands)"
    )


def _nodes(tree: ast.expr, room: int) -> tuple[ast.expr, ...]:
    """All expressions that a tree is made of, level by level, if there are no more than `room`."""
    found: list[ast.expr] = []
    level = [tree]
    for _ in range(MAX_DEPTH):
        found += level
        if len(found) > room:
            raise GenError(
                f"the expression has more than {MAX_NODES} operations and operands; "
                "no more are read"
            )
        below: list[ast.expr] = []
        for node in level:
            kind = type(node)
            if kind is ast.BinOp:
                below += (node.left, node.right)  # type: ignore[attr-defined]
            elif kind is not ast.Name and kind is not ast.Constant:
                below += _parts(node)
        if not below:
            return tuple(found)
        level = below
    raise _too_deep()


def _parts(node: ast.expr) -> list[ast.expr]:
    """The expressions that a node is made of, in the order of the text."""
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            found.append(child)
        elif isinstance(child, ast.keyword):
            found.append(child.value)
    return found


def _syntax_error(source: Source, fault: SyntaxError) -> GenError:
    message = re.sub(r" \(detected at line \d+\)", "", fault.msg or "invalid syntax")
    if "too many nested parentheses" in message or "too complex" in message:
        return _too_deep()
    hint = LANGUAGE
    if re.search(r"\blambda\b", source.text):
        hint = "lambda is a keyword of Python; call the input lambda_"
    elif "decimal literal" in message:
        hint = "a product needs its sign, as in 2*x"
    elif "cannot assign" in message or "'='" in message:
        hint = "comparing is ==; what is assigned is one name, as in y = x**2"
    elif "was never closed" in message or "unmatched" in message:
        hint = ""
    elif "Maybe you meant" in message or "forgot a comma" in message:
        message = "invalid syntax"
    elif "integer string conversion" in message:
        message, hint = "a number is too long", f"at most {MAX_DIGITS} digits are read"
    column = fault.offset - 1 if fault.offset else None
    return source.fault_at(fault.lineno or 1, column, f"not an expression: {message}", hint)


def names(statements: Sequence[Statement], source: Source) -> list[str]:
    """The names that are read but not called, in the order in which they are read.

    Those that a statement before assigns are left out.
    """
    found: dict[str, None] = {}
    assigned: set[str] = set()
    read: list[ast.Name] = []
    for statement in statements:
        read += statement.reads
        if statement.name is not None and statement.is_hidden:
            assigned.add(statement.name)
            continue
        for node in sorted(read, key=source.place):
            # Letters that Python takes for plain ones can spell a keyword.
            if keyword.iskeyword(node.id):
                what = f"{node.id} is a keyword of Python, and no name for an input"
                raise source.fault(node, what)
            if node.id not in assigned:
                found[node.id] = None
        read = []
        if statement.name is not None:
            is_taken = statement.name in found or statement.name in assigned
            _check_assigned(statement, source, is_taken)
            assigned.add(statement.name)
    return list(found)


def _check_assigned(statement: Statement, source: Source, is_taken: bool) -> None:
    name = statement.name
    if is_taken:
        hint = "each name has one value; choose another for the new one"
        raise source.fault(statement.tree, f"{name} is assigned a second value", hint)
    if name is not None and keyword.iskeyword(name):
        raise source.fault(statement.tree, f"{name} is a keyword of Python")
