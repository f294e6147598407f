"""The lecture of each visitor, computed with their own pictures and kept part by part, so that none is lost."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from impasto.errors import ImpastoError, SignalError
from impasto.lecture.compute import KINDS, SIZE, LectureProgress, compute_lecture, parts_of
from impasto.lecture.lecture import Lecture, ready_lecture, with_shared
from impasto.media.read_write import find_medium
from impasto.studio.jobs import Job, JobStoppedError
from impasto.studio.visits import Visits

_PICTURES, _FILE = "image", "lecture"
_SECONDS_BETWEEN = 0.5  # two updates of the picture


@dataclass(frozen=True)
class Pair:
    """A content and a style: their files and what they are called."""

    content: Path
    style: Path
    names: tuple[str, str]

    @property
    def kind(self) -> str:
        """Of the content.

        Raises:
            SignalError: it cannot be read.
        """
        return find_medium(self.content).name

    @property
    def digest(self) -> str:
        """The same for the same pictures, whatever the files are called.

        Raises:
            SignalError: a file is not there any more.
        """
        found = hashlib.sha256()
        for path in (self.content, self.style):
            try:
                found.update(hashlib.sha256(path.read_bytes()).digest())
            except OSError as error:
                raise SignalError(f"{path.name} cannot be read: {error.strerror or error}") from None
        return found.hexdigest()[:32]


@dataclass(frozen=True)
class Own:
    """A lecture, or a part of it, with the digest and the kind of the content and the style it was computed with."""

    lecture: Lecture
    digest: str
    kind: str = _PICTURES

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return set(parts_of(self.kind)) <= set(self.lecture.parts)


@dataclass(frozen=True)
class LectureView:
    """What is to be seen of a lecture on the way: what with, how far it is, and G as it is now, a data URI."""

    pair: Pair
    own: Own
    part: str = ""
    share: float = 0.0
    seconds_left: float | None = None
    live: str = ""


def recall_lecture(visits: Visits, visitor: str, kind: str = _PICTURES) -> Own | None:
    """The last lecture that was computed for a visitor with such a content, or what there is of it."""
    kept = visits.recall(visitor, _part_of(kind))
    if kept is None or _FILE not in kept.files or not isinstance(kept.value, Mapping):
        return None
    try:
        return Own(Lecture.load(kept.files[_FILE]), str(kept.value.get("digest")), kind)
    except SignalError:  # kept by another version
        return None


def all_own(visits: Visits, visitor: str) -> list[Own]:
    """What was computed for a visitor, of each kind the last."""
    return [own for kind in KINDS if (own := recall_lecture(visits, visitor, kind)) is not None]


def shown_lecture(owned: Sequence[Own]) -> Lecture:
    """The lecture that is seen: the ready one, and in place of its parts those that were computed for the visitor."""
    pictures = next((own.lecture for own in owned if own.kind == _PICTURES), None)
    lecture = ready_lecture() if pictures is None else with_shared(pictures)
    parts = {name: figures for own in owned for name, figures in own.lecture.parts.items()}
    return replace(lecture, parts={**lecture.parts, **parts})


def give_lecture(visits: Visits, visitor: str, pair: Pair, *, size: int = SIZE, shortened: int = 0) -> Callable[[Job], None]:
    """The work of computing a lecture; what an earlier one of the same pictures has is taken over."""

    def work(job: Job) -> None:
        digest, kind = pair.digest, pair.kind
        before = recall_lecture(visits, visitor, kind)
        begun = before.lecture if before and before.digest == digest else Lecture(*pair.names)
        view = LectureView(pair, Own(begun, digest, kind))
        last = 0.0

        def watch(progress: LectureProgress) -> None:
            nonlocal view, last
            now = time.monotonic()
            if progress.lecture is not view.own.lecture:
                _keep(visits, visitor, own := Own(progress.lecture, digest, kind))
                view = replace(view, own=own)
            if progress.draw is None or now - last > _SECONDS_BETWEEN:
                last = now
                live = progress.draw() if progress.draw else ""
                view = LectureView(pair, view.own, progress.part, progress.share, progress.seconds_left, live)
                job.show(view)
            job.look()

        lecture = compute_lecture(
            pair.content, pair.style, begun=begun, size=size, on_progress=watch, cancel=job.cancel, shortened=shortened
        )
        own = Own(lecture, digest, kind)
        job.show(LectureView(pair, own, share=1.0))
        if not own.whole:
            raise JobStoppedError

    return work


def _part_of(kind: str) -> str:
    """The name of what is kept, among what a visitor has left."""
    return "learn" if kind == _PICTURES else f"learn{kind}"


def _keep(visits: Visits, visitor: str, own: Own) -> None:
    with suppress(ImpastoError, OSError), tempfile.TemporaryDirectory(dir=visits.folder) as folder:
        path = Path(folder) / _FILE
        own.lecture.save(path)
        visits.keep(visitor, _part_of(own.kind), {"digest": own.digest}, {_FILE: path})
