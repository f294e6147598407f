"""What all visitors of one studio share: the history, the queue, the ready pictures, the measured speed."""

from __future__ import annotations

import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import psutil

from impasto.errors import ImpastoError, SettingsError, SignalError
from impasto.explore.index import PatchIndex
from impasto.files import write_whole
from impasto.networks.device import find_device
from impasto.studio.components.gallery import Gallery
from impasto.studio.components.preview import preview_file
from impasto.studio.components.unit_browser import UnitBrowser, browse_index
from impasto.studio.estimate import Speed, foreseen_size
from impasto.studio.folders import Folder
from impasto.studio.history import THUMBNAIL, History, Run
from impasto.studio.jobs import Job, JobQueue
from impasto.studio.kept_weights import KeptWeights
from impasto.studio.painting import THUMBNAIL_SIZE, begin_again, paint
from impasto.studio.uploads import Upload
from impasto.studio.visits import Visits
from impasto.transfer.settings import TransferSettings

SHARED = "shared"
"""The name of the browser that all visitors see first."""

_LEASE = 30.0  # seconds
_LOOKING = "looking"  # the line of all that is no painting
_MOST_ENDED = 8
_MOST_STAGES = 1000
_MOST_BROWSERS, _MOST_VISUALISATIONS = 8, 200

T = TypeVar("T")


