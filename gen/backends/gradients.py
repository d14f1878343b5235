"""The gradients of several inputs: each is computed only if it is asked for.

In: a writer of the backward block, and an emitter that knows how a gradient is finished.
Out: the lines that compute them, and those of the functions that a long body is cut into.
What several gradients need stands before, under the condition that any of them is asked
for. In a large body it is computed in any case, and each gradient follows as soon as it
can be computed, so that little is kept for long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gen.backends.layout import BODY, WIDTH, none
from gen.backends.pieces import FREED, LARGEST, Scope, Step, cut, freed, step, steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.backends.code import Writer
    from gen.backends.outline import Outline
    from gen.model import Kernel, Operand

_SCATTERED = 8  # gradients are asked for one by one up to this many


class Finisher(Protocol):
    """What an emitter knows of a gradient."""

    kernel: Kernel
    outline: Outline
    needs: str

    def finish(self, operand: Operand, code: str) -> str:
        """The code of a gradient from that of its cotangent."""

    def guard(self, operand: Operand) -> str:
        """What a gradient needs besides being asked for."""

    def scope(self, writer: Writer, optional: str, grads: Sequence[str] = ()) -> Scope:
        """The names of a body and their types."""


class Gradients:
    """The gradients of one kernel, of which there are at least two.

    Args:
        emitter: how they are finished.
        writer: of the backward block, whose lines begin with what is unpacked.
    """

    def __init__(self, emitter: Finisher, writer: Writer) -> None:
        self.emitter = emitter
        self.writer = writer
        self.operations = emitter.kernel.backward_operations
        self.roots = {
            place: node
            for place, node in enumerate(emitter.kernel.backward.results)
            if node is not None
        }
        self.names = {
            place: writer.names.fresh(f"grad_{emitter.outline.identifier(self._operand(place))}")
            for place in self.roots
        }
        self.functions: list[str] = []  # the lines of those that the body calls

    def _operand(self, place: int) -> Operand:
        return self.emitter.kernel.operands[place]

    def lines(self) -> list[str]:
        """The lines that compute all that are asked for."""
        return self._straight() if self.operations > LARGEST else self._grouped()

    def _condition(self, place: int) -> str:
        guard = self.emitter.guard(self._operand(place))
        return f"if {self.emitter.needs}[{place}]{guard}:"

    def _taken(self, start: int) -> list[str]:
        """The lines written since `start`, taken off the writer."""
        lines = self.writer.lines[start:]
        del self.writer.lines[start:]
        return lines

    # ---- grouped by who asks

    def _grouped(self) -> list[str]:
        start = len(self.writer.lines)
        needs = self.writer.needs()
        self._shared(needs)
        own: dict[int, list[int]] = {}
        for node, needed in needs.items():
            if needed.bit_count() == 1:
                own.setdefault(needed.bit_length() - 1, []).append(node)
        for place in self.roots:
            block = self._own(place, own.get(place, []))
            self.writer.lines.append(self._condition(place))
            self.writer.lines += [f"    {line}" for line in block]
        lines = self._taken(start)
        if self.operations > FREED:
            lines = freed(steps(lines), list(self.names.values()), self.writer.arrays)
        return [*none(list(self.names.values())), *lines]

    def _shared(self, needs: dict[int, int]) -> None:
        """What several gradients need, computed once if any of them is asked for."""
        writer, count = self.writer, len(self.roots)
        opened = 0
        for node, needed in needs.items():
            asking = needed.bit_count()
            if asking < 2:
                continue
            before = len(writer.lines)
            writer.write("" if asking == count else "    ", [node])
            written = len(writer.lines) > before
            if written and asking < count and needed != opened:
                writer.lines.insert(before, f"if {_asked(self.emitter.needs, needed)}:")
            if written:
                opened = needed if asking < count else 0

    def _own(self, place: int, nodes: list[int]) -> list[str]:
        """The lines that compute one gradient, from what it shares with others."""
        start = len(self.writer.lines)
        self.writer.write("", nodes)
        self._finish(place)
        lines = self._taken(start)
        if self.operations <= FREED or len(lines) == 1:
            return lines
        whole = steps(lines)
        if len(lines) > LARGEST:
            *whole, last = whole
            scope = self.emitter.scope(self.writer, "")
            calls, functions = cut(
                self.writer.names.private(self.names[place]), whole, last.lines, scope
            )
            self.functions += functions
            whole = [*calls, last]
        return freed(whole, [], self.writer.arrays, ends=False)

    def _finish(self, place: int) -> None:
        writer, operand = self.writer, self._operand(place)
        code, before = writer.code(self.roots[place]), f"{self.names[place]} = "
        line = before + self.emitter.finish(operand, code)
        if not operand.zero and len(line) > WIDTH - BODY - 4 and not code.isidentifier():
            line = before + self.emitter.finish(operand, writer.named(self.roots[place]))
        writer.lines.append(line)

    # ---- straight through

    def _straight(self) -> list[str]:
        start = len(self.writer.lines)
        owners = self.writer.owners()
        own: dict[int, list[int]] = {}
        for node, owner in owners.items():
            own.setdefault(owner, []).append(node)
        whole: list[Step] = []
        ends: dict[int, list[int]] = {}
        for place, root in self.roots.items():
            ends.setdefault(root, []).append(place)
        for node, owner in owners.items():
            if owner < 0:
                self.writer.write("", [node])
            if node in ends:
                whole += steps(self._taken(start))
                whole += [self._gradient(place, own.get(place, [])) for place in ends[node]]
        names = list(self.names.values())
        scope = self.emitter.scope(self.writer, "", names)
        calls, functions = cut(self.writer.names.private("backward"), whole, names, scope)
        self.functions += functions
        return freed(calls, names, self.writer.arrays)

    def _gradient(self, place: int, nodes: list[int]) -> Step:
        """One gradient, None where it is not asked for."""
        before = len(self.writer.made)
        block = self._own(place, nodes)
        lines = (f"{self.names[place]} = None", self._condition(place))
        found = step([*lines, *(f"    {line}" for line in block)])
        return found._replace(inner=tuple(self.writer.made[before:]))


def _asked(needs: str, places: int) -> str:
    """The condition under which one of several gradients is asked for, a bit for each."""
    count = places.bit_count()
    first, last = (places & -places).bit_length() - 1, places.bit_length() - 1
    if count == 2:
        return f"{needs}[{first}] or {needs}[{last}]"
    # Of many scattered ones the whole range: what they share needs no less.
    if last - first + 1 == count or count > _SCATTERED:
        return f"any({needs}[{first}:{last + 1}])"
    listed = tuple(place for place in range(first, last + 1) if places >> place & 1)
    return f"any({needs}[i] for i in {listed})"
