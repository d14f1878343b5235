"""The command `gen`: the only place that prints and exits.

Exit status: 0 all is well, 1 a file is not what it should be, 2 the input is at fault.
"""

from __future__ import annotations

import keyword
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.errors import GenError, nearest
from gen.provenance import VERSION, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen.files import Drift, Written
    from gen.frontend.spec import Entry, Spec
    from gen.model import File

_HIDDEN = "<function>"  # no name that anybody could give a function
_ANYWHERE = frozenset({"-q", "--quiet", "-v", "--verbose", "--no-color"})


_HELP = """\
A formula goes in, the autograd function that an expert would write comes out.

\b
gen P3 "0.5*(5*x**3-3*x)"                   writes generated/p3.py, for numpy
gen P3 "0.5*(5*x**3-3*x)" --backend torch   writes generated/p3_torch.py
gen Softplus "softplus(beta*x)/beta" --const beta -o -      prints

\b
Options of a function, after NAME and EXPR:
  --backend NAME    numpy (the default) or torch; may be repeated
  -o, --out PATH    the folder, or the .py file, to write; - prints
  --args x,y        the order of the inputs; else that of first appearance
  --const c         an input that is a plain number without a gradient
  --optional b      an input that may be None: a term or a factor left out
  --shape w=O,I     the dimensions of an input; needed for @ and .T, ... for leading ones
  --outputs u,v     which names of an EXPR such as "u = x*y; v = x/y" are its values
  --define "f(x) = x**2"             a function that EXPR may call, as it may those of gen.toml
  --import "f(x) = mylib.f; 2*x"     one of your own code, and its derivative in each argument
  --save inputs     what forward leaves for backward: inputs, output, or auto

An EXPR of - is read from standard input. Exit status: 0 fine, 1 a file is stale,
2 the input is at fault.
"""


