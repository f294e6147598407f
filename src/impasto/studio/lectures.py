"""The lecture of each visitor, computed with their own pictures and kept part by part, so that none is lost."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from impasto.errors import ImpastoError, SignalError
from impasto.lecture.compute import PARTS, SIZE, LectureProgress, compute_lecture
from impasto.lecture.lecture import Lecture
from impasto.studio.jobs import Job, JobStoppedError
from impasto.studio.visits import Visits

_PART, _FILE = "learn", "lecture"
_SECONDS_BETWEEN = 0.5  # two updates of the picture


@dataclass(frozen=True)
class Pair:
    """A content and a style: their files and what they are called."""

    content: Path
    style: Path
    names: tuple[str, str]

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
    """A lecture with the digest of the pictures it was computed with."""

    lecture: Lecture
    digest: str

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return set(PARTS) <= set(self.lecture.parts)


@dataclass(frozen=True)
class LectureView:
    """What is to be seen of a lecture on the way: what with, how far it is, and G as it is now, a data URI."""

    pair: Pair
    own: Own
    part: str = ""
    share: float = 0.0
    seconds_left: float | None = None
    live: str = ""


def recall_lecture(visits: Visits, visitor: str) -> Own | None:
    """The last lecture that was computed for a visitor, or what there is of it."""
    kept = visits.recall(visitor, _PART)
    if kept is None or _FILE not in kept.files or not isinstance(kept.value, Mapping):
        return None
    try:
        return Own(Lecture.load(kept.files[_FILE]), str(kept.value.get("digest")))
    except SignalError:  # kept by another version
        return None


def give_lecture(visits: Visits, visitor: str, pair: Pair, *, size: int = SIZE, shortened: int = 0) -> Callable[[Job], None]:
    """The work of computing a lecture; what an earlier one of the same pictures has is taken over."""

    def work(job: Job) -> None:
        digest, before = pair.digest, recall_lecture(visits, visitor)
        begun = before.lecture if before and before.digest == digest else Lecture(*pair.names)
        view = LectureView(pair, Own(begun, digest))
        last = 0.0

        def watch(progress: LectureProgress) -> None:
            nonlocal view, last
            now = time.monotonic()
            if progress.lecture is not view.own.lecture:
                _keep(visits, visitor, own := Own(progress.lecture, digest))
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
        own = Own(lecture, digest)
        job.show(LectureView(pair, own, share=1.0))
        if not own.whole:
            raise JobStoppedError

    return work


def _keep(visits: Visits, visitor: str, own: Own) -> None:
    with suppress(ImpastoError, OSError), tempfile.TemporaryDirectory(dir=visits.folder) as folder:
        path = Path(folder) / _FILE
        own.lecture.save(path)
        visits.keep(visitor, _PART, {"digest": own.digest}, {_FILE: path})
