"""Modules and operators beside the emitted function."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
import torch

import gen

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

_COUNT = itertools.count()


def _module(expr: str, **options: Any) -> Any:
    """A module, its operator in a namespace of its own: each name is registered once."""
    if options.get("custom_op"):
        options["custom_op"] = f"gradsmith_{next(_COUNT)}"
    return gen.module("Case", expr, backend="torch", **options)


# ---- torch.nn.Module


def test_a_module_learns_its_scalar() -> None:
    cls = _module("clamp(x, 0, alpha)", parameter="alpha=6").CaseModule
    layer = cls()
    assert repr(layer) == "CaseModule(alpha=6)"
    assert [name for name, _ in layer.named_parameters()] == ["alpha"]
    x = torch.tensor([-1.0, 2.0, 7.0, 9.0], requires_grad=True)
    output = layer(x)
    assert output.tolist() == [0.0, 2.0, 6.0, 6.0]
    output.sum().backward()
    assert layer.alpha.grad.tolist() == 2.0
    torch.optim.SGD(layer.parameters(), lr=0.5).step()
    assert layer.alpha.item() == 5.0
    assert cls(3).alpha.item() == 3.0


def test_it_is_copied_saved_and_cast_as_any_module() -> None:
    layer = _module("alpha*tanh(x)", parameter="alpha=0.5").CaseModule()
    other = copy.deepcopy(layer)
    other.load_state_dict({"alpha": torch.tensor(2.0)})
    x = torch.ones(2)
    torch.testing.assert_close(other(x), 4 * layer(x))
    assert layer.to(torch.bfloat16)(x.to(torch.bfloat16)).dtype == torch.bfloat16


def test_it_compiles_in_a_model() -> None:
    module = _module("x*sigmoid(beta*x)", parameter={"beta": 1.0})
    torch._dynamo.reset()
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), module.CaseModule())
    compiled: Any = torch.compile(model, fullgraph=True, backend="aot_eager")
    x = torch.randn(4, 3)
    torch.testing.assert_close(compiled(x), model(x))
    torch.autograd.backward(compiled(x).sum())
    assert all(one.grad is not None for one in model.parameters())


def test_constants_are_its_own_too_and_optional_inputs_are_given() -> None:
    module = _module(
        "k*x*alpha + b if on else x",
        const="k,on",
        optional="b",
        parameter="alpha=2",
        default="on=true",
        args="x,alpha,b,k,on",
    )
    layer = module.CaseModule(k=3)
    assert repr(layer) == "CaseModule(k=3, alpha=2, on=True)"
    x = torch.ones(2)
    assert layer(x).tolist() == [6.0, 6.0]
    assert layer(x, torch.tensor(1.0)).tolist() == [7.0, 7.0]
    assert module.CaseModule(3, on=False)(x).tolist() == [1.0, 1.0]


def test_a_module_of_inputs_alone() -> None:
    layer = _module("x**2", module=True).CaseModule()
    assert repr(layer) == "CaseModule()"
    assert layer(torch.tensor(3.0)).item() == 9.0


def test_an_input_that_is_called_as_something_of_every_module() -> None:
    layer = _module("train*x", parameter="train=2").CaseModule()
    assert layer.eval()(torch.tensor(3.0)).item() == 6.0


def test_no_module_unless_it_is_asked_for() -> None:
    assert "torch.nn" not in gen.source("P3", "x**3", backend="torch")
    assert "custom_op" not in gen.source("P3", "x**3", backend="torch")


# ---- torch.library

OPERATORS: dict[str, tuple[str, dict[str, Any], tuple[Any, ...]]] = {
    "pointwise": ("0.5*(5*x**3 - 3*x)", {}, (torch.randn(4),)),
    "saves its output": ("tanh(x)", {}, (torch.randn(4),)),
    "broadcasts": ("x*exp(y)", {}, (torch.randn(2, 3), torch.randn(3))),
    "constants": (
        "k*x if on else x**2",
        {"const": "k,on", "default": "on=true", "args": "x,k,on"},
        (torch.randn(3), 2.0, False),
    ),
    "words": ("tanh(x) if m == 'tanh' else sin(x)", {"const": "m"}, (torch.randn(3), "tanh")),
    "surrogate": ("heaviside(x, 1)", {"primitive": "atan(x)"}, (torch.randn(3),)),
    "linear": (
        "input @ weight.T + bias",
        {
            "shape": {"input": ["N", "I"], "weight": ["O", "I"], "bias": ["O"]},
            "optional": "bias",
        },
        (torch.randn(4, 3), torch.randn(2, 3), torch.randn(2)),
    ),
    "linear without bias": (
        "input @ weight.T + bias",
        {
            "shape": {"input": ["N", "I"], "weight": ["O", "I"], "bias": ["O"]},
            "optional": "bias",
        },
        (torch.randn(4, 3), torch.randn(2, 3), None),
    ),
    "rows": ("softmax(x, axis=-1)", {"shape": {"x": ["...", "D"]}}, (torch.randn(4, 3),)),
    "several outputs": (
        "u = x*cos(t); v = x*sin(t)",
        {"outputs": "u,v"},
        (torch.randn(3), torch.randn(3)),
    ),
}


def _operator(name: str) -> tuple[Any, Any, tuple[Any, ...]]:
    expr, options, inputs = OPERATORS[name]
    module = _module(expr, custom_op="ops", **options)
    leaves = tuple(
        one.clone().requires_grad_() if isinstance(one, torch.Tensor) else one for one in inputs
    )
    return module.case_op, module.case, leaves


@pytest.mark.parametrize("name", OPERATORS)
def test_opcheck(name: str) -> None:
    operator, _, inputs = _operator(name)
    found = torch.library.opcheck(operator, inputs)
    assert set(found.values()) == {"SUCCESS"}


def _tuple(value: Any) -> tuple[torch.Tensor, ...]:
    return value if isinstance(value, tuple) else (value,)


@pytest.mark.parametrize("name", OPERATORS)
def test_values_and_gradients_are_those_of_the_function(name: str) -> None:
    operator, function, inputs = _operator(name)
    leaves = [one for one in inputs if isinstance(one, torch.Tensor)]
    found, wanted = _tuple(operator(*inputs)), _tuple(function(*inputs))
    for one, want in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, want)
    gradients = [
        torch.autograd.grad([one.sin().sum() for one in several], leaves)
        for several in (found, wanted)
    ]
    for one, want in zip(*gradients, strict=True):
        torch.testing.assert_close(one, want)


@pytest.mark.parametrize("name", OPERATORS)
def test_vmap(name: str) -> None:
    operator, function, inputs = _operator(name)
    in_dims = tuple(0 if isinstance(one, torch.Tensor) else None for one in inputs)
    batch = tuple(
        torch.stack([one.detach(), 2 * one.detach()]) if isinstance(one, torch.Tensor) else one
        for one in inputs
    )
    found, wanted = (torch.vmap(f, in_dims)(*batch) for f in (operator, function))
    for one, want in zip(_tuple(found), _tuple(wanted), strict=True):
        torch.testing.assert_close(one, want)


def test_it_stays_whole_in_an_exported_program() -> None:
    operator, _, (x,) = _operator("pointwise")

    class Layer(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = operator(x)
            return found

    program = torch.export.export(Layer(), (x.detach(),))
    assert "gradsmith_" in str(program.graph)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"parameter": "x=1"},
            "--parameter: a module learns some of its inputs, not all of them",
        ),
        (
            {"parameter": "y=1", "const": "y"},
            "--parameter y: what is learnt is a tensor, and always there",
        ),
        (
            {"parameter": "z=1"},
            "--parameter z: the expression has no input 'z'; its inputs are x",
        ),
        ({"parameter": "x=w"}, "parameter x: a number to start from is needed, given 'w'"),
        ({"custom_op": "my-lib"}, "custom_op is a namespace such as mylib, given 'my-lib'"),
        ({"module": 1}, "module is true or false, given 1"),
    ],
)
def test_what_cannot_be(options: dict[str, Any], message: str) -> None:
    expr = "x*y" if "const" in options else "x**2"
    with pytest.raises(gen.GenError) as fault:
        gen.source("F", expr, backend="torch", **options)
    assert str(fault.value) == message
