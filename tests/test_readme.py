"""README says what is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import gen

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def test_the_emitted_file_is_shown_in_full() -> None:
    shown = re.search(r"<!-- p3 -->\n```python\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    assert shown[1] == gen.source("P3", "0.5*(5*x**3-3*x)")
    assert shown[1] == (ROOT / "generated/p3.py").read_text()


def test_ci_runs_the_test_command() -> None:
    (command,) = re.findall(r"^    (pip install torch.*)$", README, re.MULTILINE)
    assert f"\n{command}\n" in (ROOT / ".ci/run").read_text()


def test_the_commands_do_what_they_say(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from gen.cli import main

    block = re.search(r"```console\n(.*?)```", README, re.DOTALL)
    assert block is not None
    entries = re.split(r"^\$ ", block[1].replace("\\\n", " "), flags=re.MULTILINE)[1:]
    assert len(entries) == 4
    for entry in entries:
        command, _, expected = entry.partition("\n")
        words = shlex.split(command)[1:]
        out = [] if "-o" in words else ["-o", str(tmp_path)]
        if "-o" in words:
            words[words.index("-o") + 1] = str(tmp_path / "more")
        result = CliRunner().invoke(main, [*words, *out])
        assert result.exit_code == (2 if expected else 0)
        if expected:
            assert result.output == expected


def test_the_python_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(import gen\n.*?)```", README, re.DOTALL)
    for name in ("source", "load", "write", "gradcheck"):
        assert f"gen.{name}(" in code
    path = tmp_path / "example.py"
    path.write_text(code.replace('"mylib/ops"', repr(str(tmp_path / "ops"))))
    import runpy

    assert isinstance(runpy.run_path(str(path))["P3"], type)
    assert (tmp_path / "ops/p3.py").is_file()
