"""A folder painted: nothing twice, nothing lost, and the same files however often it was cut off."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

import impasto
from impasto.errors import SettingsError, SignalError
from impasto.transfer import folder as folder_of
from impasto.transfer import folder_job
from impasto.transfer.checkpoint import Checkpoint
from impasto.transfer.manifest import NAME

SMALL = impasto.TransferSettings(size=24, iterations=3, content_layers="relu1_1", style_layers="relu1_1")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four photographs, one of them in a subfolder, and two styles."""
    monkeypatch.chdir(tmp_path)
    for i, name in enumerate(("a.png", "b c.jpg", "Köln/ü.png", "d.webp")):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(data.coffee()[i * 40 :: 13, ::13]).resize((32, 24)).save(tmp_path / "photos" / name)
    for name, picture in (("wave", data.chelsea()), ("rocket", data.rocket())):
        Image.fromarray(picture[::9, ::9]).save(tmp_path / f"{name}.png")
    return tmp_path


NAMES = ["Köln/ü.png", "a.png", "b c.jpg", "d.webp"]


def files(folder: str | Path = "painted") -> dict[str, bytes]:
    """The results, without the manifests, which have seconds."""
    found = [path for path in Path(folder).rglob("*") if path.is_file() and path.suffix != ".jsonl"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def paint(output: str | Path = "painted", settings: impasto.TransferSettings = SMALL, **how: Any) -> impasto.FolderResult:
    return impasto.transfer_folder("photos", "wave.png", output, settings, **how)


def outputs(result: impasto.FolderResult) -> list[str]:
    return [row["output"] for row in result.painted]


def test_each_result_is_what_one_transfer_gives_and_is_listed(desk: Path):
    result = paint()
    assert outputs(result) == NAMES and not (result.kept or result.failed or result.left)
    head, count, *rows = [json.loads(line) for line in Path("painted", NAME).read_text().splitlines()]
    assert head["memory"] > 0 and count == {"total": 4} and rows == result.painted
    assert sorted(files()) == NAMES
    for row in rows:
        alone = impasto.transfer_style(row["input"], "wave.png", SMALL, output=f"alone{Path(row['output']).suffix}")
        alone.write(f"alone{Path(row['output']).suffix}")
        assert Path("painted", row["output"]).read_bytes() == Path(f"alone{Path(row['output']).suffix}").read_bytes()
        assert (row["J"], row["style"]) == (alone.best.cost, "wave.png") and row["seconds"] > 0
        assert impasto.TransferSettings(**row["settings"]) == alone.settings


def test_what_is_there_and_whole_is_not_painted_again(desk: Path):
    paint()
    before = files()
    result = paint()
    assert (result.kept, result.painted) == (NAMES, [])
    Path("painted", "a.png").write_bytes(before["a.png"][:50])
    Path("painted", "d.webp").unlink()
    Image.fromarray(data.rocket()[::13, ::13]).save("photos/b c.jpg")
    result = paint()
    assert outputs(result) == ["a.png", "b c.jpg", "d.webp"] and result.kept == ["Köln/ü.png"]
    assert {name: files()[name] for name in ("a.png", "d.webp")} == {name: before[name] for name in ("a.png", "d.webp")}
    assert files()["b c.jpg"] != before["b c.jpg"]


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"beta": 5}, True),
        ({"seed": 3}, True),
        ({"precision": "float32"}, True),
        ({"memory": "3GiB"}, False),
        ({"device": "cpu"}, False),
        ({}, False),
    ],
)
def test_other_settings_paint_anew(desk: Path, change: dict[str, Any], again: bool):
    paint()
    result = paint(settings=replace(SMALL, **change))
    assert len(result.painted) == (4 if again else 0)


def test_a_folder_of_an_older_impasto_goes_on(desk: Path, monkeypatch: pytest.MonkeyPatch):
    """It had no setting for the precision, and computed as its default does."""
    known = impasto.TransferSettings.as_dict
    with monkeypatch.context() as older:
        older.setattr(
            impasto.TransferSettings,
            "as_dict",
            lambda settings: {name: value for name, value in known(settings).items() if name != "precision"},
        )
        assert all("precision" not in row["settings"] for row in paint().painted)
    assert paint().kept == NAMES


