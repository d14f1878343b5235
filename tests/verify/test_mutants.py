"""Mutants of emitted modules: the list passes what is right, and catches each of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from gen import pipeline
from gen.frontend import options, text
from gen.importer import load
from gen.model import File
from gen.verify.conformance import FAILED, PASSED, checks, result
from gen.verify.subject import Subject, subject

if TYPE_CHECKING:
    from collections.abc import Callable

P3 = "0.5*(5*x**3-3*x)"
PRODUCT = "u*sin(v)"


@dataclass(frozen=True)
class Mutant:
    """One fault, and a check that must find it."""

    id: str
    changes: tuple[tuple[str, str], ...]  # pieces of the module's text, and what replaces them
    caught_by: str  # the title of a check
    expr: str = P3


_PLAIN_JVP = """
class _P3(P3):
    @staticmethod
    def setup_context(ctx: Context, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def jvp(ctx: Context, tangent: Any) -> Any:
        return _vjp(tangent, *ctx.saved_tensors)
"""
_WITH_JVP = "_P3 = with_jvp(P3, pointwise=True)\n"
_SAVED = "        ctx.save_for_backward(x)\n"
_LOADED = "        (x,) = ctx.saved_tensors\n"
_RESULT = "        return in_float32(_vjp, grad_output, x)\n"

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "wrong_constant",
        (("x * (2.5 * x**2 - 1.5)", "x * (2.5 * x**2 - 1.25)"),),
        "value and gradient",
    ),
    Mutant(
        "sign_in_the_vjp",
        (("grad_output * (7.5 * x**2 - 1.5)", "grad_output * (1.5 - 7.5 * x**2)"),),
        "value and gradient",
    ),
    Mutant(
        "sign_in_the_jvp",
        ((_WITH_JVP, _PLAIN_JVP.replace("return _vjp", "return -_vjp")),),
        "gradcheck, reverse and forward",
    ),
    Mutant(
        "jvp_of_plain_operations",
        ((_WITH_JVP, _PLAIN_JVP),),
        "jacfwd and jacrev to order three",
    ),
    Mutant(
        "jvp_on_the_compiled_class",
        (("apply(P3, _P3,", "apply(_P3, _P3,"),),
        "compile by aot_eager",
    ),
    Mutant(
        "detached_backward",
        ((_LOADED, "        x = ctx.saved_tensors[0].detach()\n"),),
        "gradgradcheck, over reverse",
    ),
    Mutant(
        "tensor_kept_on_ctx",
        ((_SAVED, "        ctx.x = x\n"), (_LOADED, "        x = ctx.x\n")),
        "nothing saved beside hooks",
    ),
    Mutant(
        "tensor_kept_on_ctx_and_edited",
        ((_SAVED, "        ctx.x = x\n"), (_LOADED, "        x = ctx.x\n")),
        "input edited afterwards",
    ),
    Mutant(
        "constant_that_promotes",
        (("x * (2.5 * x**2 - 1.5)", "x * (torch.tensor([2.5]).double() * x**2 - 1.5)"),),
        "float64 and float32",
    ),
    Mutant(
        "half_precision_throughout",
        (("return in_float32(_value, x)", "return _value(x)"),),
        "float16 and bfloat16",
    ),
    Mutant(
        "output_kept_on_ctx",
        ((_SAVED, f"{_SAVED}        ctx.y = output\n"),),
        "no reference cycle",
    ),
    Mutant(
        "saved_tensors_read_twice",
        ((_LOADED, f"        assert ctx.saved_tensors\n{_LOADED}"),),
        "saved_tensors_hooks",
    ),
    Mutant(
        "input_returned",
        (("return in_float32(_value, x)", "return in_float32(_value, x) * 0 + x"),),
        "value and gradient",
    ),
    Mutant(
        "view_returned",
        (("return in_float32(_value, x)", "return in_float32(_value, x).view_as(x)[...]"),),
        "no alias",
    ),
    Mutant(
        "input_changed",
        (("return x * (2.5 * x**2 - 1.5)", "return x.mul_(2.5 * x**2 - 1.5)"),),
        "no mutation",
    ),
    Mutant(
        "cotangent_changed",
        (("return grad_output * (7.5", "return grad_output.mul_(7.5"),),
        "no mutation",
    ),
    Mutant(
        "no_rule_for_vmap",
        (("    generate_vmap_rule = True\n", ""),),
        "vmap",
    ),
    Mutant(
        "complex_numbers_taken",
        (("apply(P3, _P3, *tensors(x))", "apply(P3, _P3, x)"),),
        "complex numbers are refused",
    ),
    Mutant(
        "missing_cotangent_not_handled",
        (("        if grad_output is None:\n            return None\n", ""),),
        "gradcheck, reverse and forward",
    ),
    Mutant(
        "work_for_an_input_that_needs_none",
        (("    if needs[0]:\n", "    if True:\n"), ("    if needs[1]:\n", "    if True:\n")),
        "no work for other inputs",
        PRODUCT,
    ),
    Mutant(
        "gradient_in_the_shape_of_the_output",
        (("sum_to(grad_output * u * torch.cos(v), v.shape)", "grad_output * u * torch.cos(v)"),),
        "gradients in the shapes of inputs",
        PRODUCT,
    ),
)


@pytest.fixture(scope="module")
def made() -> Callable[..., Subject]:
    """Make a subject of the module for an expression, with pieces of its text replaced."""

    def make(expr: str, changes: tuple[tuple[str, str], ...] = ()) -> Subject:
        request = options.request("P3", expr, {})
        whole = pipeline.module(request, "torch").text
        for old, new in changes:
            assert whole.count(old) == 1, f"{old!r} is there {whole.count(old)} times:\n{whole}"
            whole = whole.replace(old, new)
        module: Any = load(File("p3_torch.py", whole), pipeline.runtime("torch"))
        return subject(module, text.read(request), "torch")

    return make


def _check(title: str) -> Any:
    (found,) = (one for one in checks("torch") if one.title == title)
    return found


@pytest.mark.parametrize("mutant", MUTANTS, ids=[one.id for one in MUTANTS])
def test_a_mutant_is_caught(mutant: Mutant, made: Callable[..., Subject]) -> None:
    found = result(_check(mutant.caught_by), made(mutant.expr, mutant.changes))
    assert (found.outcome, bool(found.why)) == (FAILED, True)
    assert found.inputs.startswith(("x = float64[", "u = float64[", "x = complex128", "x = "))


@pytest.mark.parametrize("mutant", MUTANTS, ids=[one.id for one in MUTANTS])
def test_the_same_check_passes_what_is_emitted(
    mutant: Mutant, made: Callable[..., Subject]
) -> None:
    found = result(_check(mutant.caught_by), made(mutant.expr))
    assert (found.outcome, found.why) == (PASSED, "")
