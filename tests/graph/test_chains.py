"""Addition chains: each is one, and few are longer than the shortest there is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gen.graph.chains import chain

# The shortest addition chains, https://oeis.org/A003313, for 1 to 32.
SHORTEST = (
    *(0, 1, 2, 2, 3, 3, 4, 3, 4, 4, 5, 4, 5, 5, 5, 4),
    *(5, 5, 6, 5, 6, 6, 6, 5, 6, 6, 6, 6, 7, 6, 7, 5),
)

# 1 2 3 5 10 20 23 takes 6 steps; neither the binary nor the factor method finds it.
LONGER_BY_ONE = {23}


def _binary(exponent: int) -> int:
    """Steps of the binary method: one for each doubling, one for each further digit 1."""
    return exponent.bit_length() - 1 + exponent.bit_count() - 1


def assert_chain(steps: tuple[tuple[int, int, int], ...]) -> None:
    """Check that each step adds two numbers that are there already, and makes a new one."""
    for place, (total, a, b) in enumerate(steps):
        earlier = {1, *(step[0] for step in steps[:place])}
        assert total == a + b
        assert {a, b} <= earlier
        assert total not in earlier


@pytest.mark.parametrize("exponent", range(1, 101))
def test_a_chain_reaches_its_exponent(exponent: int) -> None:
    steps = chain([exponent])
    assert_chain(steps)
    assert exponent in {1, *(step[0] for step in steps)}


@pytest.mark.parametrize("exponent", range(1, 101))
def test_a_chain_is_at_most_as_long_as_the_binary_methods(exponent: int) -> None:
    assert len(chain([exponent])) <= _binary(exponent)


@pytest.mark.parametrize("exponent", range(1, 33))
def test_a_chain_is_the_shortest_up_to_32(exponent: int) -> None:
    assert len(chain([exponent])) == SHORTEST[exponent - 1] + (exponent in LONGER_BY_ONE)


@pytest.mark.parametrize(
    ("exponents", "length"),
    [
        ([], 0),
        ([1], 0),
        ([2, 3], 2),
        ([3, 4], 3),
        ([6, 12], 4),
        ([2, 4, 8, 16], 4),
        ([7, 14], 5),
        ([12, 6, 3], 4),
        ([5, 10, 20, 40], 6),
    ],
    ids=str,
)
def test_exponents_share_their_steps(exponents: list[int], length: int) -> None:
    assert len(chain(exponents)) == length


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sets(st.integers(1, 128), min_size=1, max_size=6))
def test_a_set_of_exponents_costs_no_more_than_each_alone(exponents: set[int]) -> None:
    steps = chain(exponents)
    assert_chain(steps)
    assert exponents <= {1, *(step[0] for step in steps)}
    assert len(steps) <= sum(_binary(exponent) for exponent in exponents)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.sets(st.integers(1, 64), min_size=1, max_size=6))
def test_the_order_of_the_exponents_does_not_matter(exponents: set[int]) -> None:
    assert chain(sorted(exponents)) == chain(sorted(exponents, reverse=True))


def test_the_largest_exponent_that_is_read() -> None:
    assert len(chain([4096])) == 12
    assert len(chain([4095])) <= _binary(4095)
