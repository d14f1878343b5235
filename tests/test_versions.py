"""What emitted modules for PyTorch need of it, and do without."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import gen
from gen import pipeline


def test_a_pytorch_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = pipeline.runtime("torch").text
    monkeypatch.setattr(torch, "__version__", torch.torch_version.TorchVersion("2.5.1"))
    with pytest.raises(ImportError, match=r"^PyTorch 2\.5\.1 is too old; 2\.6 is needed$"):
        exec(compile(text, "runtime", "exec"), {"__name__": "runtime"})


def _runtime(module: Any) -> dict[str, Any]:
    names: dict[str, Any] = module.apply.__globals__
    return names


def test_apply_goes_around_the_binding_where_pytorch_has_the_parts() -> None:
    names = _runtime(gen.module("F", "x**2", backend="torch"))
    assert names["_direct"] is names["_unbound"]


def test_apply_works_where_pytorch_has_them_not(monkeypatch: pytest.MonkeyPatch) -> None:
    module = gen.module("F", "x**2*y", backend="torch")
    names = _runtime(module)
    monkeypatch.setitem(names, "_direct", names["_bound"])
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (found,) = torch.autograd.grad(module.f(x, 3.0).sum(), x)
    assert found.tolist() == [6.0, 12.0]


def test_vmap_of_several_outputs_of_which_one_is_no_batch() -> None:
    """PyTorch's generated rule would count its cotangent once for each element."""
    f = gen.module("F", "u = x*t; w = 2*x**2", backend="torch", outputs="u,w").f
    x, t = torch.tensor(3.0), torch.tensor([1.0, 2.0])

    def total(x: torch.Tensor) -> torch.Tensor:
        u, w = torch.vmap(lambda t: f(x, t))(t)
        found: torch.Tensor = u.sum() + w.sum()
        return found

    assert torch.func.grad(total)(x).item() == 3.0 + 2 * 4 * 3.0
