"""Checks of torch.compile (7 of the list): each compiles, and takes seconds.

In: a subject. Out: nothing, or a `ConformanceError`.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch._dynamo import compiled_autograd
from torch.func import grad, jvp

from gen.verify.batches import total
from gen.verify.compare import check_all, cotangents, pulled, several, wave
from gen.verify.derivatives import pushed, require_forward
from gen.verify.dtypes import check_autocast
from gen.verify.fault import DoesNotApplyError
from gen.verify.samples import leads, variants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gen.verify.samples import Sample
    from gen.verify.subject import Subject

_EAGER = "aot_eager"  # all of the compiler but the code that it writes


def require_compiler() -> None:
    """Inductor writes C++ for the CPU."""
    compiler = os.environ.get("CXX", "g++")
    if not any(map(shutil.which, (compiler, "clang++"))):
        raise DoesNotApplyError(f"there is no C++ compiler: {compiler} is not found")


@contextmanager
def fresh() -> Iterator[None]:
    """Nothing compiled before, and nothing left behind."""
    torch.compiler.reset()
    try:
        yield
    finally:
        torch.compiler.reset()


def _check(subject: Subject, function: Callable[..., object], sample: Sample, what: str) -> None:
    """Values and gradients of a compiled function of the tensors."""
    given = sample.leaves()
    found = several(function(*given.tensors))
    subject.check_values(found, sample, what)
    subject.check_gradients(found, given, subject.gradients(sample), what)


def by_eager(subject: Subject) -> None:
    """Without a graph break, forward and backward, inputs left out too."""
    for fixed in variants(subject.formula):
        sample = subject.draw.sample(fixed=fixed)
        with fresh():
            compiled = torch.compile(subject.single(sample), fullgraph=True, backend=_EAGER)
            _check(subject, compiled, sample, "compile(aot_eager)")
            with torch.no_grad():
                values = several(compiled(*sample.tensors))
        subject.check_values(values, sample, "compile(aot_eager), no_grad")


def by_inductor(subject: Subject) -> None:
    """The same by Inductor, for sizes that it does not know."""
    require_compiler()
    with fresh():
        compiled = torch.compile(subject.single(subject.sample), fullgraph=True, dynamic=True)
        _check(subject, compiled, subject.sample, "compile(inductor, dynamic)")
        larger = subject.draw.sample(_larger(subject), sizes=(4, 3, 6, 7, 8, 9))
        _check(subject, compiled, larger, "compile(inductor, dynamic), other sizes")


def _larger(subject: Subject) -> list[tuple[int, ...]]:
    """The leading dimensions of the sample, those that are not 1 larger."""
    inputs = [one for one in subject.formula.inputs if one.differentiable]
    found = []
    for one, tensor in zip(inputs, subject.sample.tensors, strict=True):
        if leads(one):
            leading = tensor.shape[: tensor.ndim - len(one.order) + 1]
            found.append(tuple(size if size == 1 else size + 2 for size in leading))
    return found or [()]


def gradient_within(subject: Subject) -> None:
    """compile(func.grad)."""
    require_forward(subject)  # which stands for a declared gradient there
    sample = subject.sample
    argnums = tuple(range(len(sample.tensors)))
    derived = grad(total(subject.of_tensors(sample)), argnums)
    with fresh():
        found = several(torch.compile(derived, fullgraph=True, backend=_EAGER)(*sample.tensors))
    given = sample.leaves()
    plain = total(subject.plain_of_tensors(sample))(*given.tensors)
    expected = pulled([plain], given.tensors, [torch.ones_like(plain)])
    labels = [f"compile(func.grad): the gradient of {name}" for name in sample.labels]
    check_all(found, expected, labels, sample)


def tangent_within(subject: Subject) -> None:
    """compile(func.jvp)."""
    require_forward(subject)
    sample = subject.sample
    tangents = [wave(one, 0.4 + place) for place, one in enumerate(sample.tensors)]

    def pushing(*tensors: Tensor) -> object:
        return jvp(subject.single(sample), tensors, tuple(tangents))[1]

    with fresh():
        compiled = torch.compile(pushing, fullgraph=True, backend=_EAGER)
        found = several(compiled(*sample.tensors))
    expected = pushed(subject.plain_of_tensors(sample), sample.tensors, tangents)
    labels = [f"compile(func.jvp): the tangent of {name}" for name in subject.outputs]
    check_all(found, expected, labels, sample)


def backward_alone(subject: Subject) -> None:
    """Compiled autograd: the whole backward as one graph."""
    given = subject.sample.leaves()

    def compiler(module: Callable[..., object]) -> Callable[..., object]:
        compiled: Callable[..., object] = torch.compile(module, fullgraph=True, backend=_EAGER)
        return compiled

    with fresh():
        outputs = subject.values(given)
        with compiled_autograd._enable(compiler):
            torch.autograd.backward(outputs, cotangents(outputs))
    grads = [torch.zeros_like(one) if one.grad is None else one.grad for one in given.tensors]
    labels = [f"compiled autograd: the gradient of {name}" for name in given.labels]
    check_all(grads, subject.gradients(given), labels, subject.sample)


def compiled_autocast(subject: Subject) -> None:
    """Autocast in what is compiled, with backward outside of it (10 of the list)."""

    def under(*tensors: Tensor) -> object:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return subject.single(subject.sample)(*tensors)

    with fresh():
        compiled = torch.compile(under, fullgraph=True, backend=_EAGER)
        sample = subject.sample.to(torch.float32)
        check_autocast(subject, lambda *tensors: several(compiled(*tensors)), sample)
