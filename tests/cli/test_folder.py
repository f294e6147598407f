"""``impasto transfer`` of a folder, as a person uses it, and as a machine that is switched off."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from impasto.explore.index import PatchIndex
from impasto.media.read_write import read_signal
from impasto.transfer.manifest import NAME
from tests.conftest import Run
from tests.media.dicom_files import slices

FEW = ["--size", "24", "--iterations", "3", "--content-layers", "relu1_1", "--style-layers", "relu1_1"]
PAINT = ["transfer", "photos", "wave.png", "-o", "painted", *FEW]


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("photos/more").mkdir(parents=True)
    for i, name in enumerate(("a 1.png", "a 2.png", "more/b.jpg", "more/c.png")):
        Image.fromarray(data.coffee()[i * 40 :: 13, ::13]).resize((32, 24)).save(f"photos/{name}")
    for name, picture in (("wave", data.chelsea()), ("rocket", data.rocket())):
        Image.fromarray(picture[::9, ::9]).save(f"{name}.png")
    return tmp_path


def files(folder: str = "painted") -> dict[str, bytes]:
    found = [path for path in Path(folder).rglob("*") if path.is_file() and path.suffix != ".jsonl"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


NAMES = ["a 1.png", "a 2.png", "more/b.jpg", "more/c.png"]


def test_a_folder_is_told_painted_and_counted(run: Run):
    Path("photos/notes.txt").write_text("notes")
    code, out, err = run(*PAINT)
    assert code == 0 and sorted(files()) == NAMES
    told = "photos is a folder of 4 contents, which are painted one by one; what is no signal is passed over: notes.txt"
    assert err == f"impasto: {told}\n"
    *lines, last = out.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"painted/{name}" for name in NAMES]
    assert last.startswith("painted: 4 painted, ")
    code, out, err = run(*PAINT, "-q")
    assert (code, err) == (0, "") and out.startswith("painted: 0 painted, 4 were there, ")


def test_what_cannot_be_painted_is_listed_at_the_end(run: Run):
    Path("photos/bad.png").write_bytes(b"no picture")
    Path("photos/x.tif").touch()
    Path("photos/y.wav").touch()
    code, out, err = run(*PAINT, "--json")
    assert code == 1 and sorted(files()) == NAMES
    assert "impasto: 3 could not be painted:\n" in err and "Traceback" not in err
    assert "\n  photos/bad.png is not a picture" in err and "\n  photos/x.tif is empty\n" in err
    summary = json.loads(out)
    assert (summary["painted"], summary["kept"], summary["left"]) == (4, 0, 0)
    assert (
        sorted(summary["failed"]) == ["bad.png", "x.tif", "y.wav"]
        and summary["seconds"] >= summary["seconds_of_descent"] > 0
    )
    code, _, err = run(*PAINT, "--init", "missing.png")
    assert code == 1 and "  a 1.png and 5 others: init 'missing.png' is neither a file nor" in err


def test_each_style_and_parts(run: Run):
    assert run("transfer", "photos", "wave.png", "rocket.png", "--each-style", "-o", "painted", *FEW)[0] == 0
    assert sorted(files()) == sorted(f"{style}/{name}" for style in ("wave", "rocket") for name in NAMES)
    for i in (2, 1):
        part = ["--each-style", "--part", f"{i}/2", "-o", "parts", *FEW]
        assert run("transfer", "photos", "wave.png", "rocket.png", *part)[0] == 0
    assert files("parts") == files()
    code, _, err = run("transfer", "photos/a 1.png", "wave.png", "rocket.png", "--each-style", "-o", "one", *FEW)
    assert (code, err) == (0, "") and sorted(files("one")) == ["rocket/a 1.png", "wave/a 1.png"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["photos", "wave.png", "-o", "out.png"], 1, "a file was expected, or a folder as output"),
        (["photos", "wave.png", "-o", "painted", "--trace", "t"], 2, "--trace is for one painting, and the folder photos"),
        (["photos", "wave.png", "-o", "painted", "--plot", "p.png"], 2, "--plot is for one painting"),
        (["photos", "wave.png", "-o", "painted", "--checkpoint", "c"], 2, "--checkpoint is for one painting"),
        (["photos/a 1.png", "wave.png", "-o", "o.png", "--part", "1/2"], 2, "--part is for a folder or --each-style"),
        (
            ["photos/a 1.png", "wave.png", "-o", "o.png", "--as", "movie"],
            2,
            "--as movie says what a folder is; photos/a 1.png",
        ),
        (["photos/more", "wave.png", "-o", "out.mp4"], 1, "photos/more holds no numbered pictures"),
        (["photos", "wave.png", "-o", "painted", "--part", "5"], 2, "part '5' is not a part; e.g. 2/8"),
        (["photos", "wave.png", "-o", "photos"], 2, "photos is the folder of the contents"),
        (["photos", "wave.png", "-o", "no/where"], 1, "no/where cannot be made"),
        (["photos", "wave.png", "-o", "x", "--as", "movie", "--each-style"], 2, "is painted in one style at a time"),
        (["photos", "wave.png", "-o", "painted", "--bits", "12"], 1, "could not be painted"),
    ],
)
def test_what_is_wrong_is_told(run: Run, words: list[str], code: int, message: str):
    found, _, err = run("transfer", *words, *FEW)
    assert found == code and message in err and "Traceback" not in err


def test_a_dry_run_writes_nothing(run: Run, desk: Path):
    before = sorted(desk.rglob("*"))
    code, out, _ = run(*PAINT, "--dry-run")
    assert code == 0 and out.startswith("4 paintings, of which the first is a 1.png:\nsize: 24 x 18\n")
    assert sorted(desk.rglob("*")) == before


def test_numbered_frames_are_a_movie(run: Run):
    """By a pattern, by --as, and by an output that is a movie: the same in every bit of the frames."""
    how = [*FEW, "--rate", "10"]
    code, out, err = run("transfer", "photos/a %d.png", "wave.png", "-o", "pattern.mkv", *how)
    assert (code, err) == (0, "") and "2 frames of 24 x 18" in out
    code, _, err = run("transfer", "photos", "wave.png", "-o", "as.mkv", "--as", "movie", *how)
    assert (code, err) == (0, "")
    code, _, err = run("transfer", "photos", "wave.png", "-o", "output.mkv", *how)
    assert (code, err) == (
        0,
        "impasto: photos is taken for a movie, with what is in it; --as folder paints each of its files\n",
    )
    movies = [read_signal(f"{name}.mkv") for name in ("pattern", "as", "output")]
    assert all(np.array_equal(movie.values, movies[0].values) and movie.header["rate"] == 10 for movie in movies)


def test_a_movie_is_written_to_numbered_frames(run: Run):
    how = [*FEW, "--rate", "10"]
    Path("out").mkdir()
    code, out, err = run("transfer", "photos/a %d.png", "wave.png", "-o", "out/b%03d.png", *how)
    assert (code, err) == (0, "") and out.startswith("out/b%03d.png: 2 frames of 24 x 18")
    assert sorted(path.name for path in Path("out").iterdir()) == ["b001.png", "b002.png"]
    assert run("transfer", "photos/a %d.png", "wave.png", "-o", "movie.mkv", "--cuts", "none", *how)[0] == 0
    for output in ("photos/a %d.png", "photos/b%d.png"):
        code, _, err = run("transfer", "photos", "wave.png", "-o", output, "--as", "movie", *how)
        assert (code == 1) == (output == "photos/a %d.png") and ("are inputs" in err) == (code == 1)


def test_a_folder_of_slices_is_a_volume_and_folders_of_them_are_many(run: Run):
    voxels = np.random.default_rng(0).integers(0, 900, (8, 8, 8)).astype(np.int16)
    for name in ("ct", "patients/one", "patients/two"):
        Path(name).parent.mkdir(exist_ok=True)
        slices(Path(name), voxels)
    code, _, err = run("transfer", "ct", "wave.png", "-o", "ct.nii.gz", *FEW)
    assert (code, err) == (
        0,
        "impasto: ct is taken for a volume, with what is in it; --as folder paints each of its files\n",
    )
    code, _, err = run("transfer", "patients", "wave.png", "-o", "painted", *FEW)
    assert code == 0 and "patients is a folder of 2 contents" in err
    assert sorted(files()) == ["one.nii.gz", "two.nii.gz"]
    assert run("transfer", "ct", "wave.png", "-o", "each", "--as", "folder", *FEW)[0] == 0
    assert len(files("each")) == 8 and all(name.endswith(".dcm.png") for name in files("each"))
    code, _, err = run("transfer", "ct", "wave.png", "-o", "ct2", *FEW)
    assert code == 1 and "is not written with the ending ''" in err


def started(output: str, stderr: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "impasto", *PAINT, "-o", output, "--iterations", "12", "-q"]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=stderr)


def listed(folder: str) -> int:
    path = Path(folder, NAME)
    return path.read_text().count("sha256") if path.exists() else 0


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_kills_lose_one_picture_at_most_and_change_none():
    whole = started("whole")
    assert whole.wait() == 0
    for delay in (0.0, 0.02):  # while the next one is painted, and written
        before = listed("painted")
        process = started("painted")
        end = time.monotonic() + 120
        while listed("painted") == before and time.monotonic() < end and process.poll() is None:
            time.sleep(0.002)
        time.sleep(delay)
        process.kill()
        process.wait()
        assert before < listed("painted") < 4
    last = started("painted")
    assert last.wait() == 0
    assert files() == files("whole")
    assert listed("painted") <= 4 + 2


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGTERM to be caught")
def test_ctrl_c_ends_after_the_evaluation_at_hand_and_says_how_to_go_on():
    process = started("painted", subprocess.PIPE)
    while not listed("painted") and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    left = 4 - listed("painted")
    assert process.returncode == 130 and 0 < left < 4
    assert err.decode() == f"impasto: interrupted; {left} are left, and the same command goes on\n"
    assert len(files()) == 4 - left


def test_parts_of_an_exploration_are_merged_to_the_whole(run: Run):
    explore = ["explore", "patches", "photos", "--layer", "relu1_1,relu1_2", "--top", "3", "-q", "-o"]
    assert run(*explore, "whole.json")[0] == 0
    for i in (1, 2, 3):
        assert run(*explore, f"{i}.json", "--part", f"{i}/3")[0] == 0
    code, out, err = run("explore", "merge", "3.json", "1.json", "2.json", "-o", "merged.json")
    assert (code, err) == (0, "") and out.startswith("merged.json: 4 images, 128 units")
    assert PatchIndex.load("merged.json") == PatchIndex.load("whole.json")
    assert len(PatchIndex.load("2.json").images) == 1
    assert run("explore", "merge", "merged.json", "-o", "sheet.png")[0] == 0
    code, _, err = run(*explore, "5.json", "--part", "5/6")
    assert code == 2 and "part 5 of 6 is empty: there are 4 photographs" in err
    code, _, err = run("explore", "merge", "1.json", "whole.json", "-o", "twice.json")
    assert code == 2 and "only indexes of different images can be merged" in err
    code, _, err = run("explore", "patches", "1.json", "2.json", "--part", "1/2", "-o", "x.json")
    assert code == 2 and "--part is for photographs" in err
