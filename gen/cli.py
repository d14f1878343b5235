"""The command `gen`: which of its verbs the words of a command line are for.

Exit status: 0 all is well, 1 a file is not what it should be, 2 the input is at fault.
"""

from __future__ import annotations

import click

from gen.commands import show, spec
from gen.commands.console import Console, print_error
from gen.commands.function import HIDDEN, function
from gen.commands.verify import verify
from gen.errors import GenError
from gen.provenance import VERSION

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
  --const c         an input without a gradient: a number, or what chooses a branch, as in
                    "tanh(x) if mode == 'tanh' else x if linear else sin(x)"
  --default c=1.0   what an input is that is left out: a number, true, false or a word
  --optional b      an input that may be None: a term or a factor left out
  --shape w=O,I     the dimensions of an input; needed for @ and .T, ... for leading ones
  --outputs u,v     which names of an EXPR such as "u = x*y; v = x/y" are its values
  --define "f(x) = x**2"             a function that EXPR may call, as it may those of gen.toml
  --import "f(x) = mylib.f; 2*x"     one of your own code, and its derivative in each argument
  --save inputs     what forward leaves for backward: inputs, output, or auto

\b
Beside the function, for PyTorch:
  --module          a torch.nn.Module as well
  --parameter a=1.0                  one of its inputs that it learns, a scalar
  --custom-op mylib                  an operator of torch.library as well, mylib::p3

\b
Gradients that are not the derivative, by declaration:
  --backward "grad_output/(1+x**2)"  the gradient, in inputs, output and grad_output;
                    of one input among several: --backward "x = grad_output*x"
  --primitive "atan(x)"              what backward is the derivative of
  --straight-through                 round, floor, sign and other steps pass gradients on
  --clamp-grad -1,1                  bounds of each gradient
  --once                             a second derivative is refused

An EXPR of - is read from standard input. Exit status: 0 fine, 1 a file is stale or
a check fails, 2 the input is at fault.
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
            ctx.meta[HIDDEN] = words[:2]
            words = [HIDDEN, *words[2:]]
        before += [word for word in words if word in _ANYWHERE]
        words = [word for word in words if word not in _ANYWHERE]
        return super().parse_args(ctx, [*before, *words])

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage("gen", 'NAME "EXPR" [OPTIONS]')
        formatter.write_usage("gen", "COMMAND [ARGS]")

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in super().list_commands(ctx) if name != HIDDEN]

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (GenError, click.UsageError) as fault:
            message = fault.format_message() if isinstance(fault, click.UsageError) else str(fault)
            print_error(message, bool(ctx.params.get("no_color")))
            ctx.exit(2)


def _is_flag(arg: str) -> bool:
    return arg.startswith("-") and arg != "-"


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
    ctx.obj = Console(quiet, verbose, no_color)


for _verb in (
    *(function, spec.build, spec.check, show.show, verify),
    *(spec.list_functions, spec.init),
):
    main.add_command(_verb)
