"""`gen NAME "EXPR"`: the options of one function, and its files.

In: the words of a command line. Out: a request to the pipeline, and what it makes of it:
printed, or written.
"""

from __future__ import annotations

import keyword
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from gen.errors import GenError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gen.commands.console import Console
    from gen.model import File, Request

Command = TypeVar("Command", bound="Callable[..., object]")

HIDDEN = "<function>"  # its verb: no name that anybody could give a function

# How Python and gen.toml call an option that may be given several times here.
_NAMES = {"shapes": "shape", "defines": "define"}


# What a function is made of beside its expression.
_OPTIONS = (
    click.option("--args"),
    click.option("--const", multiple=True),
    click.option("--optional", multiple=True),
    click.option("--shape", "shapes", multiple=True),
    click.option("--outputs", multiple=True),
    click.option("--define", "defines", multiple=True),
    click.option("--import", "imports", multiple=True),
    click.option("--save", default="auto"),
    click.option("--default", multiple=True),
    click.option("--module", is_flag=True),
    click.option("--parameter", multiple=True),
    click.option("--custom-op"),
    click.option("--backward", multiple=True),
    click.option("--primitive", default=""),
    click.option("--straight-through", is_flag=True),
    click.option("--clamp-grad"),
    click.option("--once", is_flag=True),
)


def function_options(command: Command) -> Command:
    """Give a command the options of a function."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(HIDDEN, hidden=True)
@click.argument("unexpected", nargs=-1)
@click.option("--backend", "backends", multiple=True)
@click.option("-o", "--out")
@function_options
@click.pass_obj
def function(
    console: Console,
    /,
    unexpected: tuple[str, ...],
    backends: tuple[str, ...],
    out: str | None,
    imports: tuple[str, ...],
    **given: object,
) -> None:
    """Write one function."""
    name, expr = _name_and_expr(unexpected)
    from gen import pipeline

    chosen = backends or ("numpy",)
    chosen_options = {**options(given), "primitives": pipeline.primitives(imports, chosen)}
    request = pipeline.request(name, _given() if expr == "-" else expr, chosen_options)
    request = pipeline.beside(request, Path())
    if out == "-":
        for backend in dict.fromkeys(chosen):
            console.show(pipeline.module(request, backend).text)
        return
    folder, files = _placed(pipeline.files(request, chosen), out)
    from gen.files import write

    console.written(write(files, folder), whole=True)


def parsed(words: tuple[str, ...]) -> tuple[Request, tuple[str, ...]]:
    """The request, and the backends, of the words behind `gen`: NAME, EXPR and options."""
    from gen import pipeline

    name, expr, *rest = words
    given = dict(function.make_context(HIDDEN, rest).params)
    unexpected, _ = _texts(given.pop("unexpected")), given.pop("out")
    if unexpected:
        raise GenError(f"unexpected argument {unexpected[0]!r} behind the expression")
    chosen = _texts(given.pop("backends")) or ("numpy",)
    imports = pipeline.primitives(_texts(given.pop("imports")), chosen)
    return pipeline.request(name, expr, {**options(given), "primitives": imports}), chosen


def options(given: Mapping[str, object]) -> dict[str, object]:
    """The options as Python and gen.toml name them."""
    found = {_NAMES.get(option, option): value for option, value in given.items()}
    for option in ("const", "optional", "outputs"):
        found[option] = ",".join(_texts(found[option]))
    return {**found, "args": found["args"] or "", "shape": _shapes(_texts(found["shape"]))}


def _texts(value: object) -> tuple[str, ...]:
    """The values of an option that may be given several times."""
    assert isinstance(value, tuple)
    return tuple(map(str, value))


def _name_and_expr(unexpected: tuple[str, ...]) -> tuple[str, str]:
    """The first two words, which parse_args set aside."""
    context = click.get_current_context()
    words: list[str] = context.meta[HIDDEN]
    if not words[0].isidentifier() and len(words) == 1:
        raise GenError(f'a name is missing, as in gen P3 "{words[0]}"')
    if len(words) == 1:
        verbs = _verbs(context)
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


def _verbs(context: click.Context) -> list[str]:
    group = context.find_root().command
    assert isinstance(group, click.Group)
    return group.list_commands(context)


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
