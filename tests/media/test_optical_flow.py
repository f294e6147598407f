from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from impasto.errors import SignalError
from impasto.media.movie.optical_flow import flicker, motion
from impasto.media.signal import Signal

PICTURE = np.ascontiguousarray((data.coffee()[::3, ::3].astype(np.float32) / 255).transpose(2, 0, 1))


def window(y: int, x: int, height: int = 96, width: int = 128) -> np.ndarray:
    return np.ascontiguousarray(PICTURE[:, y : y + height, x : x + width])


@pytest.mark.parametrize(("dy", "dx"), [(0, 0), (0, 1), (3, 0), (-2, 5)])
def test_the_motion_of_a_camera_is_found_to_a_tenth_of_a_pixel(dy: int, dx: int) -> None:
    before, after = window(20, 30), window(20 + dy, 30 + dx)
    found = motion(before, after)
    y, x = np.mgrid[:96, :128]
    np.testing.assert_allclose(np.median(found.origin - np.stack([x, y], -1), (0, 1)), (dx, dy), atol=0.1)
    assert found.visible[8:-8, 8:-8].mean() > 0.98
    difference = np.abs(found.moved(before) - after)[:, found.visible]
    assert difference.mean() < 0.01


def test_what_comes_in_from_outside_is_not_visible() -> None:
    visible = motion(window(20, 30), window(20, 35)).visible
    assert visible[:, :100].mean() > 0.98 and not visible[:, -5:].any()


def test_what_comes_out_from_behind_is_not_visible() -> None:
    before, after = window(20, 60), window(20, 60)
    square = 1 - window(80, 20, 48, 48)
    before[:, 24:72, 30:78], after[:, 24:72, 36:84] = square, square
    visible = motion(before, after).visible
    assert visible[28:68, 40:80].mean() > 0.9  # the square itself
    assert visible[28:68, 30:36].mean() < 0.5  # what it had hidden


def movie(frames: list[np.ndarray]) -> Signal:
    return Signal(np.stack(frames, 1), "movie")


def test_what_moves_as_the_content_moves_does_not_flicker() -> None:
    content = movie([window(20, 30 + 2 * i) for i in range(4)])
    negative = content.with_values(1 - content.values)
    assert flicker(content, negative) < 0.1
    random = np.random.default_rng(0)
    restless = content.with_values(0.5 + 0.1 * random.standard_normal(content.values.shape).astype(np.float32))
    # of two independent normal values the mean distance is 2/sqrt(pi) deviations
    still = content.with_values(np.repeat(content.values[:, :1], 4, 1))
    assert flicker(still, restless) == pytest.approx(255 * 0.1 * 2 / np.pi**0.5, rel=0.02)


def test_one_frame_does_not_flicker() -> None:
    assert flicker(movie([window(0, 0)]), movie([window(0, 0)])) == 0.0


def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    with pytest.raises(SignalError, match=r"cv2, which is missing: pip install .*opencv-python-headless"):
        motion(window(0, 0), window(0, 1))


@pytest.mark.parametrize("shape", [(2, 2), (4, 120), (11, 11), (1, 30), (30, 1), (1, 1)])
def test_frames_smaller_than_a_patch_have_a_motion(shape: tuple[int, int]) -> None:
    frame = window(20, 30, *shape)
    found = motion(frame, frame)
    assert found.origin.shape == (*shape, 2)
    np.testing.assert_allclose(found.moved(frame), frame, atol=0.02)
