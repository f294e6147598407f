"""The runs of this computer, a folder each: what was painted, how, and what came of it."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from impasto.errors import SignalError
from impasto.files import write_whole
from impasto.media.read_write import find_medium, read_signal
from impasto.media.signal import Signal
from impasto.studio.figures import figure_of
from impasto.studio.uploads import Upload

_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
CHECKPOINT = "checkpoint"
"""The name of the file in which the painting of a run is kept on its way."""
_RECORD, _LATEST, _FIGURE = "run.json", "latest.json", "figure.json"
THUMBNAIL, LATEST = "thumbnail.jpg", "latest.jpg"
"""The names of the small picture of a run, and of the picture that was last seen of it on its way."""
# the states of a run that was not over when the server ended
_UNFINISHED = ("waiting", "painting")


@dataclass(frozen=True)
class Run:
    """One run, as its folder keeps it.

    Attributes:
        id: the name of its folder; ids sort by time.
        content: the name of the content's file in the folder.
        styles: those of the styles'.
        weights: of the styles.
        names: what their owner called them, the content first.
        settings: as :meth:`TransferSettings.as_dict` gives them.
        state: "waiting", "painting", "done", "stopped", "failed" or, if the server ended meanwhile, "interrupted".
        error: why it failed.
        costs: of each evaluation J, what each of its terms adds to it, by its name, "scale", which counts from 1, and
            "size", the longest side there, which runs of older versions do not have.
        seconds: of the descent.
        result: the name of the result's file in the folder; empty while there is none.
        start: the name of the file from which the painting went on when it had once been done; empty before.
        before: how many of the costs are from before that.
        size: of the result, positions along each axis.
        masks: the names of their files in the folder, by those of :mod:`impasto.studio.masks`.
        varied: the settings in which it differs from those that were asked for with it.
    """

    id: str
    content: str
    styles: tuple[str, ...]
    weights: tuple[float, ...]
    names: tuple[str, ...]
    settings: dict[str, Any]
    state: str = "waiting"
    error: str = ""
    costs: tuple[dict[str, float], ...] = field(default=(), repr=False)
    seconds: float = 0.0
    result: str = ""
    start: str = ""
    before: int = 0
    size: tuple[int, ...] = ()
    masks: dict[str, str] = field(default_factory=dict[str, str])
    varied: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Content and styles by their names, without the endings of their files."""
        content, *styles = (Path(name.removesuffix(".gz")).stem for name in self.names)
        return f"{content} in the style of {' and '.join(styles)}"

    def told(self, names: Iterable[str]) -> list[str]:
        """Some of its settings in words, "strength 0.5"."""
        values = ((name.replace("_", " "), self.settings.get(name)) for name in names)
        return [
            f"{name} {'as usual' if value is None else f'{value:g}' if isinstance(value, float) else value}"
            for name, value in values
        ]

    def download_name(self, differing: Iterable[str] = ()) -> str:
        """What its result is called where it is downloaded, with the settings in which it is varied, or ``differing``."""
        told = "".join(f" {one.replace(' ', '')}" for one in self.told(dict.fromkeys((*self.varied, *differing))))
        stem, end = (re.sub(r"[^\w.+-]+", "-", text).strip("-.") for text in (self.title, told))
        return "-".join(filter(None, (stem[:120], end[:60]))) + "".join(Path(self.result).suffixes)


