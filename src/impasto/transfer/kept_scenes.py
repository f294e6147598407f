"""Painted scenes of a movie kept in a folder, so that whoever is killed goes on with the scenes that are not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from impasto.descent.descend import Evaluation
from impasto.descent.tensor_tree import part_of, read_about, read_tree, rows, write_tree
from impasto.errors import SignalError
from impasto.files import first_line
from impasto.media.movie.scenes import Frames
from impasto.media.signal import Values
from impasto.transfer.checkpoint import Checkpoint, check_identity, taken_apart


class Painted(NamedTuple):
    """A painted scene: its values (3, frames, height, width), and its evaluations."""

    values: Values
    history: tuple[Evaluation, ...]
    best: Evaluation


class KeptScenes(Checkpoint):
    """A folder with a file for each scene that is painted; only files of such names are read, and deleted."""

    def remove(self) -> None:
        """Delete the files, and the folder if nothing else is in it."""
        for path in self._files():
            path.unlink(missing_ok=True)
            part_of(path).unlink(missing_ok=True)
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()

    def take_up(self, identity: Mapping[str, Any], machine: Mapping[str, Any]) -> tuple[dict[Frames, Painted], int | None]:
        """The scenes that are there, by their first frame and the one after their last, and the memory that painted them.

        Args:
            identity: of the transfer, as :func:`impasto.transfer.checkpoint.identity_of` tells it.
            machine: that paints the others.

        Raises:
            SettingsError: they are of a transfer with other settings or inputs.
            SignalError: one cannot be read, or the folder not be made.
        """
        if self.path.exists() and not self.path.is_dir():
            raise SignalError(
                f"{self.path} keeps a movie that one process paints: 'impasto resume {self.path}' finishes it; delete it to "
                "begin anew"
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SignalError(f"{self.path} cannot be made: {error.strerror or first_line(error)}") from None
        scenes: dict[Frames, Painted] = {}
        memory = None
        for path in self._files():
            about = read_about(path)
            check_identity(self.path, about, identity, machine)
            kept, memory = read_tree(path, about["tree"]), about["memory"]
            history = tuple(Evaluation(**row) for part in kept["history"] for row in rows(part))
            best = next(one for one in history if one.evaluation == kept["best"])
            first, end = about["frames"]
            scenes[first, end] = Painted(kept["values"].numpy(), history, best)
        return scenes, memory

    def keep(self, frames: Frames, painted: Painted, about: Mapping[str, Any]) -> None:
        """Write a scene; ``about`` is identity, machine and memory.

        Raises:
            SignalError: it cannot be written.
        """
        tree = {
            "values": torch.from_numpy(painted.values),
            "history": taken_apart(list(painted.history)),
            "best": painted.best.evaluation,
        }
        write_tree(self.path / "scene-{}-{}".format(*frames), {**about, "frames": frames}, tree)

    def _files(self) -> Iterator[Path]:
        return (path for path in sorted(self.path.glob("scene-*-*")) if path.suffix != ".part")
