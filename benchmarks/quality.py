"""How good the paintings are: each method on the same pairs, measured, ranked, and laid side by side for blind votes.

    python benchmarks/quality.py --data ../shared/data --out quality [--size 256] [--pairs 6] [--minutes 30]
                                 [--methods draw wasserstein ...] [--also "bold=--stroke 2" ...] [--compare draw:gatys ...]
    python benchmarks/quality.py --out quality --size 256 --votes votes.json [...]

Paints what is missing under ``--out`` (a folder for each size), measures it, and writes there ``quality.md``,
``scatter.png`` and the blind sheet ``blind/index.html``. What was painted and measured is kept, so that it can be done in
parts: the first ``--pairs`` of the 72 have many styles and contents. A picture that is deleted is painted anew. The controls
and the baseline are always painted; ``--also`` adds a method, a name and options of ``impasto transfer``. ``--votes``
only tells what votes say.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shlex
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from quality_battery import Battery, version
from quality_methods import BASELINE, CONTROLS, METHODS, Job, add_transfer, chosen_methods
from quality_page import page, plot
from quality_pairs import Pair, all_pairs, prepare, read_values
from quality_pictures import Records, paint
from quality_sheet import preference_table, preferences, questions, read_votes, write_sheet
from quality_statistics import Measured, together, why_not_counted

from impasto.files import write_whole

Numbers = dict[tuple[str, str], dict[str, float]]
PICTURES = "pictures"


class Measurements:
    """What was measured of each picture, in a file: a picture, or a battery, that has changed is measured anew."""

    def __init__(self, folder: Path) -> None:
        self.path, self.version = folder / "measures.json", version()
        self.rows: dict[str, dict] = json.loads(self.path.read_text()) if self.path.exists() else {}

    def of(self, job: Job, methods: Sequence[str]) -> Numbers:
        """The numbers of a pair's pictures, measured where they are not known."""
        battery, found = None, {}
        for method in methods:
            name, path = f"{job.pair.name}/{method}", job.path(method)
            files = (path, job.content, job.style)
            seen = hashlib.sha256(self.version.encode() + b"".join(file.read_bytes() for file in files)).hexdigest()
            if self.rows.get(name, {}).get("of") != seen:
                battery = battery or Battery(read_values(job.content), read_values(job.style))
                self.rows[name] = {"of": seen, **battery.measure(read_values(path))}
                write_whole(self.path, json.dumps(self.rows, indent=1).encode())
            found[job.pair.name, method] = {key: value for key, value in self.rows[name].items() if key != "of"}
        return found


def paint_and_measure(
    pairs: Sequence[Pair], methods: Sequence[str], data: Path, folder: Path, size: int, minutes: float
) -> tuple[Numbers, list[str]]:
    """Paint what is missing and fits into the minutes, pair by pair, and measure it; the numbers, and what was left out."""
    records, measurements, end = Records(folder), Measurements(folder), time.monotonic() + 60 * minutes
    numbers: Numbers = {}
    left_out: dict[str, int] = {}
    for count, pair in enumerate(pairs, start=1):
        here = folder / PICTURES / pair.name
        if time.monotonic() < end or here.exists():
            prepare(pair, data, size, here)
        painted: list[str] = []
        for method in methods:
            job = Job(pair, size, here, records.of(pair))
            fits = time.monotonic() + records.seconds_of(method) < end
            ready = all(needed in painted for needed in METHODS[method].after)
            if ready and (fits or (method in job.records and job.path(method).exists())):
                if paint(job, method, records):
                    print(f"{count}/{len(pairs)} {pair.name}, {method}: {_told(records.of(pair)[method])}", flush=True)
                painted.append(method)
            else:
                left_out[method] = left_out.get(method, 0) + 1
        if painted:
            numbers |= measurements.of(Job(pair, size, here, {}), painted)
    return numbers, [f"Left out for want of time: {method} on {n} pairs." for method, n in left_out.items()]


def _told(record: dict) -> str:
    steps = [f"{record[name]} {name}" for name in ("evaluations", "steps") if name in record]
    return ", ".join([f"{record['seconds']:.1f} s", *steps])


