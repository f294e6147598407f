"""Pieces of the report that run impasto's command, and pastiche's, from the start to the end."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from machine import run
from PIL import Image
from skimage import data

from impasto.flow_painting import flow_painting

IMPASTO = (sys.executable, "-m", "impasto")
# pastiche's objective in our words: its mean squares are four times our content cost and (2 C)^2 / C^2 of our style cost
CHANNELS = {"relu1_1": 64, "relu2_1": 128, "relu3_1": 256, "relu4_1": 512, "relu5_1": 512}
SAME = ["--weighting", "absolute", "--alpha", "0.04", "--beta", "1", "--pooling", "max", "--padding", "zeros"]
SAME += ["--style-layers", ",".join(f"{name}={40 / n**2:.10g}" for name, n in CHANNELS.items())]
AREA = 500


@contextmanager
def _transfer(content: Image.Image) -> Iterator[list[str]]:
    """The command that paints a content; ``-o`` is yet to be said."""
    with tempfile.TemporaryDirectory() as folder:
        content.save(Path(folder) / "content.png")
        flow_painting(512).save(Path(folder) / "style.jpg")
        yield [*IMPASTO, "transfer", str(Path(folder) / "content.png"), str(Path(folder) / "style.jpg")]


def startup(rounds: int) -> dict[str, Any]:
    """Seconds until the help is there, and until a picture of 64 pixels is evaluated once and written."""
    with _transfer(Image.fromarray(data.astronaut())) as command, tempfile.TemporaryDirectory() as folder:
        once = [*command, "-o", str(Path(folder) / "out.png"), "--size", "64", "--iterations", "1"]
        run(once)  # the first measures and compiles what is kept from then on
        return {
            "help": statistics.median(run([*IMPASTO, "--help"]).seconds for _ in range(rounds)),
            "one evaluation at 64 px": statistics.median(run(once).seconds for _ in range(rounds)),
        }


def painting() -> dict[str, Any]:
    """Seconds of a default painting of 512 x 512 pixels."""
    with _transfer(Image.fromarray(data.astronaut())) as command, tempfile.TemporaryDirectory() as folder:
        return {"default, 512 x 512 px": run([*command, "-o", str(Path(folder) / "out.png")]).seconds}


def threads() -> dict[str, Any]:
    """Seconds of a painting of 256 pixels alone, and of two that are begun at once."""
    with _transfer(Image.fromarray(data.astronaut())) as command, tempfile.TemporaryDirectory() as folder:
        commands = [
            [*command, "--size", "256", "--iterations", "40", "-o", str(Path(folder) / f"{name}.png")]
            for name in ("first", "second")
        ]
        run([*commands[0][:-3], "1", *commands[0][-2:]])  # what is kept from a first run on
        alone = run(commands[0]).seconds
        began = time.perf_counter()
        both = [subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for words in commands]
        codes = [process.wait() for process in both]
        if any(codes):
            raise SystemExit("one of two paintings at once failed")
        return {"alone": alone, "two at once": time.perf_counter() - began}


def pastiche(steps: int) -> dict[str, Any]:
    """Seconds to the J that the pastiche command reaches, with its objective and its defaults."""
    with tempfile.TemporaryDirectory() as folder:
        content, style, theirs, ours = (Path(folder) / f"{name}.png" for name in ("content", "style", "theirs", "ours"))
        Image.fromarray(data.coffee()[:, 100:500]).resize((AREA, AREA)).save(content)
        flow_painting(AREA).resize((AREA, AREA)).save(style)
        command = [sys.executable, "-m", "pastiche", "--content", str(content), "--styles", str(style)]
        done = run([*command, "--output", str(theirs), "--num-steps", str(steps), "--info-step", str(steps)])
        reached = float(re.findall(r"^\d+ +[\d.]+ +([\d.]+)$", done.said, re.MULTILINE)[-1])

        def traced(*how: str) -> tuple[list[dict[str, Any]], float]:
            """Evaluations of J at the last scale, and the seconds of the command beside the descent."""
            trace = Path(folder) / "trace"
            command = [*IMPASTO, "transfer", str(content), str(style), "-o", str(ours), "--size", str(AREA), *SAME]
            whole = run([*command, "--trace", str(trace), *how]).seconds
            rows = [row for row in map(json.loads, trace.read_text().splitlines()) if "cost" in row]
            return [row for row in rows if row["scale"] == rows[-1]["scale"]], whole - rows[-1]["seconds"]

        written = traced("--init", str(theirs), "--scales", "1", "--iterations", "1")[0][0]["cost"]
        found: dict[str, Any] = {"steps": steps, "J": reached, "J_written": written, "seconds": done.seconds}
        for name, scales in (("at_once", "1"), ("coarse_to_fine", "auto")):
            rows, start = traced("--scales", scales, "--iterations", str(steps))
            there = next((row for row in rows if row["cost"] <= reached), None)
            found[name] = {
                "seconds": start + there["seconds"] if there else None,
                "evaluations": there["evaluation"] if there else None,
                "J_at_the_end": min(row["cost"] for row in rows),
            }
        return found
