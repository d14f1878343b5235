"""Checks of values and gradients in inputs of every form (1 of the list).

In: a subject. Out: nothing, or a `ConformanceError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gen.verify.compare import cotangents, require
from gen.verify.fault import DoesNotApplyError
from gen.verify.samples import leads, letters, variants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from gen.verify.samples import Sample, Shape
    from gen.verify.subject import Subject


def ordinary(subject: Subject) -> None:
    """Each combination of inputs that may be left out."""
    for fixed in variants(subject.formula):
        subject.check(subject.draw.sample(fixed=fixed), "value")


def leading(subject: Subject) -> None:
    """No dimensions, one, two: as far as they are not declared."""
    for shape in ((), (3,), (2, 3)):
        _check_leading(subject, [shape])


def _check_leading(subject: Subject, shapes: Sequence[Shape]) -> None:
    """At these leading dimensions of the inputs in turn, if the formula has a value there."""
    sample = subject.draw.sample(shapes)
    # What the reference has no number for, as the largest of nothing, is nobody's promise.
    if subject.has_value(sample):
        subject.check(sample, f"leading dimensions {shapes}")


def broadcast(subject: Subject) -> None:
    """Leading dimensions that inputs have in different numbers, 1 among them."""
    if sum(map(leads, subject.formula.inputs)) < 2:
        raise DoesNotApplyError("no two inputs have leading dimensions")
    shapes: tuple[Shape, ...] = ((2, 3), (3,), (2, 1), (), (1, 1, 3))
    count = len(subject.formula.inputs)
    for first in range(len(shapes)):
        turned = [shapes[(first + place) % len(shapes)] for place in range(max(count, 2))]
        _check_leading(subject, turned)


def gradient_shapes(subject: Subject) -> None:
    """Backward itself sums to the shapes of inputs.

    PyTorch's engine sums what is larger without a word, so that backward is called here.
    """
    given = subject.sample.leaves()
    outputs = subject.values(given)
    node = outputs[0].grad_fn
    function = getattr(node, "_forward_cls", None)
    if function is None:
        raise DoesNotApplyError("its node does not say which class it is of")
    gradients = function.backward(node, *cotangents(outputs))
    several = gradients if isinstance(gradients, tuple) else (gradients,)
    for place, one, name in zip(given.places, given.tensors, given.labels, strict=True):
        found = several[place]
        why = f"the gradient of {name} has shape {tuple(found.shape)}, {name} {tuple(one.shape)}"
        require(found.shape == one.shape, why, given)


def empty(subject: Subject) -> None:
    """No elements: along leading dimensions, and along each declared one."""
    shapes: tuple[Shape, ...] = ((0,), (2, 0))
    if any(map(leads, subject.formula.inputs)):
        for shape in shapes:
            _check_leading(subject, [shape])
    checked = [_check_without(subject, letter) for letter in letters(subject.formula)]
    if not any(checked) and not any(map(leads, subject.formula.inputs)):
        raise DoesNotApplyError("no dimension of the inputs may be 0")


def _check_without(subject: Subject, letter: str) -> bool:
    """Whether the formula has a value where a dimension is 0, which it is held against."""
    sizes = [0 if one == letter else 2 + k for k, one in enumerate(letters(subject.formula))]
    sample = subject.draw.sample(sizes=sizes)
    if not subject.has_value(sample):
        return False
    subject.check(sample, f"{letter} = 0")
    return True


def strided(subject: Subject) -> None:
    """Inputs that lie in memory with gaps, or transposed."""
    for form, what in ((_with_gaps, "with gaps"), (_turned, "transposed")):
        moved = subject.sample.having(form(one) for one in subject.sample.tensors)
        _check_as_given(subject, moved, f"inputs {what} in memory")


def _with_gaps(one: Tensor) -> Tensor:
    return torch.stack([one, one + 1], -1)[..., 0]


def _turned(one: Tensor) -> Tensor:
    places = tuple(reversed(range(one.ndim)))
    return one.permute(places).contiguous().permute(places)


def expanded(subject: Subject) -> None:
    """Inputs repeated by a stride of 0, along each of their dimensions in turn."""
    tensors = subject.sample.tensors
    if not any(one.ndim for one in tensors):
        raise DoesNotApplyError("no input has dimensions")
    for place, one in enumerate(tensors):
        for axis in range(one.ndim):
            if subject.is_elementwise or axis + 1 < one.ndim:
                repeated = one.narrow(axis, 0, 1).expand(one.shape)
                given = [*tensors[:place], repeated, *tensors[place + 1 :]]
                sample = subject.sample.having(given)
                if subject.has_value(sample):
                    what = f"{sample.labels[place]} expanded along dimension {axis}"
                    _check_as_given(subject, sample, what)


def channels_last(subject: Subject) -> None:
    """Inputs of four dimensions, the second of which lies innermost in memory."""
    sample = subject.draw.sample([_four(subject)])
    if not subject.has_value(sample):
        raise DoesNotApplyError("its inputs do not fit where one has four dimensions")
    four = [one.ndim == 4 for one in sample.tensors]
    if not any(four):
        raise DoesNotApplyError("no input has four dimensions")
    turned = sample.having(
        one.contiguous(memory_format=torch.channels_last) if is_four else one
        for one, is_four in zip(sample.tensors, four, strict=True)
    )
    _check_as_given(subject, turned, "channels last")


def _four(subject: Subject) -> Shape:
    """Leading dimensions that give the first input that has some four in all."""
    behind = [len(one.order) - 1 for one in subject.formula.inputs if leads(one)]
    return (2, 3, 2, 3)[: max(4 - behind[0], 0)] if behind else ()


def _check_as_given(subject: Subject, sample: Sample, what: str) -> None:
    """Values and gradients with the very tensors given; `leaves` would make them contiguous."""
    plain = sample.having(one.contiguous() for one in sample.tensors)
    expected = subject.gradients(plain)
    given = sample.having(one.detach().requires_grad_() for one in sample.tensors)
    strides = [one.stride() for one in sample.tensors]
    subject.check_values(subject.values(given), plain, what)
    subject.check_gradients(subject.values(given), given, expected, what)
    require([one.stride() for one in sample.tensors] == strides, f"{what}: an input moved", given)
