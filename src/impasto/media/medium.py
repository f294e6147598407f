"""What a medium is: everything that impasto has to know of pictures, of series, of sounds, in one row each.

A row is read before anything is painted, also for ``--help``, so it holds no function that needs torch or numpy to be
imported: such a one is given as :class:`Late`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.packages import Late as Late
from impasto.packages import found_at as found_at

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL import Image

    from impasto.media.prepared import Prepared
    from impasto.media.resolved import ResolvedSettings
    from impasto.media.signal import Signal
    from impasto.media.styles import Styles


@dataclass(frozen=True)
class View:
    """How the network sees a signal that is explored, and how that is drawn.

    Attributes:
        dims: the axes along which the network looks: the last ones of the signal as it is seen. A first axis beyond them
            counts its leads or channels, each of which is seen alone.
        size: how large the network sees it unless one says so: the longest side or, of series and sounds, samples a second.
        endings: of its files, as they are looked for in folders.
        fit: the signal as the network sees it, with a longest side of at most so many positions (None: as it is); of a
            series and a sound, with at most so many samples a second.
        draw: a field, cropped from what ``fit`` made, as a picture of (width, height) pixels.
        overview: all of what ``fit`` made as a picture whose longest side is at most so many pixels; its two axes are the
            last two of the signal.
        measure: what its positions are called.
        line: what a position on its first axis is called, if the network sees each alone.
        beside: whether its files are passed over in a folder of others, as they are most often about those.
        read: reads what is explored, of which no more than the longest side is wanted; None if as to be painted.
    """

    dims: int
    size: int
    endings: tuple[str, ...]
    fit: Callable[[Signal, int | None], Signal]
    draw: Callable[[Signal, tuple[int, int]], Image.Image]
    overview: Callable[[Signal, int], Image.Image]
    measure: str
    line: str = ""
    beside: bool = False
    read: Callable[[Any, int | None], Signal] | None = None


@dataclass(frozen=True)
class Medium:
    """How signals of one kind are read, written, painted, drawn and explored.

    Attributes:
        name: what :attr:`impasto.Signal.kind` says, e.g. "image".
        noun: "a picture", for messages.
        axes: of the values; the first one names the channels or says how many there can be, "1 or 3".
        read: makes a signal of a file (or of what else it is given as) and, where files may not tell it, the sampling rate
            in Hz, and where signals are made smaller while they are read the longest side, and the bytes that may take.
        encode: the bytes of a file of the signal, with the record of how it was made: ``encode(signal, path, about)``, in
            the format that the ending of ``path`` says; with ``options`` also takes their fields by name. What the format
            cannot hold is converted and told in the log, or a SignalError.
        sample: a tiny part of a signal, with all that its file holds beside the values. It can be encoded if the whole can.
        describe: its extent in a few words, e.g. "512 x 384".
        readable: the endings by which a file is known.
        writable: the endings of the files that can be written.
        safest: the one of them that can hold every signal.
        prepare: content and styles as read, with :class:`impasto.media.resolved.ResolvedSettings`, become
            :class:`impasto.media.prepared.Prepared`.
        styles: the media that can be its style.
        why: why no other one can.
        defaults: what a setting is where it is not given: size or working_rate, iterations, beta, optimizer and network at
            least.
        networks: those that understand it.
        axes_seen: along how many axes other networks can look at it; None if none can.
        settings: those that can be another than their default, of which not every medium takes all.
        from_random: defaults that are others if G starts from noise.
        claims: whether a file with an ending that several media have holds this one, given where the result is to go (or
            None where it goes nowhere).
        folders: the same of a folder.
        inside: endings whose files are its own although they begin as those of other types do, with the endings of these.
        finite: whether NaN and infinite values are refused.
        bounds: the range of the values, or None.
        needs: what the header must have, with a few words for it.
        is_picture: whether its values are (channels, height, width), sRGB in 0..1: then what impasto does for pictures alone
            it does for this medium too.
        enlarges: whether it is painted larger than it is if a larger size is given.
        options: what can be chosen about a file that is written, a dataclass; None if nothing can.
        check_output: sees that a signal of so many positions on its longest side can be written to a path with ``options``.
        draw: content, styles and result as a figure for people; None where the result is a picture itself.
        measure: what there is to tell about content and result in numbers.
        view: how it is explored; None if it is not.
        preview: a picture of it, with at most so many pixels on its longer side; None if the studio does not take it.
        kept: the ending of the files that the studio writes; the safest if None.
    """

    name: str
    noun: str
    axes: tuple[str, ...]
    read: Callable[[Any, float | None, int | None, int | None], Signal]
    encode: Callable[..., bytes]
    sample: Callable[[Signal], Signal]
    describe: Callable[[Signal], str]
    readable: tuple[str, ...]
    writable: tuple[str, ...]
    safest: str
    prepare: Callable[[Signal, Styles, ResolvedSettings], Prepared]
    styles: tuple[str, ...]
    why: str
    defaults: Mapping[str, Any]
    networks: tuple[str, ...]
    axes_seen: int | None = None
    settings: tuple[str, ...] = ()
    from_random: Mapping[str, Any] = field(default_factory=dict[str, Any])
    claims: Callable[[Path, Path | None], bool] = lambda path, output: True
    folders: Callable[[Path, Path | None], bool] = lambda path, output: False
    inside: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    finite: bool = True
    bounds: tuple[float, float] | None = None
    needs: Mapping[str, str] = field(default_factory=dict[str, str])
    is_picture: bool = False
    enlarges: bool = False
    options: type[Any] | None = None
    check_output: Callable[[str | Path, int, Any], None] = lambda path, longest, options: None
    draw: Callable[[Signal, Sequence[Signal], Signal], Figure] | None = None
    measure: Callable[[Signal, Signal], dict[str, float]] = lambda content, result: {}
    view: View | None = None
    preview: Callable[[Signal, int], Image.Image] | None = None
    kept: str | None = None

    def named(self, path: str | Path) -> bool:
        """Whether its files have names like this one."""
        return str(path).lower().endswith(self.readable)

    def is_inside(self, path: Path, found: str | None) -> bool:
        """Whether a file of that name is its own although its first bytes are those of ``found`` files."""
        return any(path.name.lower().endswith(ending) and found in types for ending, types in self.inside.items())

    def plural(self, count: int) -> str:
        """What so many signals are called."""
        return self.name if count == 1 or self.name.endswith("s") else f"{self.name}s"
