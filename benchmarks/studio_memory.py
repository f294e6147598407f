"""Whether the studio's memory stays flat: paintings, explorations and lectures, and the memory after some of each.

python benchmarks/studio_memory.py [--runs 50] [--size 256] [--explores 20] [--learns 20]

An exploration is of all units and the ready pictures, and is kept as those of visitors are; a lecture has four evaluations
in each of its descents, and is computed with another style each time.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
from skimage import data

from impasto.media.image.read import read_image
from impasto.media.image.write import write_image
from impasto.studio.components.unit_browser import search
from impasto.studio.jobs import Job
from impasto.studio.lectures import Pair, give_lecture
from impasto.studio.state import StudioState
from impasto.studio.uploads import Upload
from impasto.transfer.settings import TransferSettings


def uploaded(folder: Path, name: str, array: np.ndarray) -> Upload:
    """A picture as if it had been sent."""
    path = folder / f"{name}.png"
    write_image(read_image(array), path)
    return Upload(path, path.name, ".png", array.shape[:2])


def repeat(begin: Callable[[int], Job], times: int, every: int, what: str) -> None:
    """Let jobs be done one after the other, and print the memory after the first one and each so many."""
    for number in range(1, times + 1):
        job = begin(number)
        while not job.ended:
            job.join()
            time.sleep(0.01)
        assert job.state == "done", job.error
        if number == 1 or number % every == 0:
            gc.collect()
            print(f"{number:4d} {what}: {psutil.Process().memory_info().rss / 2**20:.0f} MiB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--explores", type=int, default=20)
    parser.add_argument("--learns", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        state = StudioState.in_folder(folder / "studio")
        content, style = uploaded(folder, "content", data.coffee()), uploaded(folder, "style", data.chelsea())
        browsers = (f"visitor {number}" for number in itertools.count())

        def paint(number: int) -> Job:
            run = state.begin(content, [style], TransferSettings(size=given.size, iterations=3))
            return state.jobs[run.id]

        def explore(number: int) -> Job:
            work = search(state.gallery.pictures(), "ready", lambda browser: state.browsers.keep(next(browsers), browser))
            return state.begin_job(f"explore {number}", work)

        def learn(number: int) -> Job:
            other = uploaded(folder, f"style {number}", data.chelsea()[number:])
            pair = Pair(content.path, other.path, (content.name, other.name))
            return state.begin_job(f"learn {number}", give_lecture(state.visits, "a" * 32, pair, shortened=4))

        repeat(paint, given.runs, 10, "paintings")
        repeat(explore, given.explores, 5, "explorations")
        repeat(learn, given.learns, 5, "lectures")
        state.queue.close(10)


if __name__ == "__main__":
    main()
