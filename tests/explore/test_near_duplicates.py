"""The search for near duplicates finds what comparing with every group finds, and does not slow down."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.explore import near_duplicates
from impasto.explore.near_duplicates import Groups, regrouped

BYTES = 19


class Scan:
    """Every group is compared, the first one that is near counts."""

    def __init__(self, names: list[str]) -> None:
        self.names = list(dict.fromkeys(names))
        self.known = np.array([list(bytes.fromhex(name)) for name in self.names], np.uint8).reshape(-1, BYTES)

    def find(self, name: str) -> str:
        own = np.frombuffer(bytes.fromhex(name), np.uint8)
        bits = np.unpackbits(self.known[:, :16] ^ own[:16], axis=1).sum(1)
        colours = np.abs(self.known[:, 16:].astype(int) - own[16:]).max(1, initial=0)
        near = np.flatnonzero((bits <= 10) & (colours <= 8))
        if len(near):
            return self.names[near[0]]
        self.names.append(name)
        self.known = np.vstack([self.known, own])
        return name


def changed(signature: bytes, bits: list[int], colours: tuple[int, int, int]) -> bytes:
    number = int.from_bytes(signature[:16], "big")
    for bit in bits:
        number ^= 1 << bit
    moved = (min(255, max(0, colour + by)) for colour, by in zip(signature[16:], colours, strict=True))
    return number.to_bytes(16, "big") + bytes(moved)


few_bits = st.integers(0, 13).flatmap(lambda n: st.lists(st.integers(0, 127), min_size=n, max_size=n, unique=True))
a_little = st.tuples(*[st.integers(-10, 10)] * 3)
corners = st.sampled_from([bytes(19), b"\xff" * 19, bytes(16) + b"\x80" * 3, b"\xaa" * 16 + b"\xff\x00\x08"])
bases = corners | st.binary(min_size=BYTES, max_size=BYTES)
# few, far from one another, and others around them at the distances that decide
streams = st.lists(bases, min_size=1, max_size=4).flatmap(
    lambda some: st.lists(st.builds(changed, st.sampled_from(some), few_bits, a_little), min_size=1, max_size=60)
)


@pytest.fixture(params=[(2, 2, 0), (3, 4, 256), (1024, 16, 256), (3, 4, None)], ids=str)
def tiers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few in a list, so that there are many lists; None: as with a NumPy that cannot count bits."""
    for name, value in zip(("_UNSORTED", "_LONGER", "_MANY"), request.param, strict=True):
        monkeypatch.setattr(near_duplicates, name, value or 0)
    if request.param[2] is None:
        monkeypatch.setattr(near_duplicates, "_COUNTING", False)


@pytest.mark.usefixtures("tiers")
def test_the_same_groups_as_by_comparing_with_all():
    @given(streams, st.integers(0, 20))
    @settings(deadline=None, max_examples=60)
    def check(stream: list[bytes], given_before: int) -> None:
        names = [signature.hex() for signature in stream]
        before, names = names[:given_before], names[given_before:]
        groups, scan = Groups(before), Scan(before)
        assert [groups.find(name) for name in names] == [scan.find(name) for name in names]

    check()


def distributions() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    count = 400
    colours = rng.integers(0, 256, (count, 3), np.uint8)
    plain = np.packbits(rng.random((count, 128)) < rng.random((count, 1)) * 0.15, axis=1)
    centres = rng.integers(0, 256, (20, 16), np.uint8)[rng.integers(0, 20, count)]
    clustered = centres ^ np.packbits(rng.random((count, 128)) < 0.06, axis=1)
    sky = np.packbits((rng.random((count, 128)) < 0.5) & (np.arange(128) % 64 >= 32), axis=1)
    grey = np.repeat(rng.normal(120, 30, (count, 1)).clip(0, 255).astype(np.uint8), 3, axis=1)
    return {
        "random": np.hstack([rng.integers(0, 256, (count, 16), np.uint8), colours]),
        "plain": np.hstack([plain, grey]),
        "all bits equal": np.hstack([np.zeros((count, 16), np.uint8), colours]),
        "clustered": np.hstack([clustered, colours // 8 + 100]),
        "half sky": np.hstack([sky, grey]),
    }


@pytest.mark.usefixtures("tiers")
@pytest.mark.parametrize("name", distributions())
def test_whatever_the_pictures_are_like(name: str):
    names = [row.tobytes().hex() for row in distributions()[name]]
    groups, scan = Groups(), Scan([])
    found = [groups.find(one) for one in names]
    assert found == [scan.find(one) for one in names]
    assert [Groups(found).find(one) for one in found] == [Scan(found).find(one) for one in found]


@pytest.mark.usefixtures("tiers")
@pytest.mark.parametrize("together", [1, 50, 2**20], ids=["one by one", "in parts", "at once"])
@pytest.mark.parametrize("name", distributions())
def test_groups_of_several_parts_are_those_of_one_search(name: str, together: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(near_duplicates, "_TOGETHER", together)
    names = list(dict.fromkeys(row.tobytes().hex() for row in distributions()[name]))
    scan = Scan([])
    expected = {one: group for one in names if (group := scan.find(one)) != one}
    firsts = {one: f"{number:04}.png" for number, one in enumerate(names)} | {"of no picture": "0.wav"}
    assert regrouped(dict(reversed(firsts.items()))) == expected
    assert expected or name in ("random", "half sky")


def test_few_are_looked_at_however_many_there_are(monkeypatch: pytest.MonkeyPatch):
    """Counted, and not timed: of random signatures a millionth of all pairs is compared."""
    looked_at = 0
    near = Groups._near

    def counting(self: Groups, numbers: np.ndarray, *others: np.ndarray) -> np.ndarray:
        nonlocal looked_at
        looked_at += len(numbers)
        return near(self, numbers, *others)

    rows = np.random.default_rng(0).integers(0, 256, (50_500, BYTES), np.uint8)
    groups = Groups(row.tobytes().hex() for row in rows[:50_000])
    monkeypatch.setattr(Groups, "_near", counting)
    for row in rows[50_000:]:
        groups.find(row.tobytes().hex())
    assert looked_at / 500 < 300  # most of them those that are not sorted yet
