"""Addition chains: integer powers as few multiplications.

In: the exponents wanted of one base. Out: the products that make them, in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def chain(exponents: Iterable[int]) -> tuple[tuple[int, int, int], ...]:
    """Steps (e, a, b) with e = a + b, each of a and b 1 or an earlier e.

    Several exponents share their steps. The chain of one exponent is the shorter of the
    binary and the factor method (Knuth, The Art of Computer Programming 2, 4.6.3).

    >>> chain([6, 12])
    ((2, 1, 1), (3, 2, 1), (6, 3, 3), (12, 6, 6))
    """
    steps: dict[int, tuple[int, int]] = {}
    for exponent in sorted(exponents):
        _reach(exponent, steps, {})
    return tuple((e, a, b) for e, (a, b) in steps.items())


def _reach(exponent: int, steps: dict[int, tuple[int, int]], lengths: dict[int, int]) -> None:
    """Add the steps to `exponent`; each second one at least halves it."""
    if exponent == 1 or exponent in steps:
        return
    known = (1, *steps)
    pair = next(((a, exponent - a) for a in known if exponent - a in known), None)
    factor = _factor(exponent, lengths)
    if pair is not None:
        steps[exponent] = (max(pair), min(pair))
    elif factor == 1:
        _reach(exponent - 1, steps, lengths)
        steps[exponent] = (exponent - 1, 1)
    else:
        base = exponent // factor
        _reach(base, steps, lengths)
        for e, a, b in chain([factor]):
            steps.setdefault(e * base, (a * base, b * base))


def _factor(exponent: int, lengths: dict[int, int]) -> int:
    """The factor by which `exponent` is reached best; 1: from the number below it."""
    factors = [p for p in (2, 3, 5, 7) if exponent % p == 0 and exponent > p]
    factors += [exponent] if exponent == 2 else []
    best = min(factors, key=lambda p: _by_factor(exponent, p, lengths), default=1)
    below = 1 + _length(exponent - 1, lengths) if exponent % 2 else exponent
    return 1 if best == 1 or below < _by_factor(exponent, best, lengths) else best


def _by_factor(exponent: int, factor: int, lengths: dict[int, int]) -> int:
    return _length(exponent // factor, lengths) + _length(factor, lengths)


def _length(exponent: int, lengths: dict[int, int]) -> int:
    if exponent <= 3:
        return exponent - 1
    if exponent not in lengths:
        factor = _factor(exponent, lengths)
        lengths[exponent] = (
            1 + _length(exponent - 1, lengths)
            if factor == 1
            else _by_factor(exponent, factor, lengths)
        )
    return lengths[exponent]
