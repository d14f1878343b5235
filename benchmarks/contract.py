"""What P3 works under, in four forms: composite, old-style Function, custom_op, emitted.

    python -m benchmarks.contract            prints the table
    python -m benchmarks.contract --write    puts it into docs/torch.md

Each cell is a run: values and derivatives are compared with those of the formula by hand.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch._dynamo.exc import TorchDynamoException
from torch.func import grad, jacfwd, jacrev, jvp, vjp, vmap
from torch.utils.checkpoint import checkpoint

from benchmarks.overhead import composite, old_style
from generated.p3_torch import p3

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Function = Callable[[Tensor], Tensor]
    Check = Callable[[Function], None]

PAGE = Path(__file__).resolve().parent.parent / "docs" / "torch.md"
START, END = "<!-- contract -->\n", "<!-- end -->\n"


@torch.library.custom_op("gradsmith_contract::p3", mutates_args=())
def custom_op(x: Tensor) -> Tensor:
    """P3 as an operator, with the rules that PyTorch's tutorial gives one."""
    return 0.5 * (5 * x**3 - 3 * x)


@custom_op.register_fake
def _(x: Tensor) -> Tensor:
    return torch.empty_like(x)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    ctx.save_for_backward(*inputs)


def _backward(ctx: Any, grad_output: Tensor) -> Tensor:
    (x,) = ctx.saved_tensors
    found: Tensor = grad_output * (7.5 * x**2 - 1.5)
    return found


def _batched(info: Any, in_dims: tuple[int | None, ...], x: Tensor) -> tuple[Tensor, int | None]:
    found: Tensor = custom_op(x)
    return found, in_dims[0]


custom_op.register_autograd(_backward, setup_context=_setup)
custom_op.register_vmap(_batched)

FORMS: dict[str, Function] = {
    "composite": composite,
    "old-style Function": old_style,
    "custom_op": custom_op,
    "emitted": p3,
}


# What PyTorch raises where something does not work.
REFUSALS = (
    *(RuntimeError, NotImplementedError, TypeError, ValueError, AttributeError, AssertionError),
    TorchDynamoException,
)


class WrongError(Exception):
    """A value or a derivative that nothing says is wrong."""


def _x() -> Tensor:
    return torch.linspace(-1.2, 1.3, 5, dtype=torch.float64)


# The derivatives of P3, by order.
_DERIVATIVES: tuple[Function, ...] = (
    lambda x: 2.5 * x**3 - 1.5 * x,
    lambda x: 7.5 * x**2 - 1.5,
    lambda x: 15 * x,
    lambda x: 15 * torch.ones_like(x),
)


def _check(found: Tensor | None, expected: Tensor) -> None:
    if found is None or not torch.allclose(found, expected, rtol=1e-10, atol=1e-12):
        raise WrongError


def _check_order(found: Tensor, order: int) -> None:
    expected = _DERIVATIVES[order](_x())
    for _ in range(order):
        expected = torch.diag_embed(expected)
    _check(found, expected)


def _check_backward(function: Function) -> None:
    leaf = _x().requires_grad_()
    torch.autograd.backward(function(leaf).sum())
    _check(leaf.grad, _DERIVATIVES[1](_x()))


# ---- the rows


def reverse_to(order: int) -> Check:
    def check(function: Function) -> None:
        x = _x().requires_grad_()
        found = function(x)
        for _ in range(order):
            (found,) = torch.autograd.grad(found.sum(), x, create_graph=True)
        _check(found, _DERIVATIVES[order](_x()))

    return check


def func_grad(function: Function) -> None:
    _check(grad(lambda x: function(x).sum())(_x()), _DERIVATIVES[1](_x()))


def func_vjp(function: Function) -> None:
    _check(vjp(function, _x())[1](_x())[0], _x() * _DERIVATIVES[1](_x()))


def batched(function: Function) -> None:
    _check(vmap(function)(_x()), _DERIVATIVES[0](_x()))


def func_jvp(function: Function) -> None:
    _check(jvp(function, (_x(),), (_x(),))[1], _x() * _DERIVATIVES[1](_x()))


def gradcheck_forward(function: Function) -> None:
    x = _x().requires_grad_()
    found: bool = torch.autograd.gradcheck(
        function, (x,), check_forward_ad=True, raise_exception=False
    )
    if not found:
        raise WrongError


def jacobians(*modes: Any) -> Check:
    def check(function: Function) -> None:
        found: Any = function
        for mode in modes:
            found = mode(found)
        _check_order(found(_x()), len(modes))

    return check


