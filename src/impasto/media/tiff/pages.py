"""What a TIFF file holds: one picture with its reduced copies, masks and channels, or a stack of slices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod
from typing import Any, NamedTuple

from tifffile import TiffFile, TiffPage

from impasto.errors import SignalError

# NewSubfileType
_REDUCED, _PAGE, _MASK = 1, 2, 4
_PAGE_NUMBER = 297
_BILEVEL, _COLOURED = 1, (2, 3, 6)
# tifffile's letters of the axes of a plane and of its colours; all other axes count slices
_PLANE, _COLOURS = "YX", "SC"
# sides of a reduced copy, as a share of those of its original; pages of a document are as large as each other, or differ by
# a size of paper (0.71)
_COPY, _SAME_PROPORTIONS = 0.6, 0.02
# a smaller share of the area of the largest page is a thumbnail or a label, whatever its proportions
_THUMBNAIL = 1 / 16
# in files with more pages only the tags of the first are read
_MANY_PAGES = 200


class Layout(NamedTuple):
    """The main picture or stack of a file.

    Attributes:
        axes: the letters of its axes, e.g. "ZCYX", "TYXS"; those within a page come last.
        shape: their lengths.
        pages: one for each position along the other axes, if the layout ``is_whole``; otherwise tifffile's series.
        plane: how many of the last axes are within a page.
        copies: smaller copies of the picture.
        others: how many other pictures there are in the file.
        series: its number among tifffile's series.
        named: whether metadata name the axes.
    """

    axes: str
    shape: tuple[int, ...]
    pages: Sequence[Any]
    plane: int
    copies: Sequence[Any] = ()
    others: int = 0
    series: int = 0
    named: bool = False

    @property
    def first(self) -> Any:
        """The first page, with all its tags."""
        return self.pages[0].keyframe

    @property
    def slices(self) -> int:
        """How many slices there are, not counting channels and colours."""
        return prod(n for letter, n in zip(self.axes, self.shape, strict=True) if letter not in _PLANE + _COLOURS)

    @property
    def is_whole(self) -> bool:
        """Whether ``pages`` has every plane, so that they can be read one by one."""
        return len(self.pages) == prod(self.shape[: len(self.shape) - self.plane])


def layout_of(file: TiffFile) -> Layout:
    """The main picture or stack of a file: by its metadata if these name axes, otherwise by its pages.

    Raises:
        SignalError: there is no picture in it.
    """
    pages = list(all_pages(file)) if len(file.pages) <= _MANY_PAGES else []
    found = _by_series(file) or _by_pages(pages)
    if found is None:
        raise SignalError("there is no picture in the file")
    return found


def all_pages(file: TiffFile) -> Iterator[TiffPage]:
    """The pages of a file, each followed by those inside it (SubIFDs)."""
    for page in file.pages:
        page = page if isinstance(page, TiffPage) else page.aspage()
        yield page
        if page.subifds and page.pages is not None:
            for inner in page.pages:
                yield inner if isinstance(inner, TiffPage) else inner.aspage()


def _by_series(file: TiffFile) -> Layout | None:
    """The layout of the first series that is no copy; None if its pages tell as much."""
    known = [s for s in file.series if s.shape and "Y" in s.axes and "X" in s.axes and s.keyframe.dtype is not None]
    full = _originals([(s.keyframe, s) for s in known])
    if not full:
        return None
    series = full[0]
    named = series.kind not in ("generic", "uniform")
    # nothing to be learned from the series: axes are not named, or it is a single page without copies
    if (not named and len(file.pages) <= _MANY_PAGES) or (
        len(series.axes) <= 3 and series.axes.strip("S") == "YX" and len(series.levels) == 1
    ):
        return None
    page = series.keyframe
    plane = len(page.shape)
    copies = [level.keyframe for level in series.levels[1:]] if len(series) == 1 else []
    axes = series.axes
    if "S" in axes and series.shape[axes.index("S")] > 1:
        axes = axes.replace("C", "Q")  # pages in colour: the axis C cannot be channels as well
    return Layout(axes, series.shape, list(series), plane, copies, len(full) - 1, file.series.index(series), named=named)


def _by_pages(pages: Iterable[TiffPage]) -> Layout | None:
    usable = [page for page in pages if page.imagewidth and page.imagelength and page.shape and page.dataoffsets]
    full = _originals([(page, page) for page in usable])
    if not full:
        return None
    first = full[0]
    alike = [page for page in full if _kind(page) == _kind(first)]
    if len(alike) > 1 and not _is_document(first):
        shape, axes = (len(alike), *first.shape), "I" + first.axes
        return Layout(axes, shape, alike, len(first.shape), others=len(full) - len(alike))
    copies = [page for page in usable if _is_copy(page, first) and page.photometric == first.photometric]
    return Layout(first.axes, first.shape, [first], len(first.shape), copies, len(full) - 1)


def _originals(found: list[tuple[TiffPage, Any]]) -> list[Any]:
    """The entries that are not reduced copies, masks, thumbnails or labels, in the order of the file."""
    marked = [one for one in found if not one[0].subfiletype & (_REDUCED | _MASK)] or found
    area = max((page.imagewidth * page.imagelength for page, _ in marked), default=0)
    return [
        one
        for page, one in marked
        if page.imagewidth * page.imagelength > _THUMBNAIL * area and not any(_is_copy(page, other) for other, _ in marked)
    ]


def _is_copy(page: TiffPage, original: TiffPage) -> bool:
    x, y = page.imagewidth / original.imagewidth, page.imagelength / original.imagelength
    rounded = 1.5 / min(original.imagewidth, original.imagelength)
    return max(x, y) <= _COPY and abs(x - y) <= max(_SAME_PROPORTIONS * max(x, y), rounded)


def _kind(page: TiffPage) -> tuple[Any, ...]:
    return page.shape, page.dtype, page.photometric


def _is_document(page: TiffPage) -> bool:
    """Whether pages of one size are those of a letter or a fax, and not slices."""
    numbered = bool(page.subfiletype & _PAGE) or _PAGE_NUMBER in page.tags
    return numbered and (page.bitspersample == _BILEVEL or page.photometric in _COLOURED)
