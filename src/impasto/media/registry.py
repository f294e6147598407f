"""The media: those that come with impasto, and those of other packages.

A package adds a medium by an entry point of the group ``impasto.media`` that names a
:class:`impasto.media.medium.Medium`::

    [project.entry-points."impasto.media"]
    terrain = "terrain:TERRAIN"
"""

from __future__ import annotations

from functools import cache

from impasto.errors import SignalError, nearest
from impasto.media.medium import Medium, View
from impasto.packages import found_at, with_rows_of_packages

GROUP = "impasto.media"

_ROWS = (
    "impasto.media.image:IMAGE",
    "impasto.media.series:SERIES",
    "impasto.media.sound:SOUND",
    "impasto.media.volume:VOLUME",
    "impasto.media.movie:MOVIE",
)
BUILT_IN: dict[str, Medium] = {row.name: row for row in map(found_at, _ROWS)}
"""The media that come with impasto, by name."""


@cache
def media() -> dict[str, Medium]:
    """All media by name; those that come with impasto first.

    A medium of another package that cannot be loaded, or whose name is taken, is left out, with one warning.
    """
    return with_rows_of_packages(BUILT_IN, GROUP, Medium, "medium", "media")


def medium_of(kind: str) -> Medium:
    """The medium whose name is ``kind``.

    Raises:
        SignalError: there is none.
    """
    known = media()
    if kind not in known:
        raise SignalError(
            f"a signal of the kind {kind!r} is unknown: did you mean {nearest(kind, known)}? ({', '.join(known)})"
        )
    return known[kind]


def views() -> dict[str, View]:
    """The views of the media that can be explored, by name of the medium."""
    return {name: medium.view for name, medium in media().items() if medium.view}
