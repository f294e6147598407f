"""Whether the studio's memory stays flat: 50 runs, one after the other, and the memory after each ten.

python benchmarks/studio_memory.py [--runs 50] [--size 256]
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from pathlib import Path

import psutil
from skimage import data

from impasto.media.image.read import read_image
from impasto.media.image.write import write_image
from impasto.studio.state import StudioState
from impasto.studio.uploads import Upload
from impasto.transfer.settings import TransferSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--size", type=int, default=256)
    arguments = parser.parse_args()
    process = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        state = StudioState.in_folder(Path(folder) / "studio")
        uploads: dict[str, Upload] = {}
        for name, array in (("content", data.coffee()), ("style", data.chelsea())):
            path = Path(folder) / f"{name}.png"
            write_image(read_image(array), path)
            uploads[name] = Upload(path, path.name, ".png", array.shape[:2])
        for number in range(1, arguments.runs + 1):
            run = state.begin(uploads["content"], [uploads["style"]], TransferSettings(size=arguments.size, iterations=3))
            while not state.jobs[run.id].ended:
                time.sleep(0.01)
            assert state.jobs[run.id].state == "done", state.jobs[run.id].error
            if number == 1 or number % 10 == 0:
                gc.collect()
                print(f"{number:4d} runs: {process.memory_info().rss / 2**20:.0f} MiB", flush=True)
        state.queue.close(10)


if __name__ == "__main__":
    main()
