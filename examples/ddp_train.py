"""Train a classifier of emitted functions on several processes, and compare with one.

    torchrun --standalone --nproc-per-node 2 examples/ddp_train.py
    torchrun --standalone --nproc-per-node 2 examples/ddp_train.py --shard
    python examples/ddp_train.py

The modules under generated/ are imported as they are; gen itself takes no part.
"""

from __future__ import annotations

import gc
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import torch
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from generated.cross_entropy_torch import cross_entropy
from generated.layer_norm_torch import layer_norm
from generated.linear_torch import linear
from generated.p3_torch import p3

SAMPLES, FEATURES, HIDDEN, CLASSES = 512, 4, 16, 3
EPOCHS = 6
BATCH = 64  # over all processes
LEARNING_RATE = 0.01


class Linear(nn.Module):
    """Parameters for the emitted linear."""

    def __init__(self, inputs: int, outputs: int, draw: torch.Generator) -> None:
        super().__init__()
        weight = torch.randn(outputs, inputs, generator=draw, dtype=torch.float64)
        self.weight = nn.Parameter(weight / inputs**0.5)
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """Return x @ weight.T + bias."""
        return linear(x, self.weight, self.bias)


class LayerNorm(nn.Module):
    """Parameters for the emitted layer_norm."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((size,), 0.5, dtype=torch.float64))
        self.bias = nn.Parameter(torch.zeros(size, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """Return x of mean 0 and variance 1, scaled and shifted."""
        return layer_norm(x, self.weight, self.bias, 1e-5)


class Classifier(nn.Module):
    """A hidden layer, normalised, whose activation is the third Legendre polynomial."""

    def __init__(self) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(1)
        self.hidden = Linear(FEATURES, HIDDEN, draw)
        self.norm = LayerNorm(HIDDEN)
        self.output = Linear(HIDDEN, CLASSES, draw)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of each row."""
        logits: Tensor = self.output(p3(self.norm(self.hidden(x))))
        return logits


@dataclass(frozen=True)
class Run:
    """What one training comes to, the same on every process."""

    losses: tuple[float, ...]  # mean over the samples of each epoch
    parameters: tuple[Tensor, ...]  # whole


def dataset() -> TensorDataset:
    """Points whose class depends on the sine of a direction, and their targets."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(SAMPLES, FEATURES, generator=draw, dtype=torch.float64)
    bounds = torch.tensor([-0.5, 0.5], dtype=torch.float64)
    classes = torch.bucketize(torch.sin(1.5 * x.sum(1) / 2), bounds)
    return TensorDataset(x, nn.functional.one_hot(classes, CLASSES).to(x.dtype))


def train(model: nn.Module, rank: int = 0, processes: int = 1) -> Run:
    """Take a step of Adam for each batch, of which this process has its share."""
    samples = dataset()
    sampler: DistributedSampler[tuple[Tensor, ...]] = DistributedSampler(samples, processes, rank)
    loader = DataLoader(samples, BATCH // processes, sampler=sampler)
    optimiser = torch.optim.Adam(model.parameters(), LEARNING_RATE)
    losses = []
    for epoch in range(EPOCHS):
        sampler.set_epoch(epoch)
        total = torch.zeros((), dtype=torch.float64)
        for x, target in loader:
            optimiser.zero_grad()
            loss = cross_entropy(model(x), target)
            torch.autograd.backward(loss)
            optimiser.step()
            total += loss.detach() / len(loader) / processes
        if processes > 1:
            distributed.all_reduce(total)
        losses.append(total.item())
    return Run(tuple(losses), tuple(whole(one) for one in model.parameters()))


def whole(parameter: Tensor) -> Tensor:
    """A parameter that FSDP2 has sharded, in one piece."""
    kept = parameter.detach()
    return kept.full_tensor() if isinstance(kept, DTensor) else kept


def difference(one: Run, other: Run) -> float:
    """The largest difference between losses or parameters."""
    pairs = zip(one.parameters, other.parameters, strict=True)
    return max(
        *(abs(a - b) for a, b in zip(one.losses, other.losses, strict=True)),
        *((a - b).abs().max().item() for a, b in pairs),
    )


def disagreement(run: Run) -> float:
    """The largest difference between this process and any other."""
    runs: list[Run] = [run] * distributed.get_world_size()
    distributed.all_gather_object(runs, run)
    return max(difference(run, one) for one in runs)


def train_together(shard: bool) -> tuple[Run, float]:
    """Train on all processes, and return by how much they disagree."""
    rank, processes = distributed.get_rank(), distributed.get_world_size()
    model: nn.Module = Classifier()
    if shard:
        mesh = init_device_mesh("cpu", (processes,))
        for layer in (*model.children(), model):
            fully_shard(layer, mesh=mesh)
    else:
        model = DistributedDataParallel(model)
    run = train(model, rank, processes)
    return run, disagreement(run)


def compare(shard: bool) -> None:
    """Train on all processes of torchrun, then on the first of them alone."""
    distributed.init_process_group("gloo")
    rank, processes = distributed.get_rank(), distributed.get_world_size()
    run, apart = train_together(shard)
    # If DDP's model outlives its group, its end can wait for ever for a thread of gloo.
    gc.collect()
    distributed.destroy_process_group()
    if rank == 0:
        report(run)
        click.echo(f"{processes} ranks differ by {apart}")
        off = difference(run, train(Classifier()))
        click.echo(f"one process differs by {'less' if off < 1e-12 else 'more'} than 1e-12")


def report(run: Run) -> None:
    """Print the losses."""
    for epoch, loss in enumerate(run.losses):
        click.echo(f"epoch {epoch}  loss {loss:.6f}")


@click.command()
@click.option("--shard", is_flag=True, help="Shard the parameters (FSDP2) in place of DDP.")
def main(shard: bool) -> None:
    """Train, and print the loss of every epoch."""
    if "RANK" in os.environ:
        compare(shard)
    else:
        report(train(Classifier()))


if __name__ == "__main__":
    main()
