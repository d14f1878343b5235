"""`gen show`: what is known of a function before it is written.

In: the name of an entry of gen.toml, or an expression. Out, printed: the formula, each
derivative or what is declared in its place, what is saved and why, operation counts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.commands.function import function_options, options
from gen.errors import GenError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen.commands.console import Console
    from gen.model import Request


@click.command()
@click.argument("what", metavar='NAME|"EXPR"')
@function_options
@click.pass_obj
def show(console: Console, /, what: str, imports: tuple[str, ...], **given: object) -> None:
    """Print a function's formula, its derivatives and what is saved.

    NAME is an entry of gen.toml; EXPR has the options of a function.
    """
    from gen import pipeline

    primitives = pipeline.primitives(imports, ("torch",))
    for line in pipeline.described(_request(what, {**options(given), "primitives": primitives})):
        console.show(f"{line}\n")


def _request(what: str, given: Mapping[str, object]) -> Request:
    from gen import pipeline
    from gen.frontend import spec

    if not what.isidentifier():
        return pipeline.beside(pipeline.request("F", what, given), Path())
    found = spec.read(spec.find(Path()))
    requests = {entry.request.name: entry.request for entry in found.entries}
    if what not in requests:
        hint = nearest(what, requests) or f"there are {', '.join(requests)}"
        raise GenError(f"{found.path} has no function {what!r}; {hint}")
    return requests[what]
