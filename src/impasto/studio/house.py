"""What all visitors of one studio share: its folder, the history, the queue, the ready pictures, what it knows of time."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from impasto.errors import SettingsError
from impasto.network.device import find_device
from impasto.signals.files import write_whole
from impasto.studio.estimate import Speed
from impasto.studio.gallery import Gallery
from impasto.studio.guard import Upload
from impasto.studio.history import History, Run
from impasto.studio.jobs import Desk, Job
from impasto.studio.painting import begin_again, paint
from impasto.transfer.settings import TransferSettings


@dataclass
class House:
    """Everything that outlives a visit.

    Attributes:
        uploads: where gradio puts what visitors send.
        history: all runs.
        gallery: pictures to begin with.
        jobs: what is under way or was since the server started, by the id of its run.
    """

    uploads: Path
    history: History
    gallery: Gallery
    desk: Desk = field(default_factory=Desk)
    speed: Speed = field(default_factory=Speed)
    jobs: dict[str, Job] = field(default_factory=dict[str, Job])

    @classmethod
    def in_folder(cls, folder: Path) -> House:
        """The studio that lives in a folder; uploads that an earlier one left there are deleted.

        Raises:
            SignalError: the folder cannot be made; SettingsError: another studio that runs lives there.
        """
        history = History(folder / "runs")
        _occupy(folder / "studio.pid")
        history.recover()
        uploads = folder / "uploads"
        shutil.rmtree(uploads, ignore_errors=True)
        uploads.mkdir()
        return cls(uploads, history, Gallery(folder / "ready"))

    def begin(self, content: Upload, style: Upload, settings: TransferSettings) -> Run:
        """Queue a new painting.

        Raises:
            ImpastoError: it cannot be kept, or too many are waiting.
        """
        run = self.history.new(content, style, settings.as_dict())
        self._queue(run)
        return run

    def go_on(self, identity: str) -> Run:
        """Queue a run that has ended once more, to go on from its result.

        Raises:
            ImpastoError: there is no such run, or too many are waiting.
        """
        run = self.history.load(identity)
        job = self.jobs.get(identity)
        if job is None or job.ended:
            run = begin_again(run, self.history)
            self._queue(run)
        return run

    def stop(self, identity: str) -> None:
        """End a run with what there is of it; one that only waits is forgotten."""
        if identity in self.jobs:
            job = self.jobs[identity]
            waiting = job.state == "waiting"
            self.desk.leave(job)
            if waiting and job.ended and not self.history.load(identity).result:
                self.history.forget(identity)

    def _queue(self, run: Run) -> None:
        device = find_device(run.settings["device"])
        job = Job(paint(run, self.history, self.speed))
        self.jobs[run.id] = self.desk.add(job, str(device))


def _occupy(file: Path) -> None:
    """Write down which process lives here."""
    me = _identity(os.getpid())
    there = file.read_text().strip() if file.exists() else ""
    number = there.partition(" ")[0]
    if there != me and number.isdigit() and _identity(int(number)) == there:
        raise SettingsError(f"a studio is open in {file.parent} already (process {number}); give this one another --folder")
    write_whole(file, me.encode())


def _identity(process: int) -> str:
    # numbers of processes are used again, but not with the same time of birth
    try:
        return f"{process} {psutil.Process(process).create_time()}"
    except psutil.NoSuchProcess:
        return ""
