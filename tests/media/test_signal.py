"""What a signal is given as, besides files; and files by their first bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from impasto.errors import SettingsError, SignalError
from impasto.media.read_write import check_options, find_medium, read_signal, try_output
from impasto.media.registry import medium_of
from impasto.media.signal import Signal
from tests.media.movies import make_movie, pan

PICTURE = np.full((3, 20, 24), 0.5, np.float32)


@pytest.mark.parametrize("source", [None, 3, b"a.png", [[1, 2]], (1, 2), {}, np.float32(1), object(), iter(())])
def test_what_is_no_signal_is_refused_in_one_line(source: Any):
    with pytest.raises(SignalError, match=f"^{type(source).__name__} was given; .*was expected"):
        read_signal(source)


@pytest.mark.parametrize(
    ("name", "message"), [("a\0.png", "a.*png"), ("n" * 5000 + ".png", "nnn"), ("", "the name of a file is empty")]
)
def test_a_name_that_no_file_has_is_refused_in_one_line(name: str, message: str):
    with pytest.raises(SignalError, match=message):
        read_signal(name)


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        (Signal(PICTURE, "picture"), "kind 'picture' is unknown"),
        (Signal(PICTURE.transpose(1, 2, 0)), r"\(1 or 3, height, width\) was expected"),
        (Signal(PICTURE[0]), r"\(1 or 3, height, width\) was expected"),
        (Signal(PICTURE[:, :0]), "was expected"),
        (Signal(PICTURE.tolist()), "an array of floats"),  # pyright: ignore[reportArgumentType]
        (Signal((255 * PICTURE).astype(np.uint8)), "an array of floats"),  # pyright: ignore[reportArgumentType]
        (Signal(255 * PICTURE), r"0\.\.1 was expected"),
        (Signal(PICTURE * np.float32(np.nan)), "NaN"),
        (Signal(PICTURE, header={"alpha": np.ones((3, 3))}), "an opacity of shape"),
        (Signal(PICTURE, "movie"), r"\(3, frames, height, width\) was expected"),
        (Signal(PICTURE[0], "sound"), "no rate"),
    ],
)
def test_a_signal_that_is_none_is_refused_in_one_line(signal: Signal, message: str):
    for function in (read_signal, find_medium):
        with pytest.raises(SignalError, match=message):
            function(signal)


@pytest.mark.parametrize("signal", [Signal(PICTURE), Signal(PICTURE[:1]), Signal(PICTURE[0], "sound", {"rate": 8000.0})])
def test_a_signal_is_read_as_it_is(signal: Signal):
    assert read_signal(signal) is signal


def test_pictures_in_memory_are_pictures():
    for source in (Image.new("L", (4, 4)), np.zeros((4, 4, 3), np.uint8)):
        assert find_medium(source).name == "image"


def test_an_output_whose_folder_is_missing_is_found_before_the_work(tmp_path: Path):
    with pytest.raises(SignalError, match="there is no folder"):
        try_output(medium_of("image"), Signal(PICTURE), tmp_path / "missing" / "a.png", {})


def test_an_unknown_option_is_refused_in_one_line():
    with pytest.raises(SettingsError, match="'qualty' is unknown: did you mean 'quality'"):
        check_options(medium_of("image"), ["qualty"])


@pytest.mark.parametrize(
    ("form", "codec", "ending"),
    [("mpegts", "libx264", ".mts"), ("mxf", "mpeg2video", ".mxf"), ("yuv4mpegpipe", "rawvideo", ".y4m")],
)
def test_recordings_of_cameras_are_movies_whatever_they_are_called(tmp_path: Path, form: str, codec: str, ending: str):
    for name in ("a" + ending, "untold"):
        path = make_movie(tmp_path / name, pan(), codec, form=form)
        assert find_medium(path).name == "movie"
        assert read_signal(path).shape == (4, 24, 32)
