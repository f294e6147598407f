"""A painting explained: which places of the styles each place of it is like, and how much of J hangs on it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from impasto.errors import SettingsError, SignalError
from impasto.explain.grid import Axis, Places, axes_of, on_pixels
from impasto.explain.origins import Origins, origins_of
from impasto.explain.record import record_in, sources_of
from impasto.media.prepared import Prepared
from impasto.media.read_write import find_medium, read_signal
from impasto.media.registry import medium_of
from impasto.media.signal import Signal, Values
from impasto.media.styles import Source, Style
from impasto.networks.device import find_device
from impasto.networks.network import Network
from impasto.objective.evaluation import BoundObjective
from impasto.transfer.inputs import Inputs, take_in
from impasto.transfer.painting import Painting
from impasto.transfer.record import record_of
from impasto.transfer.scales import objective_at
from impasto.transfer.settings import TransferSettings

SIZE = 512
"""The longest side at which a painting is looked at unless one says so."""
FOUND = 3
"""How many places of the styles are looked for, for each place of G."""
# the sides of a picture may be in another proportion than those of its content by this share
_PROPORTION = 0.03


@dataclass(frozen=True)
class Cost:
    """What a term costs at a layer, and on which positions it hangs.

    Attributes:
        term: its name.
        layer: "" for a cost of G itself.
        weight: of the term in J.
        shares: what each position of the layer adds to J, float64 (height, width), weights included. See
            :mod:`impasto.objective.attribution`; they sum to what the term adds to J at the layer.
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
        from impasto.explain.page import write_page  # which needs this module

        write_page(self, path, other)


def explain(
    painting: Painting | str | Path,
    *,
    content: Source | None = None,
    style: Style | Sequence[Style] | None = None,
    size: int = SIZE,
) -> Explanation:
    """Explain a painting of a picture: where its places come from, and what they cost.

    >>> explanation = impasto.explain("out.png")
    >>> explanation.write("out.html")
    >>> explanation.map_of("style")  # what each pixel adds to J, (height, width)

    Args:
        painting: what was painted, or the file of one, which has its settings inside.
        content: what it was painted from, if it is not beside the file under its name.
        style: the same of the style, or a list of all styles; their shares are those of the record.
        size: the longest side at which it is looked at; a painting that is larger is made smaller. Time and memory grow with
            its square: 512 pixels take about 2 GiB.

    Raises:
        SignalError: a file is missing, is no painting of impasto, or not of this content.
        SettingsError: it is no picture, or its J or network was made by a program and is not in the file.
    """
    began = time.monotonic()
    name, record, signal, inputs = _taken_in(painting, content, style)
    settings, shape = inputs.settings, inputs.content.shape
    whole = settings.size or max(shape)
    seen = min(whole, size)
    with torch.no_grad():
        here = settings.at(seen, settings.iterations, objective_at(settings, whole))
        prepared: Prepared = inputs.medium.prepare(inputs.content, inputs.styles, here)
        _check_proportion(name, signal, prepared)
        device = find_device(settings.device)
        network = prepared.network.to(device)
        generated = prepared.fit(signal).to(device)
        costs = _costs(prepared, network, generated)
        places = Places.of(_shape(generated))
        layers = _layers_of_style(here.objective.layers, network, prepared)
        origins, fields = _origins(network, generated, prepared, layers, places)
    return Explanation(
        name,
        record,
        generated[0].cpu().numpy(),
        prepared.content[0].numpy(),
        tuple(one[0].numpy() for one, _ in prepared.style),
        costs,
        places,
        origins,
        fields,
        seen < whole,
        time.monotonic() - began,
    )


