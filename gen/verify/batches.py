"""Checks of vmap with every choice of batched inputs (6 of the list).

In: a subject. Out: nothing, or a `ConformanceError`. What is expected is computed by the
reference one element of the batch after the other.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from operator import mul
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor
from torch.func import grad, jvp, vmap

from gen.verify.compare import check_all, pulled, several, wave
from gen.verify.derivatives import pushed, require_forward

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gen.verify.samples import Sample
    from gen.verify.subject import Subject

Dims: TypeAlias = tuple["int | None", ...]
Row: TypeAlias = tuple[Tensor, ...]

_BATCH = 2
_CHOICES = (None, 0, -1)

# Of more than three inputs every two take every pair of choices: columns of an orthogonal
# array of 27 rows, linear forms over the numbers modulo 3 of which no two are multiples.
_FORMS = (
    *((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1), (1, 2, 1), (1, 1, 2), (1, 2, 2)),
    *((1, 1, 0), (1, 2, 0), (1, 0, 1), (1, 0, 2), (0, 1, 1), (0, 1, 2)),
)


def choices(count: int) -> list[Dims]:
    """The in_dims to try for some tensors.

    >>> choices(1)
    [(0,), (-1,)]
    >>> [len(choices(count)) for count in (2, 3, 5)]
    [8, 26, 26]
    """
    if count <= 3:
        found = list(itertools.product(_CHOICES, repeat=count))
    else:
        forms = list(itertools.islice(itertools.cycle(_FORMS), count))
        found = [
            tuple(_CHOICES[sum(map(mul, form, row)) % 3] for form in forms)
            for row in itertools.product(range(3), repeat=3)
        ]
    return [one for one in found if any(dim is not None for dim in one)]


@dataclass(frozen=True)
class Batch:
    """Inputs of which some are batched, and the same element by element."""

    elements: tuple[Row, ...]  # were all of them batched
    dims: Dims

    @property
    def stacked(self) -> Row:
        """The inputs as vmap takes them."""
        pairs = zip(zip(*self.elements, strict=True), self.dims, strict=True)
        return tuple(one[0] if dim is None else torch.stack(one, dim) for one, dim in pairs)

    @property
    def rows(self) -> list[Row]:
        """The inputs of each element; those that are not batched are the first's."""
        return [
            tuple(
                row[place] if dim is not None else self.elements[0][place]
                for place, dim in enumerate(self.dims)
            )
            for row in self.elements
        ]


@dataclass(frozen=True)
class Batches:
    """All batches of a subject, and its functions."""

    subject: Subject

    @cached_property
    def elements(self) -> tuple[Row, ...]:
        return self.sample.tensors, tuple(1.03 * one for one in self.sample.tensors)

    @cached_property
    def tangents(self) -> tuple[Row, ...]:
        first = tuple(wave(one, 0.2 + place) for place, one in enumerate(self.sample.tensors))
        return first, tuple(one.flip(-1) if one.ndim else 2 * one for one in first)

    @property
    def sample(self) -> Sample:
        return self.subject.sample

    @cached_property
    def plain(self) -> Callable[..., Row]:
        return self.subject.plain_of_tensors(self.sample)

    @cached_property
    def entry(self) -> Callable[..., Row]:
        return self.subject.of_tensors(self.sample)

    def check(
        self,
        found: Callable[[Batch, Batch], Sequence[Tensor]],
        expected: Callable[[Batch, Batch], Sequence[Tensor]],
        names: Sequence[str],
    ) -> None:
        """Compare two functions of inputs and tangents, for each choice of in_dims."""
        known: dict[tuple[bool, ...], Sequence[Tensor]] = {}
        for dims in choices(len(self.sample.tensors)):
            batch, tangents = Batch(self.elements, dims), Batch(self.tangents, dims)
            mask = tuple(dim is not None for dim in dims)
            if mask not in known:
                known[mask] = expected(batch, tangents)
            labels = [f"in_dims {dims}: {name}" for name in names]
            got = found(batch, tangents)
            check_all(got, known[mask], labels, self.sample.having(batch.stacked))


def _each(function: Callable[[Row], Sequence[Tensor]], rows: Sequence[Row]) -> list[Tensor]:
    return [torch.stack(one) for one in zip(*map(function, rows), strict=True)]


def total(function: Callable[..., Row]) -> Callable[..., Tensor]:
    """The outputs summed with weights."""

    def summed(*tensors: Tensor) -> Tensor:
        sums = [(wave(one, place) * one).sum() for place, one in enumerate(function(*tensors))]
        return sum(sums[1:], sums[0])

    return summed


def _gradient(function: Callable[..., Row], inputs: Sequence[Tensor]) -> list[Tensor]:
    given = [one.detach().clone().requires_grad_() for one in inputs]
    return pulled([total(function)(*given)], given, [torch.ones((), dtype=torch.float64)])


def _argnums(sample: Sample) -> tuple[int, ...]:
    return tuple(range(len(sample.tensors)))


def of_values(subject: Subject) -> None:
    """Vmap of the function."""
    batches = Batches(subject)
    batches.check(
        lambda batch, _: several(vmap(batches.entry, batch.dims)(*batch.stacked)),
        lambda batch, _: _each(lambda row: batches.plain(*row), batch.rows),
        subject.outputs,
    )


def of_gradients(subject: Subject) -> None:
    """Vmap of the gradient."""
    batches = Batches(subject)
    derived = grad(total(batches.entry), _argnums(subject.sample))
    batches.check(
        lambda batch, _: several(vmap(derived, batch.dims)(*batch.stacked)),
        lambda batch, _: _each(lambda row: _gradient(batches.plain, row), batch.rows),
        subject.sample.labels,
    )


def gradients_of(subject: Subject) -> None:
    """The gradient of vmap."""
    batches = Batches(subject)

    def stacked(dims: Dims) -> Callable[..., Row]:
        def function(*tensors: Tensor) -> Row:
            rows = Batch(tuple(_unstacked(tensors, dims)), dims).rows
            return tuple(_each(lambda row: batches.plain(*row), rows))

        return function

    for dims in choices(len(subject.sample.tensors)):
        given = Batch(batches.elements, dims).stacked
        found = grad(total(vmap(batches.entry, dims)), _argnums(subject.sample))(*given)
        expected = _gradient(stacked(dims), given)
        labels = [f"in_dims {dims}: {name}" for name in subject.sample.labels]
        check_all(several(found), expected, labels, subject.sample.having(given))


def _unstacked(tensors: Sequence[Tensor], dims: Dims) -> list[Row]:
    columns = [
        [one] * _BATCH if dim is None else one.unbind(dim)
        for one, dim in zip(tensors, dims, strict=True)
    ]
    return list(zip(*columns, strict=True))


def of_tangents(subject: Subject) -> None:
    """Vmap of forward mode."""
    require_forward(subject)
    batches = Batches(subject)
    count = len(subject.sample.tensors)

    def pushing(*both: Tensor) -> Row:
        return several(jvp(batches.entry, both[:count], both[count:])[1])

    batches.check(
        lambda batch, tangents: several(
            vmap(pushing, (*batch.dims, *tangents.dims))(*batch.stacked, *tangents.stacked)
        ),
        lambda batch, tangents: _each(
            lambda both: pushed(batches.plain, both[:count], list(both[count:])),
            [(*row, *way) for row, way in zip(batch.rows, tangents.rows, strict=True)],
        ),
        [f"the tangent of {one}" for one in subject.outputs],
    )
