"""The cheapest of several ways to rewrite a program.

In: programs of one formula, and recipes: passes from a graph and its roots to another
graph. Out: the program that costs least, by the weights of the table of operations, then
by their number; where recipes tie, the first.

Two things were measured and left out. SymPy's candidates (cse, factor, factor_terms, horner,
together, on everything up to 120 nodes): over 134 formulas they lower the weighted cost by
another 1.9 %, take ten times as long as everything else, and most of what they gain is not
safe: they expand 1 - p, cancel divisions and turn g*(a/y), with a/y at most 1, into (g/y)*a.
Shared reciprocals: 1/b and then products instead of two to four divisions by b is slower in
numpy and in torch at 1e3, 1e5 and 1e6 numbers alike, for arrays are divided as fast as they
are read; and in half precision 0*(1/b) is NaN from b = 1e-5 downwards, where 0/b is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from gen.graph.cost import cost
from gen.graph.graph import Graph
from gen.model import Expression, Program

Roots: TypeAlias = tuple[int, ...]
Pass: TypeAlias = Callable[[Graph, Sequence[int]], tuple[Graph, Roots]]
Recipe: TypeAlias = tuple[Pass, ...]

# In larger graphs only the cheapest of the programs is rewritten at all, in still larger
# ones by the first recipe alone: a body of 1e4 operations is to take less than a second.
_LARGEST_COMPARED = 2_000
_LARGEST_SEARCHED = 12_000
# Derivatives in larger graphs read better in the code than in the docstring.
_LARGEST_SHOWN = 500


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A rewritten graph, and what it costs."""

    graph: Graph
    roots: Roots
    cost: tuple[int, int]


def cheapest(programs: Sequence[Program], recipes: Sequence[Recipe]) -> Program:
    """The cheapest program; its derivatives to be shown are rewritten by the first recipe."""
    started = [(one, _candidate(one.graph, one.roots)) for one in programs]
    if max(len(one.graph) for one in programs) > _LARGEST_COMPARED:
        started = [min(started, key=lambda pair: pair[1].cost)]
    found = [(one, _rewritten(start, recipes)) for one, start in started]
    best, rewritten = min(found, key=lambda pair: pair[1].cost)
    shown = tuple(_shown(one, recipes[0]) for one in best.derivatives)
    return replace(best.moved(rewritten.graph, rewritten.roots), derivatives=shown)


def cheapest_nodes(
    graph: Graph, roots: Sequence[int], recipes: Sequence[Recipe]
) -> tuple[Graph, Roots]:
    """The same for nodes of any graph."""
    best = _rewritten(_candidate(graph, roots), recipes)
    return best.graph, best.roots


def _rewritten(start: _Candidate, recipes: Sequence[Recipe]) -> _Candidate:
    """The cheapest of a graph as it is and what the recipes make of it."""
    chosen = recipes if len(start.graph) <= _LARGEST_SEARCHED else recipes[:1]
    found = [_followed(start.graph, start.roots, recipe) for recipe in chosen]
    changed = [_candidate(graph, ends) for graph, ends in found if graph is not start.graph]
    return min([start, *changed], key=lambda one: one.cost)


def _candidate(graph: Graph, roots: Sequence[int]) -> _Candidate:
    return _Candidate(graph, tuple(roots), cost(graph, roots))


def _followed(graph: Graph, roots: Sequence[int], recipe: Recipe) -> tuple[Graph, Roots]:
    found = tuple(roots)
    for rewrite in recipe:
        graph, found = rewrite(graph, found)
    return graph, found


def _shown(derivative: Expression | None, recipe: Recipe) -> Expression | None:
    """A derivative on its own, where it is small enough to be read."""
    if derivative is None or len(derivative.graph) > _LARGEST_SHOWN:
        return None
    graph, (node,) = _followed(derivative.graph, [derivative.node], recipe)
    return Expression(graph, node)
