"""The painter: a network, J and an optimizer, and what is measured of the styles, for one painting or many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from impasto.descent.descend import Evaluation, Progress
from impasto.descent.memory import default_memory
from impasto.descent.optimizers import Optimizer, check_optimizer
from impasto.descent.stages import descend_stages
from impasto.errors import SettingsError
from impasto.media.medium import Medium
from impasto.media.read_write import read_signal
from impasto.media.signal import Signal
from impasto.media.styles import Source, Style
from impasto.networks.device import find_device, memory_watched
from impasto.networks.kernels.allocation import freed_memory_kept
from impasto.networks.kernels.autotune import own_choices
from impasto.networks.precision import computed_in
from impasto.networks.sharing import weights_kept
from impasto.objective.term import Objective, Term
from impasto.transfer.checkpoint import Checkpoint, kept_memory, take_up
from impasto.transfer.inputs import Inputs, take_in
from impasto.transfer.painting import Painting
from impasto.transfer.resolve import check_given
from impasto.transfer.scales import Memo, Scales
from impasto.transfer.settings import TransferSettings
from impasto.validation import number

# files of styles that are kept as they were read
_STYLES = 4


class Painter:
    """Paints signals in the style of others (Gatys et al. 2015), one after the other.

    What all paintings share is done once: the network is loaded, and styles that are the same are read and measured once.
    What a painting is does not depend on those before it.

    Args:
        network: the network whose activations are compared: a name, one that :func:`impasto.wrap` made, or any that is one;
            that of the settings if None.
        objective: J, a sum of terms; that of the settings, alpha J_content + beta J_style, if None.
        optimizer: how J is descended; that of the settings if None.
        settings: everything else, the defaults of :class:`impasto.TransferSettings` if None.

    Raises:
        SettingsError: what was given is none, or the settings speak of what was given itself.
    """

    def __init__(
        self,
        network: Any = None,
        objective: Term | Objective | None = None,
        *,
        optimizer: Optimizer | None = None,
        settings: TransferSettings | None = None,
    ) -> None:
        settings = settings or TransferSettings()
        check_given(settings, network, objective, optimizer)
        if optimizer is not None:
            check_optimizer(optimizer)
        if isinstance(network, str):
            settings, network = replace(settings, network=network), None
        self.settings = settings
        self._parts = {"network": network, "objective": objective, "optimizer": optimizer}
        self._weights: dict[Any, Any] = {}
        self._measured: Memo = {}
        self._read: dict[Any, Signal] = {}

    def described(self) -> dict[str, str]:
        """J and the optimizer as they print, and the network by its name, as far as they were given themselves."""
        names = {name: repr(part) for name, part in self._parts.items() if part is not None}
        return names | ({"network": self._parts["network"].name} if "network" in names else {})

    def paint(
        self,
        content: Source,
        style: Style | Sequence[Style],
        *,
        on_progress: Callable[[Progress], object] | None = None,
        cancel: Event | None = None,
        checkpoint: str | Path | Checkpoint | None = None,
        checkpoint_every: float = 60.0,
        output: str | Path | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Painting:
        """Paint the content in the style of another signal, or of several; see :func:`transfer_style`."""
        _check_calls(on_progress, cancel, checkpoint, output)
        checkpoint_every = number(0)("checkpoint_every", checkpoint_every)
        if isinstance(checkpoint, str | Path):
            checkpoint = Checkpoint(Path(checkpoint), checkpoint_every)
        inputs = self.take_in(content, style, output=output, options=options)
        return self.descend(inputs, on_progress=on_progress, cancel=cancel, checkpoint=checkpoint)

    def take_in(
        self,
        content: Source,
        style: Style | Sequence[Style],
        *,
        medium: Medium | None = None,
        output: str | Path | None = None,
        options: Mapping[str, Any] | None = None,
        memory: int | None = None,
    ) -> Inputs:
        """Read content and styles and decide all that is open: the first half of :meth:`paint`.

        ``medium`` is that of the content, where it is known already; ``memory`` the bytes that reading may take, if the
        settings do not say. The others are as of :func:`transfer_style`.

        Raises:
            ImpastoError: an input, a setting or a size is wrong.
        """
        how = self._parts | {"medium": medium, "read_style": self._read_style, "memory": memory}
        with weights_kept(self._weights):
            return take_in(content, style, self.settings, output, options, **how)

    @own_choices()
    def descend(
        self,
        inputs: Inputs,
        *,
        on_progress: Callable[[Progress], object] | None = None,
        cancel: Event | None = None,
        checkpoint: Checkpoint | None = None,
        memory: int | None = None,
    ) -> Painting:
        """Paint what was taken in: the second half of :meth:`paint`.

        ``memory`` is the bytes that the process may take, if the settings do not say; most of what is free if None.
        """
        settings, signals = inputs.settings, tuple(signal for signal, _ in inputs.styles)
        history: list[Evaluation] = []
        state = keep = None
        device = find_device(settings.device)
        # what is free differs from run to run, and with the tiles the last digits of the result
        kept = checkpoint and kept_memory(checkpoint.path)
        memory = settings.memory or kept or memory or default_memory(device)
        if checkpoint:
            history, state, keep = take_up(checkpoint, inputs, memory)

        def painted(progress: Progress) -> Signal:
            return scales.prepared.restore(progress.best_generated[0].cpu().numpy())

        def painting(progress: Progress, finished: bool, checkpoint: Checkpoint | None) -> Painting:
            signal = painted(progress)
            given, best = inputs.given, progress.best
            evaluations = tuple(history)
            return Painting(signal, inputs.content, signals, given, best, evaluations, inputs.about, checkpoint, finished)

        progress: Progress | None = None
        resting = False
        try:
            with weights_kept(self._weights), freed_memory_kept() if settings.memory is None else nullcontext():
                within = replace(settings, memory=memory)
                scales = Scales(inputs.medium, inputs.content, inputs.styles, within, device, self._measured)
                steps = descend_stages(scales.stages(), step=settings.step, state=state, cancel=cancel)
                for progress in memory_watched(computed_in(settings.precision, device, steps), device):
                    if progress.latest.evaluation <= len(history):
                        continue  # where the checkpoint was written
                    resting = True
                    history.append(progress.latest)
                    if on_progress is not None:
                        on_progress(replace(progress, painted=partial(painted, progress)))
                    if keep:
                        keep(progress, history, False)
                    resting = False
            assert progress is not None
            finished = len(history) == progress.iterations
            if keep and not finished:
                keep(progress, history, True)
            return painting(progress, finished, checkpoint)
        except KeyboardInterrupt:
            if progress is None:
                raise
            if keep and resting:
                keep(progress, history, True)
            raise TransferInterrupted(painting(progress, False, None)) from None

    def _read_style(self, source: Source, *how: Any) -> Signal:
        """A style, whose file is not read again while the file is the same."""
        if not isinstance(source, str | Path) or not Path(source).is_file():
            return read_signal(source, *how)
        about = Path(source).stat()
        key = (str(source), about.st_mtime_ns, about.st_size, *how)
        if key not in self._read:
            self._read[key] = read_signal(source, *how)
            while len(self._read) > _STYLES:
                del self._read[next(iter(self._read))]
        return self._read[key]


def _check_calls(on_progress: Any, cancel: Any, checkpoint: Any, output: Any) -> None:
    expected = (
        ("on_progress", on_progress, on_progress is None or callable(on_progress), "a function"),
        ("cancel", cancel, cancel is None or hasattr(cancel, "is_set"), "a threading.Event"),
        ("checkpoint", checkpoint, checkpoint is None or isinstance(checkpoint, str | Path | Checkpoint), "a path"),
        ("output", output, output is None or isinstance(output, str | Path), "a path"),
    )
    for name, given, right, what in expected:
        if not right:
            raise SettingsError(f"{name} is {given!r}; {what} was expected")


class TransferInterrupted(KeyboardInterrupt):
    """Ctrl-C while a signal was painted, by Python's own KeyboardInterrupt; ``painting`` is the best it had."""

    def __init__(self, painting: Painting) -> None:
        super().__init__("interrupted")
        self.painting = painting


