"""examples/legendre_sine.py reaches the figures of the reference run, on both backends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from examples.legendre_sine import TRAINERS, main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("backend", sorted(TRAINERS))
def test_training(backend: str) -> None:
    steps = list(TRAINERS[backend]())
    assert f"{steps[99].loss:.6f}" == "209.958385"
    assert f"{steps[1999].loss:.6f}" == "8.943643"
    a, b, c, d = steps[-1].parameters
    assert (round(b, 6), round(d, 6)) == (-2.208526, 0.255486)
    assert abs(a) < 1e-9
    assert abs(c) < 1e-9


def test_the_plot(tmp_path: Path) -> None:
    path = tmp_path / "fit.svg"
    result = CliRunner().invoke(main, ["--backend", "numpy", "--plot", str(path)])
    assert result.exit_code == 0, result.output
    assert "step 1999  loss 8.943643\n" in result.output
    assert "b = -2.208526" in result.output
    assert path.read_text().startswith("<?xml")
