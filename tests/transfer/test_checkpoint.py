"""A transfer that is cut off and gone on with is the transfer that was never cut off, in every bit."""

from __future__ import annotations

import errno
import json
import logging
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from skimage import data
from torch import Tensor

import impasto
from impasto.descent.descend import Evaluation, Progress
from impasto.descent.optimizers import OPTIMIZERS
from impasto.descent.tensor_tree import FORMAT, columns, part_of, read_about, read_tree, rows, write_tree
from impasto.errors import SettingsError, SignalError
from impasto.media.movie.frame_parts import Frames
from impasto.media.signal import Signal
from impasto.media.volume.prepare import Rounds
from impasto.objective.evaluation import Costs
from impasto.objective.slices import SlicesObjective
from impasto.objective.temporal import temporal
from impasto.transfer.checkpoint import Checkpoint, read_history
from impasto.transfer.resolve import objective_of
from impasto.transfer.settings import TransferSettings
from tests.conftest import descent_of, descent_of_parts

SMALL: dict[str, Any] = {"size": 40, "style_layers": "relu1_1,relu2_1", "content_layers": "relu2_1", "iterations": 8}
Descent = Callable[[Any], Iterator[Progress]]


@pytest.fixture(scope="module")
def photo() -> np.ndarray[Any, Any]:
    return data.coffee()[::9, ::9]


@pytest.fixture(scope="module")
def style() -> np.ndarray[Any, Any]:
    return data.chelsea()[::7, ::7]


class KillError(Exception):
    """A kill that leaves no time for anything."""


def paint(
    photo: Any, style: Any, stop_after: int | None = None, *, error: Any = KillError, **given: Any
) -> impasto.Painting:
    def stop(progress: Progress) -> None:
        if progress.latest.evaluation == stop_after:
            raise error

    settings = {name: given.pop(name) for name in list(given) if name in TransferSettings.__dataclass_fields__}
    return impasto.transfer_style(photo, style, TransferSettings(**SMALL | settings), on_progress=stop, **given)


def numbers(evaluation: Evaluation) -> Evaluation:
    return replace(evaluation, seconds=0.0)


def same(a: Progress, b: Progress) -> bool:
    """In every bit; costs may be NaN."""
    tensors = ((a.generated, b.generated), (a.best_generated, b.best_generated))
    costs = [repr((numbers(progress.latest), numbers(progress.best))) for progress in (a, b)]
    return all(torch.equal(x, y) for x, y in tensors) and costs[0] == costs[1]


def through_a_file(state: Any, path: Path) -> Any:
    write_tree(path, {}, state)
    return read_tree(path, read_about(path)["tree"])


def copied(progress: Progress) -> Progress:
    return replace(progress, generated=progress.generated.clone(), best_generated=progress.best_generated.clone())


def check_every_place(descent: Descent, path: Path) -> None:
    """From wherever the descent is cut off, the rest of it is the rest of the whole one."""
    whole: list[Progress] = []
    for i, progress in enumerate(descent(None)):
        whole.append(copied(progress))
        write_tree(path.with_name(f"{i}"), {}, progress.state())
    for i in range(len(whole)):
        kept = path.with_name(f"{i}")
        rest = [copied(progress) for progress in descent(read_tree(kept, read_about(kept)["tree"]))]
        assert len(rest) == len(whole) - i
        assert all(same(a, b) for a, b in zip(rest, whole[i:], strict=True)), i
        seconds = [progress.latest.seconds for progress in rest]
        assert seconds == sorted(seconds) and seconds[0] == whole[i].latest.seconds


# the state of every descent


