"""Series ready to be painted: content and styles at one rate, without slow drift, each lead with deviation 1."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from impasto.errors import SignalError, SizeError
from impasto.media.prepared import Prepared
from impasto.media.resolved import ResolvedSettings
from impasto.media.series.files import resample_series, without_drift
from impasto.media.signal import Signal, Values, roles
from impasto.media.styles import Styles
from impasto.networks.convnet import CONTRAST, GREY
from impasto.networks.random_filters import random_bank
from impasto.networks.tiling.segments import Segment, Segmented

log = logging.getLogger("impasto")


class _Waves(NamedTuple):
    """A series at the working rate, ``ratio`` times its own: values = z * deviation + drift, (leads, samples)."""

    z: Values
    deviation: Values
    drift: Values
    ratio: Fraction


class GreyLeads(nn.Module):
    """Lets a network see series (1, leads, positions) of deviation 1: each lead as a grey line, one item of a batch."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        if isinstance(network, Segmented):
            self.table = network.table

    def segments(self, layers: Collection[str], cuts: Sequence[str] = ()) -> list[Segment]:
        """What computes ``layers``, cut after the rows named in ``cuts``; see :mod:`impasto.networks.tiling.segments`."""
        first, *rest = self.network.segments(layers, cuts)
        return [first._replace(run=self), *rest]

    def memory(self, shape: Sequence[int], layers: Collection[str], *, gradient: bool = True) -> int:
        """See :meth:`impasto.networks.network.Network.memory`; each lead is an item."""
        _, leads, *space = shape
        return self.network.memory((leads, 1, *space), layers, gradient=gradient)

    def items(self, channels: int) -> int:
        """See :meth:`impasto.networks.tiling.segments.Segmented.items`; each lead is an item."""
        return channels

    def forward(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """The activations of ``layers``, each (leads, n_C, positions of the layer)."""
        return self.network(GREY + CONTRAST * x.transpose(0, 1), layers)


def prepare_series(content: Signal, styles: Styles, settings: ResolvedSettings) -> Prepared:
    """Content and styles at one rate of at most ``settings.working_rate`` samples a second.

    Raises:
        SignalError: they differ in the number of leads, or a lead is nothing but drift.
        SizeError: one is too short for the deepest layer.
        WeightsError: the weights of VGG-19 are missing, damaged, or of another network.
    """
    leads, given = len(content.values), roles(content, [style for style, _ in styles])
    for role, series in given.items():
        if len(series.values) != leads:
            raise SignalError(f"the content has {leads} lead(s) and the {role} {len(series.values)}: both must have as many")
    rates = _rates(given)
    limit = float(settings.working_rate or max(rates))
    working = min(*rates, limit) if any(s.header.get("rate") for s in given.values()) else rates[0]
    seen = {role: _waves(s, working / rate) for (role, s), rate in zip(given.items(), rates, strict=True)}
    c, *targets = seen.values()
    table = settings.table
    smallest = max([settings.smallest_size, *(row.kernel for row in table)])
    for role, waves in seen.items():
        if waves.z.shape[1] < smallest:
            raise SizeError(
                f"the {role} has {waves.z.shape[1]} samples{_at(working, content)}, too short for {settings.deepest}, which "
                f"needs {smallest}; give a longer one, or other --content-layers and --style-layers"
            )
    if settings.network.name == "bank":
        network: nn.Module = random_bank(table, leads)
    else:
        network = GreyLeads(settings.network.build(1))

    def restore(values: Values) -> Signal:
        whole = resample_series(values * c.deviation + c.drift, 1 / c.ratio)[:, : content.shape[0]]
        missing = content.shape[0] - whole.shape[1]
        return content.with_values(np.pad(whole, ((0, 0), (0, missing)), mode="edge"))

    def fit(series: Signal) -> Tensor:
        if len(series.values) != leads:
            raise SignalError(f"G cannot start from {len(series.values)} lead(s): the content has {leads}")
        start = _waves(series, working / (series.header.get("rate") or rates[0])).z
        return torch.from_numpy(np.resize(start.T, c.z.T.shape).T.copy())[None]  # repeats or cuts it to the content's length

    return Prepared(
        content=torch.from_numpy(c.z)[None],
        style=[(torch.from_numpy(s.z)[None], share) for s, (_, share) in zip(targets, styles, strict=True)],
        objective=settings.objective, network=network, restore=restore, fit=fit, random=(0.0, 1.0),
    )  # fmt: skip


def _rates(given: Mapping[str, Signal]) -> list[float]:
    """The rate of each in Hz; for those that do not tell it the first one that is known, or 1 if none is."""
    known: dict[str, float] = {role: s.header["rate"] for role, s in given.items() if s.header.get("rate")}
    if not known:
        log.warning("the sampling rates are not known (give --rate HZ): the series are compared sample by sample")
        return [1.0] * len(given)
    first = next(iter(known.values()))
    if len(known) < len(given):
        log.warning("a sampling rate is not known (give --rate HZ): %g Hz is taken", first)
    if len(set(known.values())) > 1:
        told = ", ".join(f"{role} {rate:g} Hz" for role, rate in known.items())
        log.warning("the rates differ (%s): all are resampled to one", told)
    return [known.get(role, first) for role in given]


def _at(working: float, content: Signal) -> str:
    return f" at {working:g} Hz" if content.header.get("rate") else ""


def _waves(series: Signal, ratio: float) -> _Waves:
    exact = Fraction(ratio).limit_denominator(1000)
    if exact == 0:
        raise SignalError(f"the rates of content and style are too far apart (1 to {1 / ratio:.4g}); resample one of them")
    values = resample_series(series.values, exact).astype(np.float64)
    fast = without_drift(values)
    deviation = fast.std(-1, keepdims=True)
    for name, lead, spread in zip(series.header.get("leads", ()), series.values, deviation[:, 0], strict=False):
        if spread <= 1e-5 * np.ptp(lead):
            raise SignalError(f"{name} is constant but for a slow drift, so there is nothing to paint or to learn from")
    z, deviation, drift = (a.astype(np.float32) for a in (fast / deviation, deviation, values - fast))
    return _Waves(z, deviation, drift, exact)
