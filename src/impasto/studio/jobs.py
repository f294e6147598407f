"""Jobs in lines, in the order in which they came; any thread may look at a job or stop it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any

from impasto.errors import ImpastoError

log = logging.getLogger("impasto")

MOST_WAITING = 32
_PAUSE = 0.15  # seconds between two looks at a job


class JobStoppedError(Exception):
    """Raised by the work of a job that was cancelled; what there is of it, if anything, has been kept."""


class Job:
    """Work that waits for its turn, is done, and can be stopped.

    Attributes:
        owner: the visitor who asked for it; "" if nobody has it for their own.
        state: "waiting", then "working", then "done", "stopped" or "failed".
        error: why it failed, one sentence.
        shown: what there is to be seen of it, as :meth:`show` last said.
        version: grows by one whenever something about the job changes.
        closing: whether it was the end of the server that stopped it.
        cancel: set when the work is to end soon with what it has.
    """

    def __init__(self, work: Callable[[Job], None], lease: float | None = None, owner: str = "") -> None:
        """With a ``lease`` it ends when nobody has looked at it for so many seconds; ``owner`` is who asked for it."""
        self.owner = owner
        self._turn: Turn | None = None
        self._work: Callable[[Job], None] | None = work
        self._lease = lease
        self._looked = time.monotonic()
        self._lock = threading.RLock()
        self._after: list[Callable[[], None]] = []
        self.state = "waiting"
        self.error = ""
        self.shown: Any = None
        self.version = 0
        self.closing = False
        self.cancel = threading.Event()

    @property
    def ended(self) -> bool:
        """Whether it is neither waiting nor working any more."""
        return self.state not in ("waiting", "working")

    async def changes(self) -> AsyncIterator[None]:
        """One item at once and one for each change that is seen, the last when it has ended."""
        while True:
            seen, ended = self.version, self.ended
            yield
            if ended:
                return
            while seen == self.version:
                self._looked = time.monotonic()
                await asyncio.sleep(_PAUSE)

    def show(self, what: Any) -> None:
        """Called by the work: let ``what`` be seen."""
        with self._lock:
            self.shown = what
            self.version += 1

    def join(self) -> bool:
        """Whether one more visitor can wait for it: it has neither ended nor been asked to stop. Its lease begins anew."""
        with self._lock:
            self._looked = time.monotonic()
            return not self.ended and not self.cancel.is_set()

    def stop(self) -> bool:
        """Ask the work to end soon with what it has; True if it had not begun, and now never will."""
        with self._lock:
            self.cancel.set()
            waiting = self.state == "waiting"
            if waiting:
                self._become("stopped")
            return waiting

    def when_ended(self, act: Callable[[], None]) -> None:
        """Call ``act`` when the job has ended; at once if it has."""
        with self._lock:
            if not self.ended:
                self._after.append(act)
                return
        act()

    def touch(self) -> None:
        """Let those who look at it see that something has changed."""
        with self._lock:
            self.version += 1

    def look(self) -> None:
        """Called by the work now and then: lets a job of another line have its turn, and cancels this one if it has a lease
        and nobody has waited for it that long.
        """
        if self._turn is not None:
            self._turn.pass_on()
        with self._lock:  # so that nobody can join the job between the two lines
            if self._lease is not None and time.monotonic() - self._looked > self._lease:
                self.cancel.set()

    def check(self) -> None:
        """:meth:`look`, for work that has nothing to keep.

        Raises:
            JobStoppedError: it is cancelled.
        """
        self.look()
        if self.cancel.is_set():
            raise JobStoppedError

    def _become(self, state: str, error: str = "") -> None:
        with self._lock:
            self.error, self.state = error, state
            self.version += 1
            if not self.ended:
                return
            self._work = None  # so that the signals it holds are freed
            acts, self._after = self._after, []
        for act in acts:
            act()

    def run(self, turn: Turn | None = None) -> None:
        """Do the work, unless it was stopped before; whatever goes wrong with it ends here, as a sentence.

        ``turn`` is the device's, which is held by then.
        """
        with self._lock:
            work = self._work
            if work is None:
                return
            self._turn = turn
            self._become("working")
        try:
            self.check()
            work(self)
        except JobStoppedError:
            self._become("stopped")
        except ImpastoError as error:
            self._become("failed", " ".join(str(error).split()))
        except MemoryError:
            self._become("failed", "the memory ran out: choose a smaller size")
        except OSError as error:
            self._become("failed", f"a file could not be read or written: {error.strerror or error}")
        except Exception as error:
            log.exception("the studio met what it did not expect")
            self._become("failed", f"something unexpected happened ({type(error).__name__}); the terminal has the details")
        else:
            self._become("done")


class Turn:
    """The right to compute on a device; who holds it passes it on now and then, and has it back after the others."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._order: list[object] = []

    def take(self) -> None:
        """Wait until it is there; those who wait have it in the order in which they came."""
        mine = object()
        with self._changed:
            self._order.append(mine)
            self._changed.wait_for(lambda: self._order[0] is mine)

    def give(self) -> None:
        """Let the next one have it."""
        with self._changed:
            del self._order[0]
            self._changed.notify_all()

    def pass_on(self) -> None:
        """Let the others have it once, if there are any."""
        with self._changed:
            alone = len(self._order) == 1
        if not alone:
            self.give()
            self.take()


