"""The conformance list: what every emitted module must do, one row a check.

In: a subject. Out: a `Result` for each check of its backend, as they come. The numbers are
those of the list that the rows test; for numpy it is shorter.
"""

from __future__ import annotations

import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gen.verify import (
    arrays,
    batches,
    compilers,
    conduct,
    derivatives,
    dtypes,
    exports,
    saving,
    values,
    wrappers,
)
from gen.verify.fault import FAULTS, ConformanceError, DoesNotApplyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gen.verify.subject import Subject

PASSED, FAILED, DOES_NOT_APPLY = "passed", "failed", "n.a."


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the list."""

    number: int  # of the list's entry that it belongs to
    title: str
    run: Callable[[Subject], None]  # raises a ConformanceError
    backend: str = "torch"
    compiles: bool = False  # whether it needs Dynamo or Inductor, and so takes seconds

    @property
    def id(self) -> str:
        """What tells it apart in one word."""
        return f"{self.number}-{self.title.replace(' ', '_')}"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a check."""

    check: Check
    outcome: str  # PASSED, FAILED or DOES_NOT_APPLY
    seconds: float
    why: str = ""  # what was got and expected; why it does not apply
    inputs: str = ""  # those that showed it


CHECKS: tuple[Check, ...] = (
    Check(1, "value and gradient", values.ordinary),
    Check(1, "no, one and two leading dimensions", values.leading),
    Check(1, "broadcast", values.broadcast),
    Check(1, "gradients in the shapes of inputs", values.gradient_shapes),
    Check(1, "empty", values.empty),
    Check(1, "strided", values.strided),
    Check(1, "expanded", values.expanded),
    Check(1, "channels last", values.channels_last),
    Check(2, "gradcheck, reverse and forward", derivatives.first),
    Check(3, "gradgradcheck, over reverse", derivatives.second),
    Check(3, "third order", derivatives.third),
    Check(4, "jacfwd and jacrev to order three", derivatives.compositions),
    Check(4, "linearize", derivatives.linearized),
    Check(5, "every subset of inputs", derivatives.every_subset),
    Check(5, "no work for other inputs", derivatives.no_idle_work),
    Check(6, "vmap", batches.of_values),
    Check(6, "vmap of grad", batches.of_gradients),
    Check(6, "grad of vmap", batches.gradients_of),
    Check(6, "vmap of jvp", batches.of_tangents),
    Check(7, "compile by aot_eager", compilers.by_eager, compiles=True),
    Check(7, "compile by inductor, dynamic", compilers.by_inductor, compiles=True),
    Check(7, "compile of func.grad", compilers.gradient_within, compiles=True),
    Check(7, "compile of func.jvp", compilers.tangent_within, compiles=True),
    Check(7, "compiled autograd", compilers.backward_alone, compiles=True),
    Check(8, "export, strict", exports.strictly, compiles=True),
    Check(8, "export, non-strict", exports.by_running, compiles=True),
    Check(8, "make_fx, symbolic", exports.symbolic),
    Check(8, "jit.trace", exports.traced),
    Check(9, "checkpoint, both modes", saving.checkpointed),
    Check(9, "saved_tensors_hooks", saving.hooked),
    Check(9, "save_on_cpu", saving.on_cpu),
    Check(9, "nothing saved beside hooks", saving.nothing_beside),
    Check(10, "float64 and float32", dtypes.full_precision),
    Check(10, "float16 and bfloat16", dtypes.half_precision),
    Check(10, "autocast", dtypes.autocast),
    Check(10, "autocast, compiled", compilers.compiled_autocast, compiles=True),
    Check(10, "integers are promoted", dtypes.integers),
    Check(10, "complex numbers are refused", dtypes.complex_refused),
    Check(11, "meta", wrappers.meta),
    Check(11, "FakeTensor", wrappers.fake),
    Check(11, "TwoTensor", wrappers.two_tensors),
    Check(12, "no mutation", conduct.no_mutation),
    Check(12, "no alias", conduct.no_alias),
    Check(12, "no_grad and inference_mode", conduct.without_gradients),
    Check(12, "input edited afterwards", saving.edited_inputs),
    Check(12, "output edited afterwards", saving.edited_outputs),
    Check(12, "no reference cycle", conduct.no_cycle),
    Check(12, "is_grads_batched", conduct.batched_cotangents),
    Check(12, "backward twice, same bits", conduct.same_again),
    Check(1, "value and gradient", arrays.ordinary, "numpy"),
    Check(1, "0-d, broadcast, empty", arrays.shapes, "numpy"),
    Check(1, "declared dimensions empty", arrays.empty, "numpy"),
    Check(1, "strided", arrays.strided, "numpy"),
    Check(2, "gradcheck", arrays.differences, "numpy"),
    Check(10, "float32 stays float32", arrays.single_precision, "numpy"),
    Check(12, "no mutation", arrays.no_mutation, "numpy"),
    Check(12, "no alias", arrays.no_alias, "numpy"),
)


def checks(backend: str, quick: bool = False) -> tuple[Check, ...]:
    """The checks of a backend; quick, those that need no compiler."""
    of_backend = (one for one in CHECKS if one.backend == backend)
    return tuple(one for one in of_backend if not (quick and one.compiles))


def verify(subject: Subject, quick: bool = False) -> Iterator[Result]:
    """The result of each check, as it comes."""
    for check in checks(subject.backend, quick):
        yield result(check, subject)


def result(check: Check, subject: Subject) -> Result:
    """What comes of one check."""
    start = time.perf_counter()
    outcome, why, inputs = _outcome(check, subject)
    return Result(check, outcome, time.perf_counter() - start, why, inputs)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Tensors of a few elements: threads that wait for each other make it seven times as slow."""
    count = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(count)


def _outcome(check: Check, subject: Subject) -> tuple[str, str, str]:
    try:
        with warnings.catch_warnings(), _one_thread():
            warnings.simplefilter("ignore")  # PyTorch's own, of what is new or old
            check.run(subject)
    except DoesNotApplyError as reason:
        return DOES_NOT_APPLY, str(reason), ""
    except ConformanceError as fault:
        return FAILED, fault.why, fault.shown
    except FAULTS as fault:
        return FAILED, f"{type(fault).__name__}: {fault}", str(subject.sample)
    return PASSED, "", ""
