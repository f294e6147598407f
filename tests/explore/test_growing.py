"""A mapping that grows shares what is there, and every state of it stays as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from impasto.explore.growing import Growing

names = st.dictionaries(st.text("abcde", min_size=1, max_size=2), st.sampled_from("xyz"), max_size=4)


@given(st.lists(st.tuples(st.integers(0, 30), names), max_size=12))
def test_every_state_is_as_a_copy_would_be(steps: list[tuple[int, dict[str, str]]]):
    """Extended from any state before, also from one that has been extended already."""
    states: list[tuple[Growing, dict[str, str]]] = [(Growing(), {})]
    for place, items in steps:
        growing, copied = states[place % len(states)]
        states.append((growing.extended(items), {**copied, **items}))
    for growing, copied in states:
        assert list(growing.items()) == list(copied.items())
        assert len(growing) == len(copied)
        assert growing == copied
        for name in "abcde":
            assert (name in growing) == (name in copied)
            assert growing.get(name) == copied.get(name)


def test_nothing_is_copied():
    first = Growing({"a": "x"})
    assert first.extended({"b": "y"})._texts is first._texts
    assert first.extended({}) is first


def test_it_can_be_extended_while_it_is_gone_through():
    growing = Growing({"a": "x", "b": "y"})
    assert [(name, len(growing.extended({name * 2: "z"}))) for name in growing] == [("a", 3), ("b", 3)]
