"""Checks of modules for numpy: a shorter list through the same table.

In: a subject. Out: nothing, or a `ConformanceError`. Gradients are held against differences
of the forward, which is what `gen.gradcheck` does, and against the reference where PyTorch
differentiates it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from gen.verify.compare import EXACT, Tolerance, check_all, cotangents, require
from gen.verify.fault import ConformanceError, DoesNotApplyError, at
from gen.verify.gradcheck import DifferentiableFunction, GradcheckError, gradcheck
from gen.verify.samples import leads, letters, variants

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from numpy.typing import NDArray

    from gen.verify.samples import Sample, Shape
    from gen.verify.subject import Subject

    Array: TypeAlias = NDArray[np.generic]

_SINGLE = Tolerance(200 * float(np.finfo(np.float32).eps), 200 * float(np.finfo(np.float32).eps))


def _arrays(sample: Sample) -> tuple[object, ...]:
    return sample.filled(one.detach().numpy() for one in sample.tensors)


def _outputs(value: object) -> tuple[Array, ...]:
    return tuple(np.asarray(one) for one in (value if isinstance(value, tuple) else (value,)))


def _tensors(arrays: Sequence[object]) -> list[Tensor]:
    return [torch.from_numpy(np.array(one)) for one in arrays]


def _class(subject: Subject) -> type[DifferentiableFunction]:
    found: type[DifferentiableFunction] = subject.cls
    return found


def _pulled(subject: Subject, sample: Sample) -> tuple[tuple[Array, ...], list[Array]]:
    """Values, and the gradients of the tensors for the cotangents of `cotangents`."""
    with at(sample):
        value, pullback = _class(subject).vjp(*_arrays(sample))
        outputs = _outputs(value)
        grads = [grad.numpy() for grad in cotangents(_tensors(outputs))]
        gradients = list(pullback(*grads))
    return outputs, [np.asarray(gradients[place]) for place in sample.places]


def _check(subject: Subject, sample: Sample, what: str, tolerance: Tolerance = EXACT) -> None:
    with at(sample):
        entered = _outputs(subject.entry(*_arrays(sample)))
    outputs, gradients = _pulled(subject, sample)
    for found in (entered, outputs):
        subject.check_values(_tensors(found), sample, what, tolerance)
    labels = [f"{what}: the gradient of {name}" for name in sample.labels]
    if subject.reference_differentiates:
        check_all(_tensors(gradients), subject.gradients(sample), labels, sample, tolerance)


def ordinary(subject: Subject) -> None:
    """Each combination of inputs that may be left out."""
    for fixed in variants(subject.formula):
        _check(subject, subject.draw.sample(fixed=fixed), "value")


def shapes(subject: Subject) -> None:
    """Leading dimensions: none, one, two, broadcast, and empty ones."""
    if not any(map(leads, subject.formula.inputs)):
        raise DoesNotApplyError("no input has leading dimensions")
    alike: list[list[Shape]] = [[()], [(3,)], [(2, 3)], [(0,)], [(2, 0)]]
    for leading in [*alike, [(2, 3), (3,), (2, 1), ()], [(), (2, 1), (3,), (2, 3)]]:
        sample = subject.draw.sample(leading)
        if subject.has_value(sample):
            _check(subject, sample, f"leading dimensions {leading}")


def empty(subject: Subject) -> None:
    """Declared dimensions of size 0, as far as the formula has a value there."""
    names = letters(subject.formula)
    samples = (
        subject.draw.sample(sizes=[0 if one == letter else 2 for one in names]) for letter in names
    )
    known = [one for one in samples if subject.has_value(one)]
    if not known:
        raise DoesNotApplyError("no declared dimension may be 0")
    for sample in known:
        _check(subject, sample, "a dimension of size 0")


def strided(subject: Subject) -> None:
    """Arrays with gaps in memory, and read-only ones."""
    given = subject.sample.having(
        torch.stack([one, one + 1], -1)[..., 0] for one in subject.sample.tensors
    )
    _check(subject, given, "arrays with gaps in memory")


def differences(subject: Subject) -> None:
    """gen.gradcheck."""
    if subject.is_declared:
        raise DoesNotApplyError("its gradient is declared, and not the derivative")
    for fixed in variants(subject.formula):
        sample = subject.draw.sample(fixed=fixed)
        try:
            gradcheck(_class(subject), _arrays(sample))
        except GradcheckError as fault:
            raise ConformanceError(str(fault), sample) from None


def single_precision(subject: Subject) -> None:
    """float32 in, out and in the gradient."""
    sample = subject.sample.to(torch.float32)
    outputs, gradients = _pulled(subject, sample)
    for name, one in zip((*subject.outputs, *sample.labels), (*outputs, *gradients), strict=True):
        require(one.dtype == np.float32, f"{name} gets {one.dtype}, not float32", sample)
    _check(subject, sample, "float32", _SINGLE)


def no_mutation(subject: Subject) -> None:
    """Inputs and cotangents stay as they are."""
    given = subject.sample.having(one.clone() for one in subject.sample.tensors)
    value, pullback = _class(subject).vjp(*_arrays(given))
    grads = [grad.numpy() for grad in cotangents(_tensors(_outputs(value)))]
    before = [one.copy() for one in grads]
    pullback(*grads)
    for name, one, other in zip(given.labels, given.tensors, subject.sample.tensors, strict=True):
        require(torch.equal(one, other), f"{name} was changed", subject.sample)
    for name, grad, copy in zip(subject.outputs, grads, before, strict=True):
        same = np.array_equal(grad, copy)
        require(same, f"the cotangent of {name} was changed", subject.sample)


def no_alias(subject: Subject) -> None:
    """Outputs have memory of their own; gradients share none with inputs."""
    given = _arrays(subject.sample)
    inputs = [one for one in given if isinstance(one, np.ndarray)]
    outputs, gradients = _pulled(subject, subject.sample)
    for name, one in zip(
        (*subject.outputs, *subject.sample.labels), (*outputs, *gradients), strict=True
    ):
        shared = any(np.may_share_memory(one, other) for other in inputs)
        require(not shared, f"what {name} gets shares memory with an input", subject.sample)
