"""``impasto transfer --dry-run``: what it would take, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from impasto.transfer.dry_run import DryRun
    from impasto.transfer.inputs import Inputs


def tell(inputs: Inputs, *, as_json: bool) -> int:
    """Print the sizes, tiles, memory and time of a transfer; the exit code."""
    from impasto.transfer.dry_run import dry_run

    run = dry_run(inputs)
    click.echo(json.dumps(numbers(run), indent=2) if as_json else in_words(run))
    return 0


def numbers(run: DryRun) -> dict[str, Any]:
    """What there is to be expected, as JSON has it; the last size comes last."""
    fittings = run.fittings
    return {
        "sizes": [list(reversed(shape)) for shape in run.shapes],
        "evaluations": list(run.evaluations),
        "tiles": [fitting.plan.tile if fitting and fitting.plan else None for fitting in fittings],
        "optimizers": [fitting.optimizer.name or str(fitting.optimizer) if fitting else None for fitting in fittings],
        "memory_mib": max((round(fitting.memory / 2**20, 1) for fitting in fittings if fitting), default=None),
        "seconds": round(run.seconds, 1),
    }


def in_words(run: DryRun) -> str:
    """What there is to be expected, in four lines."""
    sizes = ", then ".join(" x ".join(str(n) for n in reversed(shape)) for shape in run.shapes)
    fitting, evaluations = run.fittings[-1], " + ".join(str(n) for n in run.evaluations)
    lines = [f"size: {sizes}"]
    if fitting is not None:
        memory = max(fitting.memory for fitting in run.fittings if fitting)
        tile = f"of {fitting.plan.tile}" if fitting.plan and fitting.plan.tile else "none, it fits as a whole"
        lines += [
            f"tiles: {tile}",
            f"memory: at most {memory / 2**30:.1f} GiB of the {fitting.budget / 2**30:.1f} GiB that may be taken",
        ]
    return "\n".join([*lines, f"time: about {_duration(run.seconds)} for {evaluations} evaluations"])


def _duration(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
