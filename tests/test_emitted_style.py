"""What is emitted passes the checkers of a strict project as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import gen
from tests.formulas import CASES
from tests.tensors import TENSORS

ROOT = Path(__file__).resolve().parent.parent

_LONG = "+".join(f"a_name_of_some_length_{i}*exp(-x{i}**2/{i + 1})" for i in range(60))
_LONG_SUM = "+".join(f"x**{i}*exp(-x/{i + 1})" for i in range(12))
_MORE = {
    "Product": "*".join(f"x{i}" for i in range(200)),
    "LongSum": _LONG,
    "LongNames": "a_name_so_long_that_no_line_has_room_for_two_of_it**2*x",
    "Ambiguous": "l*O + I",
    "lower": "x**2",
    "Spaces": "(  x  +\n\n   y )*  2",
    "Nested": "silu(" * 40 + "x" + ")" * 40,
}

_LONG_CALL = "shifted(" * 9 + "x" + ", 0.25)" * 9
_WITH_OPTIONS: dict[str, tuple[str, dict[str, object]]] = {
    "LongDefinition": (
        f"{_LONG_CALL} + summed(x)",
        {"define": {"shifted(x, by)": "y = x + by; sin(y)*y", "summed(x)": _LONG_SUM}},
    ),
    "Several": ("c = cos(t); s = sin(t); u = c*x - s*y; v = s*x + c*y", {"outputs": "u,v"}),
    "Imported": (
        "own(x)*y + own(2)*own(n)",
        {
            "const": "n",
            "primitives": {
                "own": {
                    "args": "x",
                    "numpy": "numpy.square",
                    "torch": "torch.square",
                    "derivatives": "2*x",
                }
            },
        },
    ),
    "Special": (
        "own(x)**2",
        {
            "primitives": {
                "own": {
                    "args": "x",
                    "numpy": "scipy.special.expit",
                    "torch": "torch.special.expit",
                    "derivatives": "own(x)*(1 - own(x))",
                }
            }
        },
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every formula of the table, for both backends."""
    path = tmp_path_factory.mktemp("emitted")
    for case in CASES:
        for backend in case.backends:
            name = "".join(part.title() for part in case.id.split("_"))
            gen.write(name, case.expr, backend=backend, out=path / "ops", **case.options)
    for tensors in TENSORS:
        name = "Tensor" + "".join(part.title() for part in tensors.id.split("_"))
        for backend in ("numpy", "torch"):
            gen.write(name, tensors.expr, backend=backend, out=path / "ops", **tensors.options)
    for name, expr in _MORE.items():
        for backend in ("numpy", "torch"):
            gen.write(name, expr, backend=backend, out=path / "ops")
    for name, (expr, options) in _WITH_OPTIONS.items():
        for backend in ("numpy", "torch"):
            gen.write(name, expr, backend=backend, out=path / "ops", **options)
    return path


def _run(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_ruff_check_with_its_own_rules(folder: Path) -> None:
    assert _run("ruff", "check", "--isolated", "--no-cache", "ops", cwd=folder) == ""


def test_ruff_check_with_the_rules_of_this_project(folder: Path) -> None:
    rules = "E,F,W,I,UP,B,D,RUF,SIM,TC,PT,C4"
    settings = ("--config", "lint.pydocstyle.convention='google'", "--ignore", "RUF001,RUF002")
    command = ("ruff", "check", "--isolated", "--no-cache", "--select", rules, *settings, "ops")
    assert _run(*command, cwd=folder) == ""


@pytest.mark.parametrize("length", ["88", "100", "120"])
def test_ruff_format_leaves_it_alone(folder: Path, length: str) -> None:
    command = ("ruff", "format", "--isolated", "--no-cache", "--check", "--line-length", length)
    assert _run(*command, "--diff", "ops", cwd=folder) == ""


def test_mypy_strict(folder: Path) -> None:
    settings = ("--strict", "--config-file", "", "--cache-dir", str(ROOT / ".mypy_cache/emitted"))
    assert _run("mypy", *settings, "ops", cwd=folder) == ""
