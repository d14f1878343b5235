"""Functions of whole arrays that expressions may call: sums, norms, matrices, einsum.

Names and defaults are numpy's; PyTorch's `dim`, `keepdim` and `correction` are understood
too. What they do is in reductions.py, matrices.py and einsum.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.frontend import matrices, reductions
from gen.frontend.array_function import ArrayFunction
from gen.frontend.einsum import einsum
from gen.graph.algebra import call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.frontend.array_function import Options
    from gen.frontend.views import Space, View


def _einsum(space: Space, name: str, views: Sequence[View], options: Options) -> View:
    return einsum(space, str(options["equation"]), views)


MANY = 1_000

_SUM = reductions.reduction(reductions.total)
_MAX, _MIN = (
    reductions.reduction(reductions.extremum("amax")),
    reductions.reduction(reductions.extremum("amin")),
)

# By spelling. Those of one argument that FUNCTIONS has too mean the reduction only where
# there is an axis, or nothing to compare with.
ARRAY_FUNCTIONS: dict[str, ArrayFunction] = {
    "sum": _SUM,
    "mean": reductions.reduction(reductions.mean),
    "prod": reductions.reduction(reductions.product),
    "amax": _MAX,
    "amin": _MIN,
    "max": _MAX,
    "min": _MIN,
    "var": ArrayFunction(1, ("axis", "keepdims", "ddof"), reductions.variance),
    "std": ArrayFunction(1, ("axis", "keepdims", "ddof"), reductions.deviation),
    "norm": ArrayFunction(1, ("ord", "axis", "keepdims"), reductions.norm),
    "logsumexp": reductions.reduction(reductions.logsumexp),
    "softmax": reductions.normalisation(
        "softmax", lambda term: term.like(1), lambda whole, more: whole / more
    ),
    "log_softmax": reductions.normalisation(
        "log_softmax",
        lambda term: term.like(0),
        lambda whole, more: whole - call("log", more),
    ),
    "matmul": ArrayFunction(2, (), matrices.product),
    "dot": ArrayFunction(2, (), matrices.dot),
    "outer": ArrayFunction(2, (), matrices.outer),
    "trace": ArrayFunction(1, (), matrices.trace),
    "det": matrices.determinant("det"),
    "logdet": matrices.determinant("logdet"),
    "inv": ArrayFunction(1, (), matrices.inverse),
    "solve": ArrayFunction(2, (), matrices.solve),
    "transpose": ArrayFunction(1, (), matrices.transpose),
    "einsum": ArrayFunction(MANY, (), _einsum),
    "cosine_similarity": ArrayFunction(2, ("axis",), reductions.cosine_similarity),
}
