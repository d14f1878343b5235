"""What is said, how loudly and in which colours.

In: what commands have to tell. Out: lines on standard output, and errors on standard error.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen.files import Drift, Written


class Console:
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


def print_error(message: str, no_color: bool) -> None:
    plain = no_color or "NO_COLOR" in os.environ
    label = "error:" if plain else click.style("error:", fg="red", bold=True)
    click.echo(f"{label} {message}", err=True, color=False if plain else None)


def counted(number: int, noun: str) -> str:
    return f"{number} {noun} is" if number == 1 else f"{number} {noun}s are"


def styled(drift: Drift) -> str:
    colors = {"+": "green", "-": "red", "@": "cyan"}
    lines = [
        click.style(line, fg=colors.get(line[:1]), bold=line[:3] in ("+++", "---"))
        for line in drift.diff.splitlines(keepends=True)
    ]
    return f"{drift.path}: {drift.kind}\n{''.join(lines)}"
