"""The cheapest of several ways to rewrite a program.

In: programs of one formula, and recipes: passes from a graph and its roots to another
graph. Out: the program that costs least, by the weights of the table of operations, then
by their number; where recipes tie, the first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from gen.graph.cost import cost
from gen.graph.graph import Graph
from gen.model import Expression, Program

Roots: TypeAlias = tuple[int, ...]
Pass: TypeAlias = Callable[[Graph, Sequence[int]], tuple[Graph, Roots]]
Recipe: TypeAlias = tuple[Pass, ...]

# In larger graphs only the best of the programs is tried with every recipe.
_LARGEST_TRIED = 1000
# Derivatives in larger graphs read better in the code than in the docstring.
_LARGEST_SHOWN = 500


def cheapest(programs: Sequence[Program], recipes: Sequence[Recipe]) -> Program:
    """The cheapest program; its derivatives to be shown are rewritten by the first recipe."""
    first, *rest = recipes
    found = sorted((_shorter(one, [(), first]) for one in programs), key=_cost)
    if len(found[0].graph) > _LARGEST_TRIED:
        found = found[:1]
    best = min((_shorter(one, [(), *rest]) for one in found), key=_cost)
    return replace(best, derivatives=tuple(_shown(one, first) for one in best.derivatives))


def cheapest_nodes(
    graph: Graph, roots: Sequence[int], recipes: Sequence[Recipe]
) -> tuple[Graph, Roots]:
    """The same for nodes of any graph."""
    found = [_followed(graph, roots, recipe) for recipe in recipes]
    return min(found, key=lambda one: cost(*one))


def _followed(graph: Graph, roots: Sequence[int], recipe: Recipe) -> tuple[Graph, Roots]:
    found = tuple(roots)
    for rewrite in recipe:
        graph, found = rewrite(graph, found)
    return graph, found


def _shorter(program: Program, recipes: Sequence[Recipe]) -> Program:
    """A program, its output and gradients by the recipe that makes them cheapest."""
    graph, (output, *found) = cheapest_nodes(program.graph, _roots(program), recipes)
    rest = iter(found)
    gradients = tuple(None if node is None else next(rest) for node in program.gradients)
    return replace(program, graph=graph, output=output, gradients=gradients)


def _cost(program: Program) -> tuple[int, int]:
    return cost(program.graph, _roots(program))


def _roots(program: Program) -> Roots:
    return (program.output, *(node for node in program.gradients if node is not None))


def _shown(derivative: Expression | None, recipe: Recipe) -> Expression | None:
    """A derivative on its own, where it is small enough to be read."""
    if derivative is None or len(derivative.graph) > _LARGEST_SHOWN:
        return None
    graph, (node,) = _followed(derivative.graph, [derivative.node], recipe)
    return Expression(graph, node)
