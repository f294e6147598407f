"""How far the drawing, and not only the paint, is the style's: the J by which its forms are placed, or drawn first."""

from __future__ import annotations

from typing import NamedTuple

from impasto.errors import SettingsError
from impasto.media.medium import Medium
from impasto.media.resolved import NetworkChoice
from impasto.networks.registry import constructor_of, shares_of_draw
from impasto.objective.content import content
from impasto.objective.neighbours import neighbours
from impasto.objective.term import Objective
from impasto.transfer.settings import TransferSettings

# weights of J_neighbours, whose unit is the cosine, beside a J_content whose unit is a squared relative error
_PLACED, _DRAWN = 10.0, 25.0


class Drawing(NamedTuple):
    """What is descended in place of J at some scales; None where it is J.

    Attributes:
        drawing: at the coarse scales, at which a picture is drawn before it is painted.
        placing: at the scales up to 512, at which it is painted.
    """

    drawing: Objective | None = None
    placing: Objective | None = None


def draws(settings: TransferSettings, choice: NetworkChoice) -> bool:
    """Whether the network of the settings, or the one that is given, has the layers by which it is drawn."""
    row = constructor_of(settings.network)
    layers = {layer for layer, _ in (*row.placing_layers, *row.drawing_layers)}
    return bool(layers) and choice.has(layers)


def drawing_of(settings: TransferSettings, medium: Medium, choice: NetworkChoice, painting: Objective) -> Drawing:
    """The J of drawing and placing, of settings in which nothing is open.

    b is beta in units of its default. Painting, 2 draw (alpha b)^(1/2) 10 J_neighbours is added to J, up to a draw of 0.5;
    it ties content and style together, and is nothing without one of them. Above 0.5 the content is drawn first, by
    d = 2 draw - 1: d b 25 J_neighbours + (1 - d) alpha J_content.

    Raises:
        SettingsError: it is not known by which layers the network draws.
    """
    if not settings.draw:
        return Drawing()
    if not draws(settings, choice):
        raise SettingsError(
            f"draw is {settings.draw:g}, but network {choice.name!r} does not draw: 0, or vgg19, was expected"
        )
    row, (placed, drawn) = constructor_of(settings.network), shares_of_draw(settings.draw)
    if drawn and not medium.is_picture:
        raise SettingsError(
            f"draw is {settings.draw:g}, but only pictures are drawn first: of {medium.noun} 0..0.5 was expected"
        )
    strength = (settings.beta or 0.0) / medium.defaults["beta"]
    tie = placed * _PLACED * (settings.alpha * strength) ** 0.5
    placing = painting + tie * neighbours(row.placing_layers) if tie else None
    if not drawn:
        return Drawing(None, placing)
    drawing = drawn * strength * _DRAWN * neighbours(row.drawing_layers)
    hold = (1 - drawn) * settings.alpha
    return Drawing(drawing + hold * content(settings.content_weights) if hold else drawing, placing)
