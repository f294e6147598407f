"""Sounds ready to be painted: content and styles at one rate and loudness, compared as mel spectrograms."""

from __future__ import annotations

import logging

import numpy as np
import torch
from torch import Tensor

from impasto.errors import SignalError, SizeError
from impasto.media.prepared import Prepared
from impasto.media.resolved import ResolvedSettings
from impasto.media.signal import Signal, Values, roles
from impasto.media.sound.read import limit_peaks, loudness, resample_audio
from impasto.media.styles import Styles
from impasto.networks.mel import LOUDNESS, Spectral, window_length

log = logging.getLogger("impasto")

# the magnitude of a spectrum has no gradient in silence; a little noise gives it one
_NOISE = 0.03 * LOUDNESS


def prepare_sounds(content: Signal, styles: Styles, settings: ResolvedSettings) -> Prepared:
    """Content and styles at the content's rate, or at ``settings.working_rate`` samples a second if that is less.

    Raises:
        SizeError: one is too short for the deepest layer.
    """
    rate = float(content.header["rate"])
    working = min(rate, float(settings.working_rate or rate))
    given = roles(content, [style for style, _ in styles])
    for role, sound in given.items():
        if sound.header["rate"] != rate:
            log.warning("the %s has %g Hz: it is resampled to the content's %g Hz", role, sound.header["rate"], rate)
    table = settings.table
    shortest = max(row.kernel for row in table) * window_length(working) // 4
    for role, sound in given.items():
        seconds = sound.shape[0] / sound.header["rate"]
        if seconds < (needed := shortest / working):
            raise SizeError(
                f"the {role} lasts {seconds:.3g} s, too short for {settings.deepest}, which needs {needed:.3g} s; give "
                "a longer one, or other --content-layers and --style-layers"
            )
    c, blend = _waveform(content, working), [(_waveform(style, working), share) for style, share in styles]
    network = Spectral(table, working, blend)

    def restore(values: Values) -> Signal:
        whole = resample_audio(values, working, rate)
        whole = np.pad(whole, ((0, 0), (0, max(0, content.shape[0] - whole.shape[1]))))[:, : content.shape[0]]
        return content.with_values(limit_peaks(whole * (loudness(content.values) / loudness(whole)), rate))

    def fit(sound: Signal) -> Tensor:
        if len(sound.values) not in (1, len(content.values)):
            raise SignalError(f"G cannot start from {len(sound.values)} channels: the content has {len(content.values)}")
        start = _waveform(sound, working)
        repeated = start.repeat(1, 1, -(-c.shape[2] // start.shape[2]))[..., : c.shape[2]]
        return repeated.expand_as(c).clone()

    return Prepared(
        content=c,
        style=blend,
        objective=settings.objective,
        network=network,
        restore=restore,
        fit=fit,
        random=(0.0, LOUDNESS),
        noise=_NOISE,
    )


def _waveform(sound: Signal, rate: float) -> Tensor:
    values = resample_audio(sound.values, sound.header["rate"], rate)
    return torch.from_numpy(values * np.float32(LOUDNESS / loudness(values)))[None]
