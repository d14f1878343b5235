"""Which operations a computation does in vain.

In: a function that returns tensors. Out: the names of operations that no tensor returned
depends on, as they reach PyTorch's dispatcher.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def _memory(one: Tensor) -> int:
    """What tells tensors apart, and not the views of one."""
    return int(one.untyped_storage()._cdata)


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Operations in order, with the memory that each reads and makes."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[tuple[str, set[int], set[int]]] = []
        self.kept: list[Tensor] = []  # alive, so that memory is not used twice

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: object,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        result = func(*args, **(kwargs or {}))
        read = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
        made = [one for one in tree_leaves(result) if isinstance(one, Tensor)]
        self.kept += [*read, *made]
        before = set(map(_memory, read))
        new = set(map(_memory, made)) - before
        if new:  # else it is a view, or nothing
            self.found.append((str(func), before, new))
        return result


def idle_operations(function: Callable[[], Sequence[Tensor]]) -> list[str]:
    """The operations that what a function returns does not depend on."""
    with _Recorder() as recorder:
        returned = function()
    needed = set(map(_memory, returned))
    idle = []
    for name, read, made in reversed(recorder.found):
        if made & needed:
            needed |= read
        else:
            idle.append(name)
    return sorted(set(idle))
