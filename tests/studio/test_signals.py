"""Sounds, series and volumes in the studio: known by what is in them, seen as pictures, painted and kept."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import SignalError
from impasto.media.read_write import read_signal
from impasto.studio.components.preview import preview_signal
from impasto.studio.history import Run
from impasto.studio.painting import View
from impasto.studio.state import StudioState
from impasto.studio.uploads import Upload, inspect
from impasto.transfer.painter import transfer_style
from impasto.transfer.settings import TransferSettings
from tests.studio.conftest import wait_for

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)


def sound(path: Path, hertz: float = 440) -> Path:
    import soundfile

    time = np.arange(8000) / 8000
    soundfile.write(path, 0.4 * np.sin(2 * np.pi * hertz * time) + 0.02 * RNG.standard_normal(8000), 8000, format="WAV")
    return path


def series(path: Path, hertz: float = 3) -> Path:
    time = np.arange(600) / 125
    rows = np.stack([time, np.sin(2 * np.pi * hertz * time) + 0.1 * RNG.standard_normal(600)], 1)
    path.write_text("time,II\n" + "\n".join(f"{t:.4f},{v:.4f}" for t, v in rows))
    return path


def volume(path: Path, shape: tuple[int, ...] = (20, 18, 16)) -> Path:
    import nibabel

    ball = sum((np.indices(shape)[i] / shape[i] - 0.5) ** 2 for i in range(3)) < 0.1
    plain = nibabel.Nifti1Image((900 * ball + RNG.integers(0, 90, shape)).astype(np.int16), np.diag([1, 1, 2, 1])).to_bytes()
    path.write_bytes(gzip.compress(plain))
    return path


MAKERS = {"sound": sound, "series": series, "volume": volume}
FORMS = {"sound": (".wav", (8000,)), "series": (".csv", (600,)), "volume": (".nii.gz", (20, 18, 16))}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_signal_is_known_by_what_is_in_it(kind: str, tmp_path: Path):
    upload = inspect(MAKERS[kind](tmp_path / "note.pdf"), "note.pdf", tmp_path)
    assert (upload.kind, upload.name) == (kind, "note.pdf")
    assert (upload.ending, upload.shape) == FORMS[kind]
    assert upload.extent
    with Image.open(io.BytesIO(preview_signal(read_signal(upload.path), 320))) as picture:
        assert max(picture.size) == 320
        assert np.asarray(picture).std() > 10


def test_deflated_dicom_tells_no_size(tmp_path: Path):
    import pydicom
    from pydicom.data import get_testdata_file

    path = tmp_path / "scan"
    found = get_testdata_file("image_dfl.dcm")
    assert isinstance(found, str)
    path.write_bytes(Path(found).read_bytes())
    assert pydicom.dcmread(path).Rows
    with pytest.raises(SignalError, match="scan is deflated DICOM"):
        inspect(path, "scan", tmp_path)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StudioState]:
    state = StudioState.in_folder(tmp_path / "studio")
    yield state
    state.queue.close(60)


def ended(state: StudioState, run: Run) -> Run:
    wait_for(lambda: state.jobs[run.id].ended, run.id)
    run = state.history.load(run.id)
    assert run.state == "done", run.error
    return run


@pytest.mark.parametrize("kind", MAKERS)
def test_it_is_painted_goes_on_and_is_kept_as_what_it_is(kind: str, tmp_path: Path, state: StudioState):
    make: Callable[..., Path] = MAKERS[kind]
    content = inspect(make(tmp_path / "content"), "content", tmp_path)
    style = inspect(make(tmp_path / "style", *([7] if kind != "volume" else [])), "style", tmp_path)
    layers = "relu1_1,relu2_1" if kind == "volume" else None
    # from noise, because the best of three steps from the content may be the content
    how = TransferSettings(iterations=3, init="random", style_layers=layers, content_layers=layers and "relu2_1")
    run = state.begin(content, [style], how)
    first = ended(state, run)
    assert first.result == "result" + {"sound": ".wav", "series": ".csv", "volume": ".nii.gz"}[kind]
    result, given = read_signal(state.history.path(first, first.result)), read_signal(content.path)
    assert (result.kind, result.shape) == (kind, given.shape)
    assert np.abs(result.values - given.values).max() > 1e-4
    job = state.jobs[run.id]
    assert isinstance(job.shown, View) and job.shown.picture[:2] == b"\xff\xd8"
    assert state.history.path(first, "thumbnail.jpg").stat().st_size > 500
    state.go_on(run.id)
    second = ended(state, run)
    assert len(second.costs) == 6
    assert second.start.endswith(first.result.removeprefix("result"))


def test_several_styles_are_blended_by_their_weights(state: StudioState, pictures: dict[str, Path]):
    content, style = (Upload(path, path.name, ".png", (64, 96)) for path in pictures.values())
    styles = [replace(style, weight=0.5), replace(content, name="coffee.png", weight=2.0)]
    how = TransferSettings(size=48, iterations=3)
    run = ended(state, state.begin(content, styles, how))
    assert run.names == ("content.png", "style.png", "coffee.png")
    weighted = [(one.path, one.weight) for one in styles]
    expected = transfer_style(content.path, weighted, how)
    assert [row["J"] for row in run.costs] == [e.cost for e in expected.history]
    with Image.open(state.history.path(run, run.result)) as picture:
        assert json.loads(picture.info["impasto"])["style"] == "style.png:0.2 coffee.png:0.8"


def test_what_cannot_be_painted_together_is_told(tmp_path: Path, state: StudioState, pictures: dict[str, Path]):
    content = inspect(sound(tmp_path / "song"), "song", tmp_path)
    run = state.begin(content, [Upload(pictures["style"], "style.png", ".png", (64, 96))], TransferSettings())
    wait_for(lambda: state.jobs[run.id].ended)
    assert state.jobs[run.id].error.startswith("a sound cannot be painted in the style of a picture")
