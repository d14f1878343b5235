"""Two processes give what one gives: DDP, FSDP2 and DTensor, with docs/distributed.md.

All cases run in one pair of processes, which `outcomes` starts; each is a test of its own.
What is expected is computed by PyTorch's own functions, in one process.
"""

from __future__ import annotations

import faulthandler
import gc
import itertools
import math
import os
import re
import socket
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, distributed, nn
from torch.distributed import FileStore  # type: ignore[attr-defined]
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import (
    DTensor,
    Partial,
    Placement,
    Replicate,
    Shard,
    distribute_tensor,
)
from torch.distributed.tensor.debug import CommDebugMode
from torch.distributed.tensor.experimental import implicit_replication
from torch.multiprocessing.spawn import spawn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

import gen
from examples.ddp_train import Classifier, Run, train
from generated.attention_torch import attention
from generated.cross_entropy_torch import cross_entropy
from generated.layer_norm_torch import layer_norm
from generated.linear_torch import linear
from generated.log_sum_exp_torch import log_sum_exp
from generated.p3_torch import p3
from generated.relu_torch import relu
from generated.rotate_torch import rotate
from generated.softmax_torch import softmax

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/distributed.md").read_text()

PROCESSES = 2
PATIENCE = timedelta(seconds=60)  # of a process whose partner has failed
LIMIT = 180  # seconds, after which a process shows where it stands, and ends

PLACEMENTS: dict[str, Placement] = {
    "R": Replicate(),
    "S(0)": Shard(0),
    "S(1)": Shard(1),
    "P": Partial(),
    "P(avg)": Partial("avg"),
}

_close = partial(torch.testing.assert_close, rtol=1e-10, atol=1e-12)
_close_in_bfloat16 = partial(torch.testing.assert_close, rtol=0.05, atol=0.02)


# ---- what both processes do


def _sheet(*shape: int, seed: int = 0) -> Tensor:
    """Numbers that are the same in every process."""
    draw = torch.Generator().manual_seed(seed + sum(shape))
    return torch.randn(shape, generator=draw, dtype=torch.float64)


def _placed(value: Tensor, mesh: DeviceMesh, placement: Placement) -> Tensor:
    if isinstance(placement, Partial):
        return DTensor.from_local(value / PROCESSES, mesh, [placement]).requires_grad_()
    return distribute_tensor(value, mesh, [placement]).requires_grad_()


def _whole(value: Tensor) -> Tensor:
    assert isinstance(value, DTensor)
    return value.full_tensor()


def _placement(value: Tensor) -> Placement:
    assert isinstance(value, DTensor)
    (placement,) = value.placements
    return placement


class Function(NamedTuple):
    """An emitted function, the same of PyTorch, and the shapes of the inputs of both."""

    emitted: Callable[..., Tensor]
    plain: Callable[..., Tensor]
    shapes: tuple[tuple[int, ...], ...]


def _plain_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    return -(target * torch.log_softmax(logits, -1)).sum() / len(logits)


# Sizes that two processes cannot halve, as well as sizes that they can.
FUNCTIONS = {
    "p3": Function(p3, lambda x: 2.5 * x**3 - 1.5 * x, ((5, 4),)),
    "relu": Function(relu, torch.relu, ((5, 4),)),
    "softmax": Function(softmax, lambda x: torch.softmax(x, -1), ((4, 5),)),
    "log_sum_exp": Function(log_sum_exp, lambda x: torch.logsumexp(x, -1), ((5, 6),)),
    "linear": Function(linear, functional.linear, ((5, 6), (4, 6), (4,))),
    "linear of 3 dimensions": Function(linear, functional.linear, ((2, 3, 4), (6, 4))),
    "layer_norm": Function(
        lambda x, weight, bias: layer_norm(x, weight, bias, 1e-5),
        lambda x, weight, bias: functional.layer_norm(x, (6,), weight, bias, 1e-5),
        ((3, 6), (6,), (6,)),
    ),
    "cross_entropy": Function(cross_entropy, _plain_cross_entropy, ((4, 5), (4, 5))),
    "attention": Function(
        lambda q, k, v: attention(q, k, v, 0.5),
        lambda q, k, v: torch.softmax(0.5 * q @ k.T, -1) @ v,
        ((4, 6), (5, 6), (5, 2)),
    ),
    "rotate": Function(
        lambda t, x, y: rotate(t, x, y)[1],
        lambda t, x, y: torch.sin(t) * x + torch.cos(t) * y,
        ((5, 1), (5, 4), (4,)),
    ),
}


