from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import sqrtm

from impasto.media.image.colour import COLOURS, luminance, matched, matched_luminance, with_luminance
from impasto.media.image.prepare import prepare_images
from impasto.media.image.read import read_image, resample_image
from impasto.media.registry import medium_of
from impasto.media.signal import Signal, Values
from impasto.transfer.resolve import resolve
from impasto.transfer.settings import TransferSettings

PICTURES = arrays(np.float32, (3, 4, 5), elements=st.floats(0, 1, width=32))
LUMAS = arrays(np.float32, (1, 4, 5), elements=st.floats(0, 1, width=32))


def luma(values: Values) -> Values:
    return (0.2126 * values[0] + 0.7152 * values[1] + 0.0722 * values[2])[None]


@given(PICTURES, LUMAS)
@settings(max_examples=80, deadline=None)
def test_a_picture_gets_the_luma_and_keeps_the_hue(picture: Values, wanted: Values):
    result = with_luminance(picture, wanted)
    assert result.dtype == np.float32
    assert 0 <= result.min() <= result.max() <= 1
    assert np.allclose(luma(result), wanted, atol=1e-5)
    before, after = picture - luma(picture), result - luma(result)
    # the same direction, never longer
    assert np.allclose(np.cross(before, after, axis=0), 0, atol=1e-5)
    assert ((before * after).sum(0) >= -1e-6).all()
    assert ((after**2).sum(0) <= (before**2).sum(0) + 1e-5).all()


@given(PICTURES)
@settings(max_examples=40, deadline=None)
def test_its_own_luma_changes_nothing(picture: Values):
    assert np.allclose(luminance(picture), luma(picture), atol=1e-6)
    assert np.allclose(with_luminance(picture, luminance(picture)), picture, atol=2e-6)


def test_where_there_is_room_the_whole_colour_stays():
    muted = np.full((3, 2, 2), 0.5, np.float32) + np.array([0.1, -0.05, 0.0], np.float32)[:, None, None]
    result = with_luminance(muted, np.full((1, 2, 2), 0.4, np.float32))
    assert np.allclose(result - luma(result), muted - luma(muted), atol=1e-6)


def colours(seed: int, spread: float) -> Values:
    """A picture whose colours are correlated, within 0..1."""
    random = np.random.default_rng(seed)
    mix = random.normal(size=(3, 3))
    values = 0.5 + spread * np.einsum("ij,jyx->iyx", mix, random.uniform(-1, 1, (3, 40, 50)))
    return values.astype(np.float32)


def test_matching_gives_the_style_the_mean_and_covariance_of_the_content():
    style, content = colours(0, 0.08), colours(1, 0.1)
    result = matched(style, content)
    flat = [x.reshape(3, -1).astype(np.float64) for x in (style, content, result)]
    faint = 0.02**2 * np.eye(3)
    assert np.allclose(flat[2].mean(1), flat[1].mean(1), atol=1e-3)
    # up to what is too faint to be a colour
    transport = np.linalg.lstsq((flat[0] - flat[0].mean(1, keepdims=True)).T, (flat[2] - flat[2].mean(1, keepdims=True)).T)[
        0
    ].T
    cov_s, cov_c = np.cov(flat[0]) + faint, np.cov(flat[1]) + faint
    assert np.allclose(transport @ cov_s @ transport.T, cov_c, atol=2e-4)
    root = sqrtm(cov_s)
    expected = np.linalg.solve(root, np.linalg.solve(root, sqrtm(root @ cov_c @ root)).T)
    assert np.allclose(transport, expected, atol=0.02)
    assert np.allclose(transport, transport.T, atol=0.02)


def test_matching_to_itself_changes_nothing():
    style = colours(2, 0.1)
    assert np.allclose(matched(style, style), style, atol=1e-5)


def test_the_noise_of_a_grey_style_is_not_blown_up_to_colours():
    random = np.random.default_rng(3)
    grey = random.uniform(0.2, 0.8, (1, 40, 50)).repeat(3, 0).astype(np.float32)
    noisy = (grey + random.normal(0, 0.002, grey.shape)).astype(np.float32)
    result = matched(noisy, colours(1, 0.15))
    smooth = matched(grey, colours(1, 0.15))
    assert np.abs(result - smooth).mean() < 0.03


@pytest.mark.parametrize("style", [colours(4, 0.05), np.full((3, 8, 9), 0.3, np.float32)])
def test_the_luma_of_the_style_gets_mean_and_deviation_of_the_content(style: Values):
    content = colours(5, 0.1)
    result = matched_luminance(style, content)
    assert result.shape == (1, *style.shape[1:])
    assert result.mean() == pytest.approx(luma(content).mean(), abs=0.01)
    if np.ptp(style) > 0.1:
        assert result.std() == pytest.approx(luma(content).std(), rel=0.05)


@pytest.mark.parametrize("mode", COLOURS)
def test_the_content_itself_stays_as_it_is(mode: str, photograph: Signal):
    content, result = COLOURS[mode].content, COLOURS[mode].result
    assert np.allclose(result(content(photograph.values), photograph.values), photograph.values, atol=2e-6)


@pytest.mark.parametrize("mode", ["content", "luminance"])
def test_the_content_keeps_its_colours_under_any_painting(mode: str, photograph: Signal):
    content = photograph.values
    painted = np.random.default_rng(0).random(COLOURS[mode].content(content).shape, np.float32)
    result = COLOURS[mode].result(painted, content)
    assert np.allclose(luma(result), luma(painted) if len(painted) == 3 else painted, atol=1e-5)
    assert np.allclose(np.cross(content - luma(content), result - luma(result), axis=0), 0, atol=1e-5)


def test_pictures_are_prepared_in_the_colours_of_the_settings(photograph: Signal, texture: Signal):
    rgba = np.concatenate([photograph.values.transpose(1, 2, 0), np.full((48, 64, 1), 0.5, np.float32)], -1)
    _, settings = resolve(TransferSettings(size=48, colour="luminance"), medium_of("image"))
    prepared = prepare_images(read_image(rgba), [(texture, 1.0)], settings)
    assert prepared.content.shape == prepared.style[0][0].shape == prepared.fit(texture).shape == (1, 1, 36, 48)
    content = resample_image(photograph, (36, 48)).values
    assert np.allclose(prepared.content[0], luma(content), atol=1e-6)
    result = prepared.restore(prepared.content[0].numpy())
    assert np.allclose(result.values, content, atol=2e-6)
    assert result.header["alpha"].shape == (36, 48)
