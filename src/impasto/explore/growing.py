"""A mapping that is extended without being copied; whoever holds an earlier state still sees only that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice


class Growing(Mapping[str, str]):
    """Texts by name, in the order in which they came.

    To extend it gives another mapping, which shares what both have; it takes as long as what is new, however much there is.

    Args:
        items: the first ones.
    """

    def __init__(self, items: Mapping[str, str] | None = None) -> None:
        items = items or {}
        self._places = {name: place for place, name in enumerate(items)}
        self._texts = list(items.values())
        self._count = len(self._texts)

    def extended(self, items: Mapping[str, str]) -> Growing:
        """This mapping, with ``items`` after it; a name that is there gets the new text in its place."""
        if not items:
            return self
        if self._count != len(self._texts) or not self._places.keys().isdisjoint(items):
            return Growing({**self, **items})  # it was extended before, or a name gets another text: only a copy is right
        for place, (name, text) in enumerate(items.items(), start=self._count):
            self._texts.append(text)  # before the place: after an interruption between the two, a copy is made
            self._places[name] = place
        other = Growing.__new__(Growing)
        other._places, other._texts, other._count = self._places, self._texts, len(self._texts)
        return other

    def __getitem__(self, name: str) -> str:
        place = self._places[name]
        if place >= self._count:
            raise KeyError(name)
        return self._texts[place]

    def __iter__(self) -> Iterator[str]:
        # as a list, since the names may be extended while somebody goes through these
        return iter(list(islice(self._places, self._count)))

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"Growing({dict(self)})"
