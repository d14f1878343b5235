"""The verbs that are about a spec: `gen build`, `check`, `list` and `init`.

In: the path of a gen.toml. Out: its files, written or compared, or what it names.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.commands.console import counted, styled
from gen.errors import GenError
from gen.statements import one_line

if TYPE_CHECKING:
    from gen.commands.console import Console
    from gen.frontend.spec import Entry, Spec
    from gen.model import File


@click.command()
@click.argument("spec", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def build(console: Console, spec: Path | None) -> None:
    """Write everything that SPEC (gen.toml) asks for."""
    from gen.files import write

    found = read_spec(spec)
    console.written(write(_files(console, found), found.out))
    console.say(f"{counted(len(found.entries), 'function')} up to date in {found.out}")


@click.command()
@click.argument("spec", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def check(console: Console, spec: Path | None) -> None:
    """Compare what SPEC (gen.toml) asks for with what is on disk."""
    from gen.files import compare

    found = read_spec(spec)
    drifts = compare(_files(console, found), found.out)
    for drift in drifts:
        console.show(styled(drift))
    if drifts:
        left = any(drift.kind == "left over" for drift in drifts)
        advice = "; what is left over, delete or name in the spec" if left else ""
        count = counted(len(drifts), "file")
        click.echo(f"{count} out of step; gen build writes them{advice}", err=True)
        sys.exit(1)
    console.say(f"{counted(len(found.entries), 'function')} as {found.path} says")


@click.command("list")
@click.argument("spec", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def list_functions(console: Console, spec: Path | None) -> None:
    """List the functions of SPEC (gen.toml)."""
    found = read_spec(spec)
    width = max((len(entry.request.name) for entry in found.entries), default=0)
    for entry in found.entries:
        outputs = ", ".join(entry.request.outputs)
        values = f" -> {outputs}" if outputs else ""
        line = f"{entry.request.name:{width}}  {one_line(entry.request.expr)}{values}"
        console.show("".join(c for c in line if c.isprintable()) + "\n")


@click.command()
@click.pass_obj
def init(console: Console) -> None:
    """Start a gen.toml in this folder."""
    path = Path("gen.toml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_STARTER)
    except FileExistsError:
        raise GenError(f"{path} is there already") from None
    except OSError as fault:
        raise GenError(f"{path} cannot be written: {fault.strerror}") from None
    console.say(f"wrote {path}; gen build writes what it asks for")


_STARTER = """\
[gen]
out = "generated"
backends = ["numpy", "torch"]

[functions.P3]
expr = "0.5*(5*x**3-3*x)"
"""


def read_spec(path: Path | None) -> Spec:
    """The spec at a path, or in a folder; None: this one."""
    from gen.frontend import spec

    try:
        if path is None or path.is_dir():
            path = spec.find(path or Path())
    except (OSError, ValueError) as fault:
        raise GenError(f"{path} cannot be read: {fault}") from None
    return spec.read(path)


def _files(console: Console, found: Spec) -> tuple[File, ...]:
    """All files of a spec, with a bar while they are made."""
    from gen import pipeline

    def emitted(entry: Entry) -> tuple[File, ...]:
        try:
            return pipeline.entry(entry.request, entry.backends)
        except GenError as fault:
            where = f"{found.path}: [functions.{entry.request.name}]"
            raise GenError(f"{where}: {fault}") from None

    if console.quiet or not sys.stderr.isatty():
        modules = [file for entry in found.entries for file in emitted(entry)]
    else:
        with click.progressbar(found.entries, label="generating", file=sys.stderr) as entries:
            modules = [file for entry in entries for file in emitted(entry)]
    return (*modules, *pipeline.shared(found.backends))
