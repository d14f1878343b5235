"""Cheaper sums and products: common factors, accepted only where operations are saved.

In: a program. Out: the same program with each cluster of sums and products rewritten.
A cluster is a tree of additions and multiplications whose inner nodes nobody else uses,
so that rewriting it undoes no sharing. Three rewritings, repeated while they save:
k*(a*x + b) with numbers k, a and b takes k inside, k*a + k*b takes it outside, and
x*a + x*b becomes x*(a + b). All are identities without a division.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from gen.graph.algebra import Term, number
from gen.graph.chains import chain
from gen.graph.graph import (
    NUMBER,
    Builder,
    Graph,
    constants,
    operations,
    reachable,
    use_counts,
)
from gen.graph.powers import lower_powers
from gen.model import Expression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.model import Program

# Clusters beyond these are left as they are: each is searched quadratically.
_MAX_TERMS = 64
_MAX_DEPTH = 24
# Derivatives in larger graphs read better in the code than in the docstring.
_LARGEST_SHOWN = 500

_INNER = frozenset({"add", "sub", "neg", "mul"})


@dataclass(slots=True)
class _Product:
    """coefficient * constant * powers * sums."""

    coefficient: Fraction = Fraction(1)
    constant: tuple[int, ...] = ()  # symbolic constants, as nodes of the old graph
    powers: dict[int, int] = field(default_factory=dict)  # node of the old graph: exponent
    sums: tuple[_Sum, ...] = ()

    @property
    def is_scaled(self) -> bool:
        return abs(self.coefficient) != 1 or bool(self.constant)

    @property
    def is_number(self) -> bool:
        return not self.powers and not self.sums


@dataclass(slots=True)
class _Sum:
    terms: list[_Product]
    depth: int = 1


def factor(program: Program) -> Program:
    """The program with its sums and products rewritten where that saves operations."""
    program = replace(program, derivatives=tuple(map(_shown, program.derivatives)))
    graph, found = factor_nodes(program.graph, program.roots)
    # What two clusters had in common may be lost where both are rewritten.
    if _count(graph, found) > _count(program.graph, program.roots):
        return program
    return program.moved(graph, found)


def factor_nodes(graph: Graph, roots: Sequence[int]) -> tuple[Graph, tuple[int, ...]]:
    """The same for the nodes of any graph."""
    result, image = _Rewriter(graph, roots).run()
    return result, tuple(image[root] for root in roots)


def _shown(derivative: Expression | None) -> Expression | None:
    """A derivative on its own, where it is small enough to be read."""
    if derivative is None or len(derivative.graph) > _LARGEST_SHOWN:
        return None
    graph, (node,) = factor_nodes(derivative.graph, [derivative.node])
    return Expression(graph, node)


def _count(graph: Graph, roots: Sequence[int]) -> int:
    return sum(1 for _ in operations(*lower_powers(graph, roots)))


class _Rewriter:
    """One graph on its way into a new one."""

    def __init__(self, graph: Graph, roots: Sequence[int]) -> None:
        self.graph = graph
        self.roots = roots
        self.order = reachable(graph.nodes, roots)
        self.fixed = constants(graph.nodes, self.order)
        self.uses = use_counts(graph.nodes, self.order, roots)
        self.users = self._users()
        self.builder = Builder.beside(graph)
        self.image: dict[int, Term] = {}
        self.open: dict[int, _Product] = {}  # inner nodes of clusters, not yet built
        self.exponents = self._exponents()

    def run(self) -> tuple[Graph, dict[int, int]]:
        for node in self.order:
            self._visit(node)
        return self.builder.freeze(), {root: self.image[root].id for root in self.roots}

    def _users(self) -> dict[int, str]:
        """The operation of the last user of each node."""
        return {arg: self.graph[node].op for node in self.order for arg in self.graph[node].args}

    def _exponents(self) -> dict[int, set[int]]:
        """For each base, the powers of it in the whole graph."""
        found: dict[int, set[int]] = {}
        for node in self.order:
            op, args, exponent = self.graph[node]
            if op == "pow" and isinstance(exponent, int) and exponent > 0:
                found.setdefault(args[0], set()).add(exponent)
        return found

    def _visit(self, node: int) -> None:
        op, args, payload = self.graph[node]
        inner = self.uses[node] == 1 and self.users.get(node) in _INNER
        if node in self.fixed or op not in _INNER:
            operands = tuple(self.image[arg].id for arg in args)
            self.image[node] = Term(self.builder, self.builder.node(op, operands, payload))
            return
        product = self._product(node)
        depth = max((one.depth for one in product.sums), default=0)
        terms = sum(len(one.terms) for one in product.sums)
        if inner and depth < _MAX_DEPTH and terms <= _MAX_TERMS:
            self.open[node] = product
        self.image[node] = self._built(product) if node not in self.open else self._later()

    def _later(self) -> Term:
        """Stands in for the image of an inner node, which nobody asks for."""
        return number(self.builder, 0)

    # ---- reading a cluster

    def _product(self, node: int) -> _Product:
        op, args, _ = self.graph[node]
        parts = [self._part(arg) for arg in args]
        if op == "mul":
            return _multiplied(*parts)
        if op == "neg":
            return replace(parts[0], coefficient=-parts[0].coefficient)
        if op == "sub":
            parts[1] = replace(parts[1], coefficient=-parts[1].coefficient)
        terms = [term for part in parts for term in _terms(part)]
        depth = 1 + max((one.depth for term in terms for one in term.sums), default=0)
        return _Product(sums=(_Sum(terms, depth),))

    def _part(self, node: int) -> _Product:
        if node in self.open:
            return self.open.pop(node)
        op, args, payload = self.graph[node]
        if op == NUMBER and isinstance(payload, Fraction):
            return _Product(coefficient=payload)
        if node in self.fixed:
            return _Product(constant=(node,))
        if op == "pow" and isinstance(payload, int) and payload > 0 and self.uses[node] == 1:
            return _Product(powers={args[0]: payload})
        return _Product(powers={node: 1})

    # ---- choosing

    def _built(self, product: _Product) -> Term:
        if product.sums and sum(len(one.terms) for one in product.sums) <= _MAX_TERMS:
            product = self._improved(product)
        return self._term(product)

    def _improved(self, product: _Product) -> _Product:
        absorbed = _powers(product)
        cost = self._cost(product, absorbed)
        improved = True
        while improved:
            improved = False
            for candidate in _candidates(product):
                lower = self._cost(candidate, absorbed)
                if lower < cost:
                    product, cost, improved = candidate, lower, True
                    break
        return product

    def _cost(self, product: _Product, absorbed: dict[int, set[int]]) -> int:
        """Operations of the product, powers that others compute anyway not counted."""
        powers = _powers(product)
        cost = _operations(product)
        for base, exponents in powers.items():
            others = self.exponents.get(base, set()) - absorbed.get(base, set())
            cost += len(chain(exponents | others)) - len(chain(others))
        return cost

    # ---- writing

    def _term(self, product: _Product) -> Term:
        factors = [self.image[base] ** exponent for base, exponent in product.powers.items()]
        factors += [self._sum(one) for one in product.sums]
        scale = number(self.builder, product.coefficient)
        for node in product.constant:
            scale = scale * self.image[node]
        if not factors:
            return scale
        whole = factors[0]
        for one in factors[1:]:
            whole = whole * one
        return scale * whole

    def _sum(self, one: _Sum) -> Term:
        positive = [term for term in one.terms if term.coefficient > 0]
        head = positive[0] if positive else one.terms[0]
        total = self._term(head)
        for term in one.terms:
            if term is head:
                continue
            if term.coefficient < 0:
                total = total - self._term(replace(term, coefficient=-term.coefficient))
            else:
                total = total + self._term(term)
        return total


def _multiplied(a: _Product, b: _Product) -> _Product:
    powers = dict(a.powers)
    for base, exponent in b.powers.items():
        powers[base] = powers.get(base, 0) + exponent
    coefficient = a.coefficient * b.coefficient
    return _Product(coefficient, a.constant + b.constant, powers, a.sums + b.sums)


def _terms(part: _Product) -> list[_Product]:
    """The terms that a part adds to a sum."""
    if len(part.sums) != 1 or part.powers or part.is_scaled:
        return [part]
    terms = part.sums[0].terms
    if part.coefficient == 1:
        return terms
    return [replace(term, coefficient=-term.coefficient) for term in terms]


def _operations(product: _Product) -> int:
    factors = product.is_scaled + len(product.powers) + len(product.sums)
    cost = max(factors - 1, 0)
    for one in product.sums:
        cost += len(one.terms) - 1 + sum(map(_operations, one.terms))
    return cost


def _powers(product: _Product) -> dict[int, set[int]]:
    """For each base, the powers of it that the product computes."""
    found: dict[int, set[int]] = {}
    pending = [product]
    while pending:
        one = pending.pop()
        for base, exponent in one.powers.items():
            if exponent > 1:
                found.setdefault(base, set()).add(exponent)
        pending.extend(term for inner in one.sums for term in inner.terms)
    return found


def _candidates(product: _Product) -> list[_Product]:
    """The product with one rewriting, at any place in it."""
    found = []
    for place, one in enumerate(product.sums):
        found += [_with_sum(product, place, inner) for inner in _candidate_sums(one)]
        if product.is_scaled and not product.constant:
            scaled = [
                replace(t, coefficient=t.coefficient * product.coefficient) for t in one.terms
            ]
            unscaled = replace(product, coefficient=Fraction(1))
            found.append(_with_sum(unscaled, place, replace(one, terms=scaled)))
        (common, *others) = {abs(term.coefficient) for term in one.terms}
        if not others and common != 1:
            plain = [replace(term, coefficient=term.coefficient / common) for term in one.terms]
            outer = replace(product, coefficient=product.coefficient * common)
            found.append(_with_sum(outer, place, replace(one, terms=plain)))
    return found


def _with_sum(product: _Product, place: int, one: _Sum) -> _Product:
    sums = (*product.sums[:place], one, *product.sums[place + 1 :])
    if len(one.terms) == 1:
        outer = replace(product, sums=product.sums[:place] + product.sums[place + 1 :])
        return _multiplied(outer, one.terms[0])
    return replace(product, sums=sums)


def _candidate_sums(one: _Sum) -> list[_Sum]:
    found = [_pulled(one, base) for base in _common(one)]
    for place, term in enumerate(one.terms):
        for inner in _candidates(term):
            found.append(replace(one, terms=[*one.terms[:place], inner, *one.terms[place + 1 :]]))
    return found


def _common(one: _Sum) -> list[int]:
    """Factors of at least two terms, the most frequent first."""
    counts: dict[int, int] = {}
    for term in one.terms:
        for base in term.powers:
            counts[base] = counts.get(base, 0) + 1
    shared = [base for base, count in counts.items() if count > 1]
    return sorted(shared, key=lambda base: -counts[base])


def _pulled(one: _Sum, base: int) -> _Sum:
    """The sum with `base` taken out of all terms that have it, at the first one's place."""
    chosen = [term for term in one.terms if base in term.powers]
    exponent = min(term.powers[base] for term in chosen)
    inner = _Sum([_without(term, base, exponent) for term in chosen], one.depth)
    group = _Product(powers={base: exponent}, sums=(inner,))
    terms = [group if term is chosen[0] else term for term in one.terms]
    kept = [term for term in terms if term is group or base not in term.powers]
    return _Sum(kept, one.depth + 1)


def _without(term: _Product, base: int, exponent: int) -> _Product:
    powers = dict(term.powers)
    powers[base] -= exponent
    return replace(term, powers={node: n for node, n in powers.items() if n})
