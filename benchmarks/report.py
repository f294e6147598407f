"""The benchmark: everything the README says of speed, one file for each processor, side by side in docs/benchmarks.md.

    python benchmarks/report.py [--minutes 25] [--only evaluation layers ...] [--anew]

Measures what this processor's file in benchmarks/results lacks, so that an interrupted report goes on; ``--only`` measures
the named sections or pieces (``evaluation-zeros-512``) anew, ``--anew`` all. A first quick evaluation tells what each piece
takes; what doesn't fit into the minutes is left out, and told. What is compared runs in turns in one process, or one command
after the other; ratios are of medians. ``--steps`` is how long pastiche may descend: its default is 1000. ``--page`` writes
docs/benchmarks.md from the files, and measures nothing.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import psutil
import torch
from machine import machine
from report_files import RESULTS, Result, commit, read_all, read_result, write_result
from report_page import page
from report_plan import PIECES, Options, Piece, Quick, chosen_pieces, is_within, measured_within, quick_measurement

from impasto.networks.kernels.autotune import processor_and_instructions

MARKDOWN = Path(__file__).parent.parent / "docs" / "benchmarks.md"
_BUSY_LOAD = 2.0  # of others, as the load average before anything is measured
_BUSY_CORES = 0.5  # that others take meanwhile


def _seconds_of_others() -> float:
    """Seconds of the processor that neither this process nor its children have had."""
    total, own = psutil.cpu_times(), psutil.Process().cpu_times()
    return total.user + total.system - own.user - own.system - own.children_user - own.children_system


def measure(
    pieces: Sequence[Piece],
    minutes: float,
    options: Options,
    *,
    quick: Quick | None = None,
    folder: Path = RESULTS,
    after_each: Callable[[], None] = lambda: None,
) -> Result:
    """Measure pieces into this processor's file, which is written after each of them."""
    began, load = time.monotonic(), os.getloadavg()[0]
    result = read_result(processor_and_instructions(), folder)
    quick = quick or quick_measurement()
    print(f"an evaluation at 256 px takes {quick.ours:.2f} s, plain PyTorch's {quick.plain:.2f} s", flush=True)
    start, others = time.monotonic(), _seconds_of_others()
    for piece, why, figures in measured_within(pieces, 60 * minutes - (start - began), quick, options):
        result["machine"] = machine()
        if why:
            print(f"{piece.name}: left out: {why}", flush=True)
            if piece.name not in result["pieces"]:
                result["left_out"][piece.name] = why
        else:
            busy = (_seconds_of_others() - others) / (time.monotonic() - start)
            row: dict[str, Any] = {"date": date.today().isoformat(), "commit": commit()}
            if load > _BUSY_LOAD or busy > _BUSY_CORES:
                row["note"] = "on a busy machine"
            result["pieces"][piece.name] = {
                **row,
                "load": round(load, 2),
                "cores_of_others": round(busy, 2),
                "figures": figures,
            }
            result["left_out"] = {name: why for name, why in result["left_out"].items() if not is_within(piece.name, name)}
            print(f"{piece.name} ({time.monotonic() - start:.0f} s): {figures}", flush=True)
        write_result(result, folder)
        after_each()
        start, others = time.monotonic(), _seconds_of_others()
    return result


def write_page() -> None:
    """Write docs/benchmarks.md out of the files of all processors."""
    MARKDOWN.write_text(page(read_all(), (RESULTS / "elsewhere.md").read_text()))


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--only", nargs="+", default=[], help="sections or pieces to measure anew")
    parser.add_argument("--anew", action="store_true", help="measure everything, also what was measured before")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=Options().steps)
    parser.add_argument("--page", action="store_true", help="only write docs/benchmarks.md")
    given = parser.parse_args(words)
    try:
        pieces = chosen_pieces(given.only)
    except ValueError as error:
        parser.error(str(error))
    if not given.only:
        known = read_result(processor_and_instructions())["pieces"]
        pieces = [piece for piece in PIECES if given.anew or piece.name not in known]
    if pieces and not given.page:
        measure(pieces, given.minutes, Options(given.rounds, given.steps), after_each=write_page)
    write_page()


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