class _Group(click.Group):
    """`gen VERB ...`, or `gen NAME EXPR [options]` where the first word is no verb."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        place = next((i for i, arg in enumerate(args) if not _is_flag(arg)), len(args))
        before, words = args[:place], args[place:]
        if words and words[0] not in self.commands:
            # The expression is taken as it is, a leading minus and all: click, which
            # would look for options in it, never sees it.
            if words[1:2] in (["-h"], ["--help"]):
                return super().parse_args(ctx, ["--help"])
            ctx.meta[_HIDDEN] = words[:2]
            words = [_HIDDEN, *words[2:]]
        before += [word for word in words if word in _ANYWHERE]
        words = [word for word in words if word not in _ANYWHERE]
        return super().parse_args(ctx, [*before, *words])

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage("gen", 'NAME "EXPR" [OPTIONS]')
        formatter.write_usage("gen", "COMMAND [ARGS]")

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in super().list_commands(ctx) if name != _HIDDEN]

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (GenError, click.UsageError) as fault:
            message = fault.format_message() if isinstance(fault, click.UsageError) else str(fault)
            _print_error(message, bool(ctx.params.get("no_color")))
            ctx.exit(2)


def _is_flag(arg: str) -> bool:
    return arg.startswith("-") and arg != "-"


def _print_error(message: str, no_color: bool) -> None:
    plain = no_color or "NO_COLOR" in os.environ
    label = "error:" if plain else click.style("error:", fg="red", bold=True)
    click.echo(f"{label} {message}", err=True, color=False if plain else None)


@click.group(
    cls=_Group,
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=True,
)
@click.option("-q", "--quiet", is_flag=True, help="Print errors and differences only.")
@click.option("-v", "--verbose", is_flag=True, help="Print each file, also those unchanged.")
@click.option("--no-color", is_flag=True, help="Print without colours, as with NO_COLOR set.")
@click.version_option(VERSION, prog_name="gen", message="%(prog)s (gradsmith) %(version)s")
@click.pass_context
def main(ctx: click.Context, quiet: bool, verbose: bool, no_color: bool) -> None:
    """Find out what is wanted; see _HELP."""
    ctx.obj = _Console(quiet, verbose, no_color)


class _Console:
    """What is said, and how loudly."""

    def __init__(self, quiet: bool, verbose: bool, no_color: bool) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self.color = False if no_color or "NO_COLOR" in os.environ else None

    def say(self, text: str, important: bool = True) -> None:
        if not self.quiet and (important or self.verbose):
            click.echo(text, color=self.color)

    def show(self, text: str) -> None:
        """Print what was asked for, also when quiet."""
        click.echo(text, color=self.color, nl=False)

    def written(self, files: Iterable[Written], whole: bool = False) -> None:
        """Say what was written; also what was not, where the `whole` list is wanted."""
        for one in files:
            verb = "wrote" if one.changed else "unchanged"
            self.say(f"{verb} {one.path}", one.changed or whole)


@main.command(_HIDDEN, hidden=True)
@click.argument("unexpected", nargs=-1)
@click.option("--backend", "backends", multiple=True)
@click.option("-o", "--out")
@click.option("--args")
@click.option("--const", multiple=True)
@click.option("--optional", multiple=True)
@click.option("--shape", "shapes", multiple=True)
@click.option("--outputs", multiple=True)
@click.option("--define", "defines", multiple=True)
@click.option("--import", "imports", multiple=True)
@click.option("--save", default="auto")
@click.pass_obj
def function(
    console: _Console,
    unexpected: tuple[str, ...],
    backends: tuple[str, ...],
    out: str | None,
    args: str | None,
    const: tuple[str, ...],
    optional: tuple[str, ...],
    shapes: tuple[str, ...],
    outputs: tuple[str, ...],
    defines: tuple[str, ...],
    imports: tuple[str, ...],
    save: str,
) -> None:
    """Write one function."""
    name, expr = _name_and_expr(unexpected)
    from gen import pipeline

    chosen = backends or ("numpy",)
    options = {
        "args": args or "",
        "const": ",".join(const),
        "optional": ",".join(optional),
        "shape": _shapes(shapes),
        "outputs": ",".join(outputs),
        "define": defines,
        "primitives": pipeline.primitives(imports, chosen),
        "save": save,
    }
    request = pipeline.request(name, _given() if expr == "-" else expr, options)
    request = pipeline.beside(request, Path())
    if out == "-":
        for backend in dict.fromkeys(chosen):
            console.show(pipeline.module(request, backend).text)
        return
    folder, files = _placed(pipeline.files(request, chosen), out)
    from gen.files import write

    console.written(write(files, folder), whole=True)


def _name_and_expr(unexpected: tuple[str, ...]) -> tuple[str, str]:
    """The first two words, which parse_args set aside."""
    context = click.get_current_context()
    words: list[str] = context.meta[_HIDDEN]
    if not words[0].isidentifier() and len(words) == 1:
        raise GenError(f'a name is missing, as in gen P3 "{words[0]}"')
    if len(words) == 1:
        verbs = main.list_commands(context)
        hint = nearest(words[0], verbs) or f"the verbs are {', '.join(verbs)}"
        raise GenError(f'an expression is missing, as in gen {words[0]} "0.5*(5*x**3-3*x)"; {hint}')
    if words[1].startswith("--"):
        raise GenError(f"the expression comes right after the name, given {words[1]!r}")
    if unexpected:
        raise GenError(
            f"unexpected argument {unexpected[0]!r}; an expression is one argument, "
            f'in quotes: gen {words[0]} "..."'
        )
    return words[0], words[1]


def _given() -> str:
    """Standard input."""
    try:
        return "" if sys.stdin is None else sys.stdin.read()
    except (OSError, UnicodeDecodeError) as fault:
        raise GenError(f"standard input cannot be read: {fault}") from None


def _shapes(texts: tuple[str, ...]) -> dict[str, str]:
    shapes: dict[str, str] = {}
    for text in texts:
        name, separator, dimensions = (part.strip() for part in text.partition("="))
        if not separator:
            raise GenError(
                f"--shape {text}: an input and its dimensions are needed, as in weight=O,I"
            )
        if name in shapes:
            raise GenError(f"--shape {name} is given twice")
        shapes[name] = dimensions
    return shapes


def _placed(files: tuple[File, ...], out: str | None) -> tuple[Path, tuple[File, ...]]:
    """The folder to write to; `out` names it, or the one module."""
    from gen.model import File

    path = Path(out or "generated")
    if path.suffix != ".py":
        if path.suffix and not path.is_dir():
            raise GenError(f"-o {out} is neither a folder nor a .py file")
        return path, files
    if not path.stem.isidentifier() or keyword.iskeyword(path.stem):
        raise GenError(f"-o {out}: {path.stem!r} is no name that a module can be imported by")
    module, *rest = files
    if sum(not file.name.startswith("_") for file in files) > 1:
        raise GenError(f"-o {out} names one file for several backends; name a folder")
    return path.parent, (File(path.name, module.text), *rest)


@main.command()
@click.argument("spec", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def build(console: _Console, spec: Path | None) -> None:
    """Write everything that SPEC (gen.toml) asks for."""
    from gen.files import write

    found = _read_spec(spec)
    console.written(write(_files(console, found), found.out))
    console.say(f"{_counted(len(found.entries), 'function')} up to date in {found.out}")


@main.command()
@click.argument("spec", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def check(console: _Console, spec: Path | None) -> None:
    """Compare what SPEC (gen.toml) asks for with what is on disk."""
    from gen.files import compare

    found = _read_spec(spec)
    drifts = compare(_files(console, found), found.out)
    for drift in drifts:
        console.show(_styled(drift))
    if drifts:
        left = any(drift.kind == "left over" for drift in drifts)
        advice = "; what is left over, delete or name in the spec" if left else ""
        count = _counted(len(drifts), "file")
        click.echo(f"{count} out of step; gen build writes them{advice}", err=True)
        sys.exit(1)
    console.say(f"{_counted(len(found.entries), 'function')} as {found.path} says")


@main.command("list")
@click.argument("spec", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def list_functions(console: _Console, spec: Path | None) -> None:
    """List the functions of SPEC (gen.toml)."""
    found = _read_spec(spec)
    width = max((len(entry.request.name) for entry in found.entries), default=0)
    for entry in found.entries:
        outputs = ", ".join(entry.request.outputs)
        values = f" -> {outputs}" if outputs else ""
        line = f"{entry.request.name:{width}}  {one_line(entry.request.expr)}{values}"
        console.show("".join(c for c in line if c.isprintable()) + "\n")


@main.command()
@click.pass_obj
def init(console: _Console) -> None:
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


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun} is" if number == 1 else f"{number} {noun}s are"


def _read_spec(path: Path | None) -> Spec:
    from gen.frontend import spec

    try:
        if path is None or path.is_dir():
            path = spec.find(path or Path())
    except (OSError, ValueError) as fault:
        raise GenError(f"{path} cannot be read: {fault}") from None
    return spec.read(path)


def _files(console: _Console, found: Spec) -> tuple[File, ...]:
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


def _styled(drift: Drift) -> str:
    colors = {"+": "green", "-": "red", "@": "cyan"}
    lines = [
        click.style(line, fg=colors.get(line[:1]), bold=line[:3] in ("+++", "---"))
        for line in drift.diff.splitlines(keepends=True)
    ]
    return f"{drift.path}: {drift.kind}\n{''.join(lines)}"
