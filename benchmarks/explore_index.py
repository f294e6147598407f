"""What the explorer itself takes for an image, when it has seen a thousand images and when it has seen a million.

    python benchmarks/explore_index.py [--images 1000,1000000] [--more 2000] [--rounds 5]

No file is read and no network computed: pictures of noise of 24 x 24 pixels go through the search with activations that are
given, so that what is measured is the explorer's own: signatures, near duplicates, best patches, histograms and the index.
Seconds are those of the processor, so that others at work on the machine count little.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor

from impasto.explore.index import Patch
from impasto.explore.patches import empty_index, search
from impasto.explore.settings import parse_units
from impasto.media.signal import Signal
from impasto.networks.convnet import ConvNet
from impasto.networks.kernels.autotune import processor
from impasto.networks.layers import VGG19

LAYER = "relu3_1"
SIDE = 24


class Given(ConvNet):
    """A network whose activations are always the same, and lower than those of the patches there are."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)
        self.table, self.padding, self.pooling, self.spatial_dims = VGG19, "zeros", "max", 2
        self.register_buffer("mean", torch.zeros(1))
        self.given = torch.rand(1, 256, SIDE // 4, SIDE // 4, generator=torch.Generator().manual_seed(0))

    def forward(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        return dict.fromkeys(layers, self.given)


class Noise(Mapping[str, Signal]):
    """Pictures of coarse noise by name, made when they are asked for."""

    def __init__(self, first: int, count: int) -> None:
        self.names = {f"photos/new/{number:08d}.jpg": number for number in range(first, first + count)}

    def __getitem__(self, name: str) -> Signal:
        rng = np.random.default_rng(self.names[name])
        contrast = rng.uniform(0.02, 0.3)
        coarse = rng.uniform(0.2, 0.8, (3, 1, 1)) + contrast * rng.standard_normal((1, 8, 8))
        return Signal(coarse.repeat(SIDE // 8, 1).repeat(SIDE // 8, 2).clip(0, 1).astype(np.float32))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def filled(count: int) -> Any:
    """An index that has seen so many pictures, each like no other."""
    units = parse_units("all", LAYER)
    index = empty_index({LAYER: units}, network="given", size=512, top=9, per_image=1)
    rng, images = np.random.default_rng(1), {}
    for start in range(0, count, 50_000):
        size = min(50_000, count - start)
        # bits of contrasts as different as those of photographs, and colours near grey
        bits = np.packbits(rng.random((size, 128)) < rng.uniform(0.05, 0.5, (size, 1)), axis=1)
        colours = (rng.normal(115, 40, (size, 1)) + rng.normal(0, 14, (size, 3))).clip(0, 255).astype(np.uint8)
        for number, row in enumerate(np.hstack([bits, colours]), start=start):
            images[f"photos/{number:08d}.jpg"] = row.tobytes().hex()
    best = tuple(Patch(name, 2.0, (0, 0), ((0, 24), (0, 24))) for name in list(images)[:9])
    seen = empty_index({LAYER: units}, network="given", size=512, top=9, per_image=1)
    kept = {LAYER: dict.fromkeys(units, best)}
    return index.including(type(seen)(**{**vars(seen), "layers": kept, "images": images}))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", default="1000,1000000")
    parser.add_argument("--more", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    network, times, process = Given(), {}, psutil.Process()
    counts = [int(count) for count in chosen.images.split(",")]
    runs: dict[int, Iterator[Any]] = {}
    for count in counts:
        before, began = process.memory_info().rss, time.process_time()
        index = filled(count)
        runs[count] = search(network, Noise(count, chosen.more * chosen.rounds + 1), index, "image")
        next(runs[count])
        grown = (process.memory_info().rss - before) / count
        print(f"{count:>9} images: begun in {time.process_time() - began:.1f} s, {grown:.0f} bytes of memory an image")
    gc.collect()
    times = {count: [] for count in counts}
    for _ in range(chosen.rounds):
        for count, run in runs.items():
            began = time.process_time()
            seen = [len(progress.index.images) for progress in islice(run, chosen.more)]
            times[count].append((time.process_time() - began) / chosen.more)
            assert seen[-1] > count
    print(f"{processor()}, 1 thread; {chosen.more} images more, median of {chosen.rounds} rounds (lowest to highest)")
    for count, seconds in times.items():
        low, middle, high = (1e6 * f(seconds) for f in (min, statistics.median, max))
        print(f"{count:>9} images: {middle:.0f} microseconds an image ({low:.0f} to {high:.0f})")
    first, *_, last = (statistics.median(seconds) for seconds in times.values())
    print(f"ratio {last / first:.2f}")


if __name__ == "__main__":
    main()
