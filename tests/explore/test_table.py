"""The patches that a search keeps in arrays are those that :meth:`PatchIndex.including` keeps, whatever the batches."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from impasto.errors import SizeError
from impasto.explore import patches as patches_module
from impasto.explore.index import Patch, PatchIndex, histogram_of
from impasto.explore.near_duplicates import Groups, signature
from impasto.explore.patches import empty_index, search
from impasto.explore.responses import Responses
from impasto.explore.sources import Source, Sources, view
from impasto.networks.convnet import ConvNet

LAYERS = ("relu1_1", "relu3_1")
UNITS = {"relu1_1": (2, 0, 3), "relu3_1": (0, 1, 2, 3)}
SHAPES = ((9, 13), (16, 12), (3, 9), (1, 1), (8, 12))
PICTURES = st.tuples(st.sampled_from(SHAPES), st.integers(0, 3))
COLLECTIONS = st.dictionaries(st.text("abc", min_size=1, max_size=3), PICTURES, min_size=1, max_size=8)


def made(collection: dict[str, tuple[tuple[int, int], int]]) -> dict[str, Source]:
    """Black and white pictures, several of them the same, in the order in which they are given."""
    return {
        name: np.random.default_rng(seed).choice([0, 255], (*shape, 3)).astype(np.uint8)
        for name, (shape, seed) in collection.items()
    }


def one_after_another(network: ConvNet, sources: Sources, index: PatchIndex) -> PatchIndex:
    """Unit by unit and position by position."""
    groups = Groups(index.images.values())
    for name, source in sources.items():
        signal = view(source, "full")
        fitting = [layer for layer in index.layers if network.smallest_size([layer]) <= min(signal.shape)]
        if not fitting:
            index = index.without(name, "too small")
            continue
        with torch.inference_mode():
            activations = network(torch.from_numpy(signal.values)[None], fitting)
        layers: dict[str, dict[int, tuple[Patch, ...]]] = {}
        for layer in fitting:
            a = activations[layer][0].numpy()
            fields = [
                [network.receptive_field(layer, i, extent, axis) for i in range(a.shape[axis + 1])]
                for axis, extent in enumerate(signal.shape)
            ]
            layers[layer] = {}
            for unit in index.layers[layer]:
                every = [
                    Patch(name, float(a[unit][p]), p, (fields[0][p[0]], fields[1][p[1]])) for p in np.ndindex(*a.shape[1:])
                ]
                layers[layer][unit] = tuple(sorted(every, key=lambda patch: (-patch.activation, patch.position)))
        histograms = {
            layer: histogram_of(activations[layer][0].flatten(1).amax(1).numpy()[list(u)]) for layer, u in layers.items()
        }
        images = {name: groups.find(signature(signal))}
        index = index.including(replace(index, layers=layers, histograms=histograms, images=images, skipped={}))
    return index


def found(network: ConvNet, sources: Sources, index: PatchIndex) -> PatchIndex:
    for progress in search(network, sources, index):
        index = progress.index
    return index


def compare(index: PatchIndex, expected: PatchIndex) -> None:
    assert index.layers == expected.layers
    assert {layer: list(units) for layer, units in index.layers.items()} == {k: list(v) for k, v in expected.layers.items()}
    assert {layer: counts.tolist() for layer, counts in index.histograms.items()} == {
        layer: counts.tolist() for layer, counts in expected.histograms.items()
    }
    assert list(index.images.items()) == list(expected.images.items())
    assert list(index.skipped) == list(expected.skipped)


class Together(Responses):
    """Sees images in batches on a CPU as on a GPU."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.together = given[2] == 1


@given(COLLECTIONS, COLLECTIONS, st.sampled_from([(1, 1), (3, 1), (2, 2), (4, 3), (3, 200)]), st.booleans())
@settings(deadline=None, max_examples=60)
def test_arrays_keep_what_a_loop_over_units_keeps(
    network: ConvNet,
    first: dict[str, tuple[tuple[int, int], int]],
    then: dict[str, tuple[tuple[int, int], int]],
    how: tuple[int, int],
    together: bool,
) -> None:
    top, per_image = how
    start = empty_index(UNITS, network="small", size="full", top=top, per_image=per_image)
    later = {name: source for name, source in made(then).items() if name not in first}
    with pytest.MonkeyPatch.context() as patch:
        if together:
            patch.setattr(patches_module, "Responses", Together)
        before = found(network, made(first), start)
        index = found(network, later, before)
        resumed = found(network, later, before.select(before.units()))
    expected_before = one_after_another(network, made(first), start)
    compare(before, expected_before)
    expected = one_after_another(network, later, expected_before)
    compare(index, expected)
    compare(resumed, expected)


def test_a_batch_for_which_there_is_no_memory_is_seen_one_by_one(network: ConvNet, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    sources = made({f"{i}": (SHAPES[i % 2], i) for i in range(6)})
    start = empty_index(UNITS, network="small", size="full", top=3, per_image=1)

    class Full(Together):
        def find(self, images: Any, signals: Any, batch: int = 1) -> Any:
            asked.append(batch)
            if batch > 1:
                raise SizeError("no memory")
            return super().find(images, signals, batch)

    monkeypatch.setattr(patches_module, "Responses", Full)
    compare(found(network, sources, start), one_after_another(network, sources, start))
    assert asked == [32, 1, 1, 1, 32, 1, 1, 1]


def test_a_batch_is_filled_up_so_that_its_size_depends_on_the_shape_alone(
    network: ConvNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    forward = ConvNet.forward

    def watched(self: ConvNet, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        sizes.append(len(x))
        return forward(self, x, layers)

    monkeypatch.setattr(patches_module, "Responses", Together)
    monkeypatch.setattr(ConvNet, "forward", watched)
    sources = made({f"{i:02d}": (SHAPES[i % 2], i) for i in range(5)})
    found(network, sources, empty_index(UNITS, network="small", size="full", top=3, per_image=1))
    assert sizes == [32, 32]
    monkeypatch.setattr("impasto.explore.responses.BATCH_MEMORY", 2 * network.memory((1, 3, 9, 13), LAYERS, gradient=False))
    found(network, sources, empty_index(UNITS, network="small", size="full", top=3, per_image=1))
    assert sizes[2:] == [2, 2, 1, 1]
