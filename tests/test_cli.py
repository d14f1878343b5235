"""The command, in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

P3 = "0.5*(5*x**3-3*x)"


def run(*args: str, cwd: Path, given: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m gen` with this checkout's gen."""
    root = Path(__file__).resolve().parent.parent
    return subprocess.run(
        [sys.executable, "-m", "gen", *args],
        cwd=cwd,
        input=given,
        env={**os.environ, "PYTHONPATH": str(root), **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_formula_becomes_a_module_that_works(tmp_path: Path) -> None:
    done = run("P3", P3, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    written = ("p3.py", "_runtime.py", "__init__.py")
    assert done.stdout == "".join(f"wrote generated/{name}\n" for name in written)
    code = "from generated.p3 import P3, p3; print(P3.apply(2.0), p3(2.0))"
    # An empty PYTHONPATH: the module runs without the generator.
    used = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert used.stdout == "17.0 17.0\n"


def test_both_backends_and_another_folder(tmp_path: Path) -> None:
    done = run("P3", P3, "--backend", "torch", "--backend", "numpy", "-o", "a/b", cwd=tmp_path)
    assert done.returncode == 0
    names = sorted(path.name for path in (tmp_path / "a/b").iterdir())
    assert names == ["__init__.py", "_runtime.py", "_runtime_torch.py", "p3.py", "p3_torch.py"]


def test_one_file_by_name(tmp_path: Path) -> None:
    assert run("P3", P3, "-o", "ops/legendre.py", cwd=tmp_path).returncode == 0
    names = sorted(path.name for path in (tmp_path / "ops").iterdir())
    assert names == ["__init__.py", "_runtime.py", "legendre.py"]


def test_a_leading_minus_is_part_of_the_expression(tmp_path: Path) -> None:
    done = run("f", "-x**2", "-o", "-", cwd=tmp_path)
    assert done.returncode == 0
    assert "f(x) = -x**2" in done.stdout
    assert not (tmp_path / "generated").exists()


def test_standard_input(tmp_path: Path) -> None:
    done = run("f", "-", "-o", "-", cwd=tmp_path, given="x**2\n")
    assert "f(x) = x**2" in done.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("P3", "x^2"), "error: ^ is not part of an expression (column 2)\n    x^2\n     ^\n"),
        (("P3",), "error: an expression is missing, as in gen P3"),
        (("P3", "x", "y"), "error: unexpected argument 'y'; an expression is one argument"),
        (("P3", "x", "--shape", "x"), "error: --shape x: an input and its dimensions"),
        (("P3", "x", "--backend", "pytorch"), "error: unknown backend 'pytorch'; did you mean"),
        (("P3", "x", "--bakend", "torch"), "error: No such option"),
        (("P3", "x", "--args", "2"), "error: args takes names such as x,y, given '2'"),
        (("P3", "x*c", "--const", "d"), "error: --const d: the expression has no input 'd'"),
        (("build",), "error: no gen.toml in ., and no [tool.gen] in its pyproject.toml"),
        (("check", "nothing.toml"), "error: nothing.toml is not there"),
        (("watch", "x**2"), "error: 'watch' cannot name a function: it is a verb of gen"),
        (("1x", "x**2"), "error: '1x' is no name for a function"),
    ],
)
def test_bad_input_gives_one_message_and_exit_2(
    tmp_path: Path, args: tuple[str, ...], message: str
) -> None:
    done = run(*args, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(message)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_quiet_verbose_and_unchanged(tmp_path: Path) -> None:
    assert run("P3", P3, "-q", cwd=tmp_path).stdout == ""
    assert "unchanged generated/p3.py\n" in run("P3", P3, cwd=tmp_path).stdout
    assert run("NAME", "x**2", cwd=tmp_path).returncode == 0
    assert run("init", cwd=tmp_path).returncode == 0
    assert "unchanged" not in run("build", cwd=tmp_path).stdout
    assert "unchanged generated/p3.py\n" in run("build", "-v", cwd=tmp_path).stdout


def test_version_and_help(tmp_path: Path) -> None:
    assert run("--version", cwd=tmp_path).stdout == "gen (gradsmith) 0.1.0\n"
    for args in (("--help",), (), ("P3", "--help")):
        assert 'gen P3 "0.5*(5*x**3-3*x)"' in (lambda one: one.stdout + one.stderr)(
            run(*args, cwd=tmp_path)
        )


def test_help_and_import_need_neither_sympy_nor_torch(tmp_path: Path) -> None:
    code = (
        "import sys, gen, gen.cli\n"
        "try:\n    gen.cli.main(['--help'])\n"
        "except SystemExit:\n    pass\n"
        "print(sorted({'sympy', 'torch', 'numpy', 'scipy'} & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_file_that_is_not_ours_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "generated").mkdir()
    (tmp_path / "generated/p3.py").write_text("mine = 1\n")
    done = run("P3", P3, cwd=tmp_path)
    assert done.returncode == 2
    assert "generated/p3.py was not written by gen" in done.stderr
    assert [path.name for path in (tmp_path / "generated").iterdir()] == ["p3.py"]
    assert (tmp_path / "generated/p3.py").read_text() == "mine = 1\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a gen.toml, built."""
    assert run("init", cwd=tmp_path).returncode == 0
    assert run("build", "-q", cwd=tmp_path).returncode == 0
    return tmp_path


def test_check_is_silent_about_what_is_built(project: Path) -> None:
    done = run("check", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "1 function is as gen.toml says\n"


def test_check_shows_what_was_edited_by_hand(project: Path) -> None:
    path = project / "generated/p3.py"
    path.write_text(path.read_text().replace("7.5", "7.6"))
    done = run("check", cwd=project)
    assert done.returncode == 1
    assert "generated/p3.py: stale\n--- generated/p3.py (on disk)\n" in done.stdout
    assert "\n-        return grad_output * (7.6 * x**2 - 1.5)\n" in done.stdout
    assert "\n+        return grad_output * (7.5 * x**2 - 1.5)\n" in done.stdout
    assert run("build", "-q", cwd=project).returncode == 0
    assert run("check", cwd=project).returncode == 0


@pytest.mark.parametrize("name", ["p3.py", "p3_torch.py", "_runtime.py", "_runtime_torch.py"])
def test_check_shows_what_is_missing(project: Path, name: str) -> None:
    (project / "generated" / name).unlink()
    done = run("check", cwd=project)
    assert done.returncode == 1
    assert f"generated/{name}: missing\n" in done.stdout


def test_check_shows_what_is_left_over_and_ignores_what_is_not_ours(project: Path) -> None:
    assert run("Old", "x**2", "-q", cwd=project).returncode == 0
    (project / "generated/mine.py").write_text("mine = 1\n")
    done = run("check", cwd=project)
    assert done.returncode == 1
    assert "generated/old.py: left over\n" in done.stdout
    assert "mine" not in done.stdout


def test_check_notices_other_line_ends(project: Path) -> None:
    path = project / "generated/p3.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert run("check", cwd=project).returncode == 1


def test_list_names_the_functions(project: Path) -> None:
    assert run("list", cwd=project).stdout == f"P3  {P3}\n"


def test_a_spec_in_pyproject(tmp_path: Path) -> None:
    text = '[tool.gen]\nout = "ops"\n[tool.gen.functions.Square]\nexpr = "x**2"\n'
    (tmp_path / "pyproject.toml").write_text(text)
    assert run("build", cwd=tmp_path).returncode == 0
    assert (tmp_path / "ops/square.py").is_file()
    assert run("check", cwd=tmp_path).returncode == 0


def test_nothing_is_written_where_one_entry_is_at_fault(tmp_path: Path) -> None:
    (tmp_path / "gen.toml").write_text(
        '[functions.A]\nexpr = "x**2"\n[functions.B]\nexpr = "x^2"\n'
    )
    done = run("build", cwd=tmp_path)
    assert done.returncode == 2
    assert "[functions.B]" in done.stderr
    assert "^ is not part of an expression" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["gen.toml"]


SEEDS = ("0", "1", "7", "42", "1234", "4294967295")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_bytes_under_every_hash_seed(tmp_path: Path, seed: str) -> None:
    expr = "S*(1+erf(a*b*c/(d+e)))/2 - K*exp(-r*T)*where(x > 0, x*y*z, z + y + x)"
    options = ("--backend", "torch", "--const", "r", "--args", "S,K,T,r,a,b,c,d,e,x,y,z")
    found = run("F", expr, *options, "-o", "-", cwd=tmp_path, PYTHONHASHSEED=seed)
    code = (
        "import gen, sympy, sys\n"
        f"sys.stdout.write(gen.source('F', {expr!r}, backend='torch', const='r', "
        "args='S,K,T,r,a,b,c,d,e,x,y,z'))\n"
        "x, y, z = sympy.symbols('x y z')\n"
        "sys.stdout.write(gen.source('G', sympy.Max(x, y, z)*(x + y*z + sympy.sin(x*y))))"
    )
    root = Path(__file__).resolve().parent.parent
    script = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    toml = (
        f"[functions.F]\nexpr = '{expr}'\nconst = ['r']\nbackends = ['torch']\n"
        "args = ['S', 'K', 'T', 'r', 'a', 'b', 'c', 'd', 'e', 'x', 'y', 'z']\n"
    )
    (tmp_path / "gen.toml").write_text(toml)
    assert run("build", cwd=tmp_path, PYTHONHASHSEED=seed).returncode == 0
    assert found.returncode == 0
    assert script.stdout.startswith(found.stdout)
    assert (tmp_path / "generated/f_torch.py").read_text() == found.stdout
    golden = _FIRST.setdefault("bytes", script.stdout)
    assert script.stdout == golden


_FIRST: dict[str, str] = {}


def test_the_command_in_the_header_makes_the_same_file(tmp_path: Path) -> None:
    args = (
        "Linear",
        "a_rather_long_name_of_an_input @ weight.T + bias",
        "--shape",
        "a_rather_long_name_of_an_input=N,I",
        "--shape",
        "weight=O,I",
        "--shape",
        "bias=O",
        "--optional",
        "bias",
        "--backend",
        "torch",
    )
    text = run(*args, "-o", "-", cwd=tmp_path).stdout
    lines = text.split('"""')[0].splitlines()[1:-1]
    command = "\n".join(line.removeprefix("# ") for line in lines)
    assert command.strip().startswith("gen Linear")
    root = Path(__file__).resolve().parent.parent
    shell = command.replace("gen ", f"{sys.executable} -m gen ", 1) + " -o -"
    again = subprocess.run(
        ["bash", "-c", shell],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert again.stdout == text


def test_another_functions_module_is_not_overwritten(tmp_path: Path) -> None:
    assert run("Swish", "x*sigmoid(x)", cwd=tmp_path).returncode == 0
    done = run("swish", "x**2", cwd=tmp_path)
    assert done.returncode == 2
    assert "generated/swish.py holds Swish, which would be lost" in done.stderr
    assert "Swish" in (tmp_path / "generated/swish.py").read_text()


def test_constants_follow_the_inputs_that_args_names(tmp_path: Path) -> None:
    done = run(
        "F", "beta*x + gamma", "--args", "x,gamma", "--const", "beta", "-o", "-", cwd=tmp_path
    )
    assert "F(x, gamma, beta) = beta*x + gamma\n" in done.stdout


# ---- functions that call functions

CALLS = """\
[gen]
backends = ["numpy"]

[functions.P3]
expr = "0.5*(5*x**3-3*x)"

[functions.Affine]
expr = "a + b*P3(c + d*x)"

[functions.Rotate]
expr = '''
c = cos(t)
s = sin(t)
u = c*x - s*y
v = s*x + c*y
'''
outputs = ["u", "v"]

[functions.Scaled]
expr = "k*x"
args = ["x"]
const = ["k"]
"""


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """A folder whose entries call each other, built."""
    (tmp_path / "gen.toml").write_text(CALLS)
    assert run("build", "-q", cwd=tmp_path).returncode == 0
    return tmp_path


def _again(text: str, cwd: Path) -> str:
    """What the command in a module's header prints, in another folder."""
    lines = text.split('"""')[0].splitlines()[1:-1]
    command = "\n".join(line.removeprefix("# ") for line in lines)
    shell = command.replace("gen ", f"{sys.executable} -m gen ", 1) + " -o -"
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        ["bash", "-c", shell],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_entries_call_entries(calls: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    text = (calls / "generated/affine.py").read_text()
    assert text.splitlines()[1:3] == [
        '#     gen Affine "a + b*P3(c + d*x)" \\',
        '#         --define "P3(x) = 0.5*(5*x**3-3*x)"',
    ]
    assert _again(text, tmp_path_factory.mktemp("elsewhere")) == text
    code = "from generated.affine import affine; print(affine(1.0, 2.0, 0.5, 3.0, 0.5))"
    used = subprocess.run(
        [sys.executable, "-c", code], cwd=calls, capture_output=True, text=True, check=True
    )
    assert float(used.stdout) == 1 + 2 * 0.5 * (5 * 2.0**3 - 3 * 2.0)


def test_check_notices_when_a_called_entry_changes(calls: Path) -> None:
    assert run("check", cwd=calls).returncode == 0
    (calls / "gen.toml").write_text(CALLS.replace("5*x**3-3*x", "5*x**3-2*x"))
    done = run("check", cwd=calls)
    assert done.returncode == 1
    assert "generated/affine.py: stale\n" in done.stdout
    assert "generated/rotate.py" not in done.stdout


def test_several_outputs(calls: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    text = (calls / "generated/rotate.py").read_text()
    assert _again(text, tmp_path_factory.mktemp("elsewhere")) == text
    expr = "c=cos(t); s=sin(t); u=c*x-s*y; v=s*x+c*y"
    done = run("Rotate", expr, "--outputs", "u,v", "-o", "-", cwd=calls)
    assert '    gen Rotate "c = cos(t); s = sin(t);' in done.stdout
    assert "--outputs u,v\n" in done.stdout
    one = run("Rotate", expr, "--outputs", "v", "-o", "-", cwd=calls).stdout
    assert "    v = s*x+c*y\n" in one
    assert run("list", cwd=calls).stdout.splitlines()[2] == (
        "Rotate  c = cos(t); s = sin(t); u = c*x - s*y; v = s*x + c*y -> u, v"
    )


def test_the_command_calls_the_entries_of_this_folder(calls: Path) -> None:
    done = run("G", "P3(x) + Scaled(x, 2)", "-o", "-", cwd=calls)
    assert done.returncode == 0
    assert '--define "P3(x) = 0.5*(5*x**3-3*x)" \\\n#         --define "Scaled(x, k) = k*x"' in (
        done.stdout
    )
    # What is given with the command comes first.
    own = run("G", "P3(x)", "--define", "P3(y) = y**2", "-o", "-", cwd=calls).stdout
    assert "    dG/dx = 2 * x\n" in own


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ("G", "Scald(x)"),
            "error: unknown function 'Scald' (column 1)\n    Scald(x)\n    ^^^^^\n"
            "did you mean 'Scaled'?\n",
        ),
        (
            ("G", "1 + P3(x, 2)"),
            "error: P3 takes 1 argument, given 2 (column 5)\n    1 + P3(x, 2)\n        ^^^^^^^^\n"
            "it is P3(x)\n",
        ),
        (
            ("G", "Rotate(t, x, y)"),
            "error: Rotate has several outputs: u, v (column 1)\n    Rotate(t, x, y)\n"
            "    ^^^^^^^^^^^^^^^\na function that is called has one value\n",
        ),
        (
            ("G", "u = x", "--outputs", "v"),
            "error: --outputs v: the expression does not assign it; it assigns u\n",
        ),
        (
            ("G", "x", "--define", "f = x"),
            "error: define 'f': name and parameters are needed, as in P3(x)\n",
        ),
        (
            ("G", "f(x)", "--import", "f(x) = mylib"),
            "error: the primitive f has 1 args and 0 derivatives; one each is needed, "
            "None where there is none\n",
        ),
        (
            ("G", "f(x)", "--import", "f(x)"),
            "error: --import f(x): a head, a path and derivatives are needed, as in "
            '--import "f(x) = mylib.ops.f; 2*x"\n',
        ),
    ],
)
def test_messages_of_calls(calls: Path, args: tuple[str, ...], message: str) -> None:
    done = run(*args, cwd=calls)
    assert (done.returncode, done.stderr, done.stdout) == (2, message, "")


def test_a_circle_of_entries_is_named(tmp_path: Path) -> None:
    spec = (
        '[functions.A]\nexpr = "B(x)"\n[functions.B]\nexpr = "2*C(x)"\n[functions.C]\nexpr = "A(x)"'
    )
    (tmp_path / "gen.toml").write_text(spec)
    done = run("build", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "error: gen.toml: [functions.A]: in the function C: the functions call each other in a "
        "circle: A -> B -> C -> A (column 1)\n    A(x)\n    ^\n"
    )


def test_an_imported_function(tmp_path: Path) -> None:
    struve = "struve(v, x) = scipy.special.struve; None; struve(v - 1, x) - v*struve(v, x)/x"
    done = run("H", "struve(0, x)**2", "--import", struve, "-o", "-", cwd=tmp_path)
    assert done.returncode == 0
    assert "special.struve(" in done.stdout
    assert _again(done.stdout, tmp_path) == done.stdout
    (tmp_path / "gen.toml").write_text(
        '[primitives.struve]\nargs = ["v", "x"]\nnumpy = "scipy.special.struve"\n'
        'derivatives = ["None", "struve(v - 1, x) - v*struve(v, x)/x"]\n'
        '[functions.H]\nexpr = "struve(0, x)**2"\n'
    )
    assert run("build", "-q", cwd=tmp_path).returncode == 0
    assert (tmp_path / "generated/h.py").read_text() == done.stdout
    assert run("H", "struve(0, x)**2", "-o", "-", cwd=tmp_path).stdout == done.stdout
