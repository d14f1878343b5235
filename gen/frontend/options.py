"""The options of a function, as the command, gen.toml and Python give them.

In: a name, an expression, options by keyword. Out: a `Request`. Names may be one text
with commas or a list; a shape is "O,I" or ["O", "I"], of letters and numbers.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from gen.errors import GenError, nearest
from gen.frontend.definitions import definitions
from gen.frontend.gradient import gradient
from gen.frontend.primitives import primitives
from gen.frontend.syntax import WORD
from gen.model import SAVE, Constant, Forms, Request

Names: TypeAlias = str | Iterable[str]

_NAMESPACE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_LONGEST = 40  # characters of a dimension

FORMS = ("module", "parameter", "custom_op")
GRADIENT = ("backward", "primitive", "straight_through", "clamp_grad", "once")
_OPTIONS = (
    *("args", "const", "optional", "shape", "outputs", "save", "define", "primitives", "default"),
    *FORMS,
    *GRADIENT,
)


def request(name: str, expr: str, options: Mapping[str, object]) -> Request:
    """The request that these options make.

    Raises:
        GenError: for an option that there is not, or a value that it does not take.
    """
    if not isinstance(name, str) or not isinstance(expr, str):
        given = name if not isinstance(name, str) else expr
        raise GenError(f"a name and an expression are texts, given {given!r}")
    for option in options:
        if option not in _OPTIONS:
            hint = nearest(option, _OPTIONS) or f"there are {', '.join(_OPTIONS)}"
            raise GenError(f"unknown option {option!r}; {hint}")
    return Request(
        name=name,
        expr=expr,
        args=_names("args", options.get("args", ())),
        const=_names("const", options.get("const", ())),
        optional=_names("optional", options.get("optional", ())),
        shape=_shapes(options.get("shape", {})),
        outputs=_names("outputs", options.get("outputs", ())),
        save=_save(options.get("save", "auto")),
        definitions=definitions(options.get("define", {})),
        primitives=primitives(options.get("primitives", {})),
        default=_defaults(options.get("default", {})),
        forms=_forms(options),
        gradient=gradient(**{name: options[name] for name in GRADIENT if name in options}),
    )


def _defaults(value: object, option: str = "default") -> tuple[tuple[str, Constant], ...]:
    """Constants by input, from a table or from texts such as beta=1.0.

    >>> _defaults(["beta=1", "exact=true", "mode=tanh"])
    (('beta', 1), ('exact', True), ('mode', 'tanh'))
    """
    if isinstance(value, Mapping):
        pairs = [(str(name), given) for name, given in value.items()]
    elif isinstance(value, Iterable) and not isinstance(value, str):
        pairs = [_default(text, option) for text in value]
    else:
        pairs = [_default(value, option)]
    for name, given in pairs:
        if not isinstance(given, float | int | str) or given in (math.inf, -math.inf, math.nan):
            raise GenError(f"{option} {name}: a number, true, false or a word is, given {given!r}")
        if isinstance(given, str) and not WORD.fullmatch(given):
            raise GenError(f"{option} {name}: {given!r} is no word of letters, digits, - and _")
    return tuple((name, given) for name, given in pairs if isinstance(given, float | int | str))


def _default(text: object, option: str) -> tuple[str, object]:
    name, sign, given = text.partition("=") if isinstance(text, str) else ("", "", "")
    if not sign or not name.strip().isidentifier():
        raise GenError(f"{option} takes an input and what it is, as in beta=1.0, given {text!r}")
    word = given.strip()
    for read in (int, float):
        try:
            return name.strip(), read(word)
        except ValueError:
            continue
    return name.strip(), {"true": True, "false": False}.get(word.lower(), word)


def _forms(options: Mapping[str, object]) -> Forms:
    """What is emitted beside the function."""
    module, operator = options.get("module", False), options.get("custom_op") or ""
    if not isinstance(module, bool):
        raise GenError(f"module is true or false, given {module!r}")
    if not isinstance(operator, str) or not (not operator or _NAMESPACE.fullmatch(operator)):
        raise GenError(f"custom_op is a namespace such as mylib, given {operator!r}")
    starts = []
    for name, value in _defaults(options.get("parameter", {}), "parameter"):
        if isinstance(value, bool | str):
            raise GenError(f"parameter {name}: a number to start from is needed, given {value!r}")
        starts.append((name, float(value)))
    return Forms(module, tuple(starts), operator)


def _save(value: object) -> str:
    if value not in SAVE:
        raise GenError(f"save is one of {', '.join(SAVE)}, given {value!r}")
    return str(value)


def _names(option: str, value: object) -> tuple[str, ...]:
    """The names in a list, or in one text.

    >>> _names("args", "x, y")
    ('x', 'y')
    """
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")] if value.strip() else []
    if not isinstance(value, Iterable):
        raise GenError(f"{option} takes names such as x,y, given {value!r}")
    names = []
    for name in value:
        if not isinstance(name, str) or not name.isidentifier():
            raise GenError(f"{option} takes names such as x,y, given {name!r}")
        names.append(unicodedata.normalize("NFKC", name))  # as Python's parser does
    return tuple(names)


def _shapes(value: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, Mapping):
        raise GenError(f"shape takes dimensions by input, given {value!r}")
    return tuple(
        (unicodedata.normalize("NFKC", str(name)), _dimensions(str(name), given))
        for name, given in value.items()
    )


def _dimensions(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")] if value.strip() else []
    if not isinstance(value, Iterable):
        raise GenError(f"shape of {name}: dimensions such as N,I are needed, given {value!r}")
    dimensions = tuple(str(one) if type(one) in (int, str) else "?" for one in value)
    for one in dimensions:
        if (
            len(one) > _LONGEST
            or not (one.isascii() and (one.isidentifier() or one.isdigit() or one == "..."))
            or one == "0"
        ):
            raise GenError(
                f"shape of {name}: {one!r} is no dimension; letters or numbers are, as in N,3"
            )
    if "..." in dimensions[1:]:
        raise GenError(f"shape of {name}: ... stands for leading dimensions, and so comes first")
    return dimensions
