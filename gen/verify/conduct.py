"""Checks of what calling a function leaves behind (12 of the list).

In: a subject. Out: nothing, or a `ConformanceError`.
"""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

import torch

from gen.verify.compare import check_all, cotangents, pulled, pulled_again, require

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from gen.verify.subject import Subject


def no_mutation(subject: Subject) -> None:
    """Inputs and cotangents stay as they are."""
    given = subject.sample.leaves()
    outputs = subject.values(given)
    grads = cotangents(outputs)
    pulled(outputs, given.tensors, grads)
    for name, one, before in zip(given.labels, given.tensors, subject.sample.tensors, strict=True):
        same = one._version == 0 and torch.equal(one, before)
        require(same, f"{name} was changed", subject.sample)
    for name, one, before in zip(subject.outputs, grads, cotangents(outputs), strict=True):
        same = one._version == 0 and torch.equal(one, before)
        require(same, f"the cotangent of {name} was changed", subject.sample)


def no_alias(subject: Subject) -> None:
    """Outputs have memory of their own, and are no views; gradients are no inputs."""
    for sample in (subject.sample, subject.draw.sample([()])):
        given = sample.leaves()
        outputs = subject.values(given)
        inputs = _memory(given.tensors)
        for name, one in zip(subject.outputs, outputs, strict=True):
            shared = _memory([one]) & inputs
            require(not shared, f"{name} shares memory with an input", sample)
            require(not one._is_view(), f"{name} is a view", sample)
            whole = one.numel() == one.untyped_storage().nbytes() // one.element_size()
            require(whole, f"{name} is a part of some other memory, or repeated in it", sample)
        require(len(_memory(outputs)) == len(outputs), "two outputs share memory", sample)
        gradients = _memory(pulled(outputs, given.tensors))
        shares = gradients & (inputs | _memory(outputs))
        require(not shares, "a gradient shares memory with an input or an output", sample)


def _memory(tensors: Iterable[Tensor]) -> set[int]:
    return {one.untyped_storage()._cdata for one in tensors}


def without_gradients(subject: Subject) -> None:
    """Values under no_grad and inference_mode, which have no gradient."""
    given = subject.sample.leaves()
    with torch.no_grad():
        outputs = subject.values(given)
    subject.check_values(outputs, subject.sample, "no_grad")
    asking = any(one.requires_grad for one in outputs)
    require(not asking, "an output has a gradient under no_grad", subject.sample)
    with torch.inference_mode():
        outputs = subject.values(given)
        subject.check_values(outputs, subject.sample, "inference_mode")
        inference = all(one.is_inference() for one in outputs)
    require(inference, "an output is no inference tensor under inference_mode", subject.sample)


def no_cycle(subject: Subject) -> None:
    """Outputs and their graph are freed by counting references alone."""
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        left = [one() is not None for one in _dropped(subject)]
    finally:
        if enabled:
            gc.enable()
    require(not any(left), "an output outlives all references to it: a cycle", subject.sample)


def _dropped(subject: Subject) -> list[weakref.ref[Tensor]]:
    """References to outputs that nobody has any more, with and without backward."""
    found = []
    for backward in (False, True):
        given = subject.sample.leaves()
        outputs = subject.values(given)
        found += [weakref.ref(one) for one in outputs]
        if backward:
            found += [weakref.ref(one) for one in pulled(outputs, given.tensors)]
    return found


def batched_cotangents(subject: Subject) -> None:
    """Several cotangents at once, by is_grads_batched."""
    given = subject.sample.leaves()
    outputs = subject.values(given)
    rows = [[k * one for one in cotangents(outputs)] for k in (1, -2, 3)]
    stacked = [torch.stack(one) for one in zip(*rows, strict=True)]
    found = torch.autograd.grad(
        outputs,
        given.tensors,
        stacked,
        is_grads_batched=True,
        retain_graph=True,
        allow_unused=True,
        materialize_grads=True,
    )
    plain = subject.reference(*given.values)
    expected = [
        torch.stack(one)
        for one in zip(*(pulled_again(plain, given.tensors, row) for row in rows), strict=True)
    ]
    labels = [f"is_grads_batched: the gradient of {name}" for name in given.labels]
    check_all(found, expected, labels, subject.sample)


def same_again(subject: Subject) -> None:
    """Backward twice with retain_graph gives the same bits."""
    given = subject.sample.leaves()
    outputs = subject.values(given)
    first, second = (pulled_again(outputs, given.tensors, cotangents(outputs)) for _ in range(2))
    for name, one, other in zip(given.labels, first, second, strict=True):
        same = torch.equal(one.view(torch.int64), other.view(torch.int64))
        require(same, f"the gradient of {name} is another at the second time", subject.sample)
