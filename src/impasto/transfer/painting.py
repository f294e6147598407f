"""A painting: the result of a transfer, and how it was made."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from impasto.descent.descend import Evaluation
from impasto.descent.memory import peak_memory_mib
from impasto.errors import ImpastoError, SignalError
from impasto.files import one_line_is_enough
from impasto.media.image.write import to_pillow
from impasto.media.medium import Medium
from impasto.media.read_write import encode_signal, read_signal, write_signal
from impasto.media.registry import medium_of
from impasto.media.signal import Signal
from impasto.transfer.checkpoint import Checkpoint
from impasto.transfer.record import record_of
from impasto.transfer.recorders import draw_costs, write_figure
from impasto.transfer.settings import TransferSettings

# the longest side with which the written file is read again, to see that it can be
_ENOUGH = 64
_LOG = "impasto"


@dataclass(frozen=True)
class Painting:
    """The result of a transfer: the signal with the lowest cost, and how it was made.

    Attributes:
        signal: the result, of the content's kind.
        content: the content, as it was read.
        styles: the styles, as they were read.
        settings: how it was made, with every default filled in.
        best: the evaluation with the lowest cost, of this signal.
        history: all evaluations in order; the last one has the seconds that the descent took.
        about: the names of content and styles, with their shares, and of the network.
        checkpoint: of this transfer, if there is one; deleted when the result is written.
        finished: whether all evaluations were done; False if the transfer was cancelled.
    """

    signal: Signal
    content: Signal
    styles: tuple[Signal, ...]
    settings: TransferSettings
    best: Evaluation
    history: tuple[Evaluation, ...]
    about: dict[str, str]
    checkpoint: Checkpoint | None = None
    finished: bool = True

    @property
    def medium(self) -> Medium:
        """Of the signal."""
        return medium_of(self.signal.kind)

    @property
    def image(self) -> Image.Image:
        """The picture as a PIL image with 8 bits a channel.

        Raises:
            SignalError: the result is no picture.
        """
        if not self.medium.is_picture:
            raise SignalError(f"{self.medium.noun} is not a picture; use .signal or .write")
        return to_pillow(self.signal)

    def _repr_png_(self) -> bytes | None:
        """What a notebook shows: the picture, or of other kinds the figure of :meth:`plot`."""
        found = io.BytesIO()
        if self.medium.is_picture:
            self.image.save(found, "PNG")
        elif self.medium.draw:
            self.medium.draw(self.content, self.styles, self.signal).savefig(found, format="png")
        return found.getvalue() or None

    def write(self, path: str | Path, **options: Any) -> None:
        """Write the result, with its settings inside if the format has a place for them, and read it again.

        Only then is the checkpoint of a finished painting deleted.

        Args:
            path: where; the ending gives the format. A movie is also written to numbered pictures, ``frame%04d.png``.
            options: for a picture ``bits``, ``quality``, ``dpi`` and ``icc``, see :func:`impasto.write_image`.

        Raises:
            SignalError: the ending is unknown, or the file cannot be written or read again.
            SettingsError: an option is out of its range, or the format does not have it.
        """
        write_signal(self.signal, path, self._record(), **options)
        self.check_written(path)
        if self.checkpoint and self.finished:
            self.checkpoint.remove()

    def encode(self, path: str | Path, **options: Any) -> bytes:
        """The bytes of the file that :meth:`write` writes, with the same arguments.

        Raises:
            SignalError: the ending is unknown, or its format cannot hold the result.
            SettingsError: an option is out of its range, or the format does not have it.
        """
        return encode_signal(self.signal, path, self._record(), **options)

    def _record(self) -> dict[str, Any]:
        return record_of(self.about, self.settings, self.best.cost)

    def check_written(self, path: str | Path) -> None:
        """Read a file of the result again.

        Raises:
            SignalError: it cannot be read, or is of another kind.
        """
        try:
            with one_line_is_enough(_LOG):  # warnings about the file were given when it was written
                again = read_signal(path, self.settings.rate, _ENOUGH, output=path)
        except ImpastoError as error:
            raise SignalError(f"{path} was written, but cannot be read again: {error}") from error
        # an animation with a single frame is read as a picture
        if again.kind != self.signal.kind and (self.signal.kind, again.kind) != ("movie", "image"):
            raise SignalError(f"{path} was written, but what is read again is {medium_of(again.kind).noun}")

    def plot(self, path: str | Path) -> None:
        """Draw a figure: of a picture the curves of J, of other kinds content, styles and result.

        Raises:
            SignalError: the file cannot be written.
        """
        draw = self.medium.draw
        write_figure(draw(self.content, self.styles, self.signal) if draw else draw_costs(self.history), path)

    def summary(self) -> dict[str, Any]:
        """The numbers of the transfer, as ``impasto transfer --json`` prints them."""
        best = self.best.as_dict()
        del best["evaluation"]
        return {
            "kind": self.signal.kind,
            "size": list(reversed(self.signal.shape)),
            **best,
            **self.medium.measure(self.content, self.signal),
            "alpha": self.settings.alpha,
            "beta": self.settings.beta,
            "evaluations": len(self.history),
            "seconds": self.history[-1].seconds,
            "seed": self.settings.seed,
            **self.about,
            "peak_memory_mib": round(peak_memory_mib(), 1),
        }
