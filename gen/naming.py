"""What a function's module is called.

In: the name of a class. Out: the same in snake case.
"""

from __future__ import annotations

import keyword
import re


def snake_case(name: str) -> str:
    """A class's name as a module's: an underscore before a capital that a small letter follows.

    >>> [snake_case(name) for name in ("P3", "ReLU", "MulConstant", "LennardJones")]
    ['p3', 'relu', 'mul_constant', 'lennard_jones']
    """
    snake = re.sub(r"(?<=[A-Za-z0-9])(?=[A-Z][a-z])", "_", name).lower()
    return f"{snake}_" if keyword.iskeyword(snake) else snake
