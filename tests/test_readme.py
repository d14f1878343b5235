"""README says what is so."""

from __future__ import annotations

import math
import re
import shlex
from pathlib import Path

import pytest

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
    assert len(entries) == 6
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


def test_the_functions_of_the_toml_are_read(tmp_path: Path) -> None:
    from gen import pipeline
    from gen.frontend.spec import read

    blocks = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    p3 = '[functions.P3]\nexpr = "0.5*(5*x**3-3*x)"\n[functions.H]\nexpr = "struve(1, x)"\n'
    (tmp_path / "gen.toml").write_text("".join(blocks).replace(', "torch"]', "]") + p3)
    spec = read(tmp_path / "gen.toml")
    names = [file.name for one in spec.entries for file in pipeline.entry(one.request, ["numpy"])]
    assert names == ["affine.py", "h.py", "linear.py", "p3.py", "rotate.py"]


def test_the_python_function_is_what_it_says(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(import math\n.*?)```", README, re.DOTALL)
    path = tmp_path / "example.py"
    path.write_text(code)
    import runpy

    names = runpy.run_path(str(path))
    s6, s = (1.1 / 1.2) ** 6, 1.2 / 3.3
    expected = 4 * (s6**2 - s6) * 0.5 * (1 + math.cos(math.pi * s))
    assert float(names["energy"](1.2, 1.1, 1.0)) == pytest.approx(expected)
    assert names["Energy"].__name__ == "Energy"


def test_the_python_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(import gen\n.*?)```", README, re.DOTALL)
    for name in ("source", "load", "write", "gradcheck"):
        assert f"gen.{name}(" in code
    path = tmp_path / "example.py"
    path.write_text(code.replace('"mylib/ops"', repr(str(tmp_path / "ops"))))
    import runpy

    assert isinstance(runpy.run_path(str(path))["P3"], type)
    assert (tmp_path / "ops/p3.py").is_file()
