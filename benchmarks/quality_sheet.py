"""The blind sheet: two paintings of a pair side by side, without their names, to be voted on; and what the votes say.

``blind/`` has numbered pictures (content and style small above, the two paintings below), a page that shows them and takes
votes by keys, and an empty ``votes.json`` for who has no browser. Which side is which is in ``key.json`` beside that folder.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from quality_pairs import Pair
from quality_statistics import Interval, resample_styles
from report_page import table

from impasto.files import write_whole

CHOICES = {"left": 1.0, "same": 0.5, "right": 0.0}
"""What a vote may be, and how much of it the left painting gets."""

_THUMBNAIL, _GAP, _GREY = 160, 16, (119, 119, 119)


class Question(NamedTuple):
    """Two paintings of a pair, by the names of their methods, as they stand on the sheet."""

    content: str
    style: str
    left: str
    right: str

    @property
    def methods(self) -> tuple[str, str]:
        """Both methods, whichever stands left."""
        return (self.left, self.right) if self.left < self.right else (self.right, self.left)


class Preference(NamedTuple):
    """How often the first of two methods was preferred: a share of all votes, "can't tell" counting half."""

    share: Interval
    won: int
    same: int
    lost: int


def questions(pairs: Iterable[Pair], comparisons: Sequence[tuple[str, str]], seed: int) -> list[Question]:
    """All comparisons of all pairs, in a random order and on random sides."""
    chance = random.Random(seed)
    found = [Question(pair.content, pair.style, *chance.sample(both, 2)) for pair in pairs for both in comparisons]
    chance.shuffle(found)
    return found


def side_by_side(content: Path, style: Path, left: Path, right: Path) -> Image.Image:
    """Two paintings at full size, with content and style small above."""
    small, large = ([_opened(path) for path in paths] for paths in ((content, style), (left, right)))
    for picture in small:
        picture.thumbnail((_THUMBNAIL * 2, _THUMBNAIL), Image.Resampling.LANCZOS)
    width = sum(picture.width for picture in large) + 3 * _GAP
    sheet = Image.new("RGB", (width, max(picture.height for picture in large) + _THUMBNAIL + 3 * _GAP), _GREY)
    for pictures, top in ((small, _GAP), (large, _THUMBNAIL + 2 * _GAP)):
        x = (width - sum(picture.width for picture in pictures) - _GAP) // 2
        for picture in pictures:
            sheet.paste(picture, (x, top))
            x += picture.width + _GAP
    return sheet


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def write_sheet(asked: Sequence[Question], pictures: Path, folder: Path) -> str:
    """Write the sheet into ``folder`` with the pictures of the pairs' folders in ``pictures``; its name.

    The same questions about the same pictures are the same sheet. Keys of earlier sheets are kept: their votes can be read.
    """
    paths = [_paths(question, pictures) for question in asked]
    known = hashlib.sha256()
    for question, files in zip(asked, paths, strict=True):
        known.update(json.dumps(question).encode())
        for path in files:
            known.update(path.read_bytes())
    name = known.hexdigest()[:12]
    blind = folder / "blind"
    blind.mkdir(parents=True, exist_ok=True)
    numbers = [f"{number:03d}" for number in range(1, len(asked) + 1)]
    for old in {path.name for path in blind.glob("*.png")} - {f"{number}.png" for number in numbers}:
        (blind / old).unlink()
    for number, files in zip(numbers, paths, strict=True):
        drawn = BytesIO()
        side_by_side(*files).save(drawn, "PNG")
        write_whole(blind / f"{number}.png", drawn.getvalue())
    key = folder / "key.json"
    keys: dict[str, Any] = json.loads(key.read_text()) if key.exists() else {}
    keys[name] = {number: question._asdict() for number, question in zip(numbers, asked, strict=True)}
    write_whole(key, (json.dumps(keys, indent=1) + "\n").encode())
    how = f"which painting is the better one: {', '.join(CHOICES)}"
    votes = {"sheet": name, "how": how, "votes": dict.fromkeys(numbers, "")}
    template = blind / "votes.json"
    old = json.loads(template.read_text()) if template.exists() else {"sheet": "", "votes": {}}
    if old["sheet"] != name:
        if any(old["votes"].values()):
            template.rename(blind / f"votes-{old['sheet']}.json")
        write_whole(template, (json.dumps(votes, indent=1) + "\n").encode())
    html = HTML.replace("SHEET", json.dumps(name)).replace("NUMBERS", json.dumps(numbers))
    write_whole(blind / "index.html", html.encode())
    return name


def _paths(question: Question, pictures: Path) -> tuple[Path, Path, Path, Path]:
    folder = pictures / Pair(question.content, question.style).name
    names = ("content", "style", question.left, question.right)
    content, style, left, right = (folder / f"{name}.png" for name in names)
    return content, style, left, right


def read_votes(files: Sequence[Path], key: Path) -> list[tuple[Question, float]]:
    """The votes of some files, each with what the left painting gets of it; empty ones are no votes.

    Raises:
        ValueError: the votes are of no sheet that the key knows, or one of them is none.
    """
    keys = json.loads(key.read_text())
    found: list[tuple[Question, float]] = []
    for path in files:
        given = json.loads(path.read_text())
        if given["sheet"] not in keys:
            raise ValueError(f"{path} has votes on the sheet {given['sheet']}; {key} knows: {', '.join(keys)}")
        for number, vote in given["votes"].items():
            if not vote:
                continue
            if vote not in CHOICES:
                raise ValueError(f"{path}: vote {number} is {vote!r}; {', '.join(CHOICES)} or nothing was expected")
            found.append((Question(**keys[given["sheet"]][number]), CHOICES[vote]))
    return found


def preferences(votes: Sequence[tuple[Question, float]]) -> dict[tuple[str, str], Preference]:
    """For each two methods that were compared how often the first was preferred; intervals by drawing the styles anew."""
    scores: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for question, left in votes:
        own = left if question.methods[0] == question.left else 1 - left
        scores.setdefault(question.methods, []).append((question.style, own))
    return {methods: _preference(rows) for methods, rows in sorted(scores.items())}


def _preference(rows: Sequence[tuple[str, float]]) -> Preference:
    values = np.array([value for _, value in rows])
    share = resample_styles([style for style, _ in rows], lambda some: float(values[some].mean()))
    won, same, lost = (int((values == value).sum()) for value in (1.0, 0.5, 0.0))
    return Preference(share, won, same, lost)


def preference_table(found: Mapping[tuple[str, str], Preference]) -> str:
    """The preferences in Markdown, each two methods with the preferred one first."""
    rows = []
    for (first, second), (share, won, same, lost) in found.items():
        if share.value < 0.5:
            first, second, won, lost = second, first, lost, won
            share = Interval(1 - share.value, 1 - share.high, 1 - share.low)
        rows.append([f"{first} rather than {second}", str(share), str(won), str(same), str(lost)])
    return "\n".join(table(["", "share", "yes", "can't tell", "no"], rows))


HTML = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Which is the better painting?</title>
<style>
  body { margin: 0; background: rgb(119, 119, 119); color: white; font: 16px sans-serif; text-align: center; }
  img { max-width: 100vw; image-rendering: auto; }
  img.whole { max-width: none; }
  button { font: inherit; margin: 0.3em; padding: 0.3em 1em; }
  .chosen { background: gold; }
</style>
<p id="where"></p>
<div id="choices">
  <button data-vote="left">&larr; left</button>
  <button data-vote="same">&darr; can't tell</button>
  <button data-vote="right">right &rarr;</button>
  <button id="back">&uarr; back</button>
  <button id="download">download votes</button>
</div>
<p>Content and style are above. Which of the two paints the content better in that style? A click shows every pixel.</p>
<img id="pictures" alt="two paintings side by side">
<script>
  const sheet = SHEET, numbers = NUMBERS, key = "impasto-votes-" + sheet;
  const votes = JSON.parse(localStorage.getItem(key) || "{}");
  const element = id => document.getElementById(id);
  let at = Math.max(0, numbers.findIndex(number => !votes[number]));

  function show() {
    element("pictures").src = numbers[at] + ".png";
    const cast = numbers.filter(number => votes[number]).length;
    element("where").textContent = `${numbers[at]} of ${numbers.length}, ${cast} votes cast`;
    for (const button of document.querySelectorAll("[data-vote]"))
      button.classList.toggle("chosen", votes[numbers[at]] === button.dataset.vote);
  }
  function move(by) {
    at = Math.min(Math.max(at + by, 0), numbers.length - 1);
    show();
  }
  function vote(choice) {
    votes[numbers[at]] = choice;
    localStorage.setItem(key, JSON.stringify(votes));
    move(1);
  }
  function download() {
    const all = Object.fromEntries(numbers.map(number => [number, votes[number] || ""]));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify({ sheet, votes: all }, null, 1)]));
    link.download = "votes.json";
    link.click();
  }
  for (const button of document.querySelectorAll("[data-vote]")) button.onclick = () => vote(button.dataset.vote);
  element("back").onclick = () => move(-1);
  element("download").onclick = download;
  element("pictures").onclick = event => event.target.classList.toggle("whole");
  document.onkeydown = event => {
    const choice = { ArrowLeft: "left", ArrowRight: "right", ArrowDown: "same" }[event.key];
    if (choice) vote(choice);
    else if (event.key === "ArrowUp") move(-1);
    else return;
    event.preventDefault();
  };
  show();
</script>
</html>
"""
