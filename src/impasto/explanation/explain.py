"""Explains a painting: which places of the styles each place of it is like, and how much of J hangs on it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from impasto.errors import SettingsError, SignalError
from impasto.explanation.explanation import Cost, Explanation
from impasto.explanation.grid import Axis, Places, axes_of
from impasto.explanation.origins import Origins, origins_of
from impasto.explanation.record import named_styles, record_in, sources_of
from impasto.media.prepared import Prepared
from impasto.media.read_write import find_medium, read_signal
from impasto.media.registry import medium_of
from impasto.media.signal import Signal
from impasto.media.styles import Source, Style
from impasto.networks.device import find_device
from impasto.networks.network import Network
from impasto.networks.precision import computing_in
from impasto.objective.evaluation import BoundObjective
from impasto.transfer.inputs import Inputs, take_in
from impasto.transfer.painting import Painting
from impasto.transfer.record import record_of
from impasto.transfer.scales import objective_at, plan_scales
from impasto.transfer.settings import TransferSettings
from impasto.transfer.start import painted_so_far

SIZE = 512
"""The longest side at which a painting is looked at unless one says so."""
FOUND = 3
"""How many places of the styles are looked for, for each place of G."""
# the sides of a picture may be in another proportion than those of its content by this share
_PROPORTION = 0.03


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
            its square: 512 pixels take 1.1 GB.

    Raises:
        SignalError: a file is missing, is no painting of impasto, or not of this content.
        SettingsError: it is no picture, or its J or network was made by a program and is not in the file.
    """
    began = time.monotonic()
    name, record, signal, inputs = _taken_in(painting, content, style)
    settings, shape = inputs.settings, inputs.content.shape
    whole = settings.size or max(shape)
    seen = min(whole, size)
    device = find_device(settings.device)
    with torch.no_grad(), computing_in(settings.precision, device):
        here = settings.at(seen, settings.iterations, objective_at(settings, whole))
        prepared: Prepared = inputs.medium.prepare(inputs.content, inputs.styles, here)
        _check_proportion(name, signal, prepared)
        network = prepared.network.to(device)
        generated = prepared.fit(signal).to(device)
        painted = _painted_before(inputs, prepared, generated)
        costs = _costs(prepared, network, generated, painted)
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
        shares = [share for _, share in named_styles(record["style"], Path())]
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
    one, several = sources
    return name, record, signal, take_in(one, several, _settings_of(name, record))


def _settings_of(name: str, record: Mapping[str, Any]) -> TransferSettings:
    """The settings in a record, if they are all that J and the network were made of.

    Raises:
        SettingsError: J or the network is a program's own, or a setting is unknown.
    """
    # a picture that does not say how far it is drawn is older than that setting, and is not
    given: dict[str, Any] = {"draw": 0.0, **record["settings"]}
    if unknown := sorted(given.keys() - {field.name for field in fields(TransferSettings)}):
        raise SettingsError(
            f"{name} has settings of another version of impasto, which are unknown here: {', '.join(unknown)}"
        )
    settings = TransferSettings(**given)
    network = str(record.get("network", "")).partition(" (")[0]
    if network not in ("", settings.network):
        raise SettingsError(
            f"{name} was painted with a network of a program's own, {network}; only one by name is explained"
        )
    if "objective" in record:
        raise SettingsError(
            f"{name} was painted with a J of a program's own, {record['objective']}; only a J of the settings is explained"
        )
    return settings


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


def _painted_before(inputs: Inputs, prepared: Prepared, generated: torch.Tensor) -> torch.Tensor | None:
    """About what was painted at the scale before, which is in no file: G, as it would have been there; None at the first."""
    plan = plan_scales(inputs.medium, inputs.settings, inputs.content, inputs.styles)
    if len(plan) == 1:
        return None
    before, last = (scale.size or max(inputs.content.shape) for scale in plan[-2:])
    smaller = [max(1, round(n * before / last)) for n in generated.shape[2:]]
    return painted_so_far(F.interpolate(generated.cpu(), smaller, mode="area"), prepared)


def _costs(prepared: Prepared, network: Network, generated: torch.Tensor, painted: torch.Tensor | None) -> tuple[Cost, ...]:
    parts = prepared.parts(network, generated.device, {}, painted)
    J, _ = parts.begin(0, generated, {})  # noqa: N806
    assert isinstance(J, BoundObjective)
    J.views = [view._replace(see=lambda x: x) for view in J.views]  # what is kept of the content is in G already
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
        at = here[0].nearest(places.centres(0)), here[1].nearest(places.centres(1))
        found[layer] = origins_of(a, known, at, there, FOUND)
        fields[layer] = (here, *there)
    return found, fields
