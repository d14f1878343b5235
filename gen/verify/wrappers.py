"""Checks of tensors that are not plain ones (11 of the list).

In: a subject. Out: nothing, or a `ConformanceError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.testing._internal.two_tensor import TwoTensor

from gen.verify.compare import check_all, pulled, require, several

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from gen.verify.samples import Sample
    from gen.verify.subject import Subject


_two = cast("Callable[[Tensor, Tensor], Tensor]", TwoTensor)


def meta(subject: Subject) -> None:
    """Tensors without memory: shapes and dtypes alone."""
    for sample in (subject.sample, subject.sample.to(torch.float32)):
        given = sample.having(one.to("meta").requires_grad_() for one in sample.tensors)
        outputs = subject.values(given)
        _check_like(outputs, subject.expected(sample), given, "meta")
        found = _gradients(outputs, given)
        _check_like(found, given.tensors, given, "meta, gradient")
        on_meta = all(one.device.type == "meta" for one in (*outputs, *found))
        require(on_meta, "meta: a result is on another device", sample)


def fake(subject: Subject) -> None:
    """FakeTensor, by which torch.compile and torch.export find shapes."""
    sample = subject.sample
    leaves = sample.leaves().tensors
    with FakeTensorMode() as mode:
        given = sample.having(map(mode.from_tensor, leaves))
        outputs = subject.values(given)
        found = _gradients(outputs, given)
    _check_like(outputs, subject.expected(sample), given, "FakeTensor")
    _check_like(found, given.tensors, given, "FakeTensor, gradient")
    are_fake = all(isinstance(one, FakeTensor) for one in (*outputs, *found))
    require(are_fake, "FakeTensor: a result is no FakeTensor", sample)


def _gradients(outputs: Sequence[Tensor], given: Sample) -> list[Tensor]:
    return pulled(outputs, given.tensors, [torch.ones_like(one) for one in outputs])


def _check_like(
    found: Sequence[Tensor], expected: Sequence[Tensor], given: Sample, what: str
) -> None:
    """Shapes, and one dtype throughout."""
    dtype = given.tensors[0].dtype
    for one, want in zip(found, expected, strict=True):
        require(one.shape == want.shape, f"{what}: {one.shape}, expected {want.shape}", given)
        require(one.dtype == dtype, f"{what}: {one.dtype}, expected {dtype}", given)


def two_tensors(subject: Subject) -> None:
    """A subclass that wraps two tensors, each of which goes its own way."""
    first = subject.sample
    second = first.having(1.03 * one for one in first.tensors)
    pairs = zip(first.tensors, second.tensors, strict=True)
    given = first.having(_two(one.clone(), other.clone()).requires_grad_() for one, other in pairs)
    outputs = subject.values(given)
    wrapped = all(isinstance(one, TwoTensor) for one in several(outputs))
    require(wrapped, "TwoTensor: an output is none", first)
    grads = _gradients(outputs, given)
    for part, sample in (("a", first), ("b", second)):
        values = [getattr(one, part).detach() for one in outputs]
        subject.check_values(values, sample, f"TwoTensor.{part}")
        leaves = sample.leaves()
        plain = subject.reference(*leaves.values)
        expected = _gradients(plain, leaves)
        labels = [f"TwoTensor.{part}: the gradient of {name}" for name in sample.labels]
        check_all([getattr(one, part) for one in grads], expected, labels, sample)
