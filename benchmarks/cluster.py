"""Paint a folder by a cluster of two workers with one thread each, against one worker with one thread; and kill workers.

    python benchmarks/cluster.py                    # 40 photographs at 64 px: seconds, and their ratio
    python benchmarks/cluster.py --kills 5          # and SIGKILL to five workers at random moments: nothing lost, all equal

Seconds are from the first painting on, as workers take the same time to start however many pictures there are. The ratio
says something on a quiet machine only, so the load is printed with it. Prints JSON; exit code 1 if a result differs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
from PIL import Image
from skimage import data

os.environ["OMP_NUM_THREADS"] = "1"

import torch
from folder import make_photographs

import impasto


def painted(output: str, workers: int, settings: impasto.TransferSettings, kills: int = 0, seed: int = 0) -> dict[str, Any]:
    """A folder painted by so many workers, of which some are killed."""
    chance, killed, struck = random.Random(seed), 0, Counter[str]()
    first = last = 0.0
    due = time.monotonic() + chance.uniform(1, 5)

    def watch(progress: impasto.FolderProgress) -> None:
        nonlocal first, last, due, killed
        last = time.monotonic()
        first = first or last
        given_up = any(struck[name] > 1 for name in progress.at_work)  # by the third kill of its worker
        if killed < kills and progress.at_work and last > due and not given_up:
            chance.choice(processes_at_work()).send_signal(signal.SIGKILL)
            killed += 1
            struck.update(list(progress.at_work))
            due = last + chance.uniform(5, 20)

    with impasto.Cluster(f"local:{workers}") as cluster:
        result = impasto.transfer_folder("photos", "style.png", output, settings, executor=cluster, on_progress=watch)
    assert not result.failed and not result.left, result
    return {"seconds": round(last - first, 1), "killed": killed, "painted": len(result.painted)}


def processes_at_work() -> list[psutil.Process]:
    """The workers: children that compute."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "multiprocessing-fork" in " ".join(child.cmdline())]


def results(folder: str) -> dict[str, bytes]:
    files = [path for path in Path(folder).rglob("*") if path.is_file() and path.suffix != ".jsonl"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--iterations", type=int, default=40)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    settings = impasto.TransferSettings(size=given.size, iterations=given.iterations, memory="2GiB")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_photographs(Path("photos"), given.pictures, given.size)
        Image.fromarray(data.chelsea()).resize((96, 64)).save("style.png")
        figures: dict[str, Any] = {"load before": round(psutil.getloadavg()[0], 1)}
        figures |= {"one": painted("one", 1, settings), "two": painted("two", 2, settings)}
        figures["times as fast"] = round(figures["one"]["seconds"] / figures["two"]["seconds"], 2)
        differ = results("one") != results("two")
        if given.kills:
            figures["with kills"] = painted("killed", 2, settings, given.kills, given.seed)
            differ |= results("one") != results("killed")
        figures |= {"load after": round(psutil.getloadavg()[0], 1), "differ": differ}
        os.chdir("/")
    print(json.dumps(vars(given) | figures, indent=2))
    return int(differ)


if __name__ == "__main__":
    sys.exit(main())
