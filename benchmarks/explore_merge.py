"""Merge the index of a million images from a hundred parts: how long it takes, and in how much memory.

    python benchmarks/explore_merge.py                    # 100 parts of 10,000 images, all units of VGG-19 after a ReLU
    python benchmarks/explore_merge.py --parts 10 --images 1000 --units 64

The records are made here, as no network is needed to merge them: signatures of random pictures, of which one in a hundred is
nearly that of a picture in another part. Merging is a process of its own, as ``impasto explore merge`` is. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from impasto.explore.index import BINS

LAYERS = 16
SAME = 0.01


def make_part(path: Path, number: int, images: int, units: int, seed: int) -> None:
    """An index of so many images, with so many units in all layers together."""
    chance = random.Random(f"{seed} {number}")
    shared = random.Random(seed)
    common = [f"{shared.getrandbits(152):038x}" for _ in range(images)]
    names = [f"shards/shard-{number:04}.tar/{i:08}.jpg" for i in range(images)]
    groups = {
        name: _nearly(common[i], chance) if chance.random() < SAME else f"{chance.getrandbits(152):038x}"
        for i, name in enumerate(names)
    }
    layers: dict[str, Any] = {}
    for layer in range(LAYERS):
        rows: dict[str, Any] = {}
        for unit in range(units // LAYERS):
            chosen = sorted((-round(chance.expovariate(0.01), 3), chance.choice(names)) for _ in range(9))
            patches = [
                {"image": name, "activation": -a, "position": [5, 7], "field": [10, 14, 90, 94]} for a, name in chosen
            ]
            rows[str(unit)] = patches
        layers[f"layer {layer}"] = {"units": rows}
    histograms = {name: [[images, *[0] * (BINS - 1)]] * len(content["units"]) for name, content in layers.items()}
    about = {"network": "vgg19", "size": 512, "top": 9, "per_image": 1, "complete": True, "fields": {}}
    path.write_text(json.dumps(about | {"layers": layers, "histograms": histograms, "images": groups, "skipped": {}}))


def _nearly(signature: str, chance: random.Random) -> str:
    return f"{int(signature, 16) ^ (1 << chance.randrange(24, 152)):038x}"


def merged(paths: list[Path], output: Path) -> dict[str, Any]:
    """Seconds and peak memory of the command."""
    began = time.monotonic()
    command = [sys.executable, "-m", "impasto", "explore", "merge", *map(str, paths), "-o", str(output)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watched, peak = psutil.Process(process.pid), 0
    while process.poll() is None:
        try:
            peak = max(peak, watched.memory_info().rss)
        except psutil.Error:
            break
        time.sleep(0.05)
    out, err = process.communicate()
    assert process.returncode == 0, err
    seconds = time.monotonic() - began
    return {"seconds": round(seconds, 1), "peak_mib": round(peak / 2**20), "said": [*out.splitlines(), *err.splitlines()]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=int, default=100)
    parser.add_argument("--images", type=int, default=10_000, help="of each part")
    parser.add_argument("--units", type=int, default=5504)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.json") for number in range(given.parts)]
        for number, path in enumerate(paths):
            make_part(path, number, given.images, given.units, given.seed)
        figures = merged(paths, Path(folder, "merged.json"))
    print(json.dumps(vars(given) | figures | {"load": round(psutil.getloadavg()[0], 1)}, indent=2))


if __name__ == "__main__":
    main()
