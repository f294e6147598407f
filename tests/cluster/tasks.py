"""What is done in workers by the tests of clusters, which import it there."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import Any

import torch

from impasto.errors import SettingsError
from impasto.explore.elsewhere import look_elsewhere
from impasto.transfer.folder_elsewhere import paint_elsewhere
from impasto.transfer.folder_job import Job

DEADLY = "d.webp"


def add(a: int, b: int, tell: Any, cancel: Event) -> tuple[int, int]:
    logging.getLogger("impasto").warning("%d and %d are added", a, b)
    tell(("sum", a + b))
    return a + b, os.getpid()


def refuse(tell: Any, cancel: Event) -> None:
    raise SettingsError("nothing is right")


def die(tell: Any, cancel: Event, note: Path) -> None:
    with note.open("a") as file:
        file.write("x")
    os.kill(os.getpid(), signal.SIGKILL)


def wait_for_the_end(tell: Any, cancel: Event) -> bool:
    tell("waiting")
    return cancel.wait(60)


def threads_here(tell: Any, cancel: Event) -> int:
    return torch.get_num_threads()


def slowly(job: Job, settings: Any, machine: Mapping[str, Any], tell: Any, cancel: Event) -> Any:
    """A painting that lasts until somebody has had the time to kill its worker."""
    tell((job.task.name, os.getpid(), 0))
    time.sleep(0.3)
    return paint_elsewhere(job, settings, machine, tell, cancel)


def deadly(job: Job, settings: Any, machine: Mapping[str, Any], tell: Any, cancel: Event) -> Any:
    """A painting, one of which kills its worker."""
    if job.task.name == DEADLY:
        os.kill(os.getpid(), signal.SIGKILL)
    return paint_elsewhere(job, settings, machine, tell, cancel)


def look_or_die(images: Any, *how: Any, **named: Any) -> Any:
    """Look at images, one of which kills the worker."""
    if any(name.endswith("07.png") for name, _ in images):
        os.kill(os.getpid(), signal.SIGKILL)
    return look_elsewhere(images, *how, **named)
