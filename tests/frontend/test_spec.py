"""gen.toml: what is read, and the whole message for what is not."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from gen.errors import GenError
from gen.frontend.options import request
from gen.frontend.spec import Entry, Spec, find, read
from gen.model import Request

if TYPE_CHECKING:
    from pathlib import Path


def _write(folder: Path, text: str, name: str = "gen.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_spec_with_everything(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        """
        [gen]
        out = "ops"
        backends = ["numpy", "torch"]

        [functions.P3]
        expr = "0.5*(5*x**3-3*x)"

        [functions.Linear]
        expr = "input @ weight.T + bias"
        shape = {input = "N,I", weight = ["O", "I"], bias = "O"}
        optional = "bias"
        backends = ["torch"]

        [functions.MulConstant]
        expr = " tensor*constant "
        args = ["tensor", "constant"]
        const = ["constant"]
        """,
    )
    linear = Request(
        name="Linear",
        expr="input @ weight.T + bias",
        optional=("bias",),
        shape=(("bias", ("O",)), ("input", ("N", "I")), ("weight", ("O", "I"))),
    )
    constant = Request(
        name="MulConstant",
        expr="tensor*constant",
        args=("tensor", "constant"),
        const=("constant",),
    )
    p3 = Request(name="P3", expr="0.5*(5*x**3-3*x)")
    both = ("numpy", "torch")
    entries = (Entry(linear, ("torch",)), Entry(constant, both), Entry(p3, both))
    assert read(path) == Spec(path, tmp_path / "ops", entries)


def test_defaults(tmp_path: Path) -> None:
    spec = read(_write(tmp_path, '[functions.f]\nexpr = "x"\n'))
    assert spec.out == tmp_path / "generated"
    assert spec.backends == ("numpy",)
    assert read(_write(tmp_path, "")).entries == ()


def test_functions_and_options_in_any_order_are_the_same_spec(tmp_path: Path) -> None:
    tables = [
        '[gen]\nout = "ops"\n',
        '[functions.B]\nexpr = "x*c"\nconst = "c"\nargs = "x,c"\n',
        '[functions.A]\nargs = "y"\nexpr = "y"\nshape = {y = "N"}\n',
        '[functions.C]\nshape = {b = "I", a = "N,I"}\nexpr = "a + b"\n',
    ]
    specs = [read(_write(tmp_path, "".join(order))) for order in itertools.permutations(tables)]
    assert all(spec == specs[0] for spec in specs)
    assert [entry.request.name for entry in specs[0].entries] == ["A", "B", "C"]


def test_shapes_in_any_order_are_the_same_request() -> None:
    one = request("f", "a + b", {"shape": {"a": "N,I", "b": "I"}})
    other = request("f", "a + b", {"shape": {"b": ["I"], "a": ["N", "I"]}})
    assert one == other


def test_all_backends_that_some_function_asks_for(tmp_path: Path) -> None:
    text = (
        '[functions.A]\nexpr = "x"\nbackends = ["torch"]\n'
        '[functions.B]\nexpr = "x"\n[functions.C]\nexpr = "x"\nbackends = ["torch", "numpy"]\n'
    )
    assert read(_write(tmp_path, text)).backends == ("torch", "numpy")


# ---- pyproject.toml


def test_a_table_in_pyproject_is_the_same_as_gen_toml(tmp_path: Path) -> None:
    own = read(
        _write(
            tmp_path, '[gen]\nout = "ops"\nbackends = ["torch"]\n[functions.P3]\nexpr = "x**3"\n'
        )
    )
    text = (
        '[project]\nname = "other"\n[tool.ruff]\nline-length = 100\n'
        '[tool.gen]\nout = "ops"\nbackends = ["torch"]\n[tool.gen.functions.P3]\nexpr = "x**3"\n'
    )
    shared = read(_write(tmp_path, text, "pyproject.toml"))
    assert (shared.out, shared.entries) == (own.out, own.entries)


def test_gen_toml_is_found_before_pyproject(tmp_path: Path) -> None:
    project = _write(tmp_path, "[tool.gen]\n", "pyproject.toml")
    assert find(tmp_path) == project
    own = _write(tmp_path, "")
    assert find(tmp_path) == own


@pytest.mark.parametrize("text", ["", "[tool.ruff]\n", "[gen]\n"])
def test_a_pyproject_without_the_table_is_no_spec(tmp_path: Path, text: str) -> None:
    _write(tmp_path, text, "pyproject.toml")
    with pytest.raises(GenError) as fault:
        find(tmp_path)
    assert str(fault.value) == (
        f"no gen.toml in {tmp_path}, and no [tool.gen] in its pyproject.toml"
    )


# ---- what is refused

F = '[functions.F]\nexpr = "x**2"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[gen",
            " is no TOML: Expected ']' at the end of a table declaration (at end of document)",
        ),
        (
            '[function.F]\nexpr = "x"\n',
            " has an unknown key 'function'; did you mean 'functions'?",
        ),
        (
            '[other]\nkey = "x"\n',
            " has an unknown key 'other'; there are gen, functions, primitives",
        ),
        ("gen = 3\n", ": [gen] is a table, given 3"),
        ('functions = "x"\n', ": [functions] is a table, given 'x'"),
        ('[gen]\noutt = "x"\n', ": [gen] has an unknown key 'outt'; did you mean 'out'?"),
        ("[gen]\nverbose = 1\n", ": [gen] has an unknown key 'verbose'; there are out, backends"),
        ("[gen]\nout = 3\n", ": [gen] out is the name of a folder, given 3"),
        (
            '[gen]\nbackends = "torch"\n',
            ": [gen] backends is a list of names such as [\"numpy\"], given 'torch'",
        ),
        (
            "[gen]\nbackends = [1]\n",
            ': [gen] backends is a list of names such as ["numpy"], given [1]',
        ),
        (
            '[functions]\nF = "x**2"\n',
            ": [functions.F] is a table with expr, given 'x**2'",
        ),
        ("[functions.F]\n", ': [functions.F] needs an expression: expr = "x**2"'),
        ("[functions.F]\nexpr = 2\n", ': [functions.F] needs an expression: expr = "x**2"'),
        (
            F + 'arg = "x"\n',
            ": [functions.F] has an unknown key 'arg'; did you mean 'args'?",
        ),
        (
            F + 'jit = "x"\n',
            ": [functions.F] has an unknown key 'jit'; "
            "there are expr, args, const, optional, shape, outputs, save, backends, "
            "default, module, parameter, custom_op, "
            "backward, primitive, straight_through, clamp_grad, "
            "once",
        ),
        (
            F + 'output = "x"\n',
            ": [functions.F] has an unknown key 'output'; did you mean 'outputs'?",
        ),
        (
            F + 'backends = "numpy"\n',
            ": [functions.F] backends is a list of names such as [\"numpy\"], given 'numpy'",
        ),
        (F + "args = 3\n", ": [functions.F]: args takes names such as x,y, given 3"),
        (F + 'args = "x y"\n', ": [functions.F]: args takes names such as x,y, given 'x y'"),
        (F + 'const = ["2"]\n', ": [functions.F]: const takes names such as x,y, given '2'"),
        (F + "optional = [1]\n", ": [functions.F]: optional takes names such as x,y, given 1"),
        (F + 'args = "x,x"\n', ": [functions.F]: --args x,x names one twice"),
        (F + 'shape = "N"\n', ": [functions.F]: shape takes dimensions by input, given 'N'"),
        (
            F + "shape = {x = 3}\n",
            ": [functions.F]: shape of x: dimensions such as N,I are needed, given 3",
        ),
        (
            F + 'shape = {x = "N,-1"}\n',
            ": [functions.F]: shape of x: '-1' is no dimension; letters or numbers are, as in N,3",
        ),
        (
            F + "shape = {x = [0]}\n",
            ": [functions.F]: shape of x: '0' is no dimension; letters or numbers are, as in N,3",
        ),
        (
            '[functions.ReLU]\nexpr = "x"\n[functions.Relu]\nexpr = "x"\n',
            ": ReLU and Relu would both be relu.py",
        ),
    ],
)
def test_messages(tmp_path: Path, text: str, message: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(GenError) as fault:
        read(path)
    assert str(fault.value) == f"{path}{message}"


def test_a_spec_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(GenError) as fault:
        read(tmp_path / "gen.toml")
    assert str(fault.value) == f"{tmp_path / 'gen.toml'} is not there"


def test_a_spec_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "gen.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(GenError) as fault:
        read(path)
    assert str(fault.value) == (
        f"{path} cannot be read: 'utf-8' codec can't decode byte 0xff in position 0: "
        "invalid start byte"
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("arg", "unknown option 'arg'; did you mean 'args'?"),
        (
            "jit",
            "unknown option 'jit'; there are args, const, optional, shape, outputs, save, define, "
            "primitives, default, module, parameter, custom_op, "
            "backward, primitive, straight_through, clamp_grad, "
            "once",
        ),
    ],
)
def test_options_that_there_are_not(option: str, message: str) -> None:
    with pytest.raises(GenError) as fault:
        request("F", "x", {option: "x"})
    assert str(fault.value) == message


@pytest.mark.parametrize("value", ["x,y", " x , y ", ["x", "y"], ("x", "y")], ids=repr)
def test_names_are_one_text_or_a_list(value: object) -> None:
    assert request("F", "x*y", {"args": value}).args == ("x", "y")


@pytest.mark.parametrize("value", ["", " ", [], ()], ids=repr)
def test_no_names_and_no_dimensions(value: object) -> None:
    found = request("F", "x", {"args": value, "shape": {"x": value}})
    assert (found.args, found.shape) == ((), (("x", ()),))
