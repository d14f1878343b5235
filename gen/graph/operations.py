"""THE table of operations: one row each, with its derivative, cost and spellings.

In: the rows of elementary.py and special.py; those over indices are here. Out:
`OPERATIONS`, what a graph may consist of.
"""

from __future__ import annotations

from gen.graph.elementary import ARITHMETIC, ELEMENTARY
from gen.graph.graph import BOOLEANS, CUSTOM, LEAVES, Node
from gen.graph.indices import TENSOR_OPERATIONS
from gen.graph.row import ADD, FUNCTION, MATRIX, SPECIAL, Operation
from gen.graph.special import SPECIAL_FUNCTIONS
from gen.graph.tensors import (
    det_pullback,
    extremum_pullback,
    inv_pullback,
    log_softmax_pullback,
    logdet_pullback,
    logsumexp_pullback,
    norm_pullback,
    prod_pullback,
    rename_pullback,
    softmax_pullback,
    solve_pullback,
    sum_pullback,
)

# What a straight-through gradient passes as if it were the identity.
STEPS = frozenset({"round", "floor", "ceil", "trunc", "sign", "heaviside"})

_ROWS = (
    *ARITHMETIC,
    # ---- over indices, which the payload names: tensors.py has the rules
    Operation("sum", 1, ADD, pullback=sum_pullback),
    Operation("rename", 1, 0, pullback=rename_pullback),
    Operation("amax", 1, ADD, pullback=extremum_pullback),
    Operation("amin", 1, ADD, pullback=extremum_pullback),
    Operation("prod", 1, ADD, pullback=prod_pullback),
    Operation("prod_others", 1, 4 * ADD),
    Operation("logsumexp", 1, 2 * FUNCTION, pullback=logsumexp_pullback),
    Operation("norm", 1, 2 * ADD, pullback=norm_pullback),
    Operation("softmax", 1, 2 * FUNCTION, pullback=softmax_pullback),
    Operation("log_softmax", 1, 2 * FUNCTION, pullback=log_softmax_pullback),
    Operation("spread", 1, 0, pullback=sum_pullback),
    Operation("gather", 1, ADD),
    Operation("inv", 1, MATRIX, pullback=inv_pullback),
    Operation("det", 1, MATRIX, pullback=det_pullback),
    Operation("cofactor", 1, MATRIX),
    Operation("logdet", 1, MATRIX, pullback=logdet_pullback),
    Operation("solve", 2, MATRIX, pullback=solve_pullback),
    # ---- a function of the user's own, which the payload names
    Operation(CUSTOM, 0, SPECIAL),
    *ELEMENTARY,
    *SPECIAL_FUNCTIONS,
)

OPERATIONS: dict[str, Operation] = {row.name: row for row in _ROWS}

# Operations that are finite, and have finite derivatives, wherever their operands are.
_HARMLESS = (
    LEAVES
    | BOOLEANS
    | TENSOR_OPERATIONS  # which no branch reaches into
    | {
        *("add", "sub", "mul", "neg", "select", "maximum", "minimum", "clamp", "abs", "sign"),
        *("heaviside", "floor", "ceil", "round", "trunc", "sin", "cos", "tanh", "atan", "asinh"),
        *("sigmoid", "softplus", "logsigmoid", "logaddexp", "erf", "erfc", "ndtr"),
        *("optional_add", "optional_sub", "optional_mul"),
    }
)


def is_harmless(node: Node) -> bool:
    """Whether a node is finite, with a finite derivative, wherever its operands are finite."""
    if node.op == "pow" and isinstance(node.payload, int):
        return node.payload > 0
    return node.op in _HARMLESS
