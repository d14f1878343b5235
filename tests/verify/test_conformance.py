"""The conformance list, run over every module that gen.toml asks for."""

from __future__ import annotations

import importlib
from functools import lru_cache

import pytest
import torch

from gen.frontend import text
from gen.frontend.spec import read
from gen.pipeline import file_name
from gen.verify.conformance import CHECKS, FAILED, checks, result
from gen.verify.subject import Subject, subject
from tests.tensors import ROOT

ENTRIES = {entry.request.name: entry for entry in read(ROOT / "gen.toml").entries}
MODULES = [(name, backend) for name, entry in ENTRIES.items() for backend in entry.backends]
COMPILED = [one for one in CHECKS if one.compiles]
# Of those that compile, every run takes one of each kind: elementwise, a product of
# matrices, a reduction, several outputs; -m slow takes all.
SUBSET = ("P3", "Linear", "Softmax", "Rotate")


@lru_cache
def _subject(name: str, backend: str) -> Subject:
    stem = file_name(name, backend).removesuffix(".py")
    module = importlib.import_module(f"generated.{stem}")
    return subject(module, text.read(ENTRIES[name].request), backend)


def _failures(name: str, backend: str, compiled: bool) -> dict[str, str]:
    chosen = [one for one in checks(backend) if one.compiles == compiled]
    results = [result(check, _subject(name, backend)) for check in chosen]
    return {one.check.title: one.why for one in results if one.outcome == FAILED}


@pytest.mark.parametrize(("name", "backend"), MODULES)
def test_every_module_conforms(name: str, backend: str) -> None:
    assert _failures(name, backend, compiled=False) == {}


@pytest.mark.parametrize("name", SUBSET)
def test_what_needs_a_compiler(name: str) -> None:
    assert _failures(name, "torch", compiled=True) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*ENTRIES} - {*SUBSET}))
def test_what_needs_a_compiler_of_all_others(name: str) -> None:
    assert _failures(name, "torch", compiled=True) == {}


def test_the_list_is_whole() -> None:
    assert [one.number for one in CHECKS if one.backend == "torch"] == sorted(
        one.number for one in CHECKS if one.backend == "torch"
    )
    assert {one.number for one in checks("torch")} == set(range(1, 13))
    assert {one.number for one in checks("torch", quick=True)} == set(range(1, 13)) - {7}
    assert len({(one.backend, one.number, one.title) for one in CHECKS}) == len(CHECKS)


def test_checks_need_nothing_that_is_not_reset() -> None:
    """A check leaves the state of PyTorch as it found it."""
    before = (torch.is_grad_enabled(), torch.get_default_dtype(), torch.is_autocast_enabled("cpu"))
    _failures("P3", "torch", compiled=False)
    assert before == (
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
        torch.is_autocast_enabled("cpu"),
    )
