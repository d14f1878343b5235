"""The table of docs/torch.md is what a run gives, and its commands work."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks import contract

if TYPE_CHECKING:
    from pathlib import Path

TEXT = contract.PAGE.read_text(encoding="utf-8")
COMMANDS = [
    " ".join(one.split())
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
    for one in re.findall(r"^\$ (.*?)(?=^\$ |\Z)", block, re.DOTALL | re.MULTILINE)
]


@pytest.mark.filterwarnings("ignore")
def test_the_table_is_that_of_a_run() -> None:
    assert contract.table() == contract.written(TEXT)


@pytest.mark.parametrize("command", COMMANDS, ids=[one.split()[1] for one in COMMANDS])
def test_the_commands(command: str, tmp_path: Path) -> None:
    words = [sys.executable, "-m", *shlex.split(command), "--backend", "torch", "-o", "-"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "torch.autograd.Function" in done.stdout