class Bowl:
    """A cost with a known minimum that is not finite, or is far too high, at some places of the way."""

    def __init__(self, centre: Tensor) -> None:
        self.centre = centre
        self.curvature = torch.linspace(1, 300, centre.numel()).reshape(centre.shape)

    def __call__(self, generated: Tensor) -> Costs:
        cost = (self.curvature * (generated - self.centre).square()).sum()
        cost = cost * float("nan") if generated.mean() > 0.62 else cost
        return Costs({"content": cost}, {"content": {"relu1_1": cost}})


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_descent_goes_on_from_wherever_it_was(tmp_path: Path, optimizer: str):
    centre = torch.rand(1, 3, 5, 7, generator=torch.Generator().manual_seed(1)) * 1.2
    settings = TransferSettings(optimizer=optimizer, iterations=30).for_kind("image")  # pyright: ignore
    failed: list[bool] = []

    def descent(state: Any) -> Iterator[Progress]:
        for progress in descent_of(Bowl(centre), torch.full_like(centre, 0.4), settings, (0.0, 1.0), state):
            failed.append(progress.state()["failed"])
            yield progress

    check_every_place(descent, tmp_path / "state")
    assert True in failed or optimizer == "adam"


def test_a_movie_goes_on_from_every_frame(tmp_path: Path, network: Any, photo: Any, style: Any):
    settings = TransferSettings(**SMALL | dict[str, Any](iterations=4)).for_kind("movie")  # pyright: ignore
    frames = np.stack([photo[i : i + 24, i : i + 32] for i in range(3)]).astype(np.float32) / 255
    movie = torch.from_numpy(frames).permute(3, 0, 1, 2)[None]
    picture = torch.from_numpy(style.astype(np.float32) / 255).permute(2, 0, 1)[None]
    parts = Frames(objective_of(settings) + temporal(), network, movie, [(picture, 1.0)])
    check_every_place(lambda state: descent_of_parts(parts, movie, settings, (0.0, 1.0), state), tmp_path / "state")


def test_a_volume_goes_on_with_the_sections_that_would_have_come(tmp_path: Path, network: Any, style: Any):
    settings = TransferSettings(**SMALL | dict[str, Any](iterations=12)).for_kind("volume")  # pyright: ignore
    volume = torch.rand(1, 1, 12, 16, 20, generator=torch.Generator().manual_seed(0))
    picture = torch.from_numpy(style[..., 0].astype(np.float32) / 255)[None, None]

    def descent(state: Any) -> Iterator[Progress]:
        objective = SlicesObjective(objective_of(settings), network, volume, picture, count=4)
        return descent_of_parts(Rounds(objective), volume, settings, (0.0, 1.0), state)

    check_every_place(descent, tmp_path / "state")


# the file

trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text().filter(lambda name: name != "__tensor__"), inside),
)


@examples(deadline=None, max_examples=40)
@given(trees)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, tree: Any):
    path = tmp_path_factory.mktemp("tree") / "file"
    assert repr(through_a_file(tree, path)) == repr(tree)


def test_tensors_of_every_kind_are_read_as_they_were(tmp_path: Path):
    shared = torch.randn(3, 4, 5).permute(2, 0, 1)
    tree = {
        "a": [shared, {"b": shared}, torch.tensor(2.5), torch.zeros(0)],
        "c": torch.tensor([1.1, float("nan"), float("inf")], dtype=torch.float64),
        "d": torch.arange(5),
        "e": torch.tensor([True, False]),
    }
    read = through_a_file(tree, tmp_path / "file")
    assert read["a"][0] is read["a"][1]["b"]
    for given_, got in zip(
        [*tree["a"][2:], *list(tree.values())[1:]], [*read["a"][2:], *list(read.values())[1:]], strict=True
    ):
        assert given_.dtype == got.dtype and torch.equal(given_.nan_to_num(7.0), got.nan_to_num(7.0))
    assert torch.equal(shared, read["a"][0])


def test_rows_of_numbers_are_the_same_numbers_again():
    table = [{"n": n, "x": 1 / (n + 3), "by": {"a": 0.1 * n, "b": float("inf")}} for n in range(5)]
    assert rows(columns(table)) == table
    assert rows(columns([])) == []


