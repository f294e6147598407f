"""Whatever is wrong with the input: one line that says what, exit code 1 or 2, and no file is touched."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from tests.conftest import Run

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc is of Linux")


def png_of_promises(side: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    content = b"IDAT" + zlib.compress(bytes(1000))
    chunks = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, content, b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a photograph, a painting, all that is not a picture, and an old result."""
    monkeypatch.chdir(tmp_path)
    photo = Image.fromarray(data.coffee()).resize((48, 36))
    photo.save("photo.png")
    photo.save("photo.jpg")
    Image.fromarray(data.chelsea()).resize((48, 36)).save("style.png")
    whole = Path("photo.jpg").read_bytes()
    files = {
        "out.png": b"the old result",
        "empty.png": b"",
        "text.jpg": b"Dear diary,\n" * 50,
        "truncated.jpg": whole[: len(whole) // 2],
        "cut.png": Path("photo.png").read_bytes()[:900],
        "bomb.png": png_of_promises(40_000),
        "weights.pth": b"not weights",
        "table.png": b"1,2\n3,4\n5,6\n7,8\n",
        "weights.safetensors": b"\x08\0\0\0\0\0\0\0not json",
    }
    for name, content in files.items():
        Path(name).write_bytes(content)
    for name, size in {"tiny.png": (8, 8), "dot.png": (1, 1), "long.png": (4000, 1), "thin.png": (1, 4000)}.items():
        Image.fromarray(np.full((size[1], size[0], 3), 90, np.uint8)).save(name)
    Path("folder").mkdir()
    Path("frames").mkdir()
    Image.open("photo.png").save("frames/frame_00001.png")
    Path("link.png").symlink_to("photo.png")
    Path("loop.png").symlink_to("loop.png")
    if hasattr(os, "mkfifo"):
        os.mkfifo("pipe.png")
    Path("hard.png").hardlink_to("style.png")
    return tmp_path


# name: (content, style and options; the line has this in it; the exit code)
P, S, O = "photo.png", "style.png", "-o out.png"  # noqa: E741
ROWS: dict[str, tuple[str, str, int]] = {
    "no such content": (f"missing.jpg {S} {O}", "missing.jpg: no such file", 1),
    "no such style": (f"{P} missing.jpg {O}", "missing.jpg: no such file", 1),
    "a name with a line feed": (f"'bad\nname.jpg' {S} {O}", "bad name.jpg: no such file", 1),
    "a name too long": (f"{'n' * 300}.jpg {S} {O}", "File name too long", 1),
    "a file as a folder": (f"photo.png/photo.png {S} {O}", "photo.png/photo.png", 1),
    "a folder as content": (f"folder {S} {O}", "folder is a folder without DICOM slices; a file was expected", 1),
    "a folder as style": (f"{P} folder {O}", "folder is a folder without DICOM slices; a file was expected", 1),
    "an empty file": (f"empty.png {S} {O}", "empty.png is empty", 1),
    "a truncated JPEG": (f"truncated.jpg {S} {O}", "truncated.jpg is cut off: ", 1),
    "a truncated PNG as style": (f"{P} cut.png {O}", "cut.png is cut off: ", 1),
    "text renamed": (f"text.jpg {S} {O}", "text.jpg is not a picture that can be read (PNG, JPEG,", 1),
    "weights as content": (f"weights.pth {S} {O}", "weights.pth is not a picture", 1),
    "a decompression bomb": (f"bomb.png {S} {O}", "bomb.png is damaged: it has 17 bytes of pixels", 1),
    "content too small": (f"{P} {S} {O} --size 12", "content at 12 x 9 pixels is too small for relu5_1, which needs 16", 1),
    "size that would do": (f"{P} {S} {O} --size 12", "--size of at least 22", 1),
    "style too small": (f"{P} tiny.png {O} --size 32", "the style at 8 x 8 pixels is too small for relu5_1", 1),
    "a pixel": (f"dot.png dot.png {O} --size full", "the content at 1 x 1 pixels is too small", 1),
    "extremely long": (f"long.png {S} {O}", "the content at 512 x 1 pixels is too small for relu5_1", 1),
    "extremely thin": (f"thin.png {S} {O} --size full", "the content at 1 x 4000 pixels is too small", 1),
    "an absurd size": (f"{P} {S} {O} --size 100000", "100000 x 75000 needs at least ", 1),
    "a size beyond numbers": (f"{P} {S} {O} --size 1{'0' * 400}", "size is 1000", 2),
    "size 0": (f"{P} {S} {O} --size 0", "size is 0; a whole number of at least 1", 2),
    "size in words": (f"{P} {S} {O} --size large", "size 'large' is not a whole number", 2),
    "output in a missing folder": (f"{P} {S} -o missing/out.png", "there is no folder missing", 1),
    "output in a file": (f"{P} {S} -o text.jpg/out.png", "there is no folder text.jpg", 1),
    "output is a folder": (f"{P} {S} -o folder", "folder", 1),
    "output is a folder with an ending": (f"{P} {S} -o frames/../folder", "folder", 1),
    "output too long": (f"{P} {S} -o {'n' * 300}.png", "File name too long", 1),
    "no format": (f"{P} {S} -o out", "out: a picture is not written with the ending ''", 1),
    "unknown format": (f"{P} {S} -o out.jpgg", "a picture is not written with the ending '.jpgg'; did you mean .jpg?", 1),
    "output is the content": (f"{P} {S} -o {P}", "photo.png is an input", 1),
    "output is the style": (f"{P} {S} -o ./folder/../{S}", "style.png is an input", 1),
    "output is the start": (f"{P} {S} -o photo.jpg --init photo.jpg", "photo.jpg is an input", 1),
    "output without a name": (f"{P} {S} -o .", ".: a picture is not written with the ending ''", 1),
    "output links to itself": (f"{P} {S} -o loop.png", "loop.png cannot be written: ", 1),
    "a table in the name of a picture": (f"table.png {S} {O}", "table.png is not a picture that can be read", 1),
    "a start that is no picture": (f"{P} {S} {O} --init empty.png", "empty.png is empty", 1),
    "the same, as a rehearsal": (f"{P} {S} {O} --init empty.png --dry-run", "empty.png is empty", 1),
    "a mask without a name": (f"{P} {S} {O} --protect ", "protect is empty: ", 2),
    "output links to the content": (f"{P} {S} -o link.png", "link.png is an input", 1),
    "output is the same file as the style": (f"{P} {S} -o hard.png", "hard.png is an input", 1),
    "trace is an input": (f"{P} {S} {O} --trace {S}", "style.png is an input", 1),
    "trace is the weights": (f"{P} {S} {O} --weights weights.pth --trace weights.pth", "weights.pth is an input", 1),
    "plot is an input": (f"{P} {S} {O} --plot {P}", "photo.png is an input", 1),
    "plot is the output": (f"{P} {S} {O} --plot folder/../out.png", "is named for two outputs", 1),
    "plot of no format": (f"{P} {S} {O} --plot plot.doc", "plot.doc: a plot is written as .png, .svg, .pdf", 1),
    "trace in a missing folder": (f"{P} {S} {O} --trace missing/trace", "there is no folder missing", 1),
    "frames in a file": (f"{P} {S} {O} --frames text.jpg", "text.jpg is a file; a folder for the frames", 1),
    "frames below a file": (f"{P} {S} {O} --frames text.jpg/a/b", "text.jpg is a file; a folder for the frames", 1),
    "frames over the content": (f"frames/frame_00001.png {S} {O} --frames frames", "which a frame could overwrite", 1),
    "unknown style layer": (f"{P} {S} {O} --style-layers relu1_1,relu6_1", "unknown layer 'relu6_1': did you mean 'relu", 2),
    "unknown content layer": (f"{P} {S} {O} --content-layers conv4_7=2", "unknown layer 'conv4_7': did you mean 'conv4_", 2),
    "a layer twice": (f"{P} {S} {O} --style-layers relu1_1,relu1_1", "style_layers has relu1_1 twice", 2),
    "negative lambda": (f"{P} {S} {O} --style-layers relu1_1=-1", "style_layers relu1_1 is -1", 2),
    "negative alpha": (f"{P} {S} {O} --alpha -1", "alpha is -1; a number of at least 0 was expected", 2),
    "alpha is NaN": (f"{P} {S} {O} --alpha nan", "alpha is nan; a number of at least 0 was expected", 2),
    "negative beta": (f"{P} {S} {O} --beta=-0.5", "beta is -0.5", 2),
    "beta is infinite": (f"{P} {S} {O} --beta inf", "beta is inf", 2),
    "beta is a word": (f"{P} {S} {O} --beta much", "beta 'much' is not a number", 2),
    "beta beyond float32": (f"{P} {S} {O} --beta 1e300 --size 24", "is too large for float32", 2),
    "alpha and beta 0": (f"{P} {S} {O} --alpha 0 --beta 0", "alpha and beta are both 0", 2),
    "iterations 0": (f"{P} {S} {O} --iterations 0", "iterations is 0; a whole number of at least 1", 2),
    "negative iterations": (f"{P} {S} {O} --iterations -5", "iterations is -5", 2),
    "half an iteration": (f"{P} {S} {O} --iterations 0.5", "iterations '0.5' is not a whole number", 2),
    "negative step": (f"{P} {S} {O} --step -1", "step is -1; a number above 0", 2),
    "seed beyond torch": (f"{P} {S} {O} --seed 18446744073709551616", "seed is 18446744073709551616", 2),
    "unknown optimizer": (f"{P} {S} {O} --optimizer adan", "adan", 2),
    "unknown pooling": (f"{P} {S} {O} --pooling mean", "mean", 2),
    "unknown start": (f"{P} {S} {O} --init noise", "init 'noise' is neither a file nor one of content, random, style", 2),
    "start is no picture": (f"{P} {S} {O} --size 24 --init text.jpg", "text.jpg is not a picture", 1),
    "no such device": (f"{P} {S} {O} --size 24 --device gpu", "device 'gpu' is not available here; available: ", 2),
    "a device that does not compute": (f"{P} {S} {O} --size 24 --device meta", "device 'meta' is not available", 2),
    "no such weights": (f"{P} {S} {O} --size 24 --weights vgg.pth", "weights 'vgg.pth': no such file", 1),
    "weights that are none": (f"{P} {S} {O} --size 24 --weights weights.pth", "weights.pth cannot be read as weights", 1),
    "tensors that are none": (f"{P} {S} {O} --size 24 --weights weights.safetensors", "cannot be read as weights", 1),
    "frames never": (f"{P} {S} {O} --frames-every 0", "--frames-every", 2),
    "strength above 1": (f"{P} {S} {O} --strength 1.2", "strength is 1.2; a number from 0 to 1 was expected", 2),
    "strength and beta": (f"{P} {S} {O} --strength 0.4 --beta 9", "strength stands for alpha, beta and init_noise: give", 2),
    "strength of absolute weights": (
        f"{P} {S} {O} --strength 0.4 --weighting absolute",
        "strength has no meaning where weighting is 'absolute': give alpha or beta",
        2,
    ),
    "strength and alpha": (f"{P} {S} {O} --strength 0.4 --alpha 2", "strength stands for alpha, beta and init_noise", 2),
    "unknown colour": (f"{P} {S} {O} --colour grey", "grey", 2),
    "negative tv": (f"{P} {S} {O} --tv -1", "tv is -1; a number of at least 0 was expected", 2),
    "bits of a JPEG": (f"{P} {S} -o out.jpg --bits 16", "out.jpg: a JPEG has 8 bits a channel; PNG and TIFF take 16", 2),
    "odd bits": (f"{P} {S} {O} --bits 10", "bits is 10; 8 or 16 was expected", 2),
    "quality of a PNG": (f"{P} {S} {O} --quality 80", "a PNG keeps every value; a quality is for JPEG, WebP and AVIF", 2),
    "quality out of range": (f"{P} {S} -o out.jpg --quality 101", "quality is 101; a whole number from 1 to 100", 2),
    "dpi 0": (f"{P} {S} {O} --dpi 0", "dpi is 0", 2),
    "unknown profile": (f"{P} {S} {O} --icc p3", "icc 'p3' is unknown: did you mean", 2),
    "too long for WebP": (f"{P} {S} -o out.webp --size 16384", "a WEBP has at most 16383 pixels a side, not 16384", 1),
    "too long for JPEG": (f"long.png {S} -o out.jpg --size 70000", "a JPEG has at most 65500 pixels a side, not 70000", 1),
    "no output": (f"{P} {S}", "Missing option '-o'", 2),
    "no style": (f"{P} {O}", "Missing argument 'STYLE", 2),
    "unknown option": (f"{P} {S} {O} --itertions 5", "--itertions", 2),
}  # fmt: skip


def split(line: str) -> list[str]:
    return [word.strip("'") for word in line.split(" ")]


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files} | {
        str(path): (0, b"folder") for path in folder.rglob("*") if path.is_dir()
    }