class JobQueue:
    """Jobs that wait in lines: one job of a line at a time, and the first ones of a device's lines take turns there."""

    def __init__(self) -> None:
        self._lines: defaultdict[str, list[Job]] = defaultdict(list)
        self._turns: defaultdict[str, Turn] = defaultdict(Turn)
        self._changed = threading.Condition()
        self._closed = False

    def add(self, job: Job, device: str, line: str = "") -> Job:
        """Let the job wait for the device, in a line by this name.

        Raises:
            ImpastoError: too many are waiting, or the studio is being closed.
        """
        with self._changed:
            if self._closed:
                raise ImpastoError("the studio is being closed")
            jobs = self._lines[f"{device} {line}"]
            if len(jobs) > MOST_WAITING:
                raise ImpastoError(f"{len(jobs)} runs are waiting already; try again when some of them are done")
            jobs.append(job)
            if len(jobs) == 1:
                told = (jobs, self._turns[device])
                threading.Thread(target=self._serve, args=told, name=f"studio-{device}", daemon=True).start()
        return job

    def hasten(self, job: Job) -> None:
        """Let a job that waits change places with the one before it that also waits and has the same owner."""
        with self._changed:
            for line in self._lines.values():
                if job in line[1:]:
                    here = line.index(job)
                    earlier = [place for place in range(1, here) if line[place].owner == job.owner]
                    if earlier:
                        line[earlier[-1]], line[here] = job, line[earlier[-1]]
        self._renumber()

    def before(self, job: Job) -> int:
        """How many jobs come before this one."""
        with self._changed:
            return next((line.index(job) for line in self._lines.values() if job in line), 0)

    def cancel(self, job: Job) -> bool:
        """Stop the job, and take it out of the line if it only waits; True if it had not begun, and now never will."""
        with self._changed:
            never_began = job.stop()
            for line in self._lines.values():
                if job in line[1:]:
                    line.remove(job)
        self._renumber()
        return never_began

    def close(self, seconds: float) -> None:
        """Stop all jobs and wait for them, but not longer than this."""
        with self._changed:
            self._closed = True
            for line in self._lines.values():
                for job in line:
                    job.closing = True
                    job.stop()
            self._changed.wait_for(lambda: not any(self._lines.values()), seconds)

    def _serve(self, line: list[Job], turn: Turn) -> None:
        job = line[0]
        while True:
            turn.take()
            job.run(turn)
            turn.give()
            with self._changed:
                line.remove(job)
                self._changed.notify_all()
                if not line:
                    return
                job = line[0]
            self._renumber()

    def _renumber(self) -> None:
        """Let all waiting jobs show their new places."""
        with self._changed:
            for line in self._lines.values():
                for job in line[1:]:
                    job.touch()