def compiled(function: Function) -> None:
    torch._dynamo.reset()
    _check_backward(torch.compile(function, fullgraph=True, backend="aot_eager"))


class _Layer(torch.nn.Module):
    def __init__(self, function: Function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def exported(strict: bool) -> Check:
    def check(function: Function) -> None:
        program: Any = torch.export.export(_Layer(function), (_x(),), strict=strict)
        _check_backward(program.module())

    return check


def checkpointed(use_reentrant: bool) -> Check:
    def check(function: Function) -> None:
        def run(x: Tensor) -> Tensor:
            found: Tensor = checkpoint(function, x, use_reentrant=use_reentrant)
            return found

        _check_backward(run)

    return check


def hooked(function: Function) -> None:
    with torch.autograd.graph.saved_tensors_hooks(lambda x: x.clone(), lambda x: x.clone()):
        _check_backward(function)


def on_cpu(function: Function) -> None:
    with torch.autograd.graph.save_on_cpu():
        _check_backward(function)


def sharded(function: Function) -> None:
    """A DTensor over the processes of the default group."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Shard, distribute_tensor

    mesh = init_device_mesh("cpu", (torch.distributed.get_world_size(),))
    x = distribute_tensor(_x(), mesh, [Shard(0)]).requires_grad_()
    torch.autograd.backward(function(x).sum())
    gradient: Any = x.grad
    _check(gradient.full_tensor(), _DERIVATIVES[1](_x()))


def wrapped(function: Function) -> None:
    """A model that averages its gradients over the processes."""
    torch.manual_seed(0)
    layers = (torch.nn.Linear(5, 5, dtype=torch.float64), _Layer(function))
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Sequential(*layers))
    torch.autograd.backward(model(_x()).sum())
    weight = layers[0].weight
    z = torch.nn.functional.linear(_x(), weight, layers[0].bias).detach()
    _check(weight.grad, torch.outer(_DERIVATIVES[1](z), _x()))


@dataclass(frozen=True)
class Row:
    """Checks that belong together."""

    title: str
    checks: tuple[Check, ...]
    processes: bool = False  # whether they need a process group


ROWS = (
    Row("backward, double backward, third order", tuple(map(reverse_to, (1, 2, 3)))),
    Row("`func.grad`, `vjp`, `jacrev`", (func_grad, func_vjp, jacobians(jacrev))),
    Row("`vmap`", (batched,)),
    Row(
        "`jvp`, `jacfwd`, forward-mode gradcheck", (func_jvp, jacobians(jacfwd), gradcheck_forward)
    ),
    Row("`hessian`, `jacfwd` of `jacfwd`", (jacobians(jacrev, jacfwd), jacobians(jacfwd, jacfwd))),
    Row("`compile(fullgraph=True)`, forward and backward", (compiled,)),
    Row("`export` strict and non-strict, then backward", (exported(True), exported(False))),
    Row(
        "checkpoint, `saved_tensors_hooks`, `save_on_cpu`",
        (checkpointed(True), checkpointed(False), hooked, on_cpu),
    ),
    Row("DTensor, DDP (a gloo group)", (sharded, wrapped), processes=True),
)


def outcome(function: Function, checks: Sequence[Check]) -> str:
    """Yes, no, partly, or what is worse than no: wrong without a word."""
    passed = 0
    for check in checks:
        try:
            check(function)
            passed += 1
        except WrongError:
            return "silently wrong"
        except REFUSALS:
            continue
    return "yes" if passed == len(checks) else "partly" if passed else "no"


def table() -> str:
    """The table of all rows, as Markdown."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        torch.distributed.init_process_group(
            "gloo", init_method=f"file://{folder}/group", rank=0, world_size=1
        )
        try:
            found = [[outcome(one, row.checks) for one in FORMS.values()] for row in ROWS]
        finally:
            torch.distributed.destroy_process_group()
    lines = [f"| | {' | '.join(FORMS)} |", f"|---|{'---|' * len(FORMS)}"]
    pairs = zip(ROWS, found, strict=True)
    lines += [f"| {row.title} | {' | '.join(cells)} |" for row, cells in pairs]
    return "\n".join(lines) + "\n"


def written(page: str) -> str:
    """The table that a page has."""
    return page.split(START)[1].split(END)[0]


def main() -> None:
    found = table()
    print(found, end="")
    if "--write" in sys.argv:
        page = PAGE.read_text(encoding="utf-8")
        before, after = page.split(START)[0], page.split(END)[1]
        PAGE.write_text(f"{before}{START}{found}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
