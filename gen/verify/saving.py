"""Checks of what is kept for backward: checkpoints and hooks (9 of the list).

In: a subject. Out: nothing, or a `ConformanceError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.autograd.graph import Node, save_on_cpu, saved_tensors_hooks
from torch.utils._pytree import tree_leaves
from torch.utils.checkpoint import checkpoint

from gen.verify.compare import check_all, cotangents, pulled, require, several

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen.verify.samples import Sample
    from gen.verify.subject import Subject


def checkpointed(subject: Subject) -> None:
    """Forward run again in backward, in both ways that PyTorch has."""
    for reentrant in (True, False):
        given = subject.sample.leaves()
        outputs = checkpoint(subject.of_tensors(given), *given.tensors, use_reentrant=reentrant)
        what = f"checkpoint(use_reentrant={reentrant})"
        torch.autograd.backward(several(outputs), cotangents(several(outputs)))
        grads = [torch.zeros_like(one) if one.grad is None else one.grad for one in given.tensors]
        labels = [f"{what}: the gradient of {name}" for name in given.labels]
        check_all(grads, subject.gradients(given), labels, subject.sample)


def hooked(subject: Subject) -> None:
    """Tensors replaced while they are saved; each is unpacked once at the most."""
    packed: list[Tensor] = []
    unpacked: list[int] = []

    def pack(tensor: Tensor) -> int:
        packed.append(tensor.detach().clone())
        return len(packed) - 1

    def unpack(place: int) -> Tensor:
        unpacked.append(place)
        return packed[place]

    given = subject.sample.leaves()
    with saved_tensors_hooks(pack, unpack):
        outputs = subject.values(given)
    what = "saved_tensors_hooks"
    subject.check_gradients(outputs, given, subject.gradients(given), what)
    twice = len(unpacked) - len(set(unpacked))
    require(twice == 0, f"{what}: {twice} saved tensors were unpacked twice", subject.sample)


def on_cpu(subject: Subject) -> None:
    """Tensors that are moved to the CPU and back."""
    given = subject.sample.leaves()
    with save_on_cpu():
        outputs = subject.values(given)
    subject.check_gradients(outputs, given, subject.gradients(given), "save_on_cpu")


def nothing_beside(subject: Subject) -> None:
    """No node of the autograd graph has a tensor that hooks do not see."""
    given = subject.sample.leaves()
    for node in _nodes(subject.values(given)):
        for name, value in vars(node).items() if hasattr(node, "__dict__") else ():
            held = [one for one in tree_leaves(value) if isinstance(one, Tensor)]
            why = f"{node.name()} keeps a tensor as its attribute {name}, which no hook sees"
            require(not held, why, subject.sample)


def _nodes(outputs: Sequence[Tensor]) -> Iterator[Node]:
    """The nodes of the autograd graph behind outputs."""
    pending = [one.grad_fn for one in outputs]
    seen: set[Node] = set()
    while pending:
        node = pending.pop()
        if node is not None and node not in seen:
            seen.add(node)
            yield node
            pending += [following for following, _ in node.next_functions]


def edited_inputs(subject: Subject) -> None:
    """An input changed in place before backward: the right gradient, or an error."""
    expected = subject.gradients(subject.sample)
    for place, name in enumerate(subject.sample.labels):
        given = subject.sample.leaves()
        copies = given.having(one * 1 for one in given.tensors)  # leaves may not be edited
        outputs = subject.values(copies)
        with torch.no_grad():
            copies.tensors[place].add_(1)
        found = _unless_refused(outputs, given)
        if found is not None:
            labels = [f"{name} changed in place: the gradient of {one}" for one in given.labels]
            check_all(found, expected, labels, subject.sample)


def edited_outputs(subject: Subject) -> None:
    """An output changed in place: the right gradient, or an error in backward."""
    for place, name in enumerate(subject.outputs):
        given = subject.sample.leaves()
        outputs = subject.values(given)
        plain = list(subject.reference(*given.values))
        outputs[place].mul_(2)
        plain[place] = 2 * plain[place]
        found = _unless_refused(outputs, given)
        if found is not None:
            labels = [f"{name} changed in place: the gradient of {one}" for one in given.labels]
            check_all(found, pulled(plain, given.tensors), labels, subject.sample)


def _unless_refused(outputs: Sequence[Tensor], given: Sample) -> list[Tensor] | None:
    """The gradients; None where PyTorch sees that what it saved was changed."""
    try:
        return pulled(outputs, given.tensors)
    except RuntimeError as fault:
        if "modified by an inplace operation" not in str(fault):
            raise
        return None
