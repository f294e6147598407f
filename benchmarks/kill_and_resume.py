"""Kill a transfer with SIGKILL at random moments, resume it each time, and compare what comes out with a run left alone.

    python benchmarks/kill_and_resume.py --kills 50

A checkpoint is written after every evaluation, so that many kills come while one is being written; those are counted too.
Every run is a process of its own, forked from one that has already imported what it needs. Prints JSON; exit code 1 if a
result was lost or differs in one bit.
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
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from PIL import ImageOps

from impasto.cli import main
from impasto.flow_painting import flow_painting
from impasto.transfer import painter

RESULTS = ("out.png", "trace", "frames")
CHECKPOINT, PART = Path("run.checkpoint"), Path("run.checkpoint.part")


def started(*arguments: str) -> int:
    """The process of a run of the command line."""
    process = os.fork()
    if process:
        return process
    log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.argv = ["impasto", *arguments]
    try:
        main()
    except SystemExit as end:
        os._exit(int(end.code or 0))
    finally:
        os._exit(99)


def ended(process: int) -> int:
    """The exit code of the process; negative if it was killed."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def results() -> dict[str, Any]:
    """What a run has written, without the seconds; deleted. What was being written at a kill has a hidden name."""
    files = [path for name in RESULTS for path in (Path(name), *Path(name).glob("*")) if path.is_file()]
    found: dict[str, Any] = {path.name: path.read_bytes() for path in files if not path.name.startswith(".")}
    for path in files:
        path.unlink()
    lines = [json.loads(line) for line in found["trace"].decode().splitlines()]
    return found | {"trace": [{**line, "seconds": None} for line in lines]}


def kill(process: int, chance: random.Random, seconds: float) -> None:
    """Kill the process at a random moment; every other time while it writes a checkpoint."""
    before = written()
    wait = chance.uniform(0.2, 1) * seconds
    if chance.random() < 0.5:
        time.sleep(wait)
    else:
        end = time.monotonic() + 2 * wait
        while time.monotonic() < end:
            os.kill(process, signal.SIGSTOP)  # it must not go on between the look and the kill
            if written() not in (None, before):
                break
            os.kill(process, signal.SIGCONT)
            time.sleep(chance.uniform(0.001, 0.005))
    os.kill(process, signal.SIGKILL)


def written() -> int | None:
    """When a checkpoint was last begun and not ended."""
    with suppress(FileNotFoundError):
        return PART.stat().st_mtime_ns
    return None


def measure(kills: int, seed: int, command: list[str]) -> dict[str, Any]:
    """Kill and resume run after run until so many kills have been survived."""
    chance = random.Random(seed)
    begun = time.monotonic()
    assert ended(started(*command)) == 0, Path("log").read_text()
    seconds = time.monotonic() - begun
    expected = results()
    found = {"kills": 0, "while writing": 0, "runs": 0, "lost": 0, "differing": 0}
    while found["kills"] < kills:
        found["runs"] += 1
        code = -signal.SIGKILL
        while code == -signal.SIGKILL:
            process = started(*(["resume", str(CHECKPOINT)] if CHECKPOINT.exists() else command))
            before = written()
            if found["kills"] < kills:
                kill(process, chance, seconds)
            code = ended(process)
            found["kills"] += code == -signal.SIGKILL
            found["while writing"] += code == -signal.SIGKILL and written() not in (None, before)
        if code:
            found["lost"] += 1
            print(Path("log").read_text(), file=sys.stderr)
            CHECKPOINT.unlink(missing_ok=True)
        elif results() != expected or CHECKPOINT.exists() or PART.exists():
            found["differing"] += 1
    return found | {"seconds of a run": round(seconds, 2), "seed": seed}


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--iterations", type=int, default=24)
    parser.add_argument("--optimizer", default="lbfgs")
    return parser.parse_args()


if __name__ == "__main__":
    given = parsed()
    torch.set_num_threads(1)  # a process that has threads is not to be forked
    assert painter
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        painting = flow_painting(96)
        painting.save("style.png")
        ImageOps.invert(painting.rotate(180)).save("content.png")
        paint = ["transfer", "content.png", "style.png", "-o", "out.png", "--size", str(given.size)]
        paint += ["--iterations", str(given.iterations), "--optimizer", given.optimizer, "--trace", "trace"]
        paint += ["--frames", "frames", "--frames-every", "5", "--style-layers", "relu1_1,relu2_1,relu3_1"]
        paint += ["--content-layers", "relu3_1", "--checkpoint", str(CHECKPOINT), "--checkpoint-every", "0"]
        figures = measure(given.kills, given.seed, paint)
    print(json.dumps(figures, indent=2))
    sys.exit(bool(figures["lost"] or figures["differing"]))