@examples(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_damaged_file_is_refused(tmp_path_factory: pytest.TempPathFactory, where: int, change: int):
    path = tmp_path_factory.mktemp("damaged") / "file"
    write_tree(path, {"settings": {"beta": 20}}, {"x": torch.arange(30.0), "y": [1, 2.5]})
    whole = bytearray(path.read_bytes())
    where %= len(whole)
    path.write_bytes(whole[:where])
    with pytest.raises(SignalError, match="file"):
        read_tree(path, read_about(path)["tree"])
    whole[where] ^= change
    path.write_bytes(whole)
    try:
        about = read_about(path)
        tree = read_tree(path, about["tree"])
    except SignalError as error:
        assert "\n" not in str(error)
    else:  # the spaces that fill the header up are nothing that could be damaged
        assert about["settings"] == {"beta": 20} and torch.equal(tree["x"], torch.arange(30.0)) and tree["y"] == [1, 2.5]


# the transfer


@pytest.mark.parametrize(("optimizer", "after"), [("lbfgs", 1), ("lbfgs", 5), ("adam", 8)])
def test_the_same_call_goes_on(tmp_path: Path, photo: Any, style: Any, optimizer: str, after: int):
    path = tmp_path / "run.checkpoint"
    whole = paint(photo, style, optimizer=optimizer, init="random")
    with pytest.raises(KillError):
        paint(photo, style, after, optimizer=optimizer, init="random", checkpoint=path, checkpoint_every=0)
    assert len(read_history(path)) == after - 1 if after > 1 else not path.exists()
    seen: list[int] = []
    again = TransferSettings(**SMALL | dict[str, Any](optimizer=optimizer, init="random"))  # pyright: ignore
    painting = impasto.transfer_style(
        photo, style, again, on_progress=lambda p: seen.append(p.latest.evaluation), checkpoint=str(path)
    )
    assert seen == list(range(max(1, after), 9))
    assert np.array_equal(painting.signal.values, whole.signal.values)
    assert [*map(numbers, painting.history)] == [*map(numbers, whole.history)]
    assert numbers(painting.best) == numbers(whole.best)
    seconds = [evaluation.seconds for evaluation in painting.history]
    assert seconds == sorted(seconds)
    assert path.exists(), "the painting is not yet on the disk"
    painting.write(tmp_path / "out.png")
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.png"]


def test_ctrl_c_keeps_the_newest_evaluation(tmp_path: Path, photo: Any, style: Any):
    path = tmp_path / "run.checkpoint"
    with pytest.raises(impasto.TransferInterrupted) as raised:
        paint(photo, style, 5, error=KeyboardInterrupt, checkpoint=path)
    assert read_history(path) == list(raised.value.painting.history) and len(read_history(path)) == 5
    raised.value.painting.write(tmp_path / "so far.png")
    assert path.exists()
    assert np.array_equal(paint(photo, style, checkpoint=path).signal.values, paint(photo, style).signal.values)


def test_who_is_interrupted_soon_leaves_no_checkpoint(tmp_path: Path, photo: Any, style: Any):
    with pytest.raises(impasto.TransferInterrupted):
        paint(photo, style, 5, error=KeyboardInterrupt, checkpoint=Checkpoint(tmp_path / "run", first=1e9))
    assert not list(tmp_path.iterdir())


@pytest.fixture
def kept(tmp_path: Path, photo: Any, style: Any) -> Path:
    path = tmp_path / "run.checkpoint"
    with pytest.raises(KillError):
        paint(photo, style, 4, checkpoint=path, checkpoint_every=0)
    return path


def test_another_transfer_is_refused_and_the_checkpoint_stays(kept: Path, photo: Any, style: Any):
    before = kept.read_bytes()
    for error, given_ in {
        "beta 20.0, not 21.0": {"beta": 21},
        "iterations 8, not 9": {"iterations": 9},
        "content": {"photo": photo[::-1]},
        "style": {"style": style[:, ::-1]},
    }.items():
        with pytest.raises(SettingsError, match=error) as raised:
            paint(**{"photo": photo, "style": style, "checkpoint": kept} | given_)  # pyright: ignore
        assert str(kept) in str(raised.value) and "\n" not in str(raised.value)
    assert kept.read_bytes() == before


def test_a_blend_goes_on_and_another_one_is_refused(tmp_path: Path, photo: Any, style: Any):
    path, blend = tmp_path / "run", [(style, 0.7), (style[::-1], 0.3)]
    whole = paint(photo, blend)
    with pytest.raises(KillError):
        paint(photo, blend, 4, checkpoint=path, checkpoint_every=0)
    assert set(read_about(path)["inputs"]) == {"content", "style 1", "style 2"}
    for error, other in {
        r"shares of the styles \[0.7, 0.3\], not \[0.6, 0.4\]": [(style, 0.6), (style[::-1], 0.4)],
        r"shares of the styles \[0.7, 0.3\], not \[1.0\]": style,
        "another style 2": [(style, 0.7), (style, 0.3)],
    }.items():
        with pytest.raises(SettingsError, match=error):
            paint(photo, other, checkpoint=path)
    assert np.array_equal(paint(photo, blend, checkpoint=path).signal.values, whole.signal.values)


def test_another_weights_file_of_the_same_name_is_refused(tmp_path: Path, photo: Any, style: Any):
    from PIL import Image

    start, path = tmp_path / "start.png", tmp_path / "run"
    Image.fromarray(photo).save(start)
    with pytest.raises(KillError):
        paint(photo, style, 3, init=str(start), checkpoint=path, checkpoint_every=0)
    Image.fromarray(photo[::-1]).save(start)
    with pytest.raises(SettingsError, match="another init"):
        paint(photo, style, init=str(start), checkpoint=path)


def test_another_version_that_computes_the_same_takes_it_up(
    kept: Path, photo: Any, style: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    whole = paint(photo, style)
    for module in ("descent.tensor_tree", "transfer.checkpoint"):
        monkeypatch.setattr(f"impasto.{module}.version", lambda _: "9.9.9")
    assert np.array_equal(paint(photo, style, checkpoint=kept).signal.values, whole.signal.values)
    (told,) = (line for line in caplog.messages if "last digits" in line)
    assert "was written with impasto" in told and "torch" not in told


def test_one_that_is_older_than_a_setting_goes_on(
    kept: Path, photo: Any, style: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def older(path: Path) -> dict[str, Any]:
        about = read_about(path)
        del about["settings"]["precision"]
        return about | {"machine": about["machine"] | {"tf32": [True, False]}}

    whole = paint(photo, style)
    monkeypatch.setattr("impasto.transfer.checkpoint.read_about", older)
    with pytest.raises(SettingsError, match="precision tf32, not float32"):
        paint(photo, style, precision="float32", checkpoint=kept)
    assert np.array_equal(paint(photo, style, checkpoint=kept).signal.values, whole.signal.values)
    assert [line.split()[0] for line in caplog.messages] == ["going"]


def test_another_format_is_refused(kept: Path, photo: Any, style: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("impasto.descent.tensor_tree.FORMAT", FORMAT + 1)
    with pytest.raises(SignalError, match=rf"impasto \S+ in format {FORMAT}, and this is \S+ with {FORMAT + 1}"):
        paint(photo, style, checkpoint=kept)


def test_what_is_no_checkpoint_is_refused_and_stays(tmp_path: Path, photo: Any, style: Any):
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(3)}, tmp_path / "weights.safetensors")
    (tmp_path / "text").write_text("Dear diary,\n" * 50)
    (tmp_path / "empty").write_bytes(b"")
    for path in sorted(tmp_path.iterdir()):
        before = path.read_bytes()
        with pytest.raises(SignalError, match=path.name):
            paint(photo, style, checkpoint=path)
        assert path.read_bytes() == before
    with pytest.raises(SignalError, match="no folder"):
        paint(photo, style, checkpoint=tmp_path / "no" / "such")


def test_other_threads_are_a_warning(kept: Path, photo: Any, style: Any, caplog: pytest.LogCaptureFixture):
    torch.set_num_threads(threads := torch.get_num_threads() + 1)
    try:
        paint(photo, style, checkpoint=kept)
    finally:
        torch.set_num_threads(threads - 1)
    assert "last digits" in caplog.text


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_full_disk_costs_neither_the_painting_nor_the_old_checkpoint(
    kept: Path, photo: Any, style: Any, call: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = kept.read_bytes()
    with monkeypatch.context() as disk, caplog.at_level(logging.WARNING):
        if call == "write":
            disk.setattr("impasto.descent.tensor_tree.struct", SimpleNamespace(pack=full))
        else:
            disk.setattr(os if call == "fsync" else Path, call, full)
        with pytest.raises(KillError):
            paint(photo, style, 7, checkpoint=kept, checkpoint_every=0)
    warnings = [record.message for record in caplog.records if "goes on without" in record.message]
    assert len(warnings) == 1 and os.strerror(errno.ENOSPC) in warnings[0]
    assert kept.read_bytes() == before
    assert not part_of(kept).exists()
    assert np.array_equal(paint(photo, style, checkpoint=kept).signal.values, paint(photo, style).signal.values)


def test_writing_takes_a_small_share_of_the_time(tmp_path: Path, photo: Any, style: Any, monkeypatch: pytest.MonkeyPatch):
    """Evaluations of 1 s and writings of 3 s: after each of them there is a minute without."""
    clock, written = [0.0], list[float]()
    monkeypatch.setattr("impasto.transfer.checkpoint.time.monotonic", lambda: clock[0])

    def slow(*args: Any) -> None:
        written.append(clock[0])
        clock[0] += 3

    def tick(progress: Progress) -> None:
        clock[0] += 1

    monkeypatch.setattr("impasto.transfer.checkpoint.write_tree", slow)
    settings = TransferSettings(**SMALL | dict[str, Any](iterations=130, size=16))  # pyright: ignore
    impasto.transfer_style(photo, style, settings, on_progress=tick, checkpoint=tmp_path / "run", checkpoint_every=10)
    assert written == [1.0, 64.0, 127.0]


def test_the_file_tells_of_itself_without_its_tensors(kept: Path):
    about = read_about(kept)
    assert about["settings"]["beta"] == 20 and set(about["inputs"]) == {"content", "style"}
    assert len(about["inputs"]["content"]) == 64
    assert json.loads(json.dumps(about)) == about


def test_a_transparent_content_differs_from_an_opaque_one(tmp_path: Path, photo: Any, style: Any):
    values = np.ascontiguousarray(photo.transpose(2, 0, 1).astype(np.float32) / 255)
    opaque, half = (Signal(values, header={"alpha": np.full(values.shape[1:], a, np.float32)}) for a in (1, 0.5))
    with pytest.raises(KillError):
        paint(opaque, style, 3, checkpoint=tmp_path / "run", checkpoint_every=0)
    with pytest.raises(SettingsError, match="another content"):
        paint(half, style, checkpoint=tmp_path / "run")


@pytest.mark.parametrize("number", [2, 3])
def test_a_checkpoint_of_an_older_format_is_refused_in_one_sentence(tmp_path: Path, number: int, photo: Any, style: Any):
    about = json.dumps({"format": number, "version": "0.0.9"})
    header = json.dumps({"__metadata__": {"impasto": about, "crc32": str(zlib.crc32(about.encode()))}}).encode()
    (tmp_path / "old").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(SignalError, match=rf"by impasto 0.0.9 in format {number}, and this is \S+ with {FORMAT}") as raised:
        paint(photo, style, checkpoint=tmp_path / "old")
    assert "\n" not in str(raised.value)
