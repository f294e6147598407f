"""The search for patches against a brute-force search over all positions of all images."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch

from impasto.errors import SettingsError, SignalError, UnknownLayerError
from impasto.explore import sources as sources_module
from impasto.explore.index import ExploreInterrupted, PatchIndex, histogram_of
from impasto.explore.near_duplicates import signature
from impasto.explore.patches import PatchProgress, empty_index, search, top_patches
from impasto.explore.settings import parse_layers, parse_objective
from impasto.explore.sources import Source, Sources, common_kind, view
from impasto.media.signal import Signal
from impasto.networks.convnet import ConvNet

LAYERS = ("relu1_1", "conv2_1", "relu3_1")


def pictures(count: int, seed: int = 0) -> dict[str, Source]:
    """Black and white pictures of different shapes, and two of one colour: equal activations within one and between several.

    The network sees -2 and 2. With its weights of whole numbers all of its sums are whole numbers far below 2^24, which
    float32 holds exactly: whatever the order in which a processor adds them, what is equal stays equal.
    """
    rng = np.random.default_rng(seed)
    shapes = [(9, 13), (16, 12), (21, 17), (8, 30)]
    found: dict[str, Source] = {}
    for i in range(count):
        found[f"p{i:02d}"] = rng.choice([0, 255], (*shapes[i % 4], 3)).astype(np.uint8)
    found["same"], found["other"] = np.full((16, 16, 3), 255, np.uint8), np.zeros((16, 20, 3), np.uint8)
    return found


def run(network: ConvNet, sources: Sources, start: PatchIndex) -> PatchIndex:
    *_, last = search(network, dict(sorted(sources.items())), start)
    return last.index


def start(network: ConvNet, layers: tuple[str, ...] = LAYERS, top: int = 9, per_image: int = 1) -> PatchIndex:
    units = {name: tuple(range(4)) for name in layers}
    return empty_index(units, network="small", size="full", top=top, per_image=per_image)


@pytest.mark.parametrize(("top", "per_image"), [(9, 1), (5, 2), (7, 20), (1, 1), (40, 3)])
def test_equals_brute_force_with_ties(network: ConvNet, top: int, per_image: int) -> None:
    sources = pictures(10)
    index = run(network, sources, start(network, top=top, per_image=per_image))
    assert len(set(index.images.values())) == len(sources)
    everything: dict[tuple[str, int], list[tuple[float, str, tuple[int, ...]]]] = {}
    for name, source in sources.items():
        with torch.no_grad():
            activations = network(torch.from_numpy(view(source, "full").values)[None], LAYERS)
        for layer, a in activations.items():
            assert torch.equal(a, a.round()) and a.abs().max() < 2**24
            for unit, *position in itertools.product(*(range(n) for n in a.shape[1:])):
                found = (-float(a[(0, unit, *position)]), name, tuple(position))
                everything.setdefault((layer, unit), []).append(found)
    ties = 0
    for (layer, unit), found in everything.items():
        expected, taken = [], dict.fromkeys(sources, 0)
        for item in sorted(found):
            if taken[item[1]] < per_image and len(expected) < top:
                taken[item[1]] += 1
                expected.append(item)
        ties += len(expected) - len({activation for activation, _, _ in expected})
        assert [(-p.activation, p.image, p.position) for p in index.layers[layer][unit]] == expected
    assert ties > 0 or top == 1


def test_changing_the_picture_outside_of_the_field_changes_nothing_and_inside_does(network: ConvNet) -> None:
    sources = pictures(6)
    index = run(network, sources, start(network))
    rng = np.random.default_rng(1)
    checked = 0
    for layer, units in index.layers.items():
        for unit, patches in units.items():
            for patch in patches[:2]:
                values = view(sources[patch.image], "full").values
                field = (slice(None), *(slice(*interval) for interval in patch.field))
                outside = rng.random(values.shape, np.float32)
                outside[field] = values[field]
                activation = network(torch.from_numpy(outside)[None], [layer])[layer][(0, unit, *patch.position)]
                assert float(activation) == pytest.approx(patch.activation, rel=1e-6)
                inside = values.copy()
                inside[field] = rng.random(inside[field].shape)
                activation = network(torch.from_numpy(inside)[None], [layer])[layer][(0, unit, *patch.position)]
                if patch.activation > 0:
                    checked += 1
                    assert float(activation) != patch.activation
    assert checked > 10


def test_one_pass_over_all_layers_is_one_pass_for_each(network: ConvNet) -> None:
    sources = pictures(5)
    together = run(network, sources, start(network))
    for layer in LAYERS:
        alone = run(network, sources, start(network, (layer,)))
        assert alone == together.select({layer: range(4)})


def test_a_picture_too_small_for_a_layer_takes_part_in_the_others(network: ConvNet) -> None:
    sources = pictures(3) | {"small": np.full((3, 9, 3), 90, np.uint8), "dot": np.full((1, 1, 3), 9, np.uint8)}
    index = run(network, sources, start(network, ("relu2_1", "relu3_1")))
    assert set(index.skipped) == {"dot"}
    assert "needs 2 on each side" in index.skipped["dot"]
    assert any(patch.image == "small" for patch in index.layers["relu2_1"][0])
    assert index.histograms["relu2_1"][0].sum() == index.histograms["relu3_1"][0].sum() + 1 == 6


def test_the_histogram_counts_each_image_once_at_its_peak(network: ConvNet) -> None:
    sources = pictures(6)
    index = run(network, sources, start(network, top=99))
    for layer, units in index.layers.items():
        peaks = np.array([[patch.activation for patch in patches] for patches in units.values()], np.float32)
        expected = np.stack([histogram_of(np.array([peak] * 4, np.float32))[0] for peak in peaks[0]]).sum(0)
        assert (index.histograms[layer][0] == expected).all()
    assert histogram_of(np.array([0, 0.1, 0.5, 1, 1e9], np.float32)).argmax(1).tolist() == [0, 1, 1, 3, 32]


def test_near_duplicates_count_once(make_photos: Callable[..., Path], network: ConvNet) -> None:
    from PIL import Image

    folder = make_photos(4, size=(160, 120))
    original = Image.open(folder / "photo001.png")
    original.save(folder / "photo001_copy.png")
    original.save(folder / "recompressed.jpg", quality=80)
    original.resize((120, 90)).save(folder / "smaller.png")
    sources: dict[str, Source] = {path.name: path for path in folder.iterdir()}
    index = run(network, sources, start(network))
    assert len(index.images) == 7
    assert len(set(index.images.values())) == 4
    for units in index.layers.values():
        for patches in units.values():
            assert len({index.images[patch.image] for patch in patches}) == len(patches) == 4


def test_different_photographs_are_not_taken_for_copies() -> None:
    from skimage import data

    names = [
        "astronaut",
        "brick",
        "camera",
        "chelsea",
        "coffee",
        "coins",
        "grass",
        "gravel",
        "moon",
        "page",
        "rocket",
        "text",
    ]
    from impasto.explore.near_duplicates import Groups

    groups = Groups()
    assert len({groups.find(signature(view(getattr(data, name)(), 224))) for name in names}) == len(names)
    colours = [np.full((20, 20, 3), colour, np.uint8) for colour in ((200, 0, 0), (0, 200, 0), (0, 0, 200))]
    assert len({groups.find(signature(view(colour, "full"))) for colour in colours}) == 3


def test_of_two_groups_that_are_near_the_first_counts() -> None:
    from impasto.explore.near_duplicates import Groups

    def name(ones: int, colour: int = 100) -> str:
        return f"{(1 << ones) - 1:032x}" + 3 * f"{colour:02x}"

    first, second, between = name(0), name(11), name(5)
    for order in ([first, second], [second, first]):
        groups = Groups()
        assert [groups.find(one) for one in order] == order
        assert groups.find(between) == order[0]
        assert Groups(iter(order)).find(between) == order[0]
    assert Groups([first]).find(name(10)) == first
    assert Groups([first]).find(name(0, 108)) == first
    assert Groups([first]).find(name(0, 109)) == name(0, 109)
    many = [f"{i * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}000000" for i in range(300)]
    groups = Groups()
    assert [groups.find(one) for one in many] == many == [groups.find(one) for one in many]


def test_an_interrupted_search_goes_on_to_the_same_result(make_photos: Callable[..., Path]) -> None:
    folder = make_photos(7)
    (folder / "photo003.png").write_bytes(b"no picture")
    how = {"layers": "relu1_1", "units": "0-7", "top": 3}
    whole = top_patches(folder, **how)

    def stop(progress: object) -> None:
        if getattr(progress, "done", 0) == 4:
            raise KeyboardInterrupt

    with pytest.raises(ExploreInterrupted) as caught:
        top_patches(folder, on_progress=stop, **how)
    assert len(caught.value.index.images) == 3
    assert not caught.value.index.complete
    assert caught.value.index != whole
    assert top_patches(folder, resume=caught.value.index, **how) == whole
    assert list(whole.skipped) == [(folder / "photo003.png").as_posix()]


def test_a_cancelled_search_ends_after_the_image_at_hand_and_goes_on_to_the_same_result(
    make_photos: Callable[..., Path],
) -> None:
    folder, how = make_photos(5), {"layers": "relu1_1", "units": "0-7", "top": 3}
    whole, cancel, told = top_patches(folder, **how), Event(), list[int]()

    def watch(progress: PatchProgress) -> None:
        told.append(progress.done)
        if progress.done == last:
            cancel.set()

    last = 2
    part = top_patches(folder, on_progress=watch, cancel=cancel, **how)
    assert (told, len(part.images), part.complete) == ([1, 2], 2, False)
    assert top_patches(folder, resume=part, **how) == whole
    cancel.clear()
    last = 5  # nothing was left to be cancelled
    assert top_patches(folder, on_progress=watch, cancel=cancel, **how) == whole


def test_a_search_that_was_cancelled_before_it_saw_anything_is_no_failure(make_photos: Callable[..., Path]) -> None:
    folder, cancel = make_photos(3), Event()
    (folder / "photo000.png").write_bytes(b"no picture")
    cancel.set()
    part = top_patches(folder, "relu1_1", units="0", cancel=cancel)
    assert (dict(part.images), len(part.skipped), part.complete) == ({}, 1, False)


def test_images_are_seen_at_no_more_than_the_size(make_photos: Callable[..., Path]) -> None:
    folder = make_photos(1, size=(80, 60))
    for size, shape in ((20, (15, 20)), (500, (60, 80)), ("full", (60, 80))):
        index = top_patches(folder, "relu1_2", units=[3], size=size, per_image=9999, top=9999)
        fields = [patch.field for patch in index.layers["relu1_2"][3]]
        assert (max(y[1] for y, _ in fields), max(x[1] for _, x in fields)) == shape


def test_errors_name_what_was_expected(tmp_path: Path, make_photos: Callable[..., Path]) -> None:
    folder = make_photos(1)
    with pytest.raises(UnknownLayerError, match="did you mean 'relu3_1'"):
        top_patches(folder, "relu31")
    with pytest.raises(SettingsError, match="relu1_1 has no unit 64; it has 64, from 0 to 63"):
        top_patches(folder, "relu1_1", units="60-64")
    with pytest.raises(SettingsError, match="units 'x'"):
        top_patches(folder, "relu1_1", units="x")
    with pytest.raises(SettingsError, match="top is 0"):
        top_patches(folder, "relu1_1", top=0)
    with pytest.raises(SignalError, match="no such file or folder"):
        top_patches(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SignalError, match="no picture was found in"):
        top_patches(tmp_path / "empty")
    (tmp_path / "empty" / "broken.jpg").write_bytes(b"x")
    with pytest.raises(SignalError, match="none of 1 images can be explored"):
        top_patches(tmp_path / "empty", "relu1_1")


def test_a_search_made_differently_is_not_continued(make_photos: Callable[..., Path]) -> None:
    folder = make_photos(1)
    index = top_patches(folder, "relu1_1", units="0")
    with pytest.raises(SettingsError, match="different size"):
        top_patches(folder, "relu1_1", units="0", size=20, resume=replace(index, complete=False))


def test_what_was_told_of_an_image_stays_as_it_was(network: ConvNet) -> None:
    sources = {**pictures(6), "tiny": np.zeros((2, 2, 3), np.uint8)}
    told = [(progress.index, progress.index.as_dict()) for progress in search(network, sources, start(network))]
    assert [len(index.images) + len(index.skipped) for index, _ in told] == list(range(1, len(sources) + 1))
    for index, as_it_was in told:
        assert index.as_dict() == as_it_was


def test_two_searches_may_go_on_from_one_index(network: ConvNet) -> None:
    first = run(network, pictures(4), start(network))
    others = {f"q{name}": source for name, source in pictures(4, seed=1).items()}
    one, two = run(network, others, first), run(network, others, first)
    assert one == two
    assert len(first.images) == 6


def test_of_many_files_few_are_opened_to_tell_their_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [tmp_path / f"{number:04d}.jpg" for number in range(2000)]
    looked_into: list[Source] = []
    monkeypatch.setattr(sources_module, "source_kind", lambda source: (looked_into.append(source), "image")[1])
    assert common_kind({path.name: path for path in files}) == "image"
    assert len(looked_into) <= 1000


def test_several_kinds_are_refused_by_their_names_however_many_there_are(tmp_path: Path) -> None:
    files = {f"{number:04d}.jpg": tmp_path / f"{number:04d}.jpg" for number in range(1200)}
    with pytest.raises(SignalError, match=r"a picture \(0000.jpg\) and a sound \(z.wav\) cannot be explored together"):
        common_kind({**files, "z.wav": tmp_path / "z.wav"})


def test_a_file_of_another_kind_that_is_met_on_the_way_is_skipped(network: ConvNet) -> None:
    sources = {**pictures(3), "volume": Signal(np.zeros((1, 8, 8, 8), np.float32), "volume")}
    *_, last = search(network, sources, start(network), "image")
    assert last.index.skipped == {"volume": "volume is a volume among images"}


def test_layers_may_have_the_names_of_keras_and_torchvision():
    assert parse_layers("block3_conv1,features.1") == ("relu1_1", "relu3_1")
    assert parse_objective("block4_conv1:17") == {("relu4_1", 17): 1.0}
