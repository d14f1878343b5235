"""Tensor formulas beside the obvious plain code, which the tests run over.

What is expected of emitted code comes from the plain torch code and its autograd.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from gen.frontend.spec import read

ROOT = Path(__file__).resolve().parent.parent

Plain: TypeAlias = Callable[..., Any]


@dataclass(frozen=True)
class TensorCase:
    """One formula, plain code for it, and shapes of its inputs."""

    id: str
    expr: str
    plain: Plain
    shapes: tuple[tuple[int, ...], ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    positive: bool = False  # inputs within (0.5, 1.5) instead of around 0
    definite: bool = False  # the last input is made positive definite
    constants: tuple[float, ...] = ()  # plain numbers behind the tensors

    def inputs(self) -> list[Tensor]:
        """Tensors of these shapes."""
        generator = torch.Generator().manual_seed(len(self.expr))
        found = [
            torch.rand(shape, generator=generator, dtype=torch.float64) for shape in self.shapes
        ]
        found = [one + 0.5 if self.positive else 2 * one - 1 for one in found]
        if self.definite:
            size = found[-1].shape[-1]
            found[-1] = found[-1] @ found[-1].mT + 3 * torch.eye(size, dtype=torch.float64)
        return found


def parametrize_tensors() -> pytest.MarkDecorator:
    """Run a test over the table."""
    return pytest.mark.parametrize("case", TENSORS, ids=[case.id for case in TENSORS])


def _shape(**shapes: str) -> dict[str, Any]:
    return {"shape": shapes}


_SPEC = {one.request.name: one.request for one in read(ROOT / "gen.toml").entries}


def _entry(name: str, plain: Plain, *shapes: tuple[int, ...], **more: Any) -> TensorCase:
    """An entry of gen.toml, as it stands there."""
    request = _SPEC[name]
    options = {
        option: getattr(request, option) for option in ("args", "const", "optional", "outputs")
    }
    options["shape"] = dict(request.shape)
    return TensorCase(name, request.expr, plain, shapes, options, **more)


def _rbf(x: Tensor, y: Tensor, length: Tensor) -> Tensor:
    squares = (x**2).sum(1, keepdim=True) + (y**2).sum(1) - 2 * x @ y.T
    return torch.exp(-squares / (2 * length**2))


def _attention(q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
    return torch.softmax(scale * q @ k.T, -1) @ v


# What gen.toml asks for of whole arrays and of several outputs.
ENTRIES: tuple[TensorCase, ...] = (
    _entry("Linear", functional.linear, (3, 4), (5, 4), (5,)),
    _entry("QuadraticForm", lambda x, a: ((x @ a) * x).sum(-1), (3, 4), (4, 4)),
    _entry(
        "Bilinear",
        lambda x, w, y, b: torch.einsum("ni,oij,nj->no", x, w, y) + b,
        *((3, 4), (2, 4, 5), (3, 5), (2,)),
    ),
    _entry(
        "Mahalanobis",
        lambda x, mu, s: torch.sqrt((x - mu) @ torch.linalg.solve(s, x - mu)),
        *((4,), (4,), (4, 4)),
        definite=True,
    ),
    _entry("LogSumExp", lambda x: torch.logsumexp(x, -1), (2, 3, 4)),
    _entry("Softmax", lambda x: torch.softmax(x, -1), (2, 3, 4)),
    _entry(
        "LayerNorm",
        lambda x, w, b, eps: functional.layer_norm(x, x.shape[-1:], w, b, eps),
        *((2, 3, 4), (4,), (4,)),
        constants=(1e-5,),
    ),
    _entry(
        "RMSNorm",
        lambda x, w, eps: functional.rms_norm(x, x.shape[-1:], w, eps),
        *((2, 3, 4), (4,)),
        constants=(1e-5,),
    ),
    _entry("CosineSimilarity", functional.cosine_similarity, (3, 4), (3, 4)),
    _entry("CrossEntropy", functional.cross_entropy, (3, 4), (3, 4)),
    _entry("Attention", _attention, (3, 4), (5, 4), (5, 2), constants=(0.5,)),
    _entry("RBFKernel", _rbf, (3, 4), (5, 4), (), positive=True),
    _entry(
        "GLU",
        lambda x, w, b, v, c: functional.linear(x, w, b) * torch.sigmoid(x @ v.T + c),
        *((3, 4), (5, 4), (5,), (5, 4), (5,)),
    ),
    _entry(
        "SwiGLU",
        lambda x, w, v, u: (functional.silu(x @ w.T) * (x @ v.T)) @ u.T,
        *((3, 4), (5, 4), (5, 4), (4, 5)),
    ),
    _entry(
        "LowRankAdapter",
        lambda x, w, a, b, s: x @ w.T + s * (x @ a.T) @ b.T,
        *((3, 4), (5, 4), (2, 4), (5, 2)),
        constants=(0.7,),
    ),
    _entry(
        "Rotate",
        lambda t, x, y: (t.cos() * x - t.sin() * y, t.sin() * x + t.cos() * y),
        *((), (3,), (3,)),
    ),
)

TENSORS: tuple[TensorCase, ...] = (
    *ENTRIES,
    TensorCase(
        "quadratic_form",
        "x @ A @ x",
        lambda x, a: x @ a @ x,
        ((4,), (4, 4)),
        _shape(x="D", A="D,D"),
    ),
    TensorCase(
        "undeclared_layer_norm",
        "(x - mean(x, axis=-1, keepdims=True))/std(x, axis=-1, keepdims=True) * w + b",
        lambda x, w, b: (x - x.mean(-1, True)) / x.std(-1, correction=0, keepdim=True) * w + b,
        ((2, 3, 4), (4,), ()),
    ),
    TensorCase(
        "low_rank",
        "x @ W.T + s * (x @ A.T) @ B.T",
        lambda x, w, s, a, b: x @ w.T + s * (x @ a.T) @ b.T,
        ((3, 4), (5, 4), (), (2, 4), (5, 2)),
        _shape(x="N,I", W="O,I", A="R,I", B="O,R"),
    ),
    # reductions
    TensorCase("sum", "sum(x**3)", lambda x: (x**3).sum(), ((3, 4),)),
    TensorCase("sum_of_two", "sum((x - y)**2)", lambda x, y: ((x - y) ** 2).sum(), ((3, 4), (4,))),
    TensorCase("mse", "mean((x - y)**2)", lambda x, y: ((x - y) ** 2).mean(), ((4,), (3, 1))),
    TensorCase(
        "two_sums", "sum(x*t) + sum(x)", lambda x, t: (x * t).sum() + x.sum(), ((4,), (3, 1))
    ),
    TensorCase(
        "number_summed_by_itself",
        "sum((x*s - y)**2) + 0.1*sum(s**2)",
        lambda x, s, y: ((x * s - y) ** 2).sum() + 0.1 * (s**2).sum(),
        ((3, 4), (), (3, 4)),
        _shape(x="N,D", y="N,D"),
    ),
    TensorCase("centred", "x - mean(x)", lambda x: x - x.mean(), ((3, 4),)),
    TensorCase(
        "sum_axis", "sum(sin(x), axis=0)", lambda x: x.sin().sum(0), ((3, 4),), _shape(x="N,D")
    ),
    TensorCase(
        "sum_keepdims",
        "x / sum(x, axis=(0, 1), keepdims=True)",
        lambda x: x / x.sum((0, 1), keepdim=True),
        ((3, 4),),
        _shape(x="N,D"),
        positive=True,
    ),
    TensorCase("dim", "sum(x, dim=-1, keepdim=True)*x", lambda x: x.sum(-1, True) * x, ((3, 4),)),
    TensorCase("mean_of_one", "mean(x*y)", lambda x, y: (x * y).mean(), ((3, 4), (3, 1))),
    TensorCase("prod", "prod(x, axis=-1)", lambda x: x.prod(-1), ((3, 4),)),
    TensorCase("prod_all", "prod(x)", lambda x: x.prod(), ((3, 2),)),
    TensorCase("max", "max(x, axis=-1)", lambda x: x.amax(-1), ((3, 4),)),
    TensorCase("min", "exp(amin(x))", lambda x: x.amin().exp(), ((3, 4),)),
    TensorCase("span", "max(x) - min(x)", lambda x: x.amax() - x.amin(), ((3, 4),)),
    TensorCase("norm", "norm(x)", lambda x: torch.linalg.vector_norm(x), ((3, 4),)),
    TensorCase(
        "norms",
        "norm(x, ord=1, axis=-1) + norm(x, axis=-1) + norm(x, ord='inf', axis=-1)",
        lambda x: x.abs().sum(-1) + x.norm(dim=-1) + x.abs().amax(-1),
        ((3, 4),),
    ),
    TensorCase("var", "var(x, axis=-1)", lambda x: x.var(-1, correction=0), ((3, 4),)),
    TensorCase("std", "std(x, ddof=1)", lambda x: x.std(), ((3, 4),)),
    TensorCase(
        "log_softmax", "log_softmax(x, axis=-1)", lambda x: torch.log_softmax(x, -1), ((3, 4),)
    ),
    TensorCase(
        "softmax_of_two",
        "softmax(x, axis=(-2, -1))",
        lambda x: torch.softmax(x.flatten(-2), -1).reshape(x.shape),
        ((2, 3, 4),),
    ),
    TensorCase(
        "logsumexp_all",
        "logsumexp(2*x)",
        lambda x: torch.logsumexp((2 * x).flatten(), 0),
        ((3, 4),),
    ),
    TensorCase(
        "entropy",
        "-sum(softmax(x, axis=-1)*log_softmax(x, axis=-1), axis=-1)",
        lambda x: -(torch.softmax(x, -1) * torch.log_softmax(x, -1)).sum(-1),
        ((3, 4),),
    ),
    # matrices
    TensorCase("trace", "trace(A)", lambda a: torch.trace(a), ((4, 4),), _shape(A="D,D")),
    TensorCase(
        "trace_of_what_is_the_same_along_an_axis",
        "trace(A - A + b) + trace(A - A + r) + trace(A - A + 2)",
        lambda a, b, r: b.sum() + r.sum() + 2 * len(a) + 0 * a.sum(),
        ((3, 3), (3,), (3, 1)),
        _shape(A="D,D", b="D", r="D,1"),
    ),
    TensorCase(
        "trace_of_product",
        "trace(A @ B)",
        lambda a, b: torch.trace(a @ b),
        ((3, 4), (4, 3)),
        _shape(A="N,M", B="M,N"),
    ),
    TensorCase(
        "symmetric",
        "A + A.T - 2*A*A.T",
        lambda a: a + a.T - 2 * a * a.T,
        ((3, 3),),
        _shape(A="D,D"),
    ),
    TensorCase("gram", "x @ x.T", lambda x: x @ x.T, ((3, 4),), _shape(x="N,D")),
    TensorCase("power", "A @ A @ A", lambda a: a @ a @ a, ((3, 3),), _shape(A="D,D")),
    TensorCase(
        "gram_of_tanh",
        "tanh(x) @ tanh(x).T",
        lambda x: x.tanh() @ x.tanh().T,
        ((3, 4),),
        _shape(x="N,D"),
    ),
    TensorCase(
        "dot", "dot(x, y)**2", lambda x, y: (x @ y) ** 2, ((4,), (4,)), _shape(x="D", y="D")
    ),
    TensorCase(
        "outer",
        "outer(x, y) + outer(y, x).T",
        lambda x, y: 2 * torch.outer(x, y),
        ((3,), (4,)),
        _shape(x="N", y="M"),
    ),
    TensorCase("outer_of_one", "outer(x, x)", lambda x: torch.outer(x, x), ((3,),), _shape(x="N")),
    TensorCase(
        "det",
        "det(A @ A.T + C)",
        lambda a, c: torch.linalg.det(a @ a.T + c),
        ((3, 3), (3, 3)),
        _shape(A="D,D", C="D,D"),
    ),
    TensorCase(
        "logdet",
        "logdet(A @ A.T + 3*B)",
        lambda a, b: torch.linalg.slogdet(a @ a.T + 3 * b)[1],
        ((3, 3), (3, 3)),
        _shape(A="D,D", B="D,D"),
    ),
    TensorCase(
        "inv",
        "inv(A) @ b",
        lambda a, b: torch.linalg.inv(a) @ b,
        ((3, 3), (3,)),
        _shape(A="D,D", b="D"),
    ),
    TensorCase(
        "inverse_twice",
        "inv(A) @ inv(A).T",
        lambda a: torch.linalg.inv(a) @ torch.linalg.inv(a).T,
        ((3, 3),),
        _shape(A="D,D"),
    ),
    TensorCase(
        "solve_matrix",
        "solve(A, B)",
        lambda a, b: torch.linalg.solve(a, b),
        ((3, 3), (3, 2)),
        _shape(A="D,D", B="D,K"),
    ),
    TensorCase(
        "sum_of_solution",
        "sum(solve(A, b))",
        lambda a, b: torch.linalg.solve(a, b).sum(),
        ((3, 3), (3,)),
        _shape(A="D,D", b="D"),
    ),
    TensorCase(
        "batched_solve",
        "sum(solve(A, B) * B)",
        lambda a, b: (torch.linalg.solve(a, b) * b).sum(),
        ((2, 3, 3), (2, 3, 2)),
        _shape(A="N,D,D", B="N,D,K"),
    ),
    TensorCase(
        "batched_inverse",
        "inv(A) @ x[:, :, None]",
        lambda a, x: torch.linalg.inv(a) @ x[:, :, None],
        ((2, 3, 3), (2, 3)),
        _shape(A="N,D,D", x="N,D"),
    ),
    # einsum
    TensorCase(
        "einsum",
        "einsum('ij,jk->ik', a, b)",
        lambda a, b: a @ b,
        ((3, 4), (4, 2)),
        _shape(a="N,M", b="M,K"),
    ),
    TensorCase(
        "einsum_diagonal",
        "einsum('ii->i', a) * einsum('ii', a)",
        lambda a: torch.diagonal(a) * torch.trace(a),
        ((3, 3),),
        _shape(a="N,N"),
    ),
    TensorCase(
        "einsum_diagonal_beside_an_axis_of_the_same_size",
        "einsum('iij->ij', x)",
        lambda x: torch.einsum("iij->ij", x),
        ((3, 3, 3),),
        _shape(x="D,D,D"),
    ),
    TensorCase(
        "einsum_with_a_sum_in_the_middle",
        "einsum('ijk,ijl,ijl->lj', x, x, x)",
        lambda x: torch.einsum("ijk,ijl,ijl->lj", x, x, x),
        ((2, 3, 4),),
        _shape(x="B,N,D"),
    ),
    TensorCase(
        "einsum_three",
        "einsum('ij,jk,kl->il', a, b, c)",
        lambda a, b, c: a @ b @ c,
        ((3, 4), (4, 2), (2, 5)),
        _shape(a="N,M", b="M,K", c="K,L"),
    ),
    TensorCase(
        "einsum_batch",
        "einsum('...ij,...jk->...ik', a, b)",
        lambda a, b: a @ b,
        ((2, 3, 4), (2, 4, 2)),
        _shape(a="...,N,M", b="...,M,K"),
    ),
    TensorCase(
        "einsum_outer",
        "einsum('i,j->ji', a, b)",
        lambda a, b: torch.outer(b, a),
        ((3,), (4,)),
        _shape(a="N", b="M"),
    ),
    TensorCase(
        "einsum_permuted",
        "einsum('abc->cab', x)**2",
        lambda x: x.permute(2, 0, 1) ** 2,
        ((2, 3, 4),),
        _shape(x="A,B,C"),
    ),
    # broadcasting, leading dimensions, new axes
    TensorCase(
        "batched_matmul",
        "a @ b + c",
        lambda a, b, c: a @ b + c,
        ((2, 3, 4), (4, 5), (3, 1)),
        _shape(a="...,N,M", b="M,K", c="N,1"),
    ),
    TensorCase(
        "two_batches",
        "a @ b",
        lambda a, b: a @ b,
        ((2, 1, 3, 4), (3, 4, 5)),
        _shape(a="...,N,M", b="...,M,K"),
    ),
    TensorCase(
        "distances",
        "sum((x[:, None] - y[None, :])**2, axis=-1)",
        lambda x, y: ((x[:, None] - y[None, :]) ** 2).sum(-1),
        ((3, 4), (5, 4)),
        _shape(x="N,D", y="M,D"),
    ),
    TensorCase(
        "undeclared",
        "s * tanh(x @ A) + t",
        lambda s, x, a, t: s * torch.tanh(x @ a) + t,
        ((5,), (3, 4), (4, 5), (3, 1)),
        _shape(x="N,I", A="I,O"),
    ),
    TensorCase(
        "heads",
        "softmax(q @ k.mT / 2, axis=-1) @ v",
        lambda q, k, v: functional.scaled_dot_product_attention(q, k, v),
        ((2, 3, 4), (2, 5, 4), (2, 5, 4)),
        _shape(q="...,N,D", k="...,M,D", v="...,M,D"),
    ),
    TensorCase(
        "transposed_result",
        "(x @ W).T * 2",
        lambda x, w: (x @ w).T * 2,
        ((3, 4), (4, 5)),
        _shape(x="N,I", W="I,O"),
    ),
    TensorCase(
        "undeclared_inside_a_sum",
        "sum(t*x) * sum(sin(t)*x, axis=0)",
        lambda t, x: (t * x).sum() * (t.sin() * x).sum(0),
        ((), (3, 4)),
        _shape(x="N,I"),
    ),
    TensorCase(
        "undeclared_beside_an_output_that_is_an_input",
        "u = x; v = t*x",
        lambda x, t: (x * 1, t * x),
        ((3, 4), ()),
        _shape(x="N,I"),
    ),
    TensorCase(
        "sums_of_different_leading_dimensions",
        "sum(x, axis=-1) * sum(y, axis=-1)",
        lambda x, y: x.sum(-1) * y.sum(-1),
        ((2, 1, 4), (3, 4)),
        _shape(x="...,I", y="...,I"),
    ),
    TensorCase(
        "batch_named_as_the_rows",
        "x @ y",
        lambda x, y: x @ y,
        ((3, 4), (3, 4, 2)),
        _shape(x="N,I", y="N,I,K"),
    ),
    TensorCase(
        "solve_with_columns_named_as_the_rows",
        "A @ solve(A, B)",
        lambda a, b: a @ torch.linalg.solve(a, b),
        ((3, 3), (3, 3)),
        _shape(A="D,D", B="D,D"),
    ),
    TensorCase(
        "solve_with_axes_in_other_places",
        "solve(A, softmax(inv(A), axis=-1).T)",
        lambda a: torch.linalg.solve(a, torch.softmax(torch.linalg.inv(a), -1).T),
        ((3, 3),),
        _shape(A="D,D"),
        definite=True,
    ),
    TensorCase(
        "long_shapes",
        "einsum('...ij->...i', t*m) * sum(t)",
        lambda t, m: (t * m).sum(-1) * t.sum(),
        ((), (2, 3, 4)),
        _shape(m="...,M,D", t=""),
    ),
    TensorCase(
        "softmax_of_what_is_the_same_along_its_axis",
        "softmax(x - x + b, axis=0) + log_softmax(b + 0*x, axis=(0, 1))",
        lambda x, b: (
            torch.softmax(0 * x + b, 0) + torch.log_softmax((b + 0 * x).flatten(), 0).view(3, 4)
        ),
        ((3, 4), (4,)),
        _shape(x="N,I", b="I"),
    ),
    TensorCase(
        "constant_entries",
        "amin(r - r, axis=(0, 1), keepdims=True) + sum(x - x)",
        lambda r, x: torch.zeros(1, 1, dtype=x.dtype) + 0 * r.sum() + 0 * x.sum(),
        ((3, 1), (4,)),
        _shape(r="N,1", x="I"),
    ),
    TensorCase(
        "a_plain_number_with_kept_axes",
        "amin(r - r, axis=(0, 1), keepdims=True) + c",
        lambda r, c: (r - r).amin((0, 1), True) + c,
        ((3, 1),),
        {"const": "c", **_shape(r="N,1")},
        constants=(0.7,),
    ),
    TensorCase(
        "a_product_of_sizes_with_kept_axes",
        "sum(x - x + 1, axis=(0, 1), keepdims=True)",
        lambda x: (x - x + 1).sum((0, 1), True),
        ((3, 4),),
        _shape(x="N,D"),
    ),
    TensorCase(
        "input_that_nothing_reads",
        "c + c",
        lambda c, k: c + c,
        ((3,), (4, 2)),
        {"args": "c,k", "shape": {"c": "N", "k": "M,D"}},
    ),
    TensorCase(
        "axes_kept_beside_an_undeclared_number",
        "t*r",
        lambda r, t: t * r,
        ((3, 1), ()),
        {"args": "r,t", "shape": {"r": "N,1"}},
    ),
    TensorCase("only_transposed", "x.T", lambda x: x.T * 1, ((3, 4),), _shape(x="N,I")),
    TensorCase(
        "constant_rows",
        "x - x + sum(w)",
        lambda x, w: 0 * x + w.sum(),
        ((3, 4), (4,)),
        _shape(x="N,I", w="I"),
    ),
    TensorCase(
        "numbers",
        "norm(cross, axis=-1) * sum(v[:, None] * w, axis=1)",
        lambda c, v, w: torch.linalg.vector_norm(c, dim=-1) * (v[:, None] * w).sum(1),
        ((2, 3), (2,), (2, 3)),
        _shape(cross="2,3", v="2", w="2,3"),
    ),
    # branches around sums
    TensorCase(
        "branch_of_sum",
        "where(y > 0, sum(log(x), axis=-1), y)",
        lambda y, x: torch.where(y > 0, x.log().sum(-1), y),
        ((3,), (3, 4)),
        {"shape": {"x": "N,D", "y": "N"}, "args": "y,x"},
        positive=True,
    ),
    TensorCase(
        "sum_of_branch",
        "sum(where(x > 0, sqrt(x), 0), axis=-1)",
        lambda x: torch.where(x > 0, torch.where(x > 0, x, 1).sqrt(), 0).sum(-1),
        ((3, 4),),
    ),
    TensorCase(
        "clipped",
        "mean(clip(x @ w, -1, 1)**2)",
        lambda x, w: ((x @ w).clamp(-1, 1) ** 2).mean(),
        ((3, 4), (4,)),
        _shape(x="N,D", w="D"),
    ),
    TensorCase(
        "branch_that_is_the_same_along_an_axis",
        "where(x > 0, sin(trace(S)), log(b**2) * x)",
        lambda x, s, b: torch.where(x > 0, s.trace().sin(), (b**2).log() * x),
        ((3, 4), (4, 4), (4,)),
        _shape(x="N,D", S="D,D", b="D"),
    ),
    TensorCase(
        "branch_inside_one_that_has_more_axes",
        "where(x > 0, where(sum(x) > t, sum(x), sqrt(t - sum(x))), t*x)",
        lambda x, t: torch.where(
            x > 0,
            torch.where(x.sum() > t, x.sum(), torch.where(x.sum() > t, 1, t - x.sum()).sqrt()),
            t * x,
        ),
        ((3, 4), ()),
        _shape(x="N,D", t=""),
    ),
    TensorCase(
        "branch_with_fewer_leading_dimensions",
        "u = where(x > 0, exp(t), t); w = 2*t",
        lambda x, t: (torch.where(x > 0, t.exp(), t), 2 * t),
        ((3,), ()),
    ),
    TensorCase(
        "sum_of_branch_with_fewer_leading_dimensions",
        "sum(where(x > 0, exp(t), x*t))",
        lambda x, t: torch.where(x > 0, t.exp(), x * t).sum(),
        ((3, 4), (4,)),
    ),
    # undeclared inputs of different shapes, some of which cancel
    TensorCase(
        "output_that_is_constant",
        "u = y - y; w = x + y",
        lambda y, x: (y - y, x + y),
        ((3, 1), (4,)),
    ),
    TensorCase(
        "output_with_the_dimensions_of_what_cancels",
        "u = x + 0*y; w = x*t; z = y**0*sum(t)",
        lambda x, y, t: (x + 0 * y, x * t, y**0 * t.sum()),
        ((4,), (3, 1), (2, 1, 1)),
    ),
    TensorCase(
        "value_without_the_dimensions_of_what_cancels",
        "where(prod(x) > 0.25, y, y)**2 + sum(x) - sum(x)",
        lambda x, y: y**2 + 0 * x.sum(),
        ((3, 4), (3, 1)),
    ),
    TensorCase(
        "output_that_a_branch_makes_shorter",
        "v = where(z > 0.25, y, z); u = v; w = where(z > 0.25, v, y)",
        lambda z, y: (torch.where(z > 0.25, y, z), torch.where(z > 0.25, y, y)),
        ((3, 4), (4,)),
        {"outputs": "u,w"},
    ),
    TensorCase(
        "output_longer_than_what_backward_reads",
        "u = 2*y; w = maximum(x, y - y)",
        lambda y, x: (2 * y, torch.maximum(x, y - y)),
        ((4, 1), (2, 1, 1)),
    ),
    TensorCase(
        "value_with_the_dimensions_of_what_cancels",
        "x + 0*y + sum(x)",
        lambda x, y: x + 0 * y + x.sum(),
        ((4,), (3, 1)),
    ),
    TensorCase(
        "reductions_over_the_dimensions_of_what_cancels",
        "sum(x + 0*y) * prod(x*y**0) * norm(x + y - y, ord=1) + sum(y - y + 1)",
        lambda x, y: (
            (x + 0 * y).sum() * (x * y**0).prod() * (x + y - y).abs().sum() + (y - y + 1).sum()
        ),
        ((4,), (3, 1)),
    ),
    TensorCase(
        "einsum_over_the_dimensions_of_what_cancels",
        "einsum('...i->i', x + 0*y)",
        lambda x, y: (x + 0 * y).sum(0),
        ((4,), (3, 4)),
        _shape(x="...,D", y="...,D"),
    ),
    TensorCase(
        "outputs_that_are_the_same_along_an_axis",
        "u = 3 + 0*x; v = 0*x + mean(x, axis=-1, keepdims=True); w = sum(m, axis=-2)",
        lambda x, m: (3 + 0 * x, 0 * x + x.mean(-1, True), m.sum(-2)),
        ((4,), (2, 3, 4)),
        _shape(x="...,D", m="...,M,D"),
    ),
    TensorCase(
        "mean_beside_other_dimensions",
        "2*mean(x) / (2 + y**2)",
        lambda x, y: 2 * x.mean() / (2 + y**2),
        ((4,), (3, 1)),
    ),
    # undeclared inputs beside sums: what cancels along an axis counts all the same
    *(
        TensorCase(
            f"sum_of_differences_{place}",
            "sum(x - t)",
            lambda x, t: (x - t).sum(),
            ((3, 4), shape),
            _shape(x="N,D"),
        )
        for place, shape in enumerate([(), (4,), (3, 1), (1, 4), (3, 4)])
    ),
    *(
        TensorCase(
            f"row_means_{place}",
            "mean(x + t, axis=-1)",
            lambda x, t: (x + t).mean(-1),
            ((2, 3, 4), shape),
            _shape(x="...,D"),
        )
        for place, shape in enumerate([(), (4,), (3, 1), (2, 3, 4)])
    ),
    *(
        TensorCase(
            f"row_products_{place}",
            "mean(x*y, axis=-1, keepdims=True) + x",
            lambda x, y: (x * y).mean(-1, keepdim=True) + x,
            shapes,
        )
        for place, shapes in enumerate([((4,), (3, 4)), ((4, 1, 3), (2, 1)), ((3, 4), (4,))])
    ),
    # leading dimensions of any number
    *(
        TensorCase(
            f"solve_for_rows_{len(shape)}",
            "solve(S, x)",
            lambda x, s: torch.linalg.solve(s, x[..., None])[..., 0],
            (shape, (3, 3)),
            {"shape": {"x": "...,D", "S": "D,D"}, "args": ["x", "S"]},
            definite=True,
        )
        for shape in [(3,), (4, 3), (2, 4, 3)]
    ),
    *(
        TensorCase(
            f"axis_moved_to_the_front_{len(shape)}",
            "einsum('ij,...j->i...', A, x)",
            lambda a, x: torch.einsum("ij,...j->i...", a, x),
            ((5, 3), shape),
            _shape(A="K,D", x="...,D"),
        )
        for shape in [(3,), (4, 3), (2, 4, 3)]
    ),
    TensorCase(
        "outer_product_by_matmul",
        "x[:, None] @ y[None]",
        lambda x, y: x[:, None] @ y[None],
        ((3,), (4,)),
        _shape(x="N", y="M"),
    ),
    # several outputs
    TensorCase(
        "uneven",
        "u = x*t; w = 2*x**2",
        lambda x, t: (x * t, 2 * x**2),
        ((4,), (3, 1)),
    ),
    TensorCase(
        "value_and_norm",
        "y = x @ W; n = sum(y**2, axis=-1)",
        lambda x, w: (x @ w, ((x @ w) ** 2).sum(-1)),
        ((3, 4), (4, 5)),
        {"shape": {"x": "N,I", "W": "I,O"}, "outputs": ["y", "n"]},
    ),
)
