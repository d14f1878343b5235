"""Checks of dtypes: of results, of what is computed with, and under autocast (10 of the list).

In: a subject. Out: nothing, or a `ConformanceError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gen.verify.compare import Tolerance, check_all, cotangents, pulled, require
from gen.verify.fault import DoesNotApplyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from gen.verify.samples import Sample
    from gen.verify.subject import Subject

_HALVES = (torch.float16, torch.bfloat16)


def _eps(dtype: torch.dtype) -> float:
    return float(torch.finfo(dtype).eps)


def _gradients(
    function: Callable[..., tuple[Tensor, ...]], sample: Sample, grads: Sequence[Tensor]
) -> tuple[tuple[Tensor, ...], list[Tensor]]:
    """Values, and gradients for cotangents, which are cast to the dtypes of the values."""
    given = sample.leaves()
    outputs = function(*given.tensors)
    cast = [grad.to(one.dtype) for grad, one in zip(grads, outputs, strict=True)]
    return outputs, pulled(outputs, given.tensors, cast)


def _check_dtype(
    subject: Subject, dtype: torch.dtype, values: Tolerance, gradients: Tolerance
) -> None:
    """One dtype in, out and in the gradient; accuracy against float64 of the same inputs."""
    sample = subject.sample.to(dtype)
    rounded = sample.to(torch.float64)
    what = str(dtype).removeprefix("torch.")
    expected = subject.expected(rounded)
    grads = [one.to(dtype) for one in cotangents(expected)]
    found, slopes = _gradients(subject.of_tensors(sample), sample, grads)
    _, wanted = _gradients(subject.plain_of_tensors(rounded), rounded, grads)
    for one, name in zip((*found, *slopes), (*subject.outputs, *sample.labels), strict=True):
        require(one.dtype == dtype, f"{what}: {name} gets {one.dtype}", sample)
    check_all(found, expected, [f"{what}: {one}" for one in subject.outputs], sample, values)
    labels = [f"{what}: the gradient of {name}" for name in sample.labels]
    check_all(slopes, wanted, labels, sample, gradients)


def full_precision(subject: Subject) -> None:
    """float64 and float32."""
    for dtype in (torch.float64, torch.float32):
        bound = Tolerance(200 * _eps(dtype), 200 * _eps(dtype))
        _check_dtype(subject, dtype, bound, bound)


def half_precision(subject: Subject) -> None:
    """float16 and bfloat16, as if computed in float32 and rounded once.

    With matrix products, which are left to the hardware, rounding at each operation.
    """
    for dtype in _HALVES:
        eps = _eps(dtype)
        if subject.has_products:
            bound = Tolerance(8 * eps, 8 * eps)
            _check_dtype(subject, dtype, bound, bound)
        else:
            # Half a unit in the last place, and what float32 is off by where terms cancel.
            once = Tolerance(0.5005 * eps, 1e-5)
            # Backward starts from an output that may have been rounded, and so is off twice.
            _check_dtype(subject, dtype, once, Tolerance(2 * eps, eps))


def autocast(subject: Subject) -> None:
    """float32 under autocast, with backward outside of it."""

    def under(*tensors: Tensor) -> tuple[Tensor, ...]:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return subject.of_tensors(subject.sample)(*tensors)

    check_autocast(subject, under, subject.sample.to(torch.float32))
    for place in range(len(subject.sample.tensors)):
        # As behind a layer that autocast runs in half precision.
        mixed = subject.sample.having(
            one.to(torch.bfloat16 if other == place else torch.float32)
            for other, one in enumerate(subject.sample.tensors)
        )
        check_autocast(subject, under, mixed)


def check_autocast(
    subject: Subject, function: Callable[..., tuple[Tensor, ...]], sample: Sample
) -> None:
    """Values as accurate as half precision, gradients in the dtypes of the inputs."""
    bound = Tolerance(8 * _eps(torch.bfloat16), 8 * _eps(torch.bfloat16))
    rounded = sample.to(torch.float64)
    expected = subject.expected(rounded)
    grads = [one.to(torch.bfloat16) for one in cotangents(expected)]
    found, slopes = _gradients(function, sample, grads)
    _, wanted = _gradients(subject.plain_of_tensors(rounded), rounded, grads)
    check_all(found, expected, [f"autocast: {one}" for one in subject.outputs], sample, bound)
    labels = [f"autocast: the gradient of {name}" for name in sample.labels]
    check_all(slopes, wanted, labels, sample, bound)
    for one, given, name in zip(slopes, sample.tensors, sample.labels, strict=True):
        why = f"autocast: the gradient of {name} is {one.dtype}, not {given.dtype}"
        require(one.dtype == given.dtype, why, sample)
    floats = all(one.dtype in (torch.float32, torch.bfloat16) for one in found)
    require(floats, "autocast: a value is neither float32 nor bfloat16", sample)


def integers(subject: Subject) -> None:
    """Whole numbers are promoted, as PyTorch promotes them beside a Python float."""
    whole = subject.sample.having(_whole(one, k) for k, one in enumerate(subject.sample.tensors))
    if not subject.has_value(whole.to(torch.float64)):
        raise DoesNotApplyError("it has no value at whole numbers that were tried")
    _check_promoted(subject, whole, torch.get_default_dtype())
    for place in range(len(whole.tensors)) if len(whole.tensors) > 1 else ():
        beside = whole.having(
            one if other == place else one.to(torch.float64)
            for other, one in enumerate(whole.tensors)
        )
        # A tensor without dimensions has no say beside one that has some.
        kept = [one for one in beside.tensors if one.is_floating_point() and one.ndim]
        if kept or not whole.tensors[place].ndim:
            _check_promoted(subject, beside, torch.float64)


def _whole(one: Tensor, shift: int) -> Tensor:
    """Whole numbers in the shape of a tensor, a matrix of which is well conditioned."""
    count = (torch.arange(one.numel()) + shift) % 3 + 1
    found = count.reshape(one.shape)
    if one.ndim > 1 and one.shape[-1] == one.shape[-2]:
        return found + 9 * torch.eye(one.shape[-1], dtype=torch.int64)
    return found


def _check_promoted(subject: Subject, sample: Sample, dtype: torch.dtype) -> None:
    found = subject.values(sample)
    names = [f"of integers: {one}" for one in subject.outputs]
    expected = subject.expected(sample.to(torch.float64))
    for one, name in zip(found, names, strict=True):
        require(one.dtype == dtype, f"{name} is {one.dtype}, not {dtype}", sample)
    bound = Tolerance(200 * _eps(dtype), 200 * _eps(dtype))
    check_all(found, expected, names, sample, bound)


def complex_refused(subject: Subject) -> None:
    """Complex numbers are refused by a TypeError, whichever input has them."""
    for place, name in enumerate(subject.sample.labels):
        given = subject.sample.having(
            one.to(torch.complex128) if other == place else one
            for other, one in enumerate(subject.sample.tensors)
        )
        try:
            subject.entry(*given.values)
        except TypeError:
            continue
        require(False, f"complex numbers as {name} are not refused by a TypeError", given)