def _taken_in(
    painting: Painting | str | Path, content: Source | None, style: Style | Sequence[Style] | None
) -> tuple[str, dict[str, Any], Signal, Inputs]:
    """The name of a painting, its record, the picture itself, and what it was painted from."""
    if isinstance(painting, Painting):
        name, signal = "the painting", painting.signal
        record = record_of(painting.about, painting.settings, painting.best.cost)
        _check_picture(name, signal.kind)
        shares = [share for _, share in _named(record)]
        sources: Any = (painting.content, list(zip(painting.styles, shares, strict=True)))
    elif isinstance(painting, str | Path):  # pyright: ignore[reportUnnecessaryIsInstance]
        path = Path(painting)
        name = path.name
        _check_picture(str(path), find_medium(path).name)
        record = record_in(path)
        sources = sources_of(path, record, content, style)
        signal = read_signal(path)
    else:
        raise SettingsError(f"a {type(painting).__name__} was given; a Painting, or the file of one, was expected")
    for what in ("objective", "optimizer"):
        if what == "objective" and what in record:
            raise SettingsError(f"{name} was painted by a program with a J of its own, {record[what]}, which is not explained")
    # a picture that does not say how far it is drawn is older than that setting, and is not
    settings = TransferSettings(**{"draw": 0.0, **record["settings"]})
    return name, record, signal, take_in(*sources, settings)


def _named(record: Mapping[str, Any]) -> list[tuple[str, float]]:
    from impasto.explain.record import named_styles

    return named_styles(record["style"], Path())


def _check_picture(name: str, kind: str) -> None:
    if not medium_of(kind).is_picture:
        raise SettingsError(f"{name} is {medium_of(kind).noun}; only paintings that are pictures are explained yet")


def _check_proportion(name: str, signal: Signal, prepared: Prepared) -> None:
    (height, width), (tall, wide) = signal.shape, prepared.content.shape[2:]
    if abs(height * wide / (width * tall) - 1) > _PROPORTION + 1 / min(height, width):
        raise SignalError(
            f"{name} has {width} x {height} pixels, which are not the proportions of the content ({wide} x {tall}); the "
            "content that it was painted from, and a painting that is whole, were expected"
        )


def _shape(x: torch.Tensor) -> tuple[int, int]:
    height, width = x.shape[2:]
    return height, width


def _costs(prepared: Prepared, network: Network, generated: torch.Tensor) -> tuple[Cost, ...]:
    parts = prepared.parts(network, generated.device, {}, generated)
    J, _ = parts.begin(0, generated, {})  # noqa: N806
    assert isinstance(J, BoundObjective)
    weights = {term.name: weight for weight, term in prepared.objective.terms}
    return tuple(
        Cost(
            term,
            layer,
            weights[term],
            shares[0].double().cpu().numpy(),
            axes_of(network, layer, _shape(generated)),
        )
        for term, layer, shares in J.divide(generated)
        if weights[term]
    )


def _layers_of_style(layers: Sequence[str], network: Network, prepared: Prepared) -> list[str]:
    """The layers at which the terms that look at the styles look, in the order of the network."""
    wanted = {layer for weight, term in prepared.objective.terms if weight and term.of_style for layer in term.layers}
    return [layer for layer in network.layers if layer in (wanted or layers)]


def _origins(
    network: Network, generated: torch.Tensor, prepared: Prepared, layers: Sequence[str], places: Places
) -> tuple[dict[str, Origins], dict[str, tuple[tuple[Axis, Axis], ...]]]:
    found: dict[str, Origins] = {}
    fields: dict[str, tuple[tuple[Axis, Axis], ...]] = {}
    styles = [style.to(generated.device) for style, _ in prepared.style]
    for layer in layers:  # one after the other, as all of them take much room
        a = network(generated, [layer])[layer].cpu()
        known = [network(style, [layer])[layer].cpu() for style in styles]
        here, *there = (axes_of(network, layer, _shape(x)) for x in (generated, *styles))
        at = tuple(axis.nearest(places.centres(i)) for i, axis in enumerate(here))
        found[layer] = origins_of(a, known, at, there, FOUND)
        fields[layer] = (here, *there)
    return found, fields


