"""A content and its styles become a painting: the way through the house, from files to the painting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from impasto.descent.descend import Evaluation, Progress
from impasto.errors import ImpastoError, SignalError
from impasto.files import one_line_is_enough
from impasto.media.image.write import to_pillow
from impasto.media.read_write import read_signal, write_signal
from impasto.media.registry import medium_of
from impasto.media.signal import Signal, roles
from impasto.networks.device import find_device, memory_watched
from impasto.networks.kernels.allocation import freed_memory_kept
from impasto.networks.kernels.autotune import own_choices
from impasto.networks.sharing import weights_kept
from impasto.transfer.checkpoint import Checkpoint, kept_memory, take_up
from impasto.transfer.estimate import default_memory, peak_memory_mib
from impasto.transfer.inputs import take_in
from impasto.transfer.prepared import Prepared
from impasto.transfer.pyramid import coarse_to_fine
from impasto.transfer.record import record_of
from impasto.transfer.recorders import draw_costs, write_figure
from impasto.transfer.settings import TransferSettings
from impasto.transfer.styles import Source, Style

# the longest side to which what was written may be made smaller when it is read again
_ENOUGH = 64
_LOG = "impasto"


@dataclass(frozen=True)
class Painting:
    """What a transfer gives: the signal with the lowest cost, and how it came about.

    Attributes:
        signal: the result, of the content's kind.
        content: the content, as it was read.
        styles: the styles, as they were read.
        settings: how it was made, with nothing left open.
        best: the evaluation that belongs to the signal.
        history: all evaluations in order; the last one tells the seconds the descent took.
        about: the names of content and styles, with their shares, and of the network.
        checkpoint: what was kept on the way; deleted when the result is written.
    """

    signal: Signal
    content: Signal
    styles: tuple[Signal, ...]
    settings: TransferSettings
    best: Evaluation
    history: tuple[Evaluation, ...]
    about: dict[str, str]
    checkpoint: Checkpoint | None = None

    @property
    def image(self) -> Image.Image:
        """The picture as a PIL image with 8 bits a channel.

        Raises:
            SignalError: the result is no picture.
        """
        if self.signal.kind != "image":
            raise SignalError(f"{medium_of(self.signal.kind).noun} is not a picture; use .signal or .write")
        return to_pillow(self.signal)

    def write(self, path: str | Path, **options: Any) -> None:
        """Write the result, with its settings inside where the format has a place for them, and read it again.

        Only then is the checkpoint deleted.

        Args:
            path: where; the ending gives the format.
            options: of a picture ``bits``, ``quality``, ``dpi`` and ``icc``, as :func:`impasto.write_image` takes them.

        Raises:
            SignalError: the ending is unknown, or the file cannot be written or read again.
            SettingsError: an option is out of its range, or the format does not have it.
        """
        write_signal(self.signal, path, record_of(self.about, self.settings, self.best.cost), **options)
        try:
            with one_line_is_enough(_LOG):  # what is to be told of it has been
                again = read_signal(path, self.settings.rate, _ENOUGH, output=path)
        except ImpastoError as error:
            raise SignalError(f"{path} was written, but cannot be read again: {error}") from error
        # an animation of nothing but one picture is one
        if again.kind != self.signal.kind and (self.signal.kind, again.kind) != ("movie", "image"):
            raise SignalError(f"{path} was written, but what is read again is {medium_of(again.kind).noun}")
        if self.checkpoint:
            self.checkpoint.remove()

    def plot(self, path: str | Path) -> None:
        """Draw the way to the result: of a picture the curves of J, of other kinds content, style and result.

        Raises:
            SignalError: the file cannot be written.
        """
        draw = medium_of(self.signal.kind).draw
        write_figure(draw(self.content, self.styles, self.signal) if draw else draw_costs(self.history), path)

    def summary(self) -> dict[str, Any]:
        """The numbers of the transfer, as ``impasto transfer --json`` prints them."""
        best = asdict(self.best)
        del best["evaluation"]
        return {
            "kind": self.signal.kind,
            "size": list(reversed(self.signal.shape)),
            **best,
            **medium_of(self.signal.kind).measure(self.content, self.signal),
            "alpha": self.settings.alpha,
            "beta": self.settings.beta,
            "evaluations": len(self.history),
            "seconds": self.history[-1].seconds,
            "seed": self.settings.seed,
            **self.about,
            "peak_memory_mib": round(peak_memory_mib(), 1),
        }


class TransferInterrupted(KeyboardInterrupt):
    """A transfer was interrupted; ``painting`` is the best it had."""

    def __init__(self, painting: Painting) -> None:
        super().__init__("interrupted")
        self.painting = painting


@weights_kept()
@own_choices()
def transfer_style(
    content: Source,
    style: Style | Sequence[Style],
    settings: TransferSettings | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    checkpoint: str | Path | Checkpoint | None = None,
    checkpoint_every: float = 60.0,
    output: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> Painting:
    """Paint the content in the style of another signal (Gatys et al. 2015).

    Args:
        content: what is painted: a file, a :class:`Signal` or, of a picture, a PIL image or an array of shape
            (height, width[, 3 or 4]). Its kind decides everything that the settings leave open.
        style: how it is painted, given in the same ways; or several styles, each alone or with its weight, (style, weight),
            which are blended on their statistics: weights count relative to their sum.
        settings: how; the defaults of :class:`TransferSettings` if None.
        on_progress: called after each evaluation of J.
        checkpoint: a file in which the transfer is kept on its way, and from which the same call goes on, bit for bit, if
            the process was killed; ``on_progress`` gets what is new. Deleted by :meth:`Painting.write`.
        checkpoint_every: seconds from one writing of it to the next (more where a writing takes long); 0: after every
            evaluation.
        output: where the painting will be written, by :meth:`Painting.write`: that it can be is tried before the work. It
            also decides whether an animation is painted as a movie, or its first frame as a picture.
        options: how it will be written, as :meth:`Painting.write` takes them.

    Raises:
        ImpastoError: an input, a setting or a size is wrong, or the checkpoint is damaged or one of another transfer; see
            :mod:`impasto.errors`.
        TransferInterrupted: Ctrl-C (KeyboardInterrupt); it carries the painting as far as it came.
    """
    medium, content_signal, styles, settings, about = take_in(content, style, settings, output, options)
    signals = tuple(signal for signal, _ in styles)
    if isinstance(checkpoint, str | Path):
        checkpoint = Checkpoint(Path(checkpoint), checkpoint_every)
    history: list[Evaluation] = []
    state = keep = None
    device = find_device(settings.device)
    # what is free differs from run to run, and with the tiles the last digits of the result
    memory = settings.memory or (checkpoint and kept_memory(checkpoint.path)) or default_memory(device)
    if checkpoint:
        inputs = roles(content_signal, signals)
        history, state, keep = take_up(checkpoint, settings, inputs, [share for _, share in styles], memory)
    within = replace(settings, memory=memory)

    def painting(prepared: Prepared, progress: Progress, checkpoint: Checkpoint | None = None) -> Painting:
        signal = prepared.restore(progress.best_generated[0].cpu().numpy())
        best = progress.best
        return Painting(signal, content_signal, signals, settings, best, tuple(history), about, checkpoint)

    prepared = None
    progress: Progress | None = None
    resting = False
    try:
        with freed_memory_kept() if settings.memory is None else nullcontext():
            steps = coarse_to_fine(medium, content_signal, styles, within, device, state)
            for at in memory_watched(steps, device):
                prepared, progress = at
                if progress.latest.evaluation <= len(history):
                    continue  # where the checkpoint was written
                resting = True
                history.append(progress.latest)
                if on_progress is not None:
                    on_progress(progress)
                if keep:
                    keep(progress, history, False)
                resting = False
    except KeyboardInterrupt:
        if prepared is None or progress is None:
            raise
        if keep and resting:
            keep(progress, history, True)
        raise TransferInterrupted(painting(prepared, progress)) from None
    assert prepared is not None and progress is not None
    return painting(prepared, progress, checkpoint)
