"""Paint a folder of photographs: what it takes beyond the descent, and what is lost by kills.

    python benchmarks/folder.py --pictures 200            # the whole command against the seconds of its descents
    python benchmarks/folder.py --pictures 12 --kills 20  # SIGKILL at random moments, until the folder is painted

Every run is a process of its own, as a user starts it. What the killed runs leave is compared, byte by byte, with what a run
left alone has painted. Prints JSON; exit code 1 if a result was lost or differs.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from skimage import data

MANIFEST = "impasto.jsonl"
SUBJECTS = (data.coffee, data.astronaut, data.rocket, data.cat)


def make_photographs(folder: Path, count: int, size: int) -> None:
    """Parts of scikit-image's photographs, in two folders, one in the other."""
    chance = np.random.default_rng(0)
    pictures = [subject() for subject in SUBJECTS]
    (folder / "more").mkdir(parents=True)
    for i in range(count):
        whole = pictures[i % len(pictures)]
        side = min(whole.shape[:2]) // 2
        y, x = (int(chance.integers(n - side)) for n in whole.shape[:2])
        part = Image.fromarray(whole[y : y + side, x : x + side * 3 // 4]).resize((size * 3 // 4, size))
        part.save(folder / ("more" if i % 2 else ".") / f"photograph {i:03}.png")


def started(output: Path, options: list[str]) -> subprocess.Popen[bytes]:
    """The process that paints the folder."""
    command = [sys.executable, "-m", "impasto", "transfer", "photos", "style.png", "-o", str(output), "-q", *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def results(folder: Path) -> dict[str, bytes]:
    """What is in the folder of results, but for the manifest, which has seconds."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def rows(folder: Path) -> list[dict[str, Any]]:
    """The rows of the manifest."""
    found = [json.loads(line) for line in (folder / MANIFEST).read_text().splitlines() if line.endswith("}")]
    return [row for row in found if "output" in row]


def alone(options: list[str]) -> dict[str, Any]:
    """A run that is left alone."""
    began = time.monotonic()
    code = started(Path("alone"), options).wait()
    seconds = time.monotonic() - began
    assert code == 0, code
    descent = sum(row["seconds"] for row in rows(Path("alone")))
    return {"seconds": round(seconds, 1), "seconds of descent": round(descent, 1), "ratio": round(seconds / descent, 3)}


def killed(kills: int, seed: int, seconds: float, options: list[str]) -> dict[str, Any]:
    """Runs that are killed at random moments, folder by folder, and then left alone."""
    chance = random.Random(seed)
    expected = results(Path("alone"))
    found = {"kills": 0, "folders": 0, "lost": 0, "differing": 0, "most painted twice by a kill": 0}
    while found["kills"] < kills:
        output = Path(f"killed-{found['folders']}")
        found["folders"] += 1
        while True:
            before = len(rows(output)) if (output / MANIFEST).exists() else 0
            process = started(output, options)
            if found["kills"] < kills:
                # importing takes its time; a kill within it is one of them too, but not all of them
                time.sleep(chance.uniform(0.1, 0.6) * seconds)
                process.send_signal(signal.SIGKILL)
            if process.wait() == 0:
                break
            assert process.returncode == -signal.SIGKILL, process.returncode
            found["kills"] += 1
            there = [path for path in results(output) if not Path(path).name.startswith(".")] if output.exists() else []
            gone = before - len(there)
            found["lost"] += max(0, gone)
        here = results(output)
        found["lost"] += len(expected.keys() - here.keys())
        found["differing"] += sum(here[name] != expected[name] for name in expected.keys() & here.keys())
        found["differing"] += len(here.keys() - expected.keys())
        twice = len(rows(output)) - len(expected)
        found["most painted twice by a kill"] = max(found["most painted twice by a kill"], twice)
    return found


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--iterations", type=int, default=100)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    import os

    given = parsed()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_photographs(Path("photos"), given.pictures, given.size)
        Image.fromarray(data.chelsea()).resize((96, 64)).save("style.png")
        options = ["--size", str(given.size), "--iterations", str(given.iterations)]
        figures: dict[str, Any] = {"pictures": given.pictures, "alone": alone(options)}
        if given.kills:
            figures |= {"killed": killed(given.kills, given.seed, figures["alone"]["seconds"], options), "seed": given.seed}
        os.chdir("/")
    print(json.dumps(figures, indent=2))
    sys.exit(bool(given.kills and (figures["killed"]["lost"] or figures["killed"]["differing"])))
