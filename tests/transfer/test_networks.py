"""Transfer takes any network: one that is wrapped, one that is there, one of another package, by its name."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from torch import nn

import impasto
from impasto.descent.tensor_tree import read_about
from impasto.errors import SettingsError, SizeError, UnknownLayerError
from impasto.networks.layers import ARCHITECTURES, VGG19, up_to_deepest
from impasto.networks.registry import networks
from impasto.objective.evaluation import BoundObjective, View
from impasto.objective.term import Scene
from impasto.transfer.dry_run import dry_run
from impasto.transfer.inputs import take_in
from tests.conftest import Run
from tests.networks.test_registry import anew as anew
from tests.networks.test_registry import install
from tests.networks.test_wrap import MEAN, STD, module_of

CONTENT, STYLE = data.coffee()[::9, ::9], data.chelsea()[::7, ::7]
J = impasto.content("high") + 20 * impasto.style("low,high")
FERNS = """
from impasto.networks.registry import Constructor
from impasto.packages import Late

FERNS = Constructor(
    "ferns", Late("leaves.net:make"), content_layers=(("veins", 1.0),), style_layers=(("edges", 0.5), ("veins", 0.5))
)
"""


def small(dims: int = 2, channels: int = 3) -> Any:
    torch.manual_seed(0)
    convolution, pool = ((nn.Conv1d, nn.MaxPool1d), (nn.Conv2d, nn.MaxPool2d), (nn.Conv3d, nn.MaxPool3d))[dims - 1]
    parts = [convolution(channels, 6, 3, padding=1), nn.ReLU(), pool(2), convolution(6, 8, 3, padding=1), nn.ReLU()]
    return impasto.wrap(nn.Sequential(*parts), {"low": "1", "high": "4"}, spatial_dims=dims, name="small")


def painter(network: Any = None, objective: Any = J, **settings: Any) -> impasto.Painter:
    given: dict[str, Any] = {"size": 40, "iterations": 6, **settings}
    return impasto.Painter(network or small(), objective, settings=impasto.TransferSettings(**given))


def series() -> list[impasto.Signal]:
    t = np.arange(1500) / 250
    waves = [np.sin(7 * t) + 0.3 * np.sin(31 * t), np.sign(np.sin(9 * t))]
    return [impasto.Signal(x[None].astype(np.float32), "series", {"rate": 250.0}) for x in waves]


@pytest.fixture
def masks(tmp_path: Path) -> dict[str, Path]:
    found = {"content_mask": CONTENT, "style_mask": STYLE}
    for name, picture in found.items():
        mask = np.zeros(picture.shape[:2], np.uint8)
        mask[:, :30] = 255
        Image.fromarray(mask).save(tmp_path / f"{name}.png")
    return {name: tmp_path / f"{name}.png" for name in found}


@pytest.mark.parametrize("how", [{}, {"init": "random"}, {"scales": 2, "iterations": 12}, {"stroke": 2.0}], ids=str)
def test_a_wrapped_network_paints_a_picture(how: dict[str, Any]):
    painting = painter(**how).paint(CONTENT, STYLE)
    last = [e for e in painting.history if e.scale == painting.history[-1].scale]
    assert painting.best.cost < 0.5 * last[0].cost and painting.signal.shape == (27, 40)
    assert painting.about["network"] == "small" and list(painting.best.by_layer["style"]) == ["low", "high"]


def test_a_wrapped_network_sees_regions_and_leaves_what_is_protected(masks: dict[str, Path]):
    free = painter().paint(CONTENT, STYLE).signal.values
    regions = painter(**masks).paint(CONTENT, STYLE)
    assert regions.best.cost < 0.5 * regions.history[0].cost and not np.array_equal(regions.signal.values, free)
    kept = painter(protect=masks["content_mask"]).paint(CONTENT, STYLE)
    plain = impasto.transfer_style(CONTENT, STYLE, impasto.TransferSettings(size=40, iterations=1)).signal.values
    changed = [np.abs(values - plain).mean((0, 1)) for values in (kept.signal.values, free)]
    assert changed[0][:14].max() < 0.2 * changed[1][:14].mean() and changed[0][-14:].mean() > 0.3 * changed[1][-14:].mean()


def test_a_wrapped_network_paints_slices_of_a_volume_and_frames_of_a_movie():
    random = np.random.default_rng(0)
    volume = impasto.Signal(random.random((1, 20, 20, 20), np.float32), "volume", {})
    painting = painter().paint(volume, STYLE)
    assert painting.signal.shape == (20, 20, 20) and painting.best.cost < 0.5 * painting.history[0].cost
    movie = impasto.Signal(random.random((3, 4, 20, 24), np.float32), "movie", {"fps": 10.0})
    painting = painter(iterations=4).paint(movie, STYLE)
    assert painting.signal.shape == (4, 20, 24) and list(painting.best.costs) == ["content", "style", "temporal"]
    for signal in (volume, movie):
        with pytest.raises(SettingsError, match="network small looks along 2 axes of space; one along 3 was expected"):
            painter(method="volume").paint(signal, STYLE)
        with pytest.raises(SettingsError, match="network small looks along 3 axes of space; one along 2 was expected"):
            painter(small(3)).paint(signal, STYLE)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_wrapped_network_of_one_dimension_paints_a_series(channels: int):
    painting = painter(small(1, channels), size=None).paint(*series())
    assert painting.best.cost < 0.9 * painting.history[0].cost and painting.signal.shape == (1500,)
    with pytest.raises(SettingsError, match="network small looks along 2 axes of space; one along 1 was expected"):
        painter(size=None).paint(*series())
    with pytest.raises(SettingsError, match="network small looks along 1 axis of space; one along 2 was expected"):
        painter(small(1)).paint(CONTENT, STYLE)


def test_vgg_paints_a_series_as_it_does_by_name():
    settings = impasto.TransferSettings(iterations=5)
    given = impasto.Painter(impasto.vgg19(pooling="avg"), settings=settings).paint(*series())
    assert given.best.cost < given.history[0].cost
    assert np.array_equal(given.signal.values, impasto.Painter("vgg19", settings=settings).paint(*series()).signal.values)


def test_a_sound_is_heard_by_its_own_network_alone():
    sounds = [
        impasto.Signal((np.sin(np.arange(8000) * k)[None] / 3).astype(np.float32), "sound", {"rate": 8000})
        for k in (0.1, 0.2)
    ]
    for network in (small(1), small()):
        with pytest.raises(SettingsError, match="a sound cannot be seen by a network that is given: spectral can"):
            painter(network, size=None).paint(*sounds)
    with pytest.raises(SettingsError, match=r"network 'vgg19' does not take .* \(sound\): spectral was expected"):
        impasto.Painter("vgg19").paint(*sounds)


def test_j_of_a_wrapped_network_is_that_of_ours():
    ours, module, paths = module_of(up_to_deepest(VGG19, ["relu4_1"]))
    wrapped = impasto.wrap(module, paths, mean=MEAN, std=STD)
    objective = impasto.content("relu3_2") + 20 * impasto.style("relu1_1,relu2_1,relu4_1")
    content, style, start = (
        torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(i))
        for i, size in enumerate([(48, 64), (40, 56), (48, 64)])
    )
    found: list[tuple[float, torch.Tensor]] = []
    for network in (ours, wrapped):
        leaf = start.clone().requires_grad_()
        cost = BoundObjective(objective, [View(Scene(network, content, [(style, 1.0)]))])(leaf).cost
        found.append((cost.item(), torch.autograd.grad(cost, leaf)[0]))
    assert found[1][0] == pytest.approx(found[0][0], rel=1e-5)
    scale = found[0][1].abs().max()
    torch.testing.assert_close(found[1][1] / scale, found[0][1] / scale, rtol=1e-4, atol=1e-5)


def test_what_does_not_fit_is_told_at_its_full_size_with_one_that_would():
    large = np.zeros((2000, 2000, 3), np.uint8)
    with pytest.raises(SizeError, match=r"2000 x 2000 needs at least .* of memory") as raised:
        painter(size=2000, memory="1GiB").paint(large, STYLE)
    fits = int(str(raised.value).split("a --size of ")[1].split()[0])
    assert 300 < fits < 2000 and "\n" not in str(raised.value)
    how = impasto.TransferSettings(size=fits, memory="1GiB", iterations=1, scales=1)
    (fitting,) = dry_run(take_in(large, STYLE, how, network=small(), objective=J)).fittings
    assert fitting is not None and fitting.plan is None and 0.8 * 2**30 < fitting.memory <= 2**30


def test_the_memory_that_is_told_has_that_of_the_network():
    def told(network: Any) -> float:
        settings = impasto.TransferSettings(size=400, iterations=1, scales=1)
        (fitting,) = dry_run(take_in(data.coffee(), data.astronaut(), settings, network=network, objective=J)).fittings
        assert fitting is not None
        return fitting.memory

    def taken(network: Any) -> float:
        content = network.memory((1, 3, 267, 400), ["low", "high"])
        return max(content, network.memory((1, 3, 400, 400), ["low", "high"], gradient=False))

    torch.manual_seed(0)
    wide = nn.Sequential(
        nn.Conv2d(3, 96, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(96, 8, 3, padding=1), nn.ReLU()
    )
    wrapped = impasto.wrap(wide, {"low": "1", "high": "4"})
    assert told(wrapped) - told(small()) == pytest.approx(taken(wrapped) - taken(small()), rel=1e-3)


def test_where_the_costs_are_taken_must_be_said_of_a_network_that_is_not_known():
    with pytest.raises(SettingsError, match="where the costs of small are taken is not known: give J") as raised:
        painter(objective=None).paint(CONTENT, STYLE)
    assert "impasto.content('high') + 20 * impasto.style('high')" in str(raised.value)
    with pytest.raises(UnknownLayerError, match="unknown layer 'hihg': did you mean 'high'"):
        painter(objective=1 * impasto.content("hihg")).paint(CONTENT, STYLE)
    with pytest.raises(SettingsError, match=r"settings is a dict; impasto.TransferSettings\(\.\.\.\) was expected"):
        impasto.Painter(settings={"size": 40})  # pyright: ignore


def test_one_painter_may_be_used_by_several_threads_at_once():
    shared = painter(iterations=3)
    expected = [shared.paint(*pair).signal.values for pair in ((CONTENT, STYLE), (STYLE, CONTENT))]
    found: list[bool] = []

    def paint(k: int) -> None:
        for _ in range(3):
            values = shared.paint(*((STYLE, CONTENT) if k % 2 else (CONTENT, STYLE))).signal.values
            found.append(np.array_equal(values, expected[k % 2]))

    threads = [threading.Thread(target=paint, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 12


@pytest.mark.parametrize("at", [0, 1, 5, 6])
@pytest.mark.parametrize("kind", ["scales", "movie"])
def test_a_painting_that_is_cancelled_anywhere_goes_on_as_if_it_had_not_been(tmp_path: Path, kind: str, at: int):
    """Before the first evaluation, after it, and after the last and the first of a scale or a frame."""
    movie = impasto.Signal(np.random.default_rng(0).random((3, 3, 20, 24), np.float32), "movie", {"fps": 10.0})
    content, own = (movie, painter(iterations=5)) if kind == "movie" else (CONTENT, painter(scales=2, iterations=10))
    whole, cancel, kept = own.paint(content, STYLE), threading.Event(), tmp_path / "kept"
    if not at:
        cancel.set()
    part = own.paint(
        content, STYLE, checkpoint=kept, cancel=cancel, on_progress=lambda p: p.latest.evaluation < at or cancel.set()
    )
    assert len(part.history) == max(1, at) and not part.finished
    rest = own.paint(content, STYLE, checkpoint=kept)
    assert rest.finished and np.array_equal(rest.signal.values, whole.signal.values)
    assert [e.costs for e in rest.history] == [e.costs for e in whole.history]


# by name, on the command line


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(CONTENT).save("photo.png")
    Image.fromarray(STYLE).save("style.png")
    return tmp_path


def command(output: str = "out.png", *more: str) -> tuple[str, ...]:
    return ("transfer", "photo.png", "style.png", "-o", output, "--size", "40", "--iterations", "6", "--json", *more)


def ferns(desk: Path, anew: pytest.MonkeyPatch) -> None:
    site = install(desk / "site", "leaves = leaves:LEAVES", "ferns = ferns:FERNS")
    (site / "ferns.py").write_text(FERNS)
    anew.syspath_prepend(site)
    networks.cache_clear()


def record(path: str) -> dict[str, Any]:
    with Image.open(path) as picture:
        return next(found for text in picture.info.values() if isinstance(text, str) and (found := _as_record(text)))


def _as_record(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and "settings" in found else {}


def test_a_network_of_another_package_paints_by_the_command_line(desk: Path, run: Run, anew: pytest.MonkeyPatch):
    ferns(desk, anew)
    code, out, err = run(*command("ferns.png", "--network", "ferns"))
    assert code == 0, err
    assert list(json.loads(out)["style_cost_by_layer"]) == ["edges", "veins"]
    layers = ("--content-layers", "veins", "--style-layers", "edges=0.5,veins=0.5")
    code, _, err = run(*command("leaves.png", "--network", "leaves", *layers))
    assert code == 0, err
    with Image.open("ferns.png") as one, Image.open("leaves.png") as other:
        assert np.array_equal(np.asarray(one), np.asarray(other))
    kept = record("ferns.png")
    assert kept["network"] == kept["settings"]["network"] == "ferns"
    assert impasto.TransferSettings(**kept["settings"]).style_lambdas == {"edges": 0.5, "veins": 0.5}
    for more, reason in (
        (("--network", "leaves"), "where the costs of leaves are taken is not known: give content_layers and style_layers"),
        (("--network", "leaves", "--content-layers", "vein", *layers[2:]), "unknown layer 'vein': did you mean 'veins'"),
        (("--network", "fern"), "did you mean 'ferns'"),
        (("--network", "resnet50"), "any torch module can be wrapped in Python: impasto.wrap"),
        (("--network", "ferns", "--pooling", "max"), "network 'ferns' takes no pooling; it takes no options"),
    ):
        code, _, err = run(*command("none.png", *more))
        assert code == 2 and reason in err and err.count("\n") == 1, err


def test_a_painting_by_a_network_of_another_package_is_resumed(desk: Path, run: Run, anew: pytest.MonkeyPatch):
    from impasto.transfer import recorders

    ferns(desk, anew)
    code, _, err = run(*command("whole.png", "--network", "ferns"))
    assert code == 0, err
    trace_to = recorders.trace_to

    def killing(*given: Any) -> Any:
        write = trace_to(*given)

        def kill(progress: Any) -> None:
            write(progress)
            if progress.latest.evaluation == 4:
                raise SystemExit(9)

        return kill

    with anew.context() as patch:
        patch.setattr(recorders, "trace_to", killing)
        more = ("--trace", "trace", "--checkpoint", "kept", "--checkpoint-every", "0")
        assert run(*command("rest.png", "--network", "ferns", *more))[0] == 9
    assert read_about(Path("kept"))["parts"]["network"] == "ferns"
    code, _, err = run("resume", "kept")
    assert code == 0, err
    with Image.open("whole.png") as one, Image.open("rest.png") as other:
        assert np.array_equal(np.asarray(one), np.asarray(other))


def test_vgg16_takes_a_file_of_torchvision(desk: Path, run: Run):
    weights, inputs = dict[str, torch.Tensor](), 3
    generator = torch.Generator().manual_seed(0)
    for place, row in enumerate(ARCHITECTURES["vgg16"].table):
        if row.operation == "conv":
            deviation = (2 / (9 * inputs)) ** 0.5
            weights[f"features.{place}.weight"] = torch.randn(row.channels, inputs, 3, 3, generator=generator) * deviation
            weights[f"features.{place}.bias"], inputs = torch.zeros(row.channels), row.channels
    torch.save(weights, "mine.pth")
    how = ("--network", "vgg16", "--weights", "mine.pth")
    code, out, err = run(*command("out.png", *how, "--preprocessing", "torchvision", "--init", "random"))
    assert code == 0, err
    assert json.loads(out)["network"] == record("out.png")["network"] == "vgg16 (mine.pth)"
    for more, reason in ((how, "say --preprocessing"), (how[:2], "network 'vgg16' needs weights: give a file")):
        code, _, err = run(*command("none.png", *more))
        assert code in (1, 2) and reason in err and err.count("\n") == 1
