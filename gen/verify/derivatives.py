"""Checks of derivatives of every order, and of which are computed (2 to 5 of the list).

In: a subject. Out: nothing, or a `ConformanceError`.

Derivatives of higher order are compared along one direction for each input: of
`f(t) = sum(w * entry(x + t_x * d_x, y + t_y * d_y, ...))`, whose derivatives have all mixed
ones in them and are few numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor
from torch.func import jacfwd, jacrev

from gen.verify.compare import (
    Tolerance,
    check_all,
    check_close,
    cotangents,
    jacobian,
    pulled,
    require,
    several,
    subsets,
    wave,
)
from gen.verify.fault import ConformanceError, DoesNotApplyError
from gen.verify.work import idle_operations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen.verify.samples import Sample
    from gen.verify.subject import Subject

Vector: TypeAlias = Callable[[Tensor], Tensor]
Mode: TypeAlias = Callable[[Vector], Vector]

ORDER = 3
_HIGHER = Tolerance(1e-8, 1e-9)


def first(subject: Subject) -> None:
    """Numerical differences, in reverse and forward mode, batched, of undefined cotangents."""
    if subject.is_declared:
        raise DoesNotApplyError("its gradient is declared, and not the derivative")
    given = subject.sample.leaves()
    torch.autograd.gradcheck(
        subject.single(given),
        given.tensors,
        check_forward_ad=True,
        check_batched_grad=True,
        check_batched_forward_grad=True,
        check_undefined_grad=True,
        check_grad_dtypes=True,
    )


def second(subject: Subject) -> None:
    """Numerical differences of the gradient, forward over reverse and reverse over reverse."""
    given = subject.sample.leaves()
    if subject.is_once:
        _check_refused(subject, given)
        return
    if not _gradient_varies(subject, given):
        raise DoesNotApplyError("its gradient is 0 everywhere")
    torch.autograd.gradgradcheck(
        subject.single(given),
        given.tensors,
        check_fwd_over_rev=subject.is_linear,  # as every derivative is
        check_rev_over_rev=True,
        check_batched_grad=True,
    )


def _check_refused(subject: Subject, given: Sample) -> None:
    """Where it is declared that there is no second derivative, asking for one is an error."""
    gradients = pulled(subject.values(given), given.tensors, create_graph=True)
    try:
        pulled(gradients, given.tensors)
    except RuntimeError:
        return
    raise ConformanceError("its second derivative is not refused, though declared so", given)


def require_forward(subject: Subject) -> None:
    """Forward mode is the transpose of backward, which only what is linear has."""
    if not subject.is_linear:
        raise DoesNotApplyError("its gradient is declared, and not linear in the cotangent")


def _gradient_varies(subject: Subject, given: Sample) -> bool:
    """Whether the gradient depends on anything, were it on the cotangent alone."""
    outputs = subject.reference(*given.values)
    grads = [one.requires_grad_() for one in cotangents(outputs)]
    found = pulled(outputs, given.tensors, grads, create_graph=True)
    return any(one.requires_grad for one in found)


def along(function: Callable[..., tuple[Tensor, ...]], sample: Sample) -> Vector:
    """A function of one number for each tensor, which goes along a direction of it."""
    directions = [wave(one, 0.3 + place) for place, one in enumerate(sample.tensors)]

    def moved(t: Tensor) -> Tensor:
        pairs = zip(sample.tensors, directions, t.unbind(), strict=True)
        outputs = function(*(one + step * way for one, way, step in pairs))
        sums = [(wave(one, 0.7 + place) * one).sum() for place, one in enumerate(outputs)]
        sines = [(wave(one, 1.9) * one.sin()).sum() for one in outputs]
        return torch.stack([sum(sums[1:], sums[0]), sum(sines[1:], sines[0])])

    return moved


def _start(sample: Sample) -> Tensor:
    return torch.zeros(len(sample.tensors), dtype=torch.float64)


def third(subject: Subject) -> None:
    """Reverse mode thrice."""
    if subject.is_once:
        raise DoesNotApplyError("its second derivative is refused, by declaration")
    sample = subject.sample
    expected = jacobian(along(subject.plain_of_tensors(sample), sample), _start(sample), ORDER)
    found = jacobian(along(subject.of_tensors(sample), sample), _start(sample), ORDER)
    check_close(found, expected, "the third derivative", sample, _HIGHER)


def compositions(subject: Subject) -> None:
    """Forward and reverse mode inside each other, to order three."""
    sample = subject.sample
    plain = along(subject.plain_of_tensors(sample), sample)
    function = along(subject.of_tensors(sample), sample)
    known: tuple[Mode, ...] = (jacfwd, jacrev) if subject.is_linear else (jacrev,)
    for order in range(1, 2 if subject.is_once else ORDER + 1):
        expected = jacobian(plain, _start(sample), order)
        for modes in itertools.product(known, repeat=order):
            found = _composed(function, modes)(_start(sample))
            what = " of ".join("jacfwd" if mode is jacfwd else "jacrev" for mode in reversed(modes))
            try:
                check_close(found, expected, what, sample, _HIGHER)
            except ConformanceError as fault:
                if subject.is_declared:
                    raise
                own = _composed(plain, modes)(_start(sample))
                raise fault if not own.allclose(found) else _of_torch(fault) from None


def _composed(function: Vector, modes: Iterable[Mode]) -> Vector:
    for mode in modes:
        function = mode(function)
    return function


def _of_torch(fault: ConformanceError) -> ConformanceError:
    """The same fault, which the plain formula has too."""
    also = "as PyTorch's own operations give in this composition"
    return ConformanceError(f"{fault.why}; {also}", fault.inputs)


def linearized(subject: Subject) -> None:
    """A linear function, called with two tangents."""
    require_forward(subject)
    sample = subject.sample
    plain = subject.plain_of_tensors(sample)
    outputs, tangent_of = torch.func.linearize(subject.single(sample), *sample.tensors)
    subject.check_values(several(outputs), sample, "linearize")
    for phase in (0.4, 1.4):
        tangents = [wave(one, phase + place) for place, one in enumerate(sample.tensors)]
        found = several(tangent_of(*tangents))
        expected = pushed(plain, sample.tensors, tangents)
        names = [f"linearize: the tangent of {one}" for one in subject.outputs]
        check_all(found, expected, names, sample)


def pushed(
    plain: Callable[..., tuple[Tensor, ...]],
    inputs: tuple[Tensor, ...],
    tangents: list[Tensor],
) -> list[Tensor]:
    """The tangents of outputs by reverse mode alone: the VJP is linear, its VJP is the JVP."""
    given = [one.detach().clone().requires_grad_() for one in inputs]
    outputs = plain(*given)
    seeds = [torch.zeros_like(one, requires_grad=True) for one in outputs]
    found = pulled(outputs, given, seeds, create_graph=True)
    return [one.detach() for one in pulled(found, seeds, tangents)]


def every_subset(subject: Subject) -> None:
    """Gradients for those inputs that ask for one, None for the others."""
    sample = subject.sample
    expected = subject.gradients(sample)
    for chosen in subsets(range(len(sample.tensors))):
        given = _asking(sample, chosen)
        outputs = subject.values(given)
        asked = ", ".join(sample.labels[place] for place in chosen)
        require(
            all(one.requires_grad for one in outputs if one.is_floating_point()),
            f"an output has no gradient, though {asked} ask for one",
            sample,
        )
        torch.autograd.backward(outputs, cotangents(outputs))
        for place, one in enumerate(given.tensors):
            what = f"the gradient of {sample.labels[place]}, asked for {asked}"
            if place not in chosen:
                require(one.grad is None, f"{what}: there is one", sample)
                continue
            grad = torch.zeros_like(one) if one.grad is None else one.grad
            check_close(grad, expected[place], what, sample)


def _asking(sample: Sample, chosen: tuple[int, ...]) -> Sample:
    """Inputs of which some ask for a gradient."""
    tensors = enumerate(sample.tensors)
    return sample.having(
        one.detach().clone().requires_grad_(place in chosen) for place, one in tensors
    )


def no_idle_work(subject: Subject) -> None:
    """Backward computes nothing that the gradients asked for do not need."""
    sample = subject.sample
    if len(sample.tensors) < 2:
        raise DoesNotApplyError("there is one input alone")
    for chosen in subsets(range(len(sample.tensors))):
        given = _asking(sample, chosen)
        outputs = subject.values(given)
        grads = cotangents(outputs)
        idle = idle_operations(partial(_pulled_back, outputs, given, chosen, grads))
        asked = ", ".join(sample.labels[place] for place in chosen)
        require(not idle, f"for {asked} alone, backward computes {', '.join(idle)} in vain", sample)


def _pulled_back(
    outputs: tuple[Tensor, ...], given: Sample, chosen: tuple[int, ...], grads: list[Tensor]
) -> list[Tensor]:
    return pulled(outputs, [given.tensors[place] for place in chosen], grads)
