"""EKGs, sounds and volumes are explored like pictures: the same search, proven on segments and cubes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.errors import SettingsError, SignalError
from impasto.explore.activations import activations_of
from impasto.explore.gradients import activation_gradient, gradient_panel
from impasto.explore.index import PatchIndex
from impasto.explore.patches import top_patches, trained_network
from impasto.explore.render import sheet_of
from impasto.explore.report import write_report
from impasto.explore.sources import view
from impasto.explore.tiles import patch_values
from impasto.media.registry import views
from impasto.media.signal import Signal
from impasto.networks.layers import VGG19, receptive_field, up_to_deepest

LAYERS = ("relu1_1", "relu2_1")
UNITS = range(4)
SIZES = {"series": 50, "sound": 2000, "volume": 16}


def ekg(folder: Path) -> Path:
    from pydicom.data import get_testdata_file

    path = folder / "ekg.dcm"
    path.write_bytes(Path(str(get_testdata_file("waveform_ecg.dcm"))).read_bytes())
    return path


def sound(folder: Path) -> Path:
    import soundfile

    time = np.arange(8000) / 8000
    sweep = np.stack([np.sin(2 * np.pi * (100 + 300 * time) * time), np.random.default_rng(0).normal(0, 0.1, 8000)], 1)
    soundfile.write(folder / "sweep.wav", 0.5 * sweep.clip(-1, 1), 8000)
    return folder / "sweep.wav"


def head(folder: Path) -> Path:
    from nibabel.testing import data_path

    path = folder / "head.nii"
    path.write_bytes((Path(str(data_path)) / "anatomical.nii").read_bytes())
    return path


MAKE: dict[str, Callable[[Path], Path]] = {"series": ekg, "sound": sound, "volume": head}
Case = tuple[str, Path, PatchIndex]


@pytest.fixture(scope="module", params=list(MAKE))
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    kind = request.param
    path = MAKE[kind](tmp_path_factory.mktemp(kind))
    return kind, path, top_patches(path.parent, LAYERS, units=UNITS, top=3, per_image=3, size=SIZES[kind])


def test_the_best_positions_are_those_of_all(case: Case) -> None:
    kind, path, index = case
    network, name = trained_network(kind=kind)
    assert index.network == name != trained_network()[1]
    signal = view(path, SIZES[kind])
    with torch.inference_mode():
        activations = activations_of(network, torch.from_numpy(signal.values), LAYERS)
    for layer, units in index.layers.items():
        for unit, patches in units.items():
            a = activations[layer][unit].numpy()
            assert [p.activation for p in patches] == sorted(a.ravel().tolist(), reverse=True)[:3]
            assert [a[p.position] for p in patches] == [p.activation for p in patches]


def test_each_lead_is_seen_alone(tmp_path: Path) -> None:
    signal = view(ekg(tmp_path), 50)
    network, _ = trained_network(kind="series")
    together = activations_of(network, torch.from_numpy(signal.values), ["relu2_1"])["relu2_1"]
    assert signal.values.shape == (1, 12, 500) and together.shape == (128, 12, 250)
    alone = network(torch.from_numpy(signal.values[:, 5:6]), ["relu2_1"])["relu2_1"][0]
    torch.testing.assert_close(together[:, 5], alone, rtol=1e-4, atol=1e-3)


def test_only_the_field_matters_and_its_gradient_is_that_of_the_whole(case: Case) -> None:
    kind, path, index = case
    network, _ = trained_network(kind=kind)
    signal, rng, checked = view(path, SIZES[kind]), np.random.default_rng(0), 0
    for layer, units in index.layers.items():
        for unit, patches in units.items():
            patch = patches[0]
            if patch.activation <= 0:
                continue
            checked += 1
            field = (slice(None), *(slice(*interval) for interval in patch.field))
            outside = rng.random(signal.values.shape, np.float32)
            outside[field] = signal.values[field]
            x = torch.from_numpy(outside).requires_grad_()
            activation = activations_of(network, x, [layer])[layer][(unit, *patch.position)]
            assert activation.item() == pytest.approx(patch.activation, rel=1e-4)
            (whole,) = torch.autograd.grad(activation, x)
            gradient = activation_gradient(network, signal, layer, unit, patch, "plain")
            np.testing.assert_allclose(gradient, whole.numpy()[field], rtol=1e-3, atol=1e-3 * float(whole.abs().max()))
            assert float(whole.abs().sum()) == pytest.approx(float(np.abs(gradient).sum()), rel=1e-3)
            widest = receptive_field(up_to_deepest(VGG19, [layer]), 0)
            dims = views()[kind].dims
            assert all(stop - start <= widest[1] - widest[0] for start, stop in patch.field[-dims:])
            assert all(stop - start == 1 for start, stop in patch.field[:-dims])
    assert checked >= 3


def test_an_index_is_saved_and_drawn(case: Case, tmp_path: Path) -> None:
    kind, _, index = case
    index.save(tmp_path / "index.json")
    assert PatchIndex.load(tmp_path / "index.json") == index
    panels: dict[str, Any] = {"patches": patch_values, "gradients": gradient_panel(trained_network(kind=kind)[0])}
    sheet = sheet_of(index, panels=list(panels.values()))
    assert len(sheet.convert("L").getcolors(256) or []) > 50
    write_report(index, tmp_path / "report", panels=panels)
    script = (tmp_path / "report" / "relu2_1" / "layer.js").read_text().removeprefix("impasto.layer(").removesuffix(")")
    for unit in json.loads(f"[{script}]")[1]:
        excited = [patch for patch in index.layers["relu2_1"][unit["unit"]] if patch.activation > 0]
        assert [field for _, _, field, _ in unit["patches"]] == [[list(i) for i in patch.field] for patch in excited]
    with Image.open(tmp_path / "report" / "images" / "0.webp") as picture:
        assert min(picture.size) > 50
        assert np.asarray(picture).std() > 5


def test_two_recordings_alike_at_a_glance_are_two_and_copies_are_one(tmp_path: Path) -> None:
    waves = np.random.default_rng(0).normal(size=(2, 400)).astype(np.float32)
    recordings = {name: Signal(w[None], "series") for name, w in zip("abc", (waves[0], waves[1], waves[0]), strict=True)}
    index = top_patches(recordings, "relu1_1", units="0-3")
    assert index.images["a"] == index.images["c"] != index.images["b"]
    assert all({p.image for p in patches} == {"a", "b"} for patches in index.layers["relu1_1"].values())


def test_a_spectrogram_shows_the_pitch() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(2000) / 8000).astype(np.float32)  # a quarter of the way to the highest
    picture = np.asarray(views()["sound"].draw(Signal(tone[None, None], "sound"), (80, 80)).convert("L")).astype(float)
    assert abs(int(picture.mean(1).argmin()) - 60) <= 3
    assert picture[:40].min() == 255


def test_a_waveform_goes_where_the_values_go() -> None:
    ramp = np.linspace(0, 1, 40, dtype=np.float32)
    dark = np.asarray(views()["series"].draw(Signal(ramp[None, None], "series"), (60, 60)).convert("L")) < 128
    left, right = (np.flatnonzero(dark[:, column]).mean() for column in (5, 54))
    assert left > 45 and right < 15


def test_kinds_are_not_mixed_but_a_table_beside_photographs_is_passed_over(tmp_path: Path) -> None:
    Image.new("RGB", (20, 20), "red").save(tmp_path / "a.png")
    table = tmp_path / "a.csv"
    table.write_text("".join(f"{np.sin(i / 3):.4f}\n" for i in range(300)))
    assert set(top_patches(tmp_path, "relu1_1", units="0").images) == {(tmp_path / "a.png").as_posix()}
    with pytest.raises(SignalError, match=r"a series \(.*a.csv\) and a picture \(.*a.png\) cannot be explored together"):
        top_patches([tmp_path, table], "relu1_1", units="0")
    movie = tmp_path / "a.mp4"
    movie.write_bytes(b"x")
    with pytest.raises(SignalError, match="is a movie; pictures, series, sounds and volumes can be explored"):
        top_patches(movie, "relu1_1")
    with pytest.raises(SettingsError, match="different network"):
        series, sound = (
            top_patches({kind: Signal(np.random.default_rng(0).random((1, 99), np.float32), kind, {"rate": 100})}, "relu1_1")
            for kind in ("series", "sound")
        )
        series.merge(sound)