def assert_one_line(stdout: str, stderr: str, reason: str) -> None:
    assert stdout == ""
    assert stderr.startswith("impasto: ")
    assert stderr.endswith("\n")
    assert len(stderr.splitlines()) == 1, stderr
    assert "Traceback" not in stderr
    assert reason in stderr


@pytest.mark.parametrize("row", ROWS)
def test_bad_input(row: str, desk: Path, run: Run):
    line, reason, code = ROWS[row]
    before = state(desk)
    got, out, err = run("transfer", *split(line))
    assert got == code
    assert_one_line(out, err, reason)
    assert state(desk) == before


@LINUX
@pytest.mark.parametrize("line", [f"pipe.png {S} {O}", f"{P} pipe.png {O}", f"{P} {S} -o pipe.png"])
def test_a_pipe_is_no_file(line: str, desk: Path, run: Run):
    before = state(desk)
    got, out, err = run("transfer", *split(line))
    assert got == 1
    assert_one_line(out, err, "pipe.png is a pipe or a device; ")
    assert state(desk) == before and Path("pipe.png").is_fifo()


@LINUX
@pytest.mark.parametrize("option", ["-o /proc/out.png", f"{O} --trace /proc/trace", f"{O} --frames /proc/frames"])
def test_a_place_that_takes_no_files(option: str, desk: Path, run: Run):
    before = state(desk)
    got, out, err = run("transfer", P, S, *split(option))
    assert got == 1
    assert_one_line(out, err, "cannot be written")
    assert state(desk) == before


