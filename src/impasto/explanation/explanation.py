"""An explained painting: what is known of its places, and the page that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import SettingsError
from impasto.explanation.grid import Axis, Places, on_pixels
from impasto.explanation.origins import Origins
from impasto.explanation.page import write_page
from impasto.media.signal import Values


@dataclass(frozen=True)
class Cost:
    """What a term costs at a layer, and on which positions it hangs.

    Attributes:
        term: its name.
        layer: "" for a cost of G itself.
        weight: of the term in J.
        shares: what each position of the layer adds to J, float64 (height, width), weights included; they sum to what the
            term adds to J at the layer.
        axes: the positions on the picture.
    """

    term: str
    layer: str
    weight: float
    shares: NDArray[np.float64]
    axes: tuple[Axis, Axis]

    @property
    def total(self) -> float:
        """What the term adds to J at the layer."""
        return float(self.shares.sum())

    @property
    def pixels(self) -> NDArray[np.float64]:
        """The shares on the pixels (height, width): of a position on those that are nearest to its centre, evenly."""
        return on_pixels(self.shares, self.axes)


@dataclass(frozen=True)
class Explanation:
    """A painting explained; :func:`explain` makes it.

    Attributes:
        name: of the painting.
        record: how it was made, as it is written in its file.
        generated: G as the network sees it, (1 or 3, height, width) in 0..1.
        content: C, of the same shape.
        styles: the styles as the network sees them, each (1 or 3, its height, its width).
        costs: all of J, by term and layer.
        places: the squares of G that one can point at.
        origins: by layer the places of the styles that each place of G is most like.
        fields: by layer the axes of G and those of each style.
        reduced: whether it was painted larger than it is looked at here, so that its J was another one.
        seconds: that it took.
    """

    name: str
    record: Mapping[str, Any]
    generated: Values
    content: Values
    styles: tuple[Values, ...]
    costs: tuple[Cost, ...]
    places: Places
    origins: Mapping[str, Origins]
    fields: Mapping[str, tuple[tuple[Axis, Axis], ...]]
    reduced: bool
    seconds: float

    def map_of(self, term: str | None = None, layer: str | None = None) -> NDArray[np.float64]:
        """What each pixel adds to J, (height, width): of all of J, of a term, or of a term at a layer; it sums to that cost.

        Raises:
            SettingsError: J has no such term there.
        """
        found = [c for c in self.costs if term in (None, c.term) and layer in (None, c.layer)]
        if not found:
            known = ", ".join(dict.fromkeys(c.term for c in self.costs))
            raise SettingsError(f"J has no term {term!r}{f' at {layer}' if layer else ''}; its terms: {known}")
        return np.sum([c.pixels for c in found], axis=0)

    def totals(self) -> dict[str, float]:
        """What each term adds to J."""
        names = dict.fromkeys(c.term for c in self.costs)
        return {name: sum(c.total for c in self.costs if c.term == name) for name in names}

    def write(self, path: str | Path, other: Explanation | None = None) -> None:
        """Write it as one page that needs no server, with what is different from another painting if there is one.

        Raises:
            SignalError: the file cannot be written.
        """
        write_page(self, path, other)
