"""Gradient ascent: the unit is excited more than by noise, and the picture is a picture."""

from __future__ import annotations

import math
from dataclasses import replace
from threading import Event

import numpy as np
import pytest
import torch

from impasto.descent.parametrisation import in_phases
from impasto.errors import SettingsError, UnknownLayerError
from impasto.explore.settings import parse_objective
from impasto.explore.synthesis import ascend, synthesise
from impasto.networks.convnet import ConvNet
from impasto.networks.network import Network


def excitement(network: Network, values: torch.Tensor, layer: str, unit: int) -> float:
    with torch.no_grad():
        return float(network(values, [layer])[layer][:, unit].mean())


def quiet(step: int, score: float) -> None:
    """Watch nothing."""


@pytest.mark.parametrize(("spectrum", "times"), [("natural", 1.25), ("free", 1.5)])
def test_a_unit_is_excited_more_than_by_noise_of_the_same_energy(spectrum: str, times: float) -> None:
    from impasto.explore.patches import trained_network

    network, _ = trained_network()
    (start,) = synthesise("relu2_1:3", size=48, iterations=1, spectrum=spectrum)
    (picture,) = synthesise("relu2_1:3", size=48, iterations=25, spectrum=spectrum)
    assert picture.values.shape == (3, 48, 48)
    assert picture.values.dtype == np.float32
    assert 0 <= picture.values.min() < picture.values.max() <= 1
    before, after = (excitement(network, torch.from_numpy(s.values)[None], "relu2_1", 3) for s in (start, picture))
    assert after > times * before
    assert 0.1 < picture.values.std() < 0.32


def test_one_seed_is_one_picture(network: ConvNet) -> None:
    first, again, other = (ascend(network, {("relu2_1", 1): 1.0}, (1, 3, 32, 40), 3, seed, quiet) for seed in (0, 0, 1))
    assert first.shape == (1, 3, 32, 40)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_cancelled_ascent_is_as_far_as_it_came(network: ConvNet) -> None:
    cancel, told = Event(), list[int]()

    def watch(step: int, score: float) -> None:
        told.append(step)
        if step == 3:
            cancel.set()

    unit, shape = {("relu2_1", 1): 1.0}, (1, 3, 32, 40)
    cancelled = ascend(network, unit, shape, 99, 0, watch, cancel)
    assert told == [1, 2, 3]
    assert torch.equal(cancelled, ascend(network, unit, shape, 3, 0, quiet))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_only_the_phases_of_a_natural_spectrum_are_chosen(dims: int) -> None:
    """In NumPy: the coefficients have the magnitude of white noise everywhere, and the phases that they had."""
    space = (12, 9, 7)[:dims]
    axes = tuple(range(2, 2 + dims))
    z = torch.randn(2, 3, *space, generator=torch.Generator().manual_seed(dims), dtype=torch.float64)
    before, after = (np.fft.fftn(x.numpy(), axes=axes) for x in (z, in_phases(z)))
    assert np.allclose(np.abs(after), math.prod(space) ** 0.5)
    assert np.allclose(after / np.abs(after), before / np.abs(before))
    assert torch.allclose(in_phases(3 * z), in_phases(z))


def test_a_picture_of_natural_spectrum_has_it(network: ConvNet) -> None:
    """Before the contrast is taken down to 0..1: over rings of frequencies amplitudes fall as 1/frequency."""
    x = ascend(network, {("relu1_1", 1): 1.0}, (1, 3, 64, 64), 40, 0, quiet, spectrum="natural")
    grey = torch.logit(x[0].mean(0).double().clamp(1e-6, 1 - 1e-6)).numpy()
    amplitude = np.abs(np.fft.fft2(grey - grey.mean()))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64)))
    rings = [(frequency > low) & (frequency <= 1.4 * low) for low in 0.04 * 1.4 ** np.arange(7)]
    means = [np.sqrt((amplitude[ring] ** 2).mean()) for ring in rings]
    slope = float(np.polyfit(np.log([frequency[ring].mean() for ring in rings]), np.log(means), 1)[0])
    assert slope == pytest.approx(-1, abs=0.3)


def test_a_negative_weight_is_what_the_unit_does_not_want() -> None:
    from impasto.explore.patches import trained_network

    network, _ = trained_network()
    wanted, unwanted = (ascend(network, {("conv1_1", 1): weight}, (1, 3, 32, 32), 20, 0, quiet) for weight in (1.0, -1.0))
    assert excitement(network, wanted, "conv1_1", 1) > 0 > excitement(network, unwanted, "conv1_1", 1)


@pytest.mark.parametrize(("spectrum", "share"), [("natural", 0.85), ("free", 0.5)])
def test_diverse_pictures_differ_more_than_without_the_term(
    spectrum: str, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    from impasto.explore import synthesis
    from impasto.explore.patches import trained_network
    from impasto.objective.costs import style_matrix

    network, _ = trained_network()

    def likeness(weight: float) -> float:
        monkeypatch.setattr(synthesis, "SYNTHESIS", replace(synthesis.SYNTHESIS, diversity=weight))
        pictures = ascend(network, {("relu2_1", 3): 1.0}, (2, 3, 40, 40), 20, 0, quiet, spectrum=spectrum)
        with torch.no_grad():
            activations = network(pictures, ["conv2_1"])["conv2_1"]
        a, b = (style_matrix(one[None]).flatten() for one in activations)
        return float(torch.nn.functional.cosine_similarity(a, b, dim=0))

    assert likeness(0.5) < share * likeness(0.0)


def test_objectives_are_read_as_written() -> None:
    assert parse_objective("relu4_1:17") == {("relu4_1", 17): 1.0}
    assert parse_objective("relu4_1:17=1, relu3_1:5=-0.5") == {("relu4_1", 17): 1.0, ("relu3_1", 5): -0.5}
    assert parse_objective({("relu4_1", 17): 2}) == {("relu4_1", 17): 2.0}
    with pytest.raises(UnknownLayerError, match="did you mean 'relu4_1'"):
        parse_objective("relu41:17")
    with pytest.raises(SettingsError, match="relu4_1 has no unit 512"):
        parse_objective("relu4_1:512")
    for wrong in ("relu4_1", "relu4_1:", "relu4_1:a", "relu4_1:1=x", "relu4_1:1=inf", "relu4_1:1,relu4_1:1", ""):
        with pytest.raises(SettingsError):
            parse_objective(wrong)
    with pytest.raises(SettingsError, match="did you mean 'natural'"):
        synthesise("relu4_1:17", spectrum="nature")
    with pytest.raises(SettingsError, match="size is 8; a whole number of at least 32 was expected"):
        synthesise("relu4_1:17", size=8)


def test_the_ascent_is_adam():
    from impasto.explore.settings import SYNTHESIS
    from impasto.explore.synthesis import _adam_step

    generator = torch.Generator().manual_seed(0)
    theirs = torch.randn(3, 5, generator=generator).requires_grad_()
    ours, mean, square = theirs.detach().clone(), torch.zeros(3, 5), torch.zeros(3, 5)
    optimizer = torch.optim.Adam([theirs], SYNTHESIS.step)
    for iteration in range(1, 20):
        theirs.grad = torch.randn(3, 5, generator=generator)
        _adam_step(ours, theirs.grad, mean, square, iteration)
        optimizer.step()
        assert torch.equal(ours, theirs)
