"""Checkpoints: what a transfer needs to go on, bit for bit, after Ctrl-C, a kill or a power cut."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch

from impasto.descent.descend import Evaluation, Progress, State
from impasto.descent.tensor_tree import columns, part_of, read_about, read_tree, rows, write_tree
from impasto.errors import SettingsError, SignalError
from impasto.files import check_writable
from impasto.media.signal import Signal, roles
from impasto.networks.device import find_device
from impasto.networks.kernels.autotune import choose_convolutions, convolution_wanted, convolutions_chosen, processor
from impasto.transfer.inputs import Inputs
from impasto.validation import named_files

log = logging.getLogger("impasto")

Keep = Callable[[Progress, list[Evaluation], bool], None]

# the share of the time that writing may take, as the state of a large picture has gigabytes
_SHARE = 0.05
# but at most so many seconds between two writings, even if one took very long because the computer slept meanwhile
_LONGEST = 600.0
# what transfers were painted with that are older than these settings, or had none for their kind
_OLDER = {"precision": "tf32", "draw": 0.0}


@dataclass(frozen=True)
class Checkpoint:
    """Where and how often the state of a transfer is written.

    Attributes:
        path: the file.
        every: least seconds between two writings; 0: after every evaluation.
        first: seconds to the first writing; a transfer that is interrupted before leaves no checkpoint.
        command: what else is needed to go on, as JSON.
    """

    path: Path
    every: float = 60.0
    first: float = 0.0
    command: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def remove(self) -> None:
        """Delete the file."""
        for path in (self.path, part_of(self.path)):
            path.unlink(missing_ok=True)


def take_up(checkpoint: Checkpoint, inputs: Inputs, memory: Any) -> tuple[list[Evaluation], State | None, Keep]:
    """The history and the state of a transfer in its checkpoint, and a function that writes it from now on.

    The function takes the progress, the history of evaluations, and whether to write at once or only when it is time. If it
    cannot write it warns: the checkpoint before is still there, and the painting goes on.

    Raises:
        SettingsError: the checkpoint is of a transfer with other settings or inputs.
        SignalError: it cannot be read or written.
    """
    path, about, machine = checkpoint.path, identity_of(inputs), machine_of(find_device(inputs.settings.device))
    check_writable(path)
    history: list[Evaluation] = []
    state = None
    if path.exists():
        kept = read_about(path)
        check_identity(path, kept, about, machine)
        choose_convolutions(kept["convolutions"])
        history, state = read_history(path), read_tree(path, kept["tree"]["state"])
        log.warning("going on from %s: %d evaluations are done", path, len(history))
    about |= {"memory": memory, "machine": machine, "command": checkpoint.command}
    began = last = time.monotonic()
    pause, warned = checkpoint.first, False

    def keep(progress: Progress, history: list[Evaluation], at_once: bool) -> None:
        nonlocal last, pause, warned
        now = time.monotonic()
        if now - began < checkpoint.first or (now - last < pause and not at_once):
            return
        try:
            now_about = about | {"convolutions": convolutions_chosen()}
            write_tree(path, now_about, {"history": taken_apart(history), "state": progress.state()})
        except SignalError as error:
            if not warned:
                log.warning("%s; the painting goes on without a newer checkpoint", error)
            warned = True
        last = time.monotonic()
        pause = checkpoint.every and max(checkpoint.every, min((last - now) / _SHARE, _LONGEST))

    return history, state, keep


def read_history(path: Path) -> list[Evaluation]:
    """The evaluations up to the one at which the checkpoint was written.

    Raises:
        SignalError: the file is missing, damaged, or no checkpoint.
    """
    return [Evaluation(**row) for part in read_tree(path, read_about(path)["tree"]["history"]) for row in rows(part)]


def taken_apart(history: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """The numbers of the evaluations as columns, in parts whose J has the same terms and layers."""

    def terms(evaluation: Evaluation) -> list[tuple[str, list[str]]]:
        return [(name, list(evaluation.by_layer.get(name, ()))) for name in evaluation.costs]

    return [columns([asdict(e) for e in part]) for _, part in groupby(history, terms)]


def kept_memory(path: Path) -> int | None:
    """The bytes of memory that the transfer in a checkpoint may take; None if there is no such file.

    Raises:
        SignalError: the file is damaged, or no checkpoint.
    """
    return read_about(path)["memory"] if path.exists() else None


def identity_of(inputs: Inputs) -> dict[str, Any]:
    """What tells one transfer from another: its settings, the shares of its styles, and the SHA-256 of all it reads."""
    files = named_files(inputs.given)
    sums = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    signals = roles(inputs.content, [style for style, _ in inputs.styles])
    settings = inputs.settings
    return {
        "settings": inputs.given.as_dict(),
        "shares": [share for _, share in inputs.styles],
        "parts": {"J": repr(settings.objective), "optimizer": repr(settings.optimizer), "network": settings.network.name},
        "inputs": {name: _digest(signal) for name, signal in signals.items()} | sums,
    }


def _digest(signal: Signal) -> str:
    arrays = {"values": signal.values} | {k: v for k, v in signal.header.items() if isinstance(v, np.ndarray)}
    digest = hashlib.sha256(signal.kind.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def check_identity(path: Path, about: Mapping[str, Any], expected: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """See that what is kept in ``path`` is of the expected transfer; warn if another machine has painted it.

    Raises:
        SettingsError: it is of another one.
    """
    way = f"'impasto resume {path}' finishes it" if path.is_file() else "the command that it is of finishes it"
    expected = json.loads(json.dumps(expected))
    was, chosen = (
        _chosen(one["settings"]) | {"shares of the styles": one["shares"]} | one["parts"] for one in (about, expected)
    )
    for name, given in chosen.items():
        kept = was.get(name)
        if kept != given:
            raise SettingsError(
                f"{path} keeps an unfinished painting with {name} {kept}, not {given}: {way}; delete it to begin anew"
            )
    for name, given in expected["inputs"].items():
        if about["inputs"].get(name) != given:
            raise SettingsError(
                f"{path} keeps an unfinished painting with another {name} (its SHA-256 differs): give that one again, or "
                f"delete {path} to begin anew"
            )
    was = _differing(about["machine"], here)
    if was:
        log.warning("%s was written with %s: the result may differ in its last digits", path, was)


def _chosen(settings: Mapping[str, Any]) -> dict[str, Any]:
    return _OLDER | {name: value for name, value in settings.items() if name not in _OLDER or value is not None}


def differences(machine: Mapping[str, Any], device: torch.device) -> str:
    """What of a machine, as :func:`machine_of` tells it, is not so of this one, in a few words; empty if they are alike."""
    return _differing(machine, machine_of(device))


def _differing(machine: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    # "tf32" is of older checkpoints: it is a setting now
    return ", ".join(f"{name} {value}" for name, value in machine.items() if name != "tf32" and here.get(name) != value)


def machine_of(device: torch.device) -> dict[str, Any]:
    """What else must be the same for two descents on a device to be the same bit for bit."""
    return {
        "impasto": version("impasto"),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "convolutions": convolution_wanted(),
        "processor": processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
    } | _of_device(device)


def _of_device(device: torch.device) -> dict[str, Any]:
    """The same of a device that is not the CPU."""
    if device.type == "cpu":
        return {}
    if device.type != "cuda":
        return {"device": device.type}
    return {"device": torch.cuda.get_device_name(device), "cudnn": torch.backends.cudnn.version()}
