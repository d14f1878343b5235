"""Checks of what takes a function away as a graph (8 of the list).

In: a subject. Out: nothing, or a `ConformanceError`. Each graph is run at other inputs
than those that it was made with, and differentiated.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from gen.verify.compare import check_all, pulled, several
from gen.verify.compilers import fresh
from gen.verify.derivatives import require_forward

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen.verify.samples import Sample
    from gen.verify.subject import Subject


class _Model(torch.nn.Module):
    """The function as a module, which is what is exported."""

    def __init__(self, function: Callable[..., object]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *tensors: Tensor) -> object:
        return self.function(*tensors)


def _others(sample: Sample) -> Sample:
    return sample.having(1.03 * one for one in sample.tensors)


def _check(
    subject: Subject, function: Callable[..., object], what: str, differentiate: bool = True
) -> None:
    given = _others(subject.sample).leaves()
    found = several(_one_or_tuple(function(*given.tensors)))
    subject.check_values(found, given, what)
    if differentiate:
        subject.check_gradients(found, given, subject.gradients(given), what)


def _one_or_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _exported(subject: Subject, strict: bool) -> None:
    require_forward(subject)  # which stands for a declared gradient there
    model = _Model(subject.single(subject.sample))
    with fresh():
        program = torch.export.export(model, subject.sample.tensors, strict=strict)
        kind = "strict" if strict else "non-strict"
        _check(subject, program.module(), f"export, {kind}")


def strictly(subject: Subject) -> None:
    """torch.export through Dynamo."""
    _exported(subject, strict=True)


def by_running(subject: Subject) -> None:
    """torch.export, non-strict."""
    _exported(subject, strict=False)


def symbolic(subject: Subject) -> None:
    """make_fx with symbolic sizes, of values and of gradients."""
    sample = subject.sample
    trace = make_fx(subject.single(sample), tracing_mode="symbolic")
    # A graph of values has their own derivative, not a declared one.
    _check(subject, trace(*sample.tensors), "make_fx", not subject.is_declared)

    def gradients(*tensors: Tensor) -> tuple[Tensor, ...]:
        given = [one.detach().requires_grad_() for one in tensors]
        outputs = several(subject.single(sample)(*given))
        return tuple(pulled(outputs, given, [one.sin() for one in outputs]))

    other = _others(sample)
    found = make_fx(gradients, tracing_mode="symbolic")(*sample.tensors)(*other.tensors)
    given = other.leaves()
    plain = subject.reference(*given.values)
    expected = pulled(plain, given.tensors, [one.detach().sin() for one in plain])
    labels = [f"make_fx: the gradient of {name}" for name in sample.labels]
    check_all(found, expected, labels, other)


def traced(subject: Subject) -> None:
    """jit.trace."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated, and says so
        given = subject.sample.leaves()
        trace = cast("Callable[..., Callable[..., object]]", torch.jit.trace)
        traced = trace(subject.single(given), given.tensors, check_trace=False)
        _check(subject, traced, "jit.trace")