def _every_placement(function: Function, mesh: DeviceMesh) -> None:
    """Value and gradients; each input is replicated, partial, sharded along each dimension."""
    values = [_sheet(*shape, seed=seed) for seed, shape in enumerate(function.shapes)]
    choices = [(Replicate(), Partial(), *map(Shard, range(one.ndim))) for one in values]
    for placements in itertools.product(*choices):
        _check_placement(function, values, placements, mesh)


def _check_placement(
    function: Function,
    values: list[Tensor],
    placements: tuple[Placement, ...],
    mesh: DeviceMesh,
) -> None:
    given = [one.clone().requires_grad_() for one in values]
    expected = function.plain(*given)
    cotangent = _sheet(*expected.shape)
    wanted = torch.autograd.grad(expected, given, cotangent)
    placed = [_placed(v, mesh, p) for v, p in zip(values, placements, strict=True)]
    found = function.emitted(*placed)
    _close(_whole(found), expected)
    gradients = torch.autograd.grad(found, placed, _placed(cotangent, mesh, Replicate()))
    for one, want in zip(gradients, wanted, strict=True):
        _close(_whole(one), want)


class Line(NamedTuple):
    """A line of the page's table, all text."""

    call: str
    inputs: str
    output: str
    gradients: str
    forward: str
    backward: str


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def _lines() -> list[Line]:
    rows = [row for block in _blocks("dtensor") for row in block.splitlines()]
    return [Line(*(part.strip() for part in row.split(" | "))) for row in rows]


# The inputs of the calls of the page.
INPUTS = {
    "x": (4, 6),
    "t": (4, 6),
    "s": (6,),
    "c": (6,),
    "w": (8, 6),
    "b": (8,),
    "k": (8, 6),
    "v": (8, 2),
}
CALLS: dict[str, Callable[..., Tensor]] = {
    "p3(x)": p3,
    "softmax(x)": softmax,
    "layer_norm(x, s, c, 1e-5)": lambda x, s, c: layer_norm(x, s, c, 1e-5),
    "linear(x, w, b)": linear,
    "cross_entropy(x, t)": cross_entropy,
    "attention(x, k, v, 0.5)": lambda x, k, v: attention(x, k, v, 0.5),
}


def _line(line: Line, mesh: DeviceMesh) -> None:
    found = _measured(CALLS[line.call], line, mesh)
    assert found == line, " | ".join(found)


def _measured(call: Callable[..., Tensor], line: Line, mesh: DeviceMesh) -> Line:
    """A line with the placements and what is sent as they are."""
    named = dict(one.split("=") for one in line.inputs.split())
    inputs = [_placed(_sheet(*INPUTS[n]), mesh, PLACEMENTS[p]) for n, p in named.items()]
    with _watched() as forward:
        output = call(*inputs)
    placement = _placement(output)
    kept = Replicate() if isinstance(placement, Partial) else placement
    cotangent = _placed(_sheet(*output.shape), mesh, kept)
    with _watched() as backward:
        gradients = torch.autograd.grad(output, inputs, cotangent)
    found = [_abbreviated(_placement(one)) for one in gradients]
    return line._replace(
        output=_abbreviated(placement),
        gradients=" ".join(f"{name}={one}" for name, one in zip(named, found, strict=True)),
        forward=_sent(forward),
        backward=_sent(backward),
    )


