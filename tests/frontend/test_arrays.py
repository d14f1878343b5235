"""Functions of arrays: shapes that are understood, and messages for those that do not fit."""

from __future__ import annotations

from typing import Any

import pytest

from gen.errors import GenError
from gen.frontend.options import request
from gen.frontend.text import read
from gen.frontend.views import show


def _order(expr: str, **shape: str) -> str:
    (output,) = read(request("Case", expr, {"shape": shape})).outputs
    return show(output.order)


@pytest.mark.parametrize(
    ("expr", "shape", "order"),
    [
        ("x @ w", {"x": "M,I", "w": "I,O"}, "(..., O)"),
        ("x.T @ x", {"x": "N,I"}, "(I, I)"),
        ("x @ x", {"x": "N"}, "()"),
        ("x @ A", {"x": "N", "A": "N,M"}, "(M,)"),
        ("A @ B", {"A": "2,N,M", "B": "M,K"}, "(2, N, K)"),
        ("A @ B", {"A": "...,N,M", "B": "...,M,K"}, "(..., N, K)"),
        ("sum(x, axis=0)", {"x": "N,3"}, "(3,)"),
        ("sum(x, axis=0, keepdims=True) * x", {"x": "3,N"}, "(3, N)"),
        ("sum(x, axis=(0, -1))", {"x": "A,B,C"}, "(B,)"),
        ("mean(x)", {"x": "N,D"}, "()"),
        ("x[:, None] - x", {"x": "N"}, "(N, N)"),
        ("outer(x, y)", {"x": "N", "y": "M"}, "(N, M)"),
        ("einsum('ij,kj', x, y)", {"x": "N,D", "y": "M,D"}, "(N, M)"),
        ("einsum('...i->i...', x)", {"x": "A,B"}, "(B, A)"),
        ("trace(A)", {"A": "K,N,N"}, "(...)"),
        ("solve(A, b)", {"A": "N,N", "b": "N"}, "(N,)"),
        ("solve(A, b)", {"A": "N,N", "b": "N,K"}, "(N, K)"),
        ("softmax(x, axis=-1)", {}, "(..., D)"),
        ("x + y", {"x": "N,D"}, "(...)"),
    ],
)
def test_shapes(expr: str, shape: dict[str, str], order: str) -> None:
    assert _order(expr, **shape) == order


@pytest.mark.parametrize(
    ("expr", "shape", "message"),
    [
        ("x @ w", {"x": "N,I", "w": "O,K"}, "x (N, I) and w (O, K) do not fit @"),
        ("x + exp(y)*2", {"x": "N,I", "y": "N,K"}, "x (N, I) and exp(y) * 2 (N, K) do not fit +"),
        ("x + y", {"x": "N", "y": "N,D"}, "x (N,) and y (N, D) do not fit +"),
        ("x + y", {"x": "3", "y": "4"}, "x (3,) and y (4,) do not fit +"),
        ("where(x > 0, y, 1)", {"x": "N", "y": "M"}, "x > 0 (N,) and y (M,) do not fit where"),
        ("solve(A, b)", {"A": "N,N", "b": "M"}, "A (N, N) and b (M,) do not fit solve"),
        ("Max(x, y)", {"x": "N", "y": "M"}, "x (N,) and y (M,) do not fit Max"),
        (
            "einsum('ij,jk->ik', a, b)",
            {"a": "N,M", "b": "K,L"},
            "a (N, M) and b (K, L) do not fit 'ij,jk->ik', where 'j' is M and K",
        ),
        ("inv(x)", {"x": "N,M"}, "inv needs square matrices, given the shape (N, M)"),
        ("sum(x, axis=2)", {"x": "N,M"}, "sum: the shape (N, M) has no axis 2"),
        (
            "sum(x, axis=0)",
            {},
            "sum: axis 0 of the shape (...) lies among the leading dimensions; count from the "
            "end, as in axis=-1, or declare them",
        ),
        ("norm(x, ord=3)", {}, "norm has the orders 1, 2 and 'inf', given 3"),
        ("softmax(x, axis=1.5)", {}, "this is no value of an option"),
        ("sum(x, axes=1)", {}, "sum has no option 'axes'"),
        ("sum(x, 0, axis=0)", {}, "sum is given axis twice"),
        ("sum(x, axis=0, dim=0)", {}, "sum is given axis twice"),
        ("x.T(x)", {}, ".T called is not part of an expression"),
        ("einsum(x, x)", {}, "einsum begins with an equation"),
        ("einsum('ij->ik', x)", {"x": "N,M"}, "the equation 'ij->ik' has 'k' in its result alone"),
        ("einsum('i->ii', x)", {"x": "N"}, "the equation 'i->ii' has 'i' twice in its result"),
        ("einsum('i;', x)", {"x": "N"}, "'i;' is no equation; letters are needed, as in"),
        ("dot(x)", {"x": "N"}, "dot takes 2 arguments, given 1"),
    ],
)
def test_messages(expr: str, shape: dict[str, str], message: str) -> None:
    options: dict[str, Any] = {"shape": shape}
    with pytest.raises(GenError) as fault:
        read(request("Case", expr, options))
    assert str(fault.value).startswith(message)