class History:
    """The folder of all runs.

    Raises:
        SignalError: it cannot be made, or a run be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._hidden: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SignalError(f"{folder} cannot be made: {error.strerror or error}") from None

    def new(
        self,
        content: Upload,
        styles: Sequence[Upload],
        settings: dict[str, Any],
        size: tuple[int, ...] = (),
        masks: Mapping[str, Upload] | None = None,
        varied: Sequence[str] = (),
    ) -> Run:
        """A run with copies of its files, so that it can be gone on with when the uploads are gone.

        ``size`` is that of the result, as far as it is known; ``masks`` are by their names.
        """
        masks = masks or {}
        now = time.time()
        moment = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
        identity = f"{moment}-{int(now % 1 * 1000):03x}{secrets.token_hex(2)[1:]}"  # in order also within a second
        run = Run(
            identity,
            f"content{content.ending}",
            tuple(f"style{number}{style.ending}" for number, style in enumerate(styles, start=1)),
            tuple(style.weight for style in styles),
            tuple(upload.name for upload in (content, *styles)),
            json_like(settings),
            size=size,
            masks={name: f"{name.replace(' ', '-')}-mask{mask.ending}" for name, mask in masks.items()},
            varied=tuple(varied),
        )
        folder = self.folder / identity
        try:
            folder.mkdir()
            files = (content, *styles, *masks.values())
            for upload, name in zip(files, (run.content, *run.styles, *run.masks.values()), strict=True):
                shutil.copyfile(upload.path, folder / name)
            self.save(run)
        except (OSError, SignalError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            reason = error.strerror if isinstance(error, OSError) else error
            raise SignalError(f"the run cannot be kept in {self.folder}: {reason}") from None
        return run

    def path(self, run: Run, name: str) -> Path:
        """A file in the folder of the run."""
        return self._of(run.id) / name

    def save(self, run: Run) -> None:
        """Write what is known of the run."""
        write_whole(self._of(run.id) / _RECORD, json.dumps(asdict(run)).encode())

    def load(self, identity: str) -> Run:
        """The run of that name."""
        with self._lock:
            hidden = identity in self._hidden
        try:
            if hidden:
                raise FileNotFoundError
            data = json.loads((self._of(identity) / _RECORD).read_text(encoding="utf-8"))
            lists = {name: tuple(data[name]) for name in ("styles", "weights", "names")}
            lists |= {name: tuple(data.get(name, ())) for name in ("size", "varied")}
            return Run(**{**data, **lists, "costs": tuple(map(_named, data["costs"]))})
        except (OSError, ValueError, TypeError, KeyError):
            raise SignalError(f"there is no run {identity[:30]!r} any more") from None

    def all(self) -> Iterator[Run]:
        """The runs that can be read, the newest first."""
        for folder in sorted(self.folder.iterdir(), reverse=True):
            if _ID.fullmatch(folder.name):
                try:
                    yield self.load(folder.name)
                except SignalError:
                    continue

    def can_go_on(self, run: Run) -> bool:
        """Whether there is something of it to go on from, or its end was none of its own doing."""
        return run.state == "interrupted" or self.was_begun(run)

    def was_begun(self, run: Run) -> bool:
        """Whether some of it is painted: a result, or a checkpoint on the way to one."""
        return any(name and self.path(run, name).exists() for name in (run.result, CHECKPOINT))

    def see(self, run: Run, picture: bytes, costs: Sequence[dict[str, float]]) -> None:
        """Keep what people see of the run now, for when the server is killed."""
        self._put(run, LATEST, picture)
        self._put(run, _LATEST, json.dumps(list(costs)).encode())

    def draw(self, run: Run, content: Signal, result: Signal) -> dict[str, Any]:
        """The figure of what the run has become, kept with the files that it is made of."""
        figure = figure_of(content, result, lambda name, data: self._put(run, name, data), self._drawn(run))
        if figure:
            self._put(run, _FIGURE, json.dumps(figure).encode())
        return figure

    def figure(self, run: Run) -> dict[str, Any]:
        """The figure that was last drawn of the run; of its result, if it is older than figures are."""
        drawn = self._drawn(run)
        if drawn or not run.result or find_medium(self.path(run, run.content)).is_picture:
            return drawn
        signals = (read_signal(self.path(run, name), run.settings.get("rate")) for name in (run.content, run.result))
        return self.draw(run, *signals)

    def _drawn(self, run: Run) -> dict[str, Any]:
        try:
            return json.loads(self.path(run, _FIGURE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def seen(self, run: Run) -> tuple[dict[str, float], ...]:
        """The costs up to what was last seen of the run; its picture is in the file :data:`LATEST`."""
        try:
            return tuple(json.loads((self._of(run.id) / _LATEST).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return ()

    def picture(self, run: Run, large: bool = False) -> Path:
        """A small picture of the run, or a large one, or what there is instead."""
        names = (THUMBNAIL,) if run.result and not large else (LATEST, THUMBNAIL)
        found = (self.path(run, name) for name in names)
        return next((path for path in found if path.exists()), self.path(run, run.content))

    def hide(self, identity: str) -> None:
        """From now on there is no such run, although its files may be needed for a while."""
        with self._lock:
            self._hidden.add(identity)

    def forget(self, identity: str) -> None:
        """Delete the run and its files."""
        shutil.rmtree(self._of(identity), ignore_errors=True)

    def recover(self) -> None:
        """At the start of the server: what was under way when the last one ended was interrupted."""
        for run in self.all():
            if run.state in _UNFINISHED:
                self.save(replace(run, state="interrupted"))

    def _put(self, run: Run, name: str, data: bytes) -> None:
        part = self.path(run, f"{name}.part")
        part.write_bytes(data)  # need not survive a power cut, as the checkpoint does
        part.replace(self.path(run, name))

    def _of(self, identity: str) -> Path:
        if not _ID.fullmatch(identity):
            raise SignalError(f"there is no run {identity[:30]!r}")
        return self.folder / identity


def _named(costs: dict[str, float] | list[float]) -> dict[str, float]:
    """The costs of an evaluation by their names, which runs of version 0.1.0 do not have."""
    return costs if isinstance(costs, dict) else dict(zip(("J", "content cost", "style cost", "scale"), costs, strict=False))


def json_like(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings with nothing in them that JSON does not know."""
    return json.loads(json.dumps(settings))