def _watched() -> CommDebugMode:
    return CommDebugMode()  # type: ignore[no-untyped-call]


def _abbreviated(placement: Placement) -> str:
    return next(name for name, one in PLACEMENTS.items() if one == placement)


def _sent(mode: CommDebugMode) -> str:
    counts = {str(one): count for one, count in mode.get_comm_counts().items()}
    names = {one: re.sub(r".*\.|(_into)?_tensor$", "", one).replace("_", "-") for one in counts}
    return ", ".join(sorted(f"{counts[one]} {names[one]}" for one in counts)) or "-"


def _tensor_parallel(mesh: DeviceMesh) -> None:
    """The page's layers, sharded by columns, then by rows."""
    *placing, call = _blocks("python")[0].splitlines()
    sizes = {"x": (4, 6), "w": (8, 6), "b": (8,), "u": (3, 8)}
    plain = {name: _sheet(*shape).requires_grad_() for name, shape in sizes.items()}
    hidden = functional.linear(plain["x"], plain["w"], plain["b"])
    expected = functional.linear(2.5 * hidden**3 - 1.5 * hidden, plain["u"])
    wanted = torch.autograd.grad(expected, list(plain.values()), _sheet(4, 3))
    whole = {name: _placed(one, mesh, Replicate()) for name, one in plain.items()}
    parts: dict[str, Any] = {**globals(), **plain, "x": whole["x"], "mesh": mesh}
    exec("\n".join(placing), parts)
    with _watched() as mode:
        exec(call, parts)
    assert _sent(mode) == "1 all-reduce"
    _close(_whole(parts["y"]), expected)
    given = [parts[name] for name in sizes]
    cotangent = _placed(_sheet(4, 3), mesh, Replicate())
    for one, want in zip(torch.autograd.grad(parts["y"], given, cotangent), wanted, strict=True):
        _close(_whole(one), want)


def _as_torch_sends(mesh: DeviceMesh) -> None:
    """On the page, Linear and Softmax send what PyTorch's own send, in both directions."""
    own = {"linear(x, w, b)": functional.linear, "softmax(x)": FUNCTIONS["softmax"].plain}
    lines = [one for one in _lines() if one.call in own]
    assert {one.call for one in lines} == set(own)
    for one in lines:
        assert _measured(own[one.call], one, mesh)[-2:] == one[-2:]


def _optimiser(mesh: DeviceMesh) -> None:
    """A gradient that is still to be summed reaches the parameter summed."""
    for kind in (torch.optim.SGD, torch.optim.AdamW):
        weights = []
        for call, x, w in (
            (
                linear,
                _placed(_sheet(4, 6), mesh, Shard(0)),
                _placed(_sheet(8, 6), mesh, Replicate()),
            ),
            (functional.linear, _sheet(4, 6), _sheet(8, 6).requires_grad_()),
        ):
            optimiser = kind([w], lr=0.1)
            for _ in range(2):
                optimiser.zero_grad()
                torch.autograd.backward(call(x, w).pow(2).sum())
                optimiser.step()
            weights.append(w)
        _close(_whole(weights[0]), weights[1])


def _second_derivatives(placement: Placement, mesh: DeviceMesh) -> None:
    for name in ("p3", "softmax", "log_sum_exp"):
        function = FUNCTIONS[name]
        value = _sheet(*function.shapes[0])
        seconds: list[Tensor] = []
        for call, x in (
            (function.emitted, _placed(value, mesh, placement)),
            (function.plain, value.requires_grad_()),
        ):
            (first,) = torch.autograd.grad(call(x).pow(2).sum(), x, create_graph=True)
            seconds += torch.autograd.grad(first.pow(2).sum(), x)
        _close(_whole(seconds[0]), seconds[1])


def _func(mesh: DeviceMesh) -> None:
    x = _sheet(4, 6)
    placed = _placed(x, mesh, Shard(0)).detach()
    _close(_whole(torch.func.grad(lambda v: p3(v).sum())(placed)), 7.5 * x**2 - 1.5)
    _close(_whole(torch.func.vmap(p3)(placed)), 2.5 * x**3 - 1.5 * x)


