"""`gen verify`: emitted modules held against their formulas.

In: the name of an entry of the spec, or the path of an emitted module. Out: one line a
check, and at a failure what was got, what was expected, and the inputs that showed it.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.commands.function import parsed
from gen.commands.spec import read_spec
from gen.errors import GenError, nearest
from gen.provenance import command_of, is_generated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen.commands.console import Console
    from gen.model import Request
    from gen.verify.conformance import Result

_COLORS = {"passed": "green", "failed": "red"}


@click.command()
@click.argument("target", metavar="NAME|PATH")
@click.option("--backend", "backends", multiple=True, help="Of an entry: these alone.")
@click.option("--quick", is_flag=True, help="Leave out what needs a compiler.")
@click.pass_obj
def verify(console: Console, target: str, backends: tuple[str, ...], quick: bool) -> None:
    """Hold NAME's modules, or the one at PATH, against their formula."""
    failed = 0
    for path, request, backend in _modules(target, backends):
        with _importable(Path()):
            results = _results(path, request, backend, quick)
            failed += _shown(console, f"{request.name} for {backend}: {path}", results)
    if failed:
        sys.exit(1)


def _modules(target: str, backends: tuple[str, ...]) -> list[tuple[Path, Request, str]]:
    """The modules to verify: where they are, what was asked for, and for which backend."""
    from gen import pipeline

    if not target.isidentifier():
        return [_at(Path(target), backends)]
    found = read_spec(None)
    entries = {entry.request.name: entry for entry in found.entries}
    if target not in entries:
        hint = nearest(target, entries) or f"it has {', '.join(entries) or 'none'}"
        raise GenError(f"{found.path} has no function {target!r}; {hint}")
    request = entries[target].request
    chosen = backends or entries[target].backends
    names = {one: pipeline.file_name(target, one) for one in chosen}
    for one in chosen:
        if one not in entries[target].backends:
            raise GenError(f"{found.path} does not ask for {target} for {one}")
    return [(found.out / names[one], request, one) for one in chosen]


def _at(path: Path, backends: tuple[str, ...]) -> tuple[Path, Request, str]:
    """A module by its path, and what the command in its header asks for."""
    words = command_of(_text(path))
    if words is None:
        raise GenError(f"{path} was not written by gen: no command that makes it is in its header")
    try:
        request, (backend, *_) = parsed(words)
    except (GenError, click.UsageError) as fault:
        why = fault.format_message() if isinstance(fault, click.UsageError) else fault
        raise GenError(f"{path}: the command in its header: {why}") from None
    if backends and backend not in backends:
        raise GenError(f"{path} is for {backend}, not for {', '.join(backends)}")
    return path, request, backend


def _text(path: Path) -> str:
    """The text of an emitted file, with "" for one that is none."""
    try:
        text = path.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError:
        raise GenError(f"{path} is not there; gen build writes what the spec asks for") from None
    except (OSError, ValueError) as fault:
        raise GenError(f"{path} cannot be read: {fault}") from None
    return text if is_generated(text) else ""


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Code of the user's own is imported from here, as by `python -m`."""
    sys.path.insert(0, str(folder.resolve()))
    try:
        yield
    finally:
        sys.path.remove(str(folder.resolve()))


def _results(path: Path, request: Request, backend: str, quick: bool) -> Iterator[Result]:
    """The result of each check, as it comes."""
    try:
        import torch  # noqa: F401
    except ImportError:
        raise GenError(
            "gen verify evaluates formulas with PyTorch, which is not installed; "
            "pip install 'gradsmith[torch]' installs it"
        ) from None
    from gen.frontend import text
    from gen.importer import load_file
    from gen.verify import conformance
    from gen.verify.subject import subject

    formula = text.read(request)
    _text(path)  # which says what is missing
    return conformance.verify(subject(load_file(path), formula, backend), quick)


def _shown(console: Console, title: str, results: Iterator[Result]) -> int:
    """Print a table; how many checks failed."""
    console.say(title)
    counts = {"passed": 0, "failed": 0, "n.a.": 0}
    for one in results:
        counts[one.outcome] += 1
        bad = one.outcome == "failed"
        outcome = click.style(f"{one.outcome:7}", fg=_COLORS.get(one.outcome), bold=bad)
        line = f"{one.check.number:3}  {one.check.title:36}  {outcome} {one.seconds:6.2f} s"
        reason = f"  {one.why}" if one.outcome == "n.a." else ""
        console.say(line + reason) if not bad else console.show(f"{line}\n{_details(one)}")
    numbers = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    console.say(numbers)
    return counts["failed"]


def _details(one: Result) -> str:
    """Why a check failed, and at which inputs."""
    lines = [*one.why.strip().splitlines(), *(f"at {row}" for row in one.inputs.splitlines())]
    return "".join(f"       {line}\n" for line in lines)
