"""The peak memory of a search over many images, against that of a search over few.

    python benchmarks/explore_memory.py [--few 100] [--many 10000]

Each search runs in a process of its own over pictures of 64 px that are made as they are asked for.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Mapping

import numpy as np
import psutil


class Pictures(Mapping[str, object]):
    """So many pictures of noise, none of which is kept."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __getitem__(self, name: str) -> object:
        return np.random.default_rng(int(name)).integers(0, 256, (64, 64, 3), np.uint8)

    def __iter__(self) -> Iterator[str]:
        return (f"{i:06d}" for i in range(self._count))

    def __len__(self) -> int:
        return self._count


def peak_of_search(count: int) -> None:
    """Search, and print the peak of this process in bytes."""
    import resource

    from impasto.explore.patches import empty_index, search, trained_network
    from impasto.explore.settings import parse_layers, parse_units
    from impasto.explore.sources import Source

    network, name = trained_network()
    units = {layer: parse_units("all", layer) for layer in parse_layers("relu1_1,relu2_1,relu3_1")}
    pictures: Mapping[str, Source] = Pictures(count)  # pyright: ignore[reportAssignmentType]
    index = empty_index(units, network=name, size=64, top=9, per_image=1)
    for _ in search(network, pictures, index):
        pass
    unit = 1 if sys.platform == "darwin" else 1024
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--search", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.search:
        peak_of_search(given.search)
        return
    peaks: dict[int, int] = {}
    for count in (given.few, given.many):
        run = subprocess.run([sys.executable, __file__, "--search", str(count)], capture_output=True, text=True, check=True)
        peaks[count] = int(run.stdout)
        print(f"{count} images: {peaks[count] / 2**20:.0f} MiB (of {psutil.virtual_memory().total / 2**30:.0f} GiB)")
    print(f"ratio {peaks[given.many] / peaks[given.few]:.3f}")


if __name__ == "__main__":
    main()
