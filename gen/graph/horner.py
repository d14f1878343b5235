"""Nested sums and products, and the search for a form with fewer operations.

In: a product of powers and sums. Out: a cheaper form of it, if there is one. Four
rewritings, the first that saves taken, again and again: k*(a*x + b) with numbers k, a and
b takes k inside, k*a + k*b takes it outside, k*a + k*b + c becomes k*(a + b) + c, and
x*a + x*b becomes x*(a + b), which is Horner's rule where a and b have powers of x. All are
identities without a division.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from gen.graph.chains import chain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


# Most coefficients are one of these two, and told by identity: fractions compare slowly.
ONE, _MINUS = Fraction(1), Fraction(-1)


@dataclass(slots=True)
class Product:
    """coefficient * constant * powers * sums."""

    coefficient: Fraction = ONE
    constant: tuple[int, ...] = ()  # symbolic constants, as nodes
    powers: dict[int, int] = field(default_factory=dict)  # node: exponent, at least 1
    sums: tuple[Sum, ...] = ()

    @property
    def is_scaled(self) -> bool:
        return not _is_unit(self.coefficient) or bool(self.constant)

    @property
    def depth(self) -> int:
        """How many sums lie inside each other."""
        return max((one.depth for one in self.sums), default=0)


@dataclass(slots=True)
class Sum:
    """The sum of its terms."""

    terms: list[Product]
    depth: int = 1
    closed: bool = False  # a difference that is exact as written: not to be taken apart


def _is_unit(value: Fraction) -> bool:
    return value is ONE or value is _MINUS or abs(value) == 1


def multiplied(a: Product, b: Product) -> Product:
    powers = dict(a.powers)
    for base, exponent in b.powers.items():
        powers[base] = powers.get(base, 0) + exponent
    one, other = a.coefficient, b.coefficient
    coefficient = other if one is ONE else one if other is ONE else one * other
    return Product(coefficient, a.constant + b.constant, powers, a.sums + b.sums)


def negative(product: Product) -> Product:
    value = product.coefficient
    opposite = _MINUS if value is ONE else ONE if value is _MINUS else -value
    return Product(opposite, product.constant, product.powers, product.sums)


def added(first: Product, *others: Product, closed: bool) -> Product:
    """The sum of products, sums among them flattened; the list of the first is taken over."""
    terms = _terms(first)
    depth = first.depth if terms is not None else first.depth + 1
    terms = [first] if terms is None else terms
    for other in others:
        flat = _terms(other)
        depth = max(depth, other.depth if flat is not None else other.depth + 1)
        terms += [other] if flat is None else flat
    return Product(sums=(Sum(terms, depth, closed),))


def _terms(part: Product) -> list[Product] | None:
    """The terms that a part adds to a sum; None where it is one itself."""
    if len(part.sums) != 1 or part.powers or part.is_scaled or part.sums[0].closed:
        return None
    terms = part.sums[0].terms
    return terms if part.coefficient == 1 else [negative(term) for term in terms]


def improved(product: Product, others: Mapping[int, set[int]]) -> Product | None:
    """A form with fewer operations, None if none is found.

    Args:
        product: what is to be computed.
        others: for each base, the exponents that are computed elsewhere anyway.
    """
    best, cost, found = product, -1, True
    while found:
        found = False
        for candidate in _candidates(best):
            cost = _cost(product, others) if cost < 0 else cost
            lower = _cost(candidate, others)
            if lower < cost:
                best, cost, found = candidate, lower, True
                break
    return None if best is product else best


# ---- cost


def _cost(product: Product, others: Mapping[int, set[int]]) -> int:
    """Operations of the product, powers that others compute anyway not counted."""
    cost = _operations(product)
    for base, exponents in powers_in(product).items():
        known = others.get(base, set())
        cost += len(chain(exponents | known)) - len(chain(known))
    return cost


def _operations(product: Product) -> int:
    factors = product.is_scaled + len(product.powers) + len(product.sums)
    cost = max(factors - 1, 0)
    for one in product.sums:
        cost += len(one.terms) - 1 + sum(map(_operations, one.terms))
    return cost


def powers_in(product: Product) -> dict[int, set[int]]:
    """For each base, the powers of it above the first that the product computes."""
    found: dict[int, set[int]] = {}
    pending = [product]
    while pending:
        one = pending.pop()
        for base, exponent in one.powers.items():
            if exponent > 1:
                found.setdefault(base, set()).add(exponent)
        pending.extend(term for inner in one.sums for term in inner.terms)
    return found


# ---- candidates


def _candidates(product: Product) -> Iterator[Product]:
    """The product with one rewriting, at any place in it."""
    for place, one in enumerate(product.sums):
        for inner in _candidate_sums(one):
            yield _with_sum(product, place, inner)
        if product.is_scaled and not product.constant and _takes_scale(one, product.coefficient):
            scaled = [
                replace(t, coefficient=t.coefficient * product.coefficient) for t in one.terms
            ]
            unscaled = replace(product, coefficient=ONE)
            yield _with_sum(unscaled, place, replace(one, terms=scaled))
        common = abs(one.terms[0].coefficient)
        if common != 1 and all(abs(term.coefficient) == common for term in one.terms):
            plain = [replace(term, coefficient=term.coefficient / common) for term in one.terms]
            outer = replace(product, coefficient=product.coefficient * common)
            yield _with_sum(outer, place, replace(one, terms=plain))


def _takes_scale(one: Sum, factor: Fraction) -> bool:
    """Whether a number could be cheaper inside a sum: most terms must be scaled already."""
    free = sum(1 for term in one.terms if term.is_scaled or not (term.powers or term.sums))
    gone = sum(1 for term in one.terms if abs(term.coefficient * factor) == 1)
    return len(one.terms) - free < 1 + gone


def _with_sum(product: Product, place: int, one: Sum) -> Product:
    sums = (*product.sums[:place], one, *product.sums[place + 1 :])
    if len(one.terms) == 1:
        outer = replace(product, sums=product.sums[:place] + product.sums[place + 1 :])
        return multiplied(outer, one.terms[0])
    return replace(product, sums=sums)


def _candidate_sums(one: Sum) -> Iterator[Sum]:
    for base in _common_bases(one):
        yield _pulled(one, base)
    for coefficient in _common_coefficients(one):
        yield _scaled(one, coefficient)
    for place, term in enumerate(one.terms):
        if term.sums:
            for inner in _candidates(term):
                yield replace(one, terms=[*one.terms[:place], inner, *one.terms[place + 1 :]])


def _common_bases(one: Sum) -> list[int]:
    """Factors of at least two terms, the most frequent first."""
    counts: dict[int, int] = {}
    for term in one.terms:
        for base in term.powers:
            counts[base] = counts.get(base, 0) + 1
    shared = [base for base, count in counts.items() if count > 1]
    return sorted(shared, key=lambda base: -counts[base])


def _common_coefficients(one: Sum) -> list[Fraction]:
    """Numbers that scale at least two terms, but not all."""
    counts: dict[tuple[int, int], int] = {}  # by numerator and denominator: they hash faster
    for term in one.terms:
        if not _is_unit(term.coefficient) and (term.powers or term.sums or term.constant):
            size = (abs(term.coefficient.numerator), term.coefficient.denominator)
            counts[size] = counts.get(size, 0) + 1
    return [Fraction(*size) for size, count in counts.items() if 1 < count < len(one.terms)]


def _pulled(one: Sum, base: int) -> Sum:
    """The sum with `base` taken out of all terms that have it."""
    exponent = min(term.powers[base] for term in one.terms if base in term.powers)
    return _gathered(
        one,
        Product(powers={base: exponent}),
        lambda term: _without(term, base, exponent) if base in term.powers else None,
    )


def _scaled(one: Sum, size: Fraction) -> Sum:
    """The sum with a number taken out of all terms that it scales."""
    return _gathered(
        one,
        Product(coefficient=size),
        lambda term: (
            replace(term, coefficient=term.coefficient / size)
            if abs(term.coefficient) == size
            else None
        ),
    )


def _gathered(one: Sum, factor: Product, divided: Callable[[Product], Product | None]) -> Sum:
    """The terms that can be divided by a factor as one, at the place of the first."""
    terms: list[Product] = []
    inner = Sum([], one.depth)
    for term in one.terms:
        rest = divided(term)
        if rest is None:
            terms.append(term)
            continue
        if not inner.terms:
            terms.append(replace(factor, sums=(inner,)))
        inner.terms.append(rest)
    return Sum(terms, one.depth + 1)


def _without(term: Product, base: int, exponent: int) -> Product:
    powers = dict(term.powers)
    powers[base] -= exponent
    return replace(term, powers={node: n for node, n in powers.items() if n})
