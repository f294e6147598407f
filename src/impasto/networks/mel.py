"""The network for sounds: a mel spectrogram, then random filters along time.

The bands are the channels, as in Ulyanov and Lebedev, "Audio texture synthesis and style transfer" (2016). Frequencies are
spaced and magnitudes compressed as in human hearing. The spectrogram is differentiable, and the descent changes the
waveform itself, so that no phases have to be guessed afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from impasto.networks.layers import ARCHITECTURES, Layer, LayerTable, up_to_deepest
from impasto.networks.network import OfTable
from impasto.networks.random_filters import random_bank
from impasto.networks.tiling.segments import Segment, cut
from impasto.networks.tiling.statistics import Blend, Statistic, everywhere, measure_blend
from impasto.networks.tiling.tiles import InTiles

BANDS = 128
_WINDOW_SECONDS = 2048 / 22050
LOUDNESS = 1 / 3
"""The root mean square to which waveforms are scaled before they are compared; their peaks are then of order 1."""
_COMPRESSION = 3.0
_SILENCE = 1e-8  # added to the power, as the square root has no finite gradient at 0


def window_length(rate: float) -> int:
    """The samples of a window of the spectrogram: the power of two nearest to 93 ms at ``rate`` Hz."""
    return 2 ** max(4, round(math.log2(_WINDOW_SECONDS * rate)))


def mel_bands(rate: float, window: int) -> Tensor:
    """Triangular bands, equally wide in mel (2595 log10(1 + Hz / 700)), of shape (BANDS, window // 2 + 1).

    The sides of a band are at least as wide as a bin, so that no band is empty.
    """
    top = 2595 * math.log10(1 + rate / 2 / 700)
    edges = 700 * (10 ** (torch.linspace(0, top, BANDS + 2, dtype=torch.float64) / 2595) - 1)
    bin_width = rate / window
    bins = torch.arange(window // 2 + 1, dtype=torch.float64) * bin_width
    centre = edges[1:-1, None]
    rising = 1 - (centre - bins) / (centre - edges[:-2, None]).clamp_min(bin_width)
    falling = 1 - (bins - centre) / (edges[2:, None] - centre).clamp_min(bin_width)
    triangles = torch.minimum(rising, falling).clamp_min(0)
    return (triangles / triangles.sum(1, keepdim=True)).float()


class Spectral(OfTable):
    """Random filters on the mel spectrogram of a waveform (1, channels, samples).

    The channels of the sound (left and right) are a batch for the filters: activations are (channels, n_C, frames).

    Args:
        table: parallel convolutions, e.g. ``layers.ARCHITECTURES["spectral"].table``.
        rate: samples a second.
        style: a waveform (1, channels, samples), or a blend of several. All spectrograms are normalised by the mean and the
            standard deviation of its own.
    """

    def __init__(self, table: LayerTable, rate: float, style: Tensor | Blend) -> None:
        super().__init__()
        self.name, self.spatial_dims = "spectral", 1
        self.window = window_length(rate)
        self.hop = self.window // 4
        self.register_buffer("hann", torch.hann_window(self.window))
        self.register_buffer("bands", mel_bands(rate, self.window))
        self.bank = random_bank(table, BANDS)
        heard = Layer("spectrogram", "stft", self.window, self.hop, BANDS)
        self.table = (heard, *(row._replace(source=row.source and heard.name) for row in table))
        self.mean, self.deviation = 0.0, 1.0
        self.mean, self.deviation = self._unit(style)

    def _unit(self, style: Tensor | Blend) -> tuple[float, float]:
        """The mean and the standard deviation of the style's spectrogram."""
        first = Segment(self.table[:1], self)
        means = [
            Statistic("spectrogram", everywhere(lambda a: a.double().mean())),
            Statistic("spectrogram", everywhere(lambda a: a.double().square().mean())),
        ]
        with torch.no_grad():
            mean, squares = (m.item() for m in measure_blend(InTiles([first], [1024 * self.hop]), style, means))
        return mean, math.sqrt(max(squares - mean**2, 1e-12))

    def segments(self, layers: Collection[str], cuts: Sequence[str] = ()) -> list[Segment]:
        """The segments that compute ``layers``, cut after the rows ``cuts``; see :mod:`impasto.networks.tiling.segments`."""
        first, *rest = cut(up_to_deepest(self.table, layers), cuts)
        return [Segment(first, self), *(Segment(table, self.bank) for table in rest)]

    def items(self, channels: int) -> int:
        """As many as channels: each is an item of the batch."""
        return channels

    def spectrogram(self, x: Tensor) -> Tensor:
        """log(1 + 3 * magnitude) of each band, normalised: (1, channels, samples) to (channels, bands, frames)."""
        hann, bands = self.get_buffer("hann"), self.get_buffer("bands")
        bins = torch.stft(x[0], self.window, self.hop, window=hann, center=True, pad_mode="constant", return_complex=True)
        magnitude = (bins.real.square() + bins.imag.square() + _SILENCE).sqrt()
        return (torch.log1p(_COMPRESSION * (bands @ magnitude)) - self.mean) / self.deviation

    def forward(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """The activations of ``layers``, each (channels, n_C, frames), for a waveform (1, channels, samples)."""
        heard = self.spectrogram(x)
        filtered = [name for name in layers if name != self.table[0].name]
        return {self.table[0].name: heard} | (self.bank(heard, filtered) if filtered else {})


def spectral(spatial_dims: int = 1, *, rate: float, style: Tensor | Blend) -> Spectral:
    """The network for sounds of ``rate`` samples a second; see :class:`Spectral`."""
    return Spectral(ARCHITECTURES["spectral"].table, rate, style)
