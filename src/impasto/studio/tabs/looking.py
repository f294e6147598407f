"""What a visitor looks at on the Explore tab."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from impasto.studio.components.unit_browser import ORDERS, UnitBrowser
from impasto.studio.state import SHARED

COUNT = 24
"""Units on a page."""
_FIRST_LAYER = "relu3_1"
_LONGEST = 60  # letters that are looked for


@dataclass(frozen=True)
class Looking:
    """What a visitor looks at.

    Attributes:
        browser: the name of a unit browser.
        layer: of its network.
        first: the place, in this order, of the first unit that is seen of the layer; -1 for the page that has the unit.
        unit: the number of the one that is seen large; -1 for the first one on the page.
        network: what the next search asks.
        order: of the units, one of :data:`impasto.studio.components.unit_browser.ORDERS`.
        find: a part of the name of a photograph, of which the units must have a patch.
        visitor: who looks, as :class:`impasto.studio.visits.Visits` names them; "" before the tab is opened.
    """

    browser: str = SHARED
    layer: str = ""
    first: int = 0
    unit: int = 0
    network: str = "vgg19"
    order: str = "number"
    find: str = ""
    visitor: str = ""

    @property
    def title(self) -> str:
        """The unit in words."""
        return f"{self.layer} · unit {self.unit}"

    def chosen(self, event: Any) -> Looking:
        """Where somebody goes from here, as the page tells it; a number that is looked for is that of a unit.

        Raises:
            AttributeError, TypeError, ValueError: the page tells something else.
        """
        find, order = str(event.find or "").strip()[:_LONGEST], str(event.order)
        if order not in ORDERS:
            raise ValueError(order)
        unit, first = -1 if event.unit is None else int(event.unit), max(0, int(event.first))
        if find.isdecimal():
            find, unit, first = "", int(find), -1
        return replace(self, layer=str(event.layer), first=first, unit=unit, order=order, find=find)

    def within(self, browser: UnitBrowser) -> tuple[Looking, list[int]]:
        """What is looked at, if the browser has it, else what is next to it; and the units of that page."""
        layers = browser.index.layers
        layer = self.layer if self.layer in layers else _FIRST_LAYER if _FIRST_LAYER in layers else next(iter(layers))
        units = browser.ordered(layer, self.order, self.find)
        place = self.first if self.first >= 0 or self.unit not in units else units.index(self.unit)
        first = min(max(place, 0), max(len(units) - 1, 0)) // COUNT * COUNT
        page = units[first : first + COUNT]
        unit = self.unit if self.unit in layers[layer] else page[0] if page else next(iter(layers[layer]))
        return replace(self, layer=layer, first=first, unit=unit), units

    def as_dict(self) -> Mapping[str, Any]:
        """All but the visitor, as JSON."""
        kept = ("browser", "layer", "first", "unit", "network", "order", "find")
        return {name: getattr(self, name) for name in kept}