class Recent(OrderedDict[str, T]):
    """Things by their names: only the newest are kept, and the one named :data:`SHARED` for good."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self._lock = threading.Lock()

    def keep(self, name: str, thing: T) -> None:
        """Keep it under the name, in place of the oldest if there are too many."""
        with self._lock:
            self[name] = thing
            self.move_to_end(name)
            while len(self) > self._most:
                del self[next(other for other in self if other != SHARED)]


@dataclass
class StudioState:
    """Everything that outlives a visit.

    Attributes:
        uploads: where gradio puts what visitors send.
        history: all runs.
        gallery: pictures to begin with.
        visits: what each visitor has left on the page.
        jobs: what is under way or was not long ago, by the id of its run or another name; changed under a lock, looked at
            with ``get``, as any job may be dropped meanwhile.
        browsers: what is to be explored.
        visited: set when the first page has been opened.
        folders: what other processes paint, to be watched.
        stages: what stands for the run that a page shows now, by the page's session.
        visualisations: the pictures that units want to see, as data URIs.
    """

    uploads: Path
    history: History
    gallery: Gallery
    visits: Visits
    queue: JobQueue = field(default_factory=JobQueue)
    speed: Speed = field(default_factory=Speed)
    weights: KeptWeights = field(default_factory=KeptWeights)
    jobs: dict[str, Job] = field(default_factory=dict[str, Job])
    browsers: Recent[UnitBrowser] = field(default_factory=lambda: Recent[UnitBrowser](_MOST_BROWSERS))
    visited: threading.Event = field(default_factory=threading.Event)
    folders: tuple[Folder, ...] = ()
    stages: Recent[object] = field(default_factory=lambda: Recent[object](_MOST_STAGES))
    visualisations: Recent[str] = field(default_factory=lambda: Recent[str](_MOST_VISUALISATIONS))
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @classmethod
    def in_folder(cls, folder: Path, index: Path | None = None, watch: Sequence[Path] = ()) -> StudioState:
        """The studio that lives in a folder; uploads that an earlier one left there are deleted.

        ``index`` is what `impasto explore patches` made: a file, or the folder of a report; ``watch`` are folders of results
        whose progress is shown.

        Raises:
            SignalError: the folder cannot be made, or this is no index; SettingsError: another studio that runs lives there,
                or what is to be watched is no folder.
        """
        folders = tuple(map(Folder, watch))
        shared = None
        if index is not None:
            index = index / "index.json" if index.is_dir() else index
            shared = browse_index(PatchIndex.load(index), index.parent)
        history = History(folder / "runs")
        _occupy(folder / "studio.pid")
        history.recover()
        uploads = folder / "uploads"
        shutil.rmtree(uploads, ignore_errors=True)
        uploads.mkdir()
        visits = Visits(folder / "visits")
        visits.clear()
        state = cls(uploads, history, Gallery(), visits, folders=folders)
        if shared is not None:
            state.browsers.keep(SHARED, shared)
        return state

    def begin(
        self,
        content: Upload,
        styles: Sequence[Upload],
        settings: TransferSettings,
        owner: str = "",
        masks: Mapping[str, Upload] | None = None,
        varied: Sequence[str] = (),
    ) -> Run:
        """Queue a new painting for a visitor, with masks as :func:`impasto.studio.masks.in_order` gives them.

        ``varied`` is as of :class:`Run`.

        Raises:
            ImpastoError: it cannot be kept, or too many are waiting.
        """
        size = foreseen_size(content, settings)
        run = self.history.new(content, styles, settings.as_dict(), size, masks, varied)
        try:
            with suppress(ImpastoError, OSError):  # a run is no worse for having no small picture yet
                small = preview_file(self.history.path(run, run.content), THUMBNAIL_SIZE)
                self.history.path(run, THUMBNAIL).write_bytes(small)
            self._queue(run, owner)
        except ImpastoError:
            self.history.forget(run.id)
            raise
        return run

    def own(self, owner: str) -> list[tuple[str, Job]]:
        """The jobs of a visitor, by the ids of their runs, in the order in which they are done."""
        found = [(name, job) for name, job in list(self.jobs.items()) if job.owner == owner != ""]
        return sorted(found, key=lambda pair: -1 if pair[1].ended else self.queue.before(pair[1]))

    def go_on(self, identity: str, owner: str = "") -> Run:
        """Queue a run that has ended once more, to go on from its result.

        Raises:
            ImpastoError: there is no such run, or too many are waiting.
        """
        with self._lock:
            job = self.jobs.get(identity)
            if job is not None and not job.ended:
                return self.history.load(identity)
            # not before the job has ended, which is when it writes down what became of the run
            run = begin_again(self.history.load(identity), self.history)
            self._queue(run, owner)
        return run

    def begin_job(self, name: str, work: Callable[[Job], None]) -> Job:
        """Queue what is no run, and ends when nobody waits for it any more; under way it is joined.

        Raises:
            ImpastoError: too many are waiting.
        """
        with self._lock:
            job = self.jobs.get(name)
            if job is None or not job.join():
                job = self._add(name, Job(work, _LEASE), "auto", _LOOKING)
        return job

    def place(self, job: Job) -> str:
        """Its place in the line in words, e.g. "2 before yours"; empty if it does not wait."""
        before = self.queue.before(job) if job.state == "waiting" else 0
        return f"{before} before yours" if before else ""

    def stop(self, identity: str) -> None:
        """End a job with what there is of it; a new run that only waits is forgotten."""
        with self._lock:
            job = self.jobs.get(identity)
            if job is None or not self.queue.cancel(job):
                return
            try:
                run = self.history.load(identity)
            except SignalError:  # the job is no run
                return
            if self.history.was_begun(run):
                self.history.save(replace(run, state="stopped"))
            else:
                self.history.forget(identity)

    def forget(self, identity: str) -> None:
        """Delete a run: for visitors now, on the disk when what paints it has ended."""
        with self._lock:
            self.history.hide(identity)
            job = self.jobs.get(identity)
        if job is None:
            self.history.forget(identity)
            return
        self.queue.cancel(job)
        job.when_ended(lambda: self.history.forget(identity))

    def _queue(self, run: Run, owner: str) -> None:
        self._add(run.id, Job(paint(run, self.history, self.speed, self.weights), owner=owner), run.settings["device"])

    def _add(self, name: str, job: Job, device: str, line: str = "") -> Job:
        with self._lock:
            for old in [name for name, job in self.jobs.items() if job.ended][:-_MOST_ENDED]:
                del self.jobs[old]  # with the picture it showed
            self.jobs[name] = self.queue.add(job, str(find_device(device)), line)
        return job


def _occupy(file: Path) -> None:
    """Write down which process has its studio here."""
    me = _identity(os.getpid())
    there = file.read_text().strip() if file.exists() else ""
    number = there.partition(" ")[0]
    if there != me and number.isdigit() and _identity(int(number)) == there:
        raise SettingsError(f"a studio is open in {file.parent} already (process {number}); give this one another --folder")
    write_whole(file, me.encode())


def _identity(process: int) -> str:
    # another process may get the same number later, but then it was started at another time
    try:
        return f"{process} {psutil.Process(process).create_time()}"
    except psutil.NoSuchProcess:
        return ""
