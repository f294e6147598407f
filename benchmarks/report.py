"""The benchmark: everything the README says of speed, in a Markdown and a JSON report.

    python benchmarks/report.py [evaluations memory commands explorer pastiche] [--rounds 5] [--steps 100]

Measures the parts that are named (all of them by default, about half an hour on two cores) and keeps the figures of the
others. What is compared runs in turns in one process, or one command after the other; ratios are of medians. ``--steps`` is
how long pastiche may descend: its default is 1000.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from evaluation import NAMES, PADDINGS, compare
from explore_throughput import write_photos
from machine import machine, peak_gflops, processor_and_instructions, run
from PIL import Image
from skimage import data

from impasto.explore.patches import empty_index, search, trained_network
from impasto.explore.settings import parse_units
from impasto.flow_painting import flow_painting
from impasto.networks.layers import VGG19, up_to_deepest
from impasto.transfer.settings import TransferSettings

HERE = Path(__file__).parent
JSON, MARKDOWN = HERE / "report.json", HERE.parent / "docs" / "benchmarks.md"
IMPASTO = (sys.executable, "-m", "impasto")
PLAIN = NAMES[1:]
SIZES = (64, 128, 256, 512, 1024, 1448, 2048)
# beyond, plain PyTorch takes more memory than such machines have
PLAIN_UP_TO = 1448
# pastiche's objective in our words: its mean squares are four times our content cost and (2 C)^2 / C^2 of our style cost
CHANNELS = {"relu1_1": 64, "relu2_1": 128, "relu3_1": 256, "relu4_1": 512, "relu5_1": 512}
SAME = ["--weighting", "absolute", "--alpha", "0.04", "--beta", "1", "--pooling", "max", "--padding", "zeros"]
SAME += ["--style-layers", ",".join(f"{name}={40 / n**2:.10g}" for name, n in CHANNELS.items())]
AREA = 500
WAYS = {
    "zeros": "Plain PyTorch with the convolution's own zeros, as neural-style-pt, PyTorch's tutorial and pastiche do",
    "replicate": "Plain PyTorch that repeats the border by hand, as impasto does by default: `F.pad`, then a convolution",
}
# not measured by this script: what another machine found, with the sources of this one
ELSEWHERE = """
| Intel with AVX-512, 2 cores, 2.5 GHz | channels-last | NCHW |
|---|---|---|
| the convolution's own zeros; the whole command, 512 x 384 | 2.06 times | 2.56 times |
| repeated by hand; an evaluation at 512 x 512 (impasto: 0.94 s) | 3.15 times | 2.99 times |
"""


def multiplications(size: int) -> float:
    """Of an evaluation and its gradient by direct convolution."""
    settings = TransferSettings().for_kind("image")
    total, channels, positions = 0.0, 3, float(size * size)
    for row in up_to_deepest(VGG19, {**settings.content_weights, **settings.style_lambdas}):
        positions /= row.stride**2
        if row.operation == "conv":
            total += 2 * positions * channels * row.channels * row.kernel**2
            channels = row.channels
    return total


def evaluations(rounds: int, steps: int) -> dict[str, Any]:
    """Seconds of an evaluation of J and its gradient, with each way of padding."""
    peak = peak_gflops(rounds)
    found: dict[str, Any] = {"peak_gflops": round(peak, 1), **{padding: {} for padding in PADDINGS}}
    for size, padding in itertools.product(SIZES, PADDINGS):
        names = NAMES if size <= PLAIN_UP_TO else NAMES[:1]
        medians = compare(size, min(rounds, max(1, 3072 // size)), padding, names)
        of_peak = 2 * multiplications(size) / medians["impasto"] / 1e9 / peak
        found[padding][str(size)] = {"seconds": medians, "of_peak": round(of_peak, 3)}
        print(size, padding, found[padding][str(size)], flush=True)
    return found


def memory(rounds: int, steps: int) -> dict[str, Any]:
    """MiB at the peak of a process that evaluates J at 1024 pixels twice, padded with zeros."""
    command = (sys.executable, str(HERE / "evaluation.py"), "--size", "1024", "--padding", "zeros", "--only")
    return {name: int(run([*command, name]).said) for name in NAMES}


def commands(rounds: int, steps: int) -> dict[str, Any]:
    """Seconds of the command line, from its start to its end."""
    with tempfile.TemporaryDirectory() as folder:
        content, square, style = (Path(folder) / name for name in ("content.png", "square.png", "style.jpg"))
        Image.fromarray(data.coffee()).save(content)
        Image.fromarray(data.astronaut()).save(square)
        flow_painting(512).save(style)
        transfer, of_square = (
            [*IMPASTO, "transfer", str(picture), str(style), "-o", str(Path(folder) / "out.png")]
            for picture in (content, square)
        )
        first = [*transfer, "--size", "256", "--iterations", "60"]
        return {
            "help": statistics.median(run([*IMPASTO, "--help"]).seconds for _ in range(rounds)),
            "one evaluation at 64 px": statistics.median(
                run([*transfer, "--size", "64", "--iterations", "1"]).seconds for _ in range(min(3, rounds))
            ),
            "60 evaluations at 256 px": run(first).seconds,
            "default, 512 x 341 px": run(transfer).seconds,
            "default, 512 x 512 px": run(of_square).seconds,
        }


def explorer(rounds: int, steps: int) -> dict[str, Any]:
    """Images a second of the search for patches: relu5_1, all its units, 224 px."""
    network, name = trained_network()
    with tempfile.TemporaryDirectory() as folder:
        sources, rates = write_photos(Path(folder), 32), []
        for _ in range(rounds + 1):
            index = empty_index({"relu5_1": parse_units("all", "relu5_1")}, network=name, size=224, top=9, per_image=1)
            began = time.perf_counter()
            for _ in search(network, sources, index):
                pass
            rates.append(len(sources) / (time.perf_counter() - began))
    return {"images_per_second": statistics.median(rates[1:])}


def pastiche(rounds: int, steps: int) -> dict[str, Any]:
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
            print(name, found[name], flush=True)
    return found


PARTS: dict[str, Callable[[int, int], dict[str, Any]]] = {
    part.__name__: part for part in (evaluations, memory, commands, explorer, pastiche)
}


def _table_of_evaluations(sizes: dict[str, Any]) -> list[str]:
    lines = ["| size | impasto | channels-last | NCHW | times faster | of the peak |", "|---|---|---|---|---|---|"]
    for size, row in sizes.items():
        times = row["seconds"]
        ratios = " and ".join(f"{times[name] / times['impasto']:.2f}" for name in PLAIN if name in times)
        cells = " | ".join(f"{1e3 * times[name]:.0f} ms" if name in times else "" for name in NAMES)
        lines.append(f"| {size} px | {cells} | {ratios} | {row['of_peak']:.2f} |")
    return lines


def markdown(report: dict[str, Any]) -> str:
    """The report for people."""
    lines = ["# Benchmarks", "", "Made by `python benchmarks/report.py`; the figures are in `benchmarks/report.json`.", ""]
    for name, about in report["machine"].items():
        lines.append(f"- {name.replace('_', ' ')}: {about}")
    where = {name: f"Measured on {processor}." for name, processor in report.get("processors", {}).items()}
    if "evaluations" in report:
        part = report["evaluations"]
        lines += ["", "## One evaluation of J and its gradient", "", where["evaluations"]]
        lines += [
            "Plain eager PyTorch is the same J as anyone would write it, in both layouts of memory, padded in two ways;"
        ]
        lines += ["impasto pads in the same way each time. The last column"]
        lines += ["is direct convolution's arithmetic in the time taken, against a matrix product in the same run"]
        lines += [f"({part['peak_gflops']:.0f} GFLOP/s): Winograd's convolution does less of it, so it can be above 1."]
        lines += [f"Above {PLAIN_UP_TO} pixels plain PyTorch takes more memory than this machine has."]
        for padding, words in WAYS.items():
            lines += ["", f"{words}.", ""] if part.get(padding) else []
            lines += _table_of_evaluations(part[padding]) if part.get(padding) else []
        lines += ["", "On other machines, how many times faster impasto is:", *ELSEWHERE.rstrip().splitlines()]
    if "memory" in report:
        part = report["memory"]
        lines += ["", "## Peak memory of a process that evaluates J at 1024 px", "", where["memory"], ""]
        lines += [f"- {name}: {mib} MiB ({mib / part['NCHW']:.0%} of NCHW's)" for name, mib in part.items()]
    if "commands" in report:
        lines += ["", "## The command line, from its start to its end", "", where["commands"], ""]
        lines += [f"- {name}: {seconds:.1f} s" for name, seconds in report["commands"].items()]
    if "explorer" in report:
        rate = report["explorer"]["images_per_second"]
        lines += [
            "",
            "## The explorer",
            "",
            where["explorer"],
            f"{rate:.1f} images a second (patches of all units of relu5_1, 224 px, JPEG files).",
        ]
    if "pastiche" in report:
        part = report["pastiche"]
        lines += ["", "## Against the pastiche command", "", where["pastiche"]]
        lines += [f"Its objective and its defaults on {AREA} x {AREA} pixels, but {part['steps']} of its 1000 steps, which"]
        lines += [f"stand in. It reaches J = {part['J']:.4g} in {part['seconds']:.0f} s, start-up included. (The picture"]
        lines += [f"it then writes has J = {part['J_written']:.4g}: values out of range are cut off; impasto's never are.)"]
        for name, words in (("at_once", "at full size"), ("coarse_to_fine", "coarse to fine")):
            way = part[name]
            if way["seconds"]:
                lines += [f"impasto has that J after {way['seconds']:.0f} s and {way['evaluations']} evaluations {words}:"]
                lines += [f"**{part['seconds'] / way['seconds']:.1f} times faster**;"]
            else:
                lines += [f"impasto does not have that J {words} after as many evaluations;"]
            lines += [f"at the end of them J = {way['J_at_the_end']:.4g}."]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help="what to measure; all by default")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=100)
    arguments = parser.parse_args()
    report: dict[str, Any] = json.loads(JSON.read_text()) if JSON.exists() else {}
    unknown = set(arguments.parts) - PARTS.keys()
    if unknown:
        parser.error(f"{', '.join(unknown)}: {', '.join(PARTS)} were expected")
    for name in arguments.parts or PARTS:
        report[name] = PARTS[name](arguments.rounds, arguments.steps)
        print(name, report[name], flush=True)
        report["machine"] = machine()
        report.setdefault("processors", {})[name] = processor_and_instructions()
        JSON.write_text(json.dumps(report, indent=2) + "\n")
        MARKDOWN.write_text(markdown(report))


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