def _compiled(placement: Placement, mesh: DeviceMesh) -> None:
    def layer(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return softmax(p3(linear(x, w, b)))

    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    values = [_sheet(4, 6), _sheet(8, 6), _sheet(8)]

    def plain(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        hidden = functional.linear(x, w, b)
        return torch.softmax(2.5 * hidden**3 - 1.5 * hidden, -1)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dynamo's own
        function = Function(compiled, plain, ((4, 6), (8, 6), (8,)))
        _check_placement(function, values, (placement, Replicate(), Replicate()), mesh)


def _checkpointed(mesh: DeviceMesh) -> None:
    def emitted(x: Tensor) -> Tensor:
        value: Tensor = checkpoint(p3, x, use_reentrant=False)
        return value

    _every_placement(Function(emitted, FUNCTIONS["p3"].plain, ((5, 4),)), mesh)


def _numbers(mesh: DeviceMesh) -> None:
    x = _sheet(4, 6)
    placed = _placed(x, mesh, Shard(0))
    u, v = rotate(0.3, placed, 2)
    _close(_whole(u), math.cos(0.3) * x - 2 * math.sin(0.3))
    (gradient,) = torch.autograd.grad(v.sum(), placed)
    _close(_whole(gradient), torch.full_like(x, math.sin(0.3)))


def _matrices(mesh: DeviceMesh) -> None:
    """The identity and the cofactors that the runtime makes are distributed too."""
    batch = {"shape": {"A": "...,D,D"}}
    det = gen.module("Det", "det(A)", backend="torch", **batch).det
    _every_placement(Function(det, torch.linalg.det, ((4, 3, 3),)), mesh)
    trace = gen.module("Trace", "trace(A)", backend="torch", shape={"A": "D,D"}).trace
    _every_placement(Function(trace, torch.trace, ((4, 4),)), mesh)


def _mixed(mesh: DeviceMesh) -> None:
    """A plain tensor beside a DTensor is refused, unless it is said to be replicated."""
    x, w, b = _sheet(4, 6), _sheet(8, 6), _sheet(8)
    placed = _placed(x, mesh, Shard(0))
    with pytest.raises(RuntimeError, match=r"got mixed torch\.Tensor and DTensor"):
        linear(placed, w, b)
    with implicit_replication():
        _close(_whole(linear(placed, w, b)), functional.linear(x, w, b))


def _forward_mode(mesh: DeviceMesh) -> None:
    """PyTorch has no dual numbers of DTensors, whatever the function."""
    placed = _placed(_sheet(4, 6), mesh, Shard(0)).detach()
    for function in (p3, torch.sin):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch's own, of torch.jit
            with pytest.raises(NotImplementedError, match="_has_same_storage_numel"):
                torch.func.jvp(function, (placed,), (placed,))


def _samples(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    return _sheet(8, 4).to(dtype), torch.softmax(_sheet(8, 3), -1).to(dtype)


def _plain_logits(model: Classifier, x: Tensor) -> Tensor:
    """What the example's model is, in PyTorch's own functions."""
    hidden = functional.linear(x, model.hidden.weight, model.hidden.bias)
    size = tuple(model.norm.weight.shape)
    hidden = functional.layer_norm(hidden, size, model.norm.weight, model.norm.bias, 1e-5)
    hidden = 2.5 * hidden**3 - 1.5 * hidden
    return functional.linear(hidden, model.output.weight, model.output.bias)


def _wanted(dtype: torch.dtype = torch.float64) -> tuple[Tensor, list[Tensor]]:
    """Logits of all samples, and the gradient of each parameter."""
    model = Classifier().to(dtype)
    x, target = _samples(dtype)
    logits = _plain_logits(model, x)
    loss = _plain_cross_entropy(logits, target)
    return logits.to(dtype), list(torch.autograd.grad(loss, list(model.parameters())))


def _check_model(model: nn.Module, mesh: DeviceMesh, close: Callable[..., None]) -> None:
    """Two backwards of a half of the samples each: the gradients add up to twice all's."""
    dtype = next(model.parameters()).dtype
    x, target = (one.chunk(PROCESSES)[mesh.get_rank()] for one in _samples(dtype))
    logits, gradients = _wanted(dtype)
    for _ in range(2):
        found = model(x)
        torch.autograd.backward(cross_entropy(found, target))
        mine = logits.chunk(PROCESSES)[mesh.get_rank()]
        close(found.to(dtype), mine)
    for one, want in zip(model.parameters(), gradients, strict=True):
        assert one.grad is not None
        given = one.grad.full_tensor() if isinstance(one.grad, DTensor) else one.grad
        close(given, 2 * want)


class Checkpointed(nn.Module):
    """A model whose forward runs once more in backward."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        value: Tensor = checkpoint(self.model, x, use_reentrant=False)
        return value


def _ddp(mesh: DeviceMesh) -> None:
    _check_model(DistributedDataParallel(Classifier()), mesh, _close)


def _ddp_static(mesh: DeviceMesh) -> None:
    model = Checkpointed(Classifier())
    wrapped = DistributedDataParallel(model, static_graph=True, gradient_as_bucket_view=True)
    _check_model(wrapped, mesh, _close)


def _ddp_autocast(mesh: DeviceMesh) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        _check_model(DistributedDataParallel(Classifier().float()), mesh, _close_in_bfloat16)


def _ddp_compiled(mesh: DeviceMesh) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dynamo's own
        compiled: Any = torch.compile(DistributedDataParallel(Classifier()), backend="aot_eager")
        _check_model(compiled, mesh, _close)


def _sharded(model: nn.Module, mesh: DeviceMesh, **options: Any) -> nn.Module:
    for layer in (*model.children(), model):
        fully_shard(layer, mesh=mesh, **options)
    return model


def _fsdp(mesh: DeviceMesh) -> None:
    _check_model(_sharded(Classifier(), mesh), mesh, _close)


def _fsdp_root(mesh: DeviceMesh) -> None:
    model = Classifier()
    fully_shard(model, mesh=mesh, reshard_after_forward=False)
    _check_model(model, mesh, _close)


def _fsdp_checkpointed(mesh: DeviceMesh) -> None:
    _check_model(_sharded(Checkpointed(Classifier()), mesh), mesh, _close)


def _fsdp_mixed_precision(mesh: DeviceMesh) -> None:
    policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    model = _sharded(Classifier().float(), mesh, mp_policy=policy)
    _check_model(model, mesh, _close_in_bfloat16)


Case = Callable[[DeviceMesh], None]

CASES: dict[str, Case] = {
    "DDP": _ddp,
    "DDP of a static graph, checkpointed": _ddp_static,
    "DDP under autocast": _ddp_autocast,
    "DDP compiled": _ddp_compiled,
    "FSDP2": _fsdp,
    "FSDP2 of the root alone": _fsdp_root,
    "FSDP2 checkpointed": _fsdp_checkpointed,
    "FSDP2 in bfloat16": _fsdp_mixed_precision,
    **{
        f"DTensor {name} in every placement": partial(_every_placement, one)
        for name, one in FUNCTIONS.items()
    },
    **{f"DTensor {one.call} {one.inputs}": partial(_line, one) for one in _lines()},
    "DTensor linear by columns, then by rows": _tensor_parallel,
    "DTensor sends as PyTorch": _as_torch_sends,
    **{
        f"DTensor second derivatives {name}": partial(_second_derivatives, PLACEMENTS[name])
        for name in ("R", "S(0)", "S(1)")
    },
    "DTensor optimisers": _optimiser,
    "DTensor torch.func": _func,
    **{
        f"DTensor compiled {name}": partial(_compiled, PLACEMENTS[name])
        for name in ("S(0)", "S(1)")
    },
    "DTensor checkpointed": _checkpointed,
    "DTensor beside numbers": _numbers,
    "DTensor traces and determinants": _matrices,
    "DTensor beside tensors": _mixed,
    "DTensor forward mode": _forward_mode,
}


# ---- the two processes


def _loopback() -> str:
    """The network interface of this machine with itself."""
    return next(name for _, name in socket.if_nameindex() if name.startswith("lo"))


@contextmanager
def _group(rank: int, folder: str) -> Iterator[FileStore]:
    os.environ["GLOO_SOCKET_IFNAME"] = _loopback()
    store = FileStore(f"{folder}/store", PROCESSES)
    store.set_timeout(PATIENCE)
    distributed.init_process_group(
        "gloo", store=store, rank=rank, world_size=PROCESSES, timeout=PATIENCE
    )
    yield store
    # A model of DDP that outlived its group could wait for ever for a thread of gloo.
    torch.compiler.reset()
    gc.collect()
    distributed.destroy_process_group()


def _worker(rank: int, folder: str) -> None:
    """Run the cases; the first process writes what became of each."""
    faulthandler.dump_traceback_later(LIMIT, exit=True)
    warnings.simplefilter("error")
    torch.set_num_threads(1)
    with _group(rank, folder) as store:
        mesh = init_device_mesh("cpu", (PROCESSES,))
        for number, case in enumerate(CASES.values()):
            store.set(f"{number} {rank}", _fault(case, mesh))
            faults = [store.get(f"{number} {one}").decode() for one in range(PROCESSES)]
            if rank == 0:
                Path(folder, str(number)).write_text("\n".join(filter(None, faults)))
            if len({one.rstrip().rsplit("\n", 1)[-1] for one in faults}) > 1:
                return  # The processes no longer stand at the same place.


def _fault(case: Case, mesh: DeviceMesh) -> str:
    try:
        case(mesh)
    except Exception:  # Whatever it is, its traceback is what the test shows.
        return f"rank {mesh.get_rank()}\n{traceback.format_exc()}"
    return ""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The fault of each case, empty where there is none."""
    folder = tmp_path_factory.mktemp("processes")
    spawn(_worker, (str(folder),), nprocs=PROCESSES)  # type: ignore[no-untyped-call]
    paths = ((name, folder / str(number)) for number, name in enumerate(CASES))
    return {name: path.read_text() for name, path in paths if path.exists()}


@pytest.mark.parametrize("name", CASES)
def test_two_processes_give_what_one_gives(name: str, outcomes: dict[str, str]) -> None:
    fault = outcomes.get(name, "not run: the processes failed differently in a case before")
    if fault:
        pytest.fail(fault, pytrace=False)


# ---- the example and the page


def _torchrun(*words: str) -> str:
    """What torchrun prints, on this machine alone."""
    quiet = {"OMP_NUM_THREADS": "1", "PET_LOCAL_ADDR": "127.0.0.1"}
    command = [sys.executable, "-m", "torch.distributed.run", *words]
    environment = {**os.environ, **quiet, "GLOO_SOCKET_IFNAME": _loopback()}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _commands() -> list[tuple[str, str]]:
    entries = [one for block in _blocks("console") for one in block.split("$ ")[1:]]
    return [(first, rest) for first, _, rest in (one.partition("\n") for one in entries)]


@pytest.mark.parametrize(("command", "output"), _commands())
def test_a_command_of_the_page_prints_what_the_page_says(command: str, output: str) -> None:
    program, *words = command.split()
    assert program == "torchrun"
    assert _torchrun(*words) == output


def _losses(run: Run) -> list[str]:
    return [f"epoch {epoch}  loss {loss:.6f}" for epoch, loss in enumerate(run.losses)]


def test_one_process_prints_the_same_losses() -> None:
    lines = _losses(train(Classifier()))
    outputs = [output.splitlines() for _, output in _commands()]
    assert outputs == [[*lines, *output[len(lines) :]] for output in outputs]
