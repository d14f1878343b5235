"""Reductions, normalisations and matrices in plain PyTorch, for the reference alone.

In: a tensor and dimensions. Out: a tensor that PyTorch differentiates by itself.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


def reduced(op: str, data: Tensor, places: Sequence[int]) -> tuple[Tensor, float]:
    """A reduction over dimensions, and how far it is from a tie where it has a kink."""
    rows = _rows(data, places)
    if op in ("amax", "amin"):
        found = rows.amax(-1) if op == "amax" else rows.amin(-1)
        return found, _gap(rows if op == "amax" else -rows)
    if op == "norm":
        found = torch.sqrt((rows * rows).sum(-1))
        return found, float(found.detach().min()) if found.numel() else math.inf
    if op == "logsumexp":
        return torch.logsumexp(rows, -1), math.inf
    return (rows.prod(-1) if op == "prod" else rows.sum(-1)), math.inf


def _rows(data: Tensor, places: Sequence[int]) -> Tensor:
    """The dimensions that are lost as one, the last; one of size 1 where there are none."""
    kept = [place for place in range(data.ndim) if place not in places]
    count = math.prod(data.shape[place] for place in places)
    shape = [data.shape[place] for place in kept]
    return data.permute((*kept, *places)).reshape(*shape, count)


def _gap(rows: Tensor) -> float:
    """How much the largest is larger than the second, at the least."""
    if rows.shape[-1] < 2 or not rows.numel():
        return math.inf
    first, second = rows.detach().topk(2, -1).values.unbind(-1)
    return float((first - second).min())


def normalised(op: str, data: Tensor, places: Sequence[int]) -> Tensor:
    """The softmax over dimensions, or its logarithm."""
    total = torch.logsumexp(data, list(places), keepdim=True) if places else data
    logarithm = data - total
    return logarithm if op == "log_softmax" else torch.exp(logarithm)


def matrix(op: str, data: Tensor) -> Tensor:
    """An inverse, a determinant, or its logarithm."""
    if op == "inv":
        inverse: Tensor = torch.linalg.inv(data)
        return inverse
    found: Tensor = torch.linalg.det(data) if op == "det" else torch.logdet(data)
    return found
