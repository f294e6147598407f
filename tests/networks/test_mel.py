import numpy as np
import pytest
import torch

from impasto.networks.layers import ARCHITECTURES
from impasto.networks.mel import BANDS, Spectral, mel_bands, window_length
from impasto.networks.tiling.segments import possible_cuts
from impasto.networks.tiling.tiles import InTiles
from impasto.transfer.settings import TransferSettings
from tests.conftest import bound

RATE = 8000
TABLE = ARCHITECTURES["spectral"].table


def noise(channels, samples, seed):
    return torch.randn(1, channels, samples, generator=torch.Generator().manual_seed(seed)) / 3


@pytest.mark.parametrize(
    ("rate", "window"), [(22050, 2048), (44100, 4096), (48000, 4096), (8000, 1024), (16000, 2048), (11025, 1024)]
)
def test_a_window_lasts_as_long_at_every_rate(rate, window):
    assert window_length(rate) == window


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_every_band_hears_something_and_all_rise(rate):
    window = window_length(rate)
    bands = mel_bands(rate, window)
    assert bands.shape == (BANDS, window // 2 + 1)
    torch.testing.assert_close(bands.sum(1), torch.ones(BANDS))
    centres = (bands * torch.arange(bands.shape[1])).sum(1)
    assert (centres.diff() > 0).all()


def test_the_spectrogram_is_that_of_numpy():
    style, x = noise(1, 6000, 0), noise(2, 5000, 1)
    network = Spectral(TABLE, RATE, style)
    window, bands = 1024, mel_bands(RATE, 1024).double().numpy()

    def expected(waveform):
        padded = np.pad(waveform.double().numpy(), window // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, window)[:: window // 4]
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
        return np.log1p(3 * bands @ np.abs(np.fft.rfft(frames * hann)).T)

    unit = expected(style[0, 0])
    for channel in range(2):
        heard = (expected(x[0, channel]) - unit.mean()) / unit.std()
        np.testing.assert_allclose(network.spectrogram(x)[channel], heard, atol=2e-4)


def test_two_networks_are_the_same():
    x, style = noise(1, 8000, 2), noise(1, 8000, 3)
    first, second = (Spectral(TABLE, RATE, style)(x, ["relu31"])["relu31"] for _ in range(2))
    assert torch.equal(first, second)
    assert first.shape == (1, 256, 8000 // 256 + 1)


@pytest.mark.parametrize("weighting", ["relative", "absolute"])
@pytest.mark.parametrize(("extra", "kept"), [(0, 0), (1, 1), (123, 0), (7000, 1)])
def test_j_in_pieces_is_j_of_the_whole(weighting, extra, kept):
    content, style = noise(2, 24000 + extra, 4), noise(1, 30000, 5).cumsum(-1) / 30
    start = content + 0.1 * noise(2, 24000 + extra, 6)
    network = Spectral(TABLE, RATE, style)
    chosen = TransferSettings(weighting=weighting).for_kind("sound")
    layers = [*chosen.content_weights, *chosen.style_lambdas]
    assert possible_cuts(network.table) == ("spectrogram",)
    results = []
    for seen in (
        network,
        InTiles(network.segments(layers), [8192]),
        InTiles(network.segments(layers, ["spectrogram"]), [4096, 25], kept),
    ):
        objective = bound(seen, content, style, chosen)
        leaf = start.clone().requires_grad_()
        costs = objective(leaf)
        results.append((costs, torch.autograd.grad(costs.cost, leaf)[0]))
    (whole, gradient), *others = results
    for pieces, gradient_in_pieces in others:
        for name in ("cost", "content_cost", "style_cost"):
            torch.testing.assert_close(getattr(pieces, name), getattr(whole, name), rtol=1e-5, atol=0)
        assert (gradient - gradient_in_pieces).abs().max() < 1e-5 * gradient.abs().max()