def transfer_style(
    content: Source,
    style: Style | Sequence[Style],
    settings: TransferSettings | None = None,
    *,
    on_progress: Callable[[Progress], object] | None = None,
    cancel: Event | None = None,
    checkpoint: str | Path | Checkpoint | None = None,
    checkpoint_every: float = 60.0,
    output: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> Painting:
    """Paint the content in the style of another signal, by a :class:`Painter` for this once.

    Args:
        content: what is painted: a file, a :class:`Signal` or, of a picture, a PIL image, an array of shape
            (height, width[, 3 or 4]) or a tensor of shape ([3,] height, width). Its kind decides all that the settings leave
            open.
        style: how it is painted, given in the same ways; or several styles, each alone or with its weight, (style, weight),
            which are blended on their statistics: weights count relative to their sum.
        settings: how; the defaults of :class:`TransferSettings` if None.
        on_progress: called after each evaluation of J.
        cancel: once it is set, from wherever, no other evaluation begins, and the painting is what there is.
        checkpoint: a file in which the transfer is kept on its way, and from which the same call goes on, bit for bit, if
            the process was killed or it was cancelled; ``on_progress`` gets what is new. Deleted by :meth:`Painting.write`.
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
    return Painter(settings=settings).paint(
        content,
        style,
        on_progress=on_progress,
        cancel=cancel,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        output=output,
        options=options,
    )
