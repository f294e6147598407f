"""Files in tar archives, as WebDataset lays them out."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from skimage import data

import impasto
from impasto.errors import SignalError
from impasto.explore.sources import find_sources, view
from impasto.media.archives import archive_of, expanded, members, on_disk


def make_shard(path: Path, first: int, count: int = 3, mode: Any = "w") -> None:
    """Samples of a picture, a label and a text each."""
    with tarfile.open(path, mode) as tar:
        for i in range(first, first + count):
            picture = io.BytesIO()
            Image.fromarray(data.coffee()[i * 20 : i * 20 + 200, i * 30 : i * 30 + 200]).resize((48, 48)).save(
                picture, "PNG"
            )
            for ending, content in (("png", picture.getvalue()), ("cls", b"3"), ("txt", b"a cup"), ("json", b"{}")):
                member = tarfile.TarInfo(f"{i:06}.{ending}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))


@pytest.fixture
def shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for shard in range(3):
        make_shard(tmp_path / f"shard-{shard:04}.tar", 3 * shard)
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a.tar", ["a.tar"]),
        ("s-{0998..1001}.tar", ["s-0998.tar", "s-0999.tar", "s-1000.tar", "s-1001.tar"]),
        ("{8..10}", ["8", "9", "10"]),
        ("{train,val}/{0..1}.tar", ["train/0.tar", "train/1.tar", "val/0.tar", "val/1.tar"]),
        ("{a}.png", ["{a}.png"]),
        ("{3..1}", []),
    ],
)
def test_braces(pattern: str, names: list[str]):
    assert expanded(pattern) == names


def test_pictures_in_shards_have_names_and_are_those_of_files(shards: Path):
    found = find_sources(["shard-{0000..0002}.tar"])
    assert list(found) == [f"shard-000{i // 3}.tar/{i:06}.png" for i in range(9)]
    with tarfile.open("shard-0001.tar") as tar:
        tar.extractall("taken out", filter="data")
    for i in (3, 5):
        assert (view(f"shard-0001.tar/{i:06}.png", 32).values == view(f"taken out/{i:06}.png", 32).values).all()
    layers: Any = {"layers": "relu1_1", "top": 2}
    of_shard, of_files = impasto.top_patches("shard-0001.tar", **layers), impasto.top_patches("taken out", **layers)
    strip = {name: [p._replace(image=Path(p.image).name) for p in ps] for name, ps in of_shard.layers["relu1_1"].items()}
    assert strip == {n: [p._replace(image=Path(p.image).name) for p in ps] for n, ps in of_files.layers["relu1_1"].items()}


def test_lists_of_paths(shards: Path):
    Path("paths.txt").write_text("shard-0000.tar\n\nshard-0002.tar/000007.png\n")
    assert list(find_sources("@paths.txt")) == [
        *(f"shard-0000.tar/{i:06}.png" for i in range(3)),
        "shard-0002.tar/000007.png",
    ]
    with pytest.raises(SignalError, match=r"missing\.txt cannot be read as a list of paths: .*No such file"):
        find_sources("@missing.txt")
    Path("paths.txt").write_text("nowhere.png")
    with pytest.raises(SignalError, match=r"nowhere\.png: no such file"):
        find_sources("@paths.txt")


def test_what_is_wrong_is_told_by_its_name(shards: Path):
    Path("shard-0001.tar").write_bytes(Path("shard-0001.tar").read_bytes()[:700] + b"x" * 5000)
    with pytest.raises(SignalError, match=r"shard-0001\.tar is damaged, or no tar archive"):
        find_sources("shard-0001.tar")
    make_shard(Path("small.tar"), 0, mode="w:gz")
    with pytest.raises(SignalError, match=r"small\.tar is damaged, or no tar archive without compression"):
        members(Path("small.tar"))
    with pytest.raises(SignalError, match=r"shard-0000\.tar/no\.png: there is no such file in shard-0000\.tar"):
        view("shard-0000.tar/no.png", 32)
    with pytest.raises(SignalError, match=r"shard-0003\.tar: no such file"):
        find_sources("shard-{0002..0009}.tar")
    with tarfile.open("bad.tar", "w") as tar:
        member = tarfile.TarInfo("k.png")
        member.size = 3
        tar.addfile(member, io.BytesIO(b"abc"))
    with pytest.raises(SignalError, match=r"^bad\.tar/k\.png is not a picture"):
        view("bad.tar/k.png", 32)


def test_what_leads_into_an_archive(shards: Path):
    assert archive_of("shard-0000.tar/a/b.png") == (Path("shard-0000.tar"), "a/b.png")
    assert archive_of("shard-0000.tar") is None and archive_of("none.tar/b.png") is None
    Path("folder.tar").mkdir()
    Path("folder.tar/a.png").write_bytes(b"")
    assert archive_of("folder.tar/a.png") is None
    with on_disk("folder.tar/a.png") as path:
        assert path == Path("folder.tar/a.png")
