"""The house: which room may import which, what templates may hold, what gen never does."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "gen").rglob("*.py"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.jinja"))

# What each room may import of the others. Data goes one way: frontends, passes and
# backends know the graph and the model, but never each other; the pipeline knows all.
GRAPH = {"gen.errors", "gen.graph"}
FOUNDATIONS = GRAPH | {"gen.model"}
MAY_IMPORT = {
    "gen.errors": set(),
    "gen.collection": set(),
    "gen.model": GRAPH,
    "gen.graph": GRAPH,
    "gen.statements": set(),
    "gen.frontend": FOUNDATIONS | {"gen.frontend", "gen.naming", "gen.statements"},
    "gen.passes": FOUNDATIONS | {"gen.passes"},
    "gen.backends": FOUNDATIONS
    | {"gen.backends", "gen.naming", "gen.provenance", "gen.statements"},
    "gen.provenance": FOUNDATIONS | {"gen.statements"},
    "gen.naming": set(),
    "gen.render": {"gen.backends", "gen.provenance"},
    "gen.files": {"gen.errors", "gen.model", "gen.provenance"},
    "gen.importer": {"gen.errors", "gen.model"},
    "gen.verify": FOUNDATIONS | {"gen.naming", "gen.verify"},
    "gen.pipeline": FOUNDATIONS
    | {"gen.frontend", "gen.passes", "gen.backends", "gen.naming"}
    | {"gen.render", "gen.provenance", "gen.collection"},
    "gen.commands": {"gen.errors", "gen.files", "gen.frontend", "gen.model", "gen.provenance"}
    | {"gen.commands", "gen.importer", "gen.pipeline", "gen.statements", "gen.verify"},
    "gen.cli": {"gen.commands", "gen.errors", "gen.provenance"},
    "gen.decorator": {"gen", "gen.errors", "gen.frontend", "gen.verify"},
    "gen": {
        "gen.decorator",
        "gen.errors",
        "gen.frontend",
        "gen.files",
        "gen.importer",
        "gen.pipeline",
        "gen.verify",
    },
    "gen.__main__": {"gen.cli"},
}


def _room(module: str) -> str:
    """The room of a module: gen.passes.vjp lies in gen.passes."""
    return ".".join(module.split(".")[:2])


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def _imports(path: Path) -> set[str]:
    """The modules of gen that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = {f"{node.module}.{one.name}" for one in node.names}
            known = {_name(module) for module in MODULES}
            found |= {part if part in known else node.module for part in parts}
    return {name for name in found if name.split(".")[0] == "gen"}


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_rooms_import_only_what_they_may(path: Path) -> None:
    allowed = MAY_IMPORT[_room(_name(path))]
    assert {_room(name) for name in _imports(path)} <= allowed


def test_passes_do_not_import_each_other() -> None:
    for path in (ROOT / "gen/passes").glob("*.py"):
        others = {name for name in _imports(path) if _room(name) == "gen.passes"}
        # How axes are laid out is a question that planning asks, not a pass.
        assert others <= {
            f"gen.passes.{name}"
            for name in (
                "layout",
                "arrangement",
                "axes",
                "contraction",
                "products",
                "keepdims",
                "save",
            )
        }


def test_backends_do_not_import_each_other() -> None:
    for path in (ROOT / "gen/backends").glob("*.py"):
        owner = path.stem.removesuffix("_dialect")
        others = {"numpy", "torch"} - {owner}
        taboo = {f"gen.backends.{name}{end}" for name in others for end in ("", "_dialect")}
        # A dialect does not know the backend that it is the dialect of.
        taboo |= {f"gen.backends.{owner}"}
        assert not _imports(path) & taboo


def test_a_backend_is_one_file_and_one_folder() -> None:
    from gen.backends.base import backend_names

    assert backend_names() == ("numpy", "torch")
    for name in backend_names():
        assert (ROOT / "gen/backends" / f"{name}.py").is_file()
        found = {path.name for path in (ROOT / "templates" / name).iterdir()}
        assert found == {"module.py.jinja", "runtime.py.jinja"}
    folders = {path.name for path in (ROOT / "templates").iterdir() if path.is_dir()}
    assert folders == set(backend_names())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: "/".join(path.parts[-2:]))
def test_templates_hold_text_attributes_and_loops_alone(path: Path) -> None:
    tree = Environment(autoescape=False).parse(path.read_text())
    allowed = (
        nodes.Template,
        nodes.Output,
        nodes.TemplateData,
        nodes.Getattr,
        nodes.Name,
        nodes.For,
    )
    for node in tree.find_all(nodes.Node):
        assert isinstance(node, allowed), f"{path}:{node.lineno}: {type(node).__name__}"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: "/".join(path.parts[-2:]))
def test_templates_use_every_string_that_they_are_given(path: Path) -> None:
    from gen.backends import numpy, torch
    from gen.render import Shared

    views = {"numpy": numpy.Module, "torch": torch.Module}
    view = views[path.parent.name] if path.name.startswith("module") else Shared
    tree = Environment(autoescape=False).parse(path.read_text())
    used = {node.attr for node in tree.find_all(nodes.Getattr)}
    assert used == {field.name for field in dataclasses.fields(view)}


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_text_is_never_evaluated_and_nothing_is_caught_blindly(path: Path) -> None:
    forbidden = {"eval", "exec", "compile", "sympify", "parse_expr", "literal_eval", "S"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            # re.compile makes a pattern, torch.compile takes a function.
            owner = getattr(getattr(node.func, "value", None), "id", "")
            fine = name == "compile" and owner in ("re", "torch")
            assert name not in forbidden or fine, f"{path}:{node.lineno}: {name}"
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None
            assert getattr(node.type, "id", "") != "Exception"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 42, f"{path}: {node.name}"
