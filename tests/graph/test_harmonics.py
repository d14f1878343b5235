"""Spherical harmonics against SciPy and SymPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import sympy
import torch
from scipy import special

import gen

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _values(expr: str, *inputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values of a formula whose inputs are named in the order of its first term."""
    return np.asarray(gen.load("Case", expr).apply(*inputs))


def _sphere() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    generator = np.random.default_rng(3)
    return np.arccos(generator.uniform(-1, 1, 20)), generator.uniform(-np.pi, np.pi, 20)


def _real(n: int, m: int, theta: NDArray[np.float64], phi: NDArray[np.float64]) -> object:
    """The real harmonic from SciPy's complex one, which has the phase (-1)**m."""
    whole = special.sph_harm_y(n, abs(m), theta, phi)
    part = np.real(whole) if m >= 0 else np.imag(whole)
    return part * (np.sqrt(2) * (-1) ** m if m else 1)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 8])
def test_spherical_harmonics_are_scipys(n: int) -> None:
    theta, phi = _sphere()
    where = (np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta))
    for m in range(-n, n + 1):
        values = _values(f"0*(x+y+z) + spherical_harmonic({n}, {m}, x, y, z)", *where)
        assert values == pytest.approx(_real(n, m, theta, phi), abs=2e-14)


def test_solid_harmonics_are_homogeneous_and_harmonic() -> None:
    at = [torch.tensor(one, dtype=torch.float64, requires_grad=True) for one in (0.3, -0.8, 1.1)]
    module = gen.module("Case", "spherical_harmonic(5, -3, x, y, z)", backend="torch")
    slopes = torch.autograd.grad(module.case(*at), at, create_graph=True)
    curvatures = [
        torch.autograd.grad(slope, one, retain_graph=True)[0].item()
        for slope, one in zip(slopes, at, strict=True)
    ]
    assert abs(sum(curvatures)) < 1e-13 < max(map(abs, curvatures))
    twice = module.case(*(2 * one for one in at))
    assert twice.item() == pytest.approx(32 * module.case(*at).item(), rel=1e-14)


def test_spherical_harmonics_in_angles_are_sympys() -> None:
    theta, phi = sympy.symbols("theta phi", real=True)
    at = {theta: 0.7, phi: -1.9}
    for n, m in ((0, 0), (1, -1), (2, 1), (3, 3), (4, -2), (4, 0)):
        exact = complex(sympy.Znm(n, m, theta, phi).expand(func=True).subs(at).evalf())
        values = _values(f"0*(t+p) + Znm({n}, {m}, t, p)", np.array([0.7]), np.array([-1.9]))
        assert values[0] == pytest.approx(exact.real, abs=1e-14)
        assert abs(exact.imag) < 1e-14


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        (
            "spherical_harmonic(1, m, x, y, z)",
            "spherical_harmonic of degree 1 takes a whole number from -1 to 1 as its order, "
            "given an expression",
        ),
        ("Znm(2, -3, x, y)", "Znm of degree 2 takes a whole number from -2 to 2 as its order"),
    ],
)
def test_orders_that_are_refused(expr: str, message: str) -> None:
    with pytest.raises(gen.GenError) as caught:
        gen.source("Case", expr)
    assert str(caught.value).startswith(message)