def test_another_style_of_the_same_name_and_other_options_paint_anew(desk: Path):
    paint(options={"dpi": 72})
    assert len(paint(options={"dpi": 72}).kept) == 4
    assert len(paint(options={"dpi": 150}).painted) == 4
    Path("rocket.png").replace("wave.png")
    assert len(paint(options={"dpi": 150}).painted) == 4


def test_files_that_settings_name_are_known_by_what_is_in_them(desk: Path):
    Image.fromarray(np.eye(24, 32, dtype=np.uint8) * 255).save("white.png")
    settings = replace(SMALL, **{"protect": "white.png"})
    paint(settings=settings)
    Path("white.png").replace("pale.png")
    renamed = replace(SMALL, **{"protect": str(desk / "pale.png")})
    assert len(paint(settings=renamed).kept) == 4
    Image.fromarray(np.eye(24, 32, 5, dtype=np.uint8) * 255).save("pale.png")
    assert len(paint(settings=renamed).painted) == 4


def test_what_cannot_be_read_is_told_and_the_rest_is_painted(desk: Path):
    Path("photos/broken.jpg").write_bytes(b"no picture")
    Path("photos/empty.png").touch()
    Path("photos/loop.png").symlink_to("loop.png")
    Path("photos/scan.nrrd").write_bytes(b"NRRD")
    result = paint()
    assert outputs(result) == NAMES
    assert list(result.failed) == ["scan.nrrd.nii.gz", "broken.jpg", "empty.png", "loop.png"] or set(result.failed) == {
        "broken.jpg", "empty.png", "loop.png", "scan.nrrd.nii.gz",
    }  # fmt: skip
    assert "is empty" in result.failed["empty.png"] and all("\n" not in reason for reason in result.failed.values())
    assert sorted(files()) == NAMES


def test_a_bug_with_one_file_does_not_end_the_others(desk: Path, monkeypatch: pytest.MonkeyPatch):
    take_in = impasto.Painter.take_in

    def broken(painter: impasto.Painter, content: Any, *given: Any, **how: Any) -> Any:
        if Path(content).name == "a.png":
            raise ZeroDivisionError("division by zero")
        return take_in(painter, content, *given, **how)

    monkeypatch.setattr(impasto.Painter, "take_in", broken)
    result = paint()
    assert result.failed == {"a.png": "ZeroDivisionError: division by zero"} and len(result.painted) == 3


def test_every_content_in_every_style(desk: Path):
    result = impasto.transfer_folder("photos", ["wave.png", "rocket.png"], "painted", SMALL, each_style=True)
    assert outputs(result) == [f"{style}/{name}" for style in ("rocket", "wave") for name in NAMES]
    paint("alone")
    assert {f"wave/{name}": data for name, data in files("alone").items()}.items() <= files().items()
    one = impasto.transfer_folder("photos/a.png", ["wave.png", "rocket.png"], "one", SMALL, each_style=True)
    assert outputs(one) == ["rocket/a.png", "wave/a.png"]
    assert {name: files()[name] for name in files("one")} == files("one")


def test_styles_are_blended_by_their_weights(desk: Path):
    impasto.transfer_folder("photos", [("wave.png", 3), "rocket.png"], "painted", SMALL)
    alone = impasto.transfer_style("photos/a.png", [("wave.png", 3), "rocket.png"], SMALL)
    alone.write("alone.png")
    assert Path("alone.png").read_bytes() == files()["a.png"]


def test_parts_are_the_whole(desk: Path):
    paint("whole")
    parts = [paint(part=f"{i}/3") for i in (3, 1, 2)]
    assert sorted(name for part in parts for name in outputs(part)) == NAMES
    assert files() == files("whole")
    assert len(paint().kept) == 4 and len(paint(part=(1, 2)).kept) == 2
    assert not paint(part=(9, 9)).painted


