"""What a medium is: all that impasto must know about one kind of signal (pictures, series, sounds, ...), in one row.

Rows are read for every command, even ``--help``, so they must not import torch or numpy: a function that needs these is
given as :class:`Late`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from impasto.packages import Late as Late
from impasto.packages import found_at as found_at

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from PIL import Image

    from impasto.media.prepared import Prepared
    from impasto.media.resolved import ResolvedSettings
    from impasto.media.signal import Signal
    from impasto.media.styles import Styles


@dataclass(frozen=True)
class View:
    """How the network sees a signal that is explored, and how the parts it sees are drawn.

    Attributes:
        dims: how many axes the network looks along: the last ones of what ``fit`` returns. One more axis before them
            counts leads or channels, and the network sees each of these alone.
        size: the default of the second argument of ``fit``.
        endings: of the files that are looked for in folders.
        fit: ``fit(signal, size)``, the signal as the network sees it: its longest side is at most ``size`` positions, or a
            series or sound has at most ``size`` samples a second. None keeps the size.
        draw: ``draw(field, (width, height))``, a picture in pixels of a part cropped from what ``fit`` returned.
        overview: ``overview(signal, longest)``, a picture of all that ``fit`` returned, at most ``longest`` pixels on its
            longest side; its rows and columns are the last two axes of the signal.
        cuts: whether a part looks as it does in an overview of full size, from which it can be cut.
        measure: what positions are called, e.g. "pixels".
        line: what a position on the first axis is called if the network sees each alone, e.g. "lead".
        beside: whether its files are skipped in a folder with other media, which they then usually describe.
        read: ``read(source, longest)``, reads a signal to explore; None if it is read as for painting.
    """

    dims: int
    size: int
    endings: tuple[str, ...]
    fit: Callable[[Signal, int | None], Signal]
    draw: Callable[[Signal, tuple[int, int]], Image.Image]
    overview: Callable[[Signal, int], Image.Image]
    measure: str
    line: str = ""
    cuts: bool = False
    beside: bool = False
    read: Callable[[Any, int | None], Signal] | None = None


class Trace(NamedTuple):
    """A line of a signal, as a chart draws it.

    Attributes:
        name: of the lead or channel; empty of the only one.
        unit: of the values; empty if it is not known.
        values: (samples,), from the first on; of long signals the first seconds.
        rate: samples a second, or None.
    """

    name: str
    unit: str
    values: NDArray[Any]
    rate: float | None


class Stack(NamedTuple):
    """A signal cut across one of its axes.

    Attributes:
        name: of the axis, or of the plane, e.g. "axial".
        values: (slices, height, width, 1 or 3) in 0..1, upright.
        aspect: height of a pixel over its width.
        whole: how many slices the signal has there; ``values`` may have fewer.
    """

    name: str
    values: NDArray[Any]
    aspect: float
    whole: int


@dataclass(frozen=True)
class Medium:
    """How signals of one kind are read, written, painted, drawn and explored.

    Attributes:
        name: what :attr:`impasto.Signal.kind` says, e.g. "image".
        noun: "a picture", for messages.
        axes: of the values; the first one names the channels or says how many there can be, "1 or 3".
        read: ``read(source, rate, longest, memory)``, the signal in a file or in memory. ``rate``, the sampling rate in Hz,
            is for files that do not tell theirs; ``longest``, the longest side that is wanted, and ``memory``, the bytes
            that reading may take, are for media that are made smaller while they are read.
        encode: ``encode(signal, path, about, **options)``, the bytes of a file in the format that the ending of ``path``
            names, with ``about``, the record of how the signal was made, and fields of ``options``. What the format cannot
            hold is converted, with a warning, or a SignalError.
        sample: a tiny part of a signal with all of its header: if this can be encoded the signal can.
        describe: the extent of a signal in a few words, e.g. "512 x 384".
        readable: the endings of its files.
        writable: the endings of files that can be written.
        safest: the one of ``writable`` that can hold every signal.
        prepare: makes content, styles and settings ready to be painted.
        styles: the media that can be its style.
        why: why no other medium can be its style, for messages.
        defaults: of settings: at least size or working_rate, iterations, beta, optimizer and network.
        networks: those that take it.
        axes_seen: how many axes a network of one's own must look along to take it; None if none can.
        settings: the settings it takes, among those that not every medium takes.
        from_random: defaults that differ if G starts from noise.
        claims: ``claims(path, output)``, whether a file whose ending or type several media share holds this one. ``output``
            is where the result is to go, or None.
        folders: the same for a folder.
        numbered: whether numbered files, named by a pattern such as ``frame%04d.png``, are one such signal.
        encode_numbered: ``encode_numbered(signal, pattern, about)``, the path and the bytes of each of the numbered files in
            which a signal is written; None if it is not.
        inside: endings of its files that begin like files of other types, each with the endings of those types.
        finite: whether NaN and infinite values are refused.
        bounds: the range of the values, or None.
        needs: what the header must have, each with a few words for messages.
        is_picture: whether its values are (channels, height, width), sRGB in 0..1, so that it is treated like pictures.
        enlarges: whether a signal smaller than the size in the settings is painted at that size.
        options: a dataclass of what can be chosen about the file that is written; None if nothing can.
        check_output: ``check_output(path, longest, options)`` raises if a signal with so long a longest side cannot be
            written there with these options.
        draw: content, styles and result as a figure; None where the result is itself a picture.
        measure: numbers that tell how good a result is, by name.
        view: how it is explored; None if it is not.
        preview: a picture of a signal, at most so many pixels on its longer side; None if the studio does not take it.
        traces: the lines of a signal, to be drawn over those of another; None if it has none.
        lines: whether its preview is nothing but these lines.
        stacks: ``stacks(signal, longest)``, the signal as slices across each axis, at most so many along each.
        kept: the ending of the files that the studio writes; None for ``safest``.
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
    numbered: bool = False
    encode_numbered: Callable[[Signal, Path, Mapping[str, Any]], Iterable[tuple[Path, bytes]]] | None = None
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
    traces: Callable[[Signal], Sequence[Trace]] | None = None
    lines: bool = False
    stacks: Callable[[Signal, int], Sequence[Stack]] | None = None
    kept: str | None = None

    def named(self, path: str | Path) -> bool:
        """Whether the name of a file ends as those of this medium do."""
        return str(path).lower().endswith(self.readable)

    def is_inside(self, path: Path, found: str | None) -> bool:
        """Whether a file belongs to this medium by its name, although it begins like files with the ending ``found``."""
        return any(path.name.lower().endswith(ending) and found in types for ending, types in self.inside.items())

    def plural(self, count: int) -> str:
        """The name of ``count`` such signals, without the number."""
        return self.name if count == 1 or self.name.endswith("s") else f"{self.name}s"
