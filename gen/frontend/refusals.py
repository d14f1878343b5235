"""What people write in other languages, and what it is here.

In: a kind of syntax tree. Out: what it is called in an error, and a hint.
"""

from __future__ import annotations

import ast

WRONG_OPERATORS: dict[type[ast.AST], tuple[str, str]] = {
    ast.BitXor: ("^", "did you mean `**`?"),
    ast.FloorDiv: ("//", "write floor(a / b)"),
    ast.Mod: ("%", "write Mod(a, b)"),
    ast.BitAnd: ("&", "write `and`"),
    ast.BitOr: ("|", "write `or`, or Abs(x) for a magnitude"),
    ast.LShift: ("<<", ""),
    ast.RShift: (">>", ""),
    ast.Invert: ("~", "write `not`"),
}

WRONG_NODES: dict[type[ast.AST], tuple[str, str]] = {
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
    ast.Slice: ("a slice", "the one there is adds an axis, as in x[:, None]"),
}