def test_a_file_that_is_closed(desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch):
    """As the operating system refuses it; root, who runs the tests in a container, is refused nothing."""
    stat = Path.stat

    def closed(self: Path, **options: bool) -> os.stat_result:
        if self.name == P:
            raise PermissionError(13, "Permission denied", P)
        return stat(self, **options)

    monkeypatch.setattr(Path, "stat", closed)
    got, out, err = run("transfer", P, S, *split(O))
    assert got == 1
    assert_one_line(out, err, "Permission denied")
    assert Path("out.png").read_bytes() == b"the old result"


@pytest.mark.parametrize(
    ("arguments", "reason"), [("transfr a b", "transfr"), ("--verson", "--verson"), ("info --weight", "--weight")]
)
def test_an_unknown_command_or_option(arguments: str, reason: str, run: Run):
    got, out, err = run(*arguments.split())
    assert got == 2
    assert_one_line(out, err, reason)


def test_no_command_is_answered_with_help(run: Run):
    code, _, err = run()
    assert code == 2
    assert "transfer" in err


def test_a_disk_that_fills_during_the_work(desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    options = "--size 24 --iterations 1 --style-layers relu1_1 --content-layers relu1_1"
    got, out, err = run("transfer", P, S, *split(O), *split(options))
    assert got == 1
    assert_one_line(out, err, "out.png cannot be written: No space left on device")
    assert Path("out.png").read_bytes() == b"the old result"
    assert not list(desk.glob(".impasto*"))


@pytest.mark.slow
@pytest.mark.parametrize("row", ["a truncated JPEG", "an absurd size", "unknown style layer"])
def test_bad_input_in_a_process_of_its_own(row: str, desk: Path):
    line, reason, code = ROWS[row]
    before = state(desk)
    result = subprocess.run([sys.executable, "-m", "impasto", "transfer", *split(line)], capture_output=True, text=True)
    assert result.returncode == code
    assert_one_line(result.stdout, result.stderr, reason)
    assert state(desk) == before