def _add(text: str) -> list[str]:
    """Add the method that ``NAME=OPTIONS`` tells; the names under which it paints."""
    name, equals, options = text.partition("=")
    if not equals or not re.fullmatch(r"[\w.-]+", name) or name in METHODS:
        raise ValueError(f"--also {text!r}: a new name and options were expected, e.g. 'bold=--stroke 2'")
    return add_transfer(name, *shlex.split(options))


def _comparisons(given: Sequence[str], contestants: Sequence[str]) -> list[tuple[str, str]]:
    """The methods to be laid side by side; if none are given, each contestant and the baseline."""
    if not given:
        return [(method, BASELINE) for method in contestants if method != BASELINE]
    found = [(first, second) for first, _, second in (text.partition(":") for text in given)]
    for method in {name for both in found for name in both}:
        if method not in METHODS:
            raise ValueError(f"--compare {method!r} is no method; these are: {', '.join(METHODS)}")
    return found


def write_results(
    numbers: Numbers,
    pairs: Sequence[Pair],
    methods: Sequence[str],
    comparisons: Sequence[tuple[str, str]],
    folder: Path,
    left_out: Sequence[str],
    seed: int,
) -> Measured:
    """Write page, plot and blind sheet of what was measured."""
    measured = together(numbers, [(pair.name, pair.style) for pair in pairs], methods)
    if not measured.styles:
        raise SystemExit("no pair has a picture of each method yet: give it more --minutes")
    contestants = [method for method in methods if method not in CONTROLS]
    rows = Records(folder).rows
    seconds = {name: [row["seconds"] for (_, by), row in rows.items() if by == name] for name in contestants}
    write_whole(folder / "quality.md", page(measured, contestants, seconds, left_out).encode())
    plot(measured, contestants, folder / "scatter.png")
    asked = [
        question
        for question in questions(pairs, comparisons, seed)
        if all((Pair(question.content, question.style).name, method) in numbers for method in question.methods)
    ]
    if asked:
        name = write_sheet(asked, folder / PICTURES, folder)
        print(f"{folder / 'blind'}: {len(asked)} questions, sheet {name}")
    return measured


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder with paintings/ and photos/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=512, help="the longest side of the content")
    parser.add_argument("--pairs", type=int, default=len(all_pairs()), help="how many of the 72")
    parser.add_argument("--methods", nargs="+", default=[], metavar="METHOD", help=f"beside controls: {', '.join(METHODS)}")
    parser.add_argument("--also", nargs="+", default=[], metavar="NAME=OPTIONS", help="methods of your own")
    parser.add_argument("--minutes", type=float, default=25.0, help="for painting and measuring")
    parser.add_argument("--compare", nargs="+", default=[], metavar="A:B", help="methods to lay side by side")
    parser.add_argument("--seed", type=int, default=0, help="of the order and the sides of the blind sheet")
    parser.add_argument("--votes", type=Path, nargs="+", help="only tell what these votes say")
    given = parser.parse_args(words)
    folder = given.out / str(given.size)
    try:
        if given.votes:
            print(preference_table(preferences(read_votes(given.votes, folder / "key.json"))))
            return
        own = [name for text in given.also for name in _add(text)]
        methods, not_here = chosen_methods([*given.methods, *own] if given.methods else [])
        comparisons = _comparisons(given.compare, [method for method in methods if method not in CONTROLS])
    except (ValueError, OSError) as error:
        parser.error(str(error))
    if given.data is None:
        parser.error("--data is missing: the folder with paintings/ and photos/")
    left_out = [f"Left out: {method}, {why}." for method, why in not_here.items()]
    pairs = all_pairs()[: given.pairs]
    folder.mkdir(parents=True, exist_ok=True)
    numbers, unpainted = paint_and_measure(pairs, methods, given.data, folder, given.size, given.minutes)
    left_out += unpainted
    for line in left_out:
        print(line)
    measured = write_results(numbers, pairs, methods, comparisons, folder, left_out, given.seed)
    for name, why in why_not_counted(measured).items():
        print(f"{name}: {'counts' if not why else f'does not count: {why}'}")
    print(f"{folder / 'quality.md'}: {len(measured.styles)} pairs")


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
