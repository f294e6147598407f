"""What a transfer begins with, decided once: what is read, the settings, and that the result can be written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from impasto.errors import SettingsError, SignalError
from impasto.files import is_file
from impasto.media.medium import Medium
from impasto.media.read_write import find_medium, read_signal, try_output
from impasto.media.registry import medium_of
from impasto.media.resolved import ResolvedSettings
from impasto.media.signal import Signal
from impasto.media.styles import Source, Style, Styles, shares
from impasto.transfer.choices import INITS
from impasto.transfer.record import about_of, record_of
from impasto.transfer.resolve import resolve
from impasto.transfer.settings import TransferSettings

log = logging.getLogger("impasto")


class Inputs(NamedTuple):
    """What is painted and how.

    Attributes:
        medium: of the content.
        content: as it was read.
        styles: as they were read, with their shares.
        given: the settings as they are written down, with nothing left open.
        settings: the same as they are worked with.
        about: the names of content, styles and network.
    """

    medium: Medium
    content: Signal
    styles: Styles
    given: TransferSettings
    settings: ResolvedSettings
    about: dict[str, str]


def take_in(
    content: Source,
    style: Style | Sequence[Style],
    settings: TransferSettings | None = None,
    output: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    medium: Medium | None = None,
    read_style: Callable[..., Signal] = read_signal,
    memory: int | None = None,
    **parts: Any,
) -> Inputs:
    """Read content and styles, as far as the settings want them, and see that the result can be written.

    Args:
        content: what is painted.
        style: how.
        settings: what is open in them is decided by the content.
        output: where the result is to go, if anywhere: it decides whether an animation is a movie or a picture.
        options: how a picture is to be written.
        medium: of the content, where it is known already.
        read_style: reads a style.
        memory: the bytes that reading may take, if the settings do not say.
        parts: network, objective and optimizer, as :func:`impasto.transfer.resolve.resolve` takes them.

    Raises:
        SettingsError: a setting, an option or the weight of a style is wrong, or there is no file in which G could start.
        SignalError: one cannot be read, or the result could not be written.
    """
    unresolved = settings or TransferSettings()
    medium = medium or find_medium(content, output)
    given, settled = resolve(unresolved, medium, **parts)
    if unresolved.takes_size_for_rate(medium):
        log.warning("size %s is taken for the rate of the work, working_rate: %s has no size", unresolved.size, medium.noun)
    if settled.init not in INITS and not is_file(settled.init):
        raise SettingsError(f"init {settled.init!r} is neither a file nor one of {', '.join(INITS)}")
    weighted = shares(style)
    signal = content
    if not isinstance(signal, Signal):
        signal = medium.read(content, settled.rate, settled.size, settled.memory or memory)
    # a style may be wanted larger than the result
    finer = settled.size and round(settled.size * max(1.0, settled.stroke))
    styles = [(read_style(source, settled.rate, finer, settled.memory or memory), share) for source, share in weighted]
    _check_styles(medium, styles)
    if medium.enlarges and unresolved.size is None and settled.size:  # nothing is enlarged unless it is asked for
        size = min(settled.size, max(signal.shape))
        given, settled = replace(given, size=size), replace(settled, size=size)
    about = about_of(content, style, given, settled)
    if output is not None:
        try_output(medium, signal, output, record_of(about, given, 0.0), given.size, **(options or {}))
    return Inputs(medium, signal, styles, given, settled, about)


def _check_styles(medium: Medium, styles: Styles) -> None:
    """See that the styles are of kinds that the medium takes.

    Raises:
        SignalError: one is not; the message says why.
    """
    for style, _ in styles:
        if style.kind not in medium.styles:
            expected = " or ".join(medium_of(name).noun for name in medium.styles)
            raise SignalError(
                f"{medium.noun} cannot be painted in the style of {medium_of(style.kind).noun}: {medium.why}; "
                f"{expected} was expected"
            )