def cut_off(monkeypatch: pytest.MonkeyPatch, name: str, at: int) -> None:
    """The next run dies in that function when it is called for the ``at``-th time."""
    function, calls = getattr(folder_of, name), 0

    def dying(*given: Any, **how: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            raise KeyboardInterrupt
        return function(*given, **how)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(folder_of, name, dying)
        paint()


@pytest.mark.parametrize("name", ["paint_job", "_show"])
@pytest.mark.parametrize("at", [1, 3])
def test_a_run_that_was_cut_off_goes_on_with_the_same_files_and_memory(
    desk: Path, monkeypatch: pytest.MonkeyPatch, name: str, at: int
):
    paint("whole")
    seen: list[int | None] = []
    descend = impasto.Painter.descend

    def noting(painter: impasto.Painter, *given: Any, memory: int | None = None, **how: Any) -> Any:
        seen.append(memory)
        return descend(painter, *given, memory=memory, **how)

    monkeypatch.setattr(impasto.Painter, "descend", noting)
    chosen = iter([10**10, 2 * 10**10, 3 * 10**10])
    monkeypatch.setattr(folder_of, "default_memory", lambda device: next(chosen))
    cut_off(monkeypatch, name, at)
    result = paint()
    assert len(result.kept) == at - 1 and len(result.painted) == 5 - at
    assert files() == files("whole")
    assert set(seen) == {10**10}


def test_a_result_that_was_listed_and_not_yet_there_is_painted_again(desk: Path, monkeypatch: pytest.MonkeyPatch):
    paint("whole")

    def dying(path: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", dying)
        paint()
    assert not files()
    assert len(paint().painted) == 4 and files() == files("whole")


def test_a_long_painting_goes_on_from_its_checkpoint(desk: Path, monkeypatch: pytest.MonkeyPatch):
    paint("whole")
    monkeypatch.setattr(folder_job, "FIRST_SECONDS", 0.0)
    cancel = threading.Event()

    def stop(progress: impasto.FolderProgress) -> None:
        if progress.name == "a.png" and progress.progress and progress.progress.latest.evaluation == 2:
            cancel.set()

    result = paint(on_progress=stop, cancel=cancel)
    assert (outputs(result), result.left) == (["Köln/ü.png"], 3)
    assert Path("painted/a.png.checkpoint").exists()
    new: list[tuple[str, int]] = []

    def note(progress: impasto.FolderProgress) -> None:
        if progress.progress:
            new.append((progress.name, progress.progress.latest.evaluation))

    assert outputs(paint(on_progress=note)) == ["a.png", "b c.jpg", "d.webp"]
    assert new[:2] == [("a.png", 3), ("b c.jpg", 1)]
    assert files() == files("whole")


def test_a_checkpoint_of_other_settings_is_begun_anew(
    desk: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(folder_job, "FIRST_SECONDS", 0.0)
    cancel = threading.Event()
    paint(on_progress=lambda progress: cancel.set(), cancel=cancel)
    other = replace(SMALL, **{"beta": 3})
    assert len(paint(settings=other).painted) == 4
    assert "begun anew" in caplog.text and not list(Path("painted").rglob("*.checkpoint"))


def test_nothing_is_kept_on_the_way_if_it_is_not_to_be(desk: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(folder_job, "FIRST_SECONDS", 0.0)
    made: list[Checkpoint | None] = []
    descend = impasto.Painter.descend
    monkeypatch.setattr(
        impasto.Painter, "descend", lambda *given, **how: made.append(how.get("checkpoint")) or descend(*given, **how)
    )
    paint(checkpoint_every=None)
    assert made == [None] * 4


def test_progress_counts_what_is_there(desk: Path):
    paint(part=(1, 2))
    seen: list[tuple[int, int, str, bool]] = []
    paint(on_progress=lambda p: p.progress or seen.append((p.done, p.total, p.name, p.row is not None)))
    assert seen == [(1, 4, NAMES[0], False), (2, 4, NAMES[1], True), (3, 4, NAMES[2], False), (4, 4, NAMES[3], True)]


def test_a_painter_of_ones_own(desk: Path):
    objective = impasto.content("relu1_1") + 20 * impasto.style("relu1_1")
    how = impasto.TransferSettings(size=24, iterations=2)
    painter = impasto.Painter(objective=objective, settings=how)
    assert len(impasto.transfer_folder("photos", "wave.png", "painted", painter=painter).painted) == 4
    assert len(impasto.transfer_folder("photos", "wave.png", "painted", painter=painter).kept) == 4
    other = impasto.Painter(objective=2 * objective, settings=how)
    assert len(impasto.transfer_folder("photos", "wave.png", "painted", painter=other).painted) == 4
    with pytest.raises(SettingsError, match="give the one or the other"):
        impasto.transfer_folder("photos", "wave.png", "painted", how, painter=painter)


def test_names_of_results_are_never_shared(desk: Path):
    shutil_names = {"a.jpg": "JPEG", "a.bmp": "BMP", "a.bmp.png": "PNG"}
    for name, form in shutil_names.items():
        Image.open("photos/a.png").save(f"photos/{name}", form)
    result = paint()
    assert sorted(outputs(result)) == sorted([*NAMES, "a.jpg", "a.bmp.png"])
    assert list(result.failed) == ["a.bmp.png"] and "rename one of them" in result.failed["a.bmp.png"]


def test_a_painted_folder_within_the_contents_is_none_of_them(desk: Path, caplog: pytest.LogCaptureFixture):
    Path("photos/wave.png").write_bytes(Path("wave.png").read_bytes())
    for output in ("photos/in wave", "photos/in wave again"):
        result = impasto.transfer_folder("photos", "photos/wave.png", output, SMALL)
        assert outputs(result) == NAMES
    assert "in wave holds results of impasto, and is passed over" in caplog.text
    assert len(impasto.transfer_folder("photos", "photos/wave.png", "photos/in wave", SMALL).kept) == 4


@pytest.mark.parametrize(
    ("style", "output", "how", "error", "message"),
    [
        ("wave.png", "photos", {}, SettingsError, "photos is the folder of the contents; another one"),
        ("wave.png", "photos/../photos", {}, SettingsError, "is the folder of the contents"),
        ("wave.png", "wave.png", {}, SignalError, "wave.png is a file; a folder for the results was expected"),
        ("wave.png", "no/where", {}, SignalError, "no/where cannot be made: No such file"),
        ("none.png", "painted", {}, SignalError, "none.png: no such file"),
        ("photos", "painted", {}, SignalError, "folder without DICOM"),
        ([], "painted", {}, SettingsError, "no style was given"),
        (np.zeros((9, 9, 3)), "painted", {}, SettingsError, "a style is a ndarray; where a folder is painted, its file"),
        (["wave.png", "x/wave.png"], "painted", {"each_style": True}, SettingsError, "two have the same name"),
        ([("wave.png", 2), "rocket.png"], "painted", {"each_style": True}, SettingsError, "leave the weights out"),
        ("wave.png", "painted", {"part": "3/2"}, SettingsError, "part 3/2: the part is 3; a whole number from 1 to 2"),
        ("wave.png", "painted", {"part": "x"}, SettingsError, "part 'x' is not a part; e.g. 2/8"),
        ("wave.png", "painted", {"part": (0, 2)}, SettingsError, "a whole number from 1 to 2"),
    ],
)
def test_what_is_wrong_is_one_line_before_the_work(
    desk: Path, style: Any, output: str, how: dict[str, Any], error: type[Exception], message: str
):
    Path("x").mkdir()
    Path("x/wave.png").write_bytes(Path("wave.png").read_bytes())
    before = sorted(desk.rglob("*"))
    with pytest.raises(error, match=message) as caught:
        impasto.transfer_folder("photos", style, output, SMALL, **how)
    assert "\n" not in str(caught.value) and sorted(desk.rglob("*")) == before


def test_an_empty_folder_is_told(desk: Path):
    Path("empty").mkdir()
    Path("empty/.DS_Store").touch()
    with pytest.raises(SignalError, match="empty holds no picture, series, sound, volume or movie"):
        impasto.transfer_folder("empty", "wave.png", "painted", SMALL)
    with pytest.raises(SignalError, match="missing: no such file"):
        impasto.transfer_folder("missing", "wave.png", "painted", SMALL)
    assert not Path("painted").exists()


def test_files_that_are_not_listed_are_somebody_elses(desk: Path):
    Path("painted").mkdir()
    for name in ("a.png", "d.webp"):
        Path("painted", name).write_text("mine")
    with pytest.raises(
        SignalError, match=r"painted/a\.png and other files \(1\) would be replaced, .*: name another folder"
    ):
        paint()
    assert files() == {"a.png": b"mine", "d.webp": b"mine"} and not Path("painted", NAME).exists()


def failing(number: int) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_cannot_be_written_to_ends_the_run_and_nothing_is_lost(
    desk: Path, monkeypatch: pytest.MonkeyPatch, number: int
):
    paint("whole")
    paint(part=(1, 4))
    with monkeypatch.context() as patch, pytest.raises(SignalError, match=f"cannot be written: {os.strerror(number)}"):
        patch.setattr(Path, "replace", failing(number))
        paint()
    with monkeypatch.context() as patch, pytest.raises(SignalError, match=f"cannot be written: {os.strerror(number)}"):
        patch.setattr("impasto.transfer.manifest.os.fsync", failing(number))
        paint()
    assert list(files()) == [NAMES[0]]
    assert len(paint().painted) == 3 and files() == files("whole")


def test_all_kinds_in_one_folder(desk: Path):
    time = np.arange(400) / 100
    np.savetxt("beat.csv", np.sin(time) ** 5, header="II", comments="")
    Path("ekgs").mkdir()
    np.savetxt("ekgs/a.csv", np.cos(time) ** 5, header="II", comments="")
    result = impasto.transfer_folder("ekgs", "beat.csv", "painted", impasto.TransferSettings(iterations=2, rate=100))
    assert outputs(result) == ["a.csv"]
    result = impasto.transfer_folder("photos", "beat.csv", "other", SMALL)
    assert len(result.failed) == 4 and "cannot be painted in the style of" in result.failed["a.png"]


@pytest.mark.slow
def test_an_executor_paints_the_same_files(desk: Path):
    paint("whole")
    Path("photos/broken.jpg").write_bytes(b"no picture")
    seen: list[int] = []
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as executor:
        result = paint(executor=executor, on_progress=lambda progress: seen.append(progress.done))
        assert paint(executor=executor).kept == NAMES
    assert sorted(outputs(result)) == NAMES and list(result.failed) == ["broken.jpg"] and not result.left
    assert files() == files("whole") and seen == sorted(seen)


def test_executors_that_are_cancelled_or_die(desk: Path, monkeypatch: pytest.MonkeyPatch):
    cancel = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        result = paint(executor=executor, cancel=cancel, on_progress=lambda progress: cancel.set())
    assert result.left == 4 - len(result.painted) > 0
    assert sorted(files()) == sorted(outputs(result))

    class Dying(ThreadPoolExecutor):
        def submit(self, *given: Any, **how: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_exception(BrokenExecutor("terminated abruptly"))
            return future

    with Dying(1) as executor, pytest.raises(SignalError, match=r"a worker died, .* the same call goes on"):
        paint(executor=executor)
    assert sorted(outputs(paint()) + outputs(result)) == NAMES
    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(SettingsError, match=r"computes with \d+ threads; 99 were expected"),
    ):
        monkeypatch.setattr(folder_of, "machine_of", lambda device: {"impasto": "0", "threads": 99})
        paint("third", executor=executor)
    painter = impasto.Painter(objective=1 * impasto.style("relu1_1"))
    with ThreadPoolExecutor(1) as executor, pytest.raises(SettingsError, match="cannot be sent to an executor"):
        impasto.transfer_folder("photos", "wave.png", "other", painter=painter, executor=executor)


def test_names_as_long_as_can_be(desk: Path):
    name = "ü" * 120 + " long.png"
    Path("photos", name).write_bytes(Path("photos/a.png").read_bytes())
    result = paint()
    assert name in outputs(result) and not result.failed and files()[name]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no flock")
def test_two_at_once_are_not_in_each_others_way(desk: Path):
    refused: list[str] = []

    def again(progress: impasto.FolderProgress) -> None:
        if progress.row:
            with pytest.raises(SignalError, match=r"impasto\.jsonl is being written by another process") as caught:
                paint()
            refused.append(str(caught.value))
            assert progress.done > 1 or len(paint(part=(1, 2)).painted) == 1

    assert len(paint(on_progress=again).painted) == 4
    assert len(refused) == 4 and len(paint().kept) == 4


def test_paintings_that_end_when_they_are_still_are_whole(desk: Path):
    still = replace(SMALL, iterations=60, until_still=True)
    result = paint(settings=still)
    assert outputs(result) == NAMES and paint(settings=still).kept == NAMES
