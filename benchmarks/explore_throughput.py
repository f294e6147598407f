"""How fast patches are found, against the bare forward pass of the same network over the same decoded images.

    python benchmarks/explore_throughput.py [--layer relu5_1] [--images 48] [--size 224]

Prints the ratio in one run: rounds of the bare pass and of the whole search (reading, decoding, duplicates, fields)
alternate, so that what else the machine does falls on both.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from impasto.explore.patches import empty_index, search, trained_network
from impasto.explore.settings import parse_layers, parse_units
from impasto.explore.sources import Source, view


def write_photos(folder: Path, count: int) -> dict[str, Source]:
    """JPEG files of 640 x 480 with something on every scale."""
    sources: dict[str, Source] = {}
    for i in range(count):
        rng = np.random.default_rng(i)
        picture = np.zeros((480, 640, 3))
        for cells in (4, 16, 64):
            noise = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), np.uint8))
            picture += np.asarray(noise.resize((640, 480), Image.Resampling.BICUBIC)) / 3
        path = folder / f"{i:04d}.jpg"
        Image.fromarray(picture.astype(np.uint8)).save(path, quality=90)
        sources[path.name] = path
    return sources


class Turn(NamedTuple):
    """Seconds on the clock, and of all threads together."""

    bare: float
    whole: float
    bare_cpu: float
    whole_cpu: float


def alternate(layers: Sequence[str], images: int, size: int, rounds: int, folder: Path) -> list[Turn]:
    """Rounds of the bare pass and of the whole search over photographs that are written to a folder."""
    units = {layer: parse_units("all", layer) for layer in layers}
    network, name = trained_network()
    sources = write_photos(folder, images)
    decoded = [torch.from_numpy(view(source, size).values)[None] for source in sources.values()]

    def bare() -> None:
        with torch.inference_mode():
            for x in decoded:
                network(x, layers)

    def whole() -> None:
        for _ in search(network, sources, empty_index(units, network=name, size=size, top=9, per_image=1)):
            pass

    bare()
    turns: list[Turn] = []
    for _ in range(rounds):
        (bare_wall, bare_cpu), (wall, cpu) = seconds(bare), seconds(whole)
        turns.append(Turn(bare_wall, wall, bare_cpu, cpu))
    return turns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layer", default="relu5_1")
    parser.add_argument("--images", type=int, default=48)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    layers = parse_layers(given.layer)
    with tempfile.TemporaryDirectory() as folder:
        turns = alternate(layers, given.images, given.size, given.rounds, Path(folder))
    for turn in turns:
        print(f"bare {given.images / turn.bare:.2f}, search {given.images / turn.whole:.2f} images/s")
        print(f"  ratio {turn.bare / turn.whole:.3f}, in processor time {turn.bare_cpu / turn.whole_cpu:.3f}")
    wall, cpu = (
        median(a / b for a, b in rows)
        for rows in ([(turn.bare, turn.whole) for turn in turns], [(turn.bare_cpu, turn.whole_cpu) for turn in turns])
    )
    print(f"median ratio {wall:.3f}, in processor time {cpu:.3f} ({', '.join(layers)}, {given.size} px)")


def seconds(work: Callable[[], None]) -> tuple[float, float]:
    """On the clock, and of all threads together; the second one does not depend on what else the machine does."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


if __name__ == "__main__":
    main()
