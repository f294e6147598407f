"""The pictures that were painted: each is written once, and a line of ``pictures.jsonl`` has its seconds.

So work that was interrupted goes on.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from time import perf_counter

from quality_methods import METHODS, Job, Record
from quality_pairs import Pair, is_whole
from report_files import commit

from impasto.files import write_whole


class Records:
    """The lines of ``pictures.jsonl`` in a folder: what is known of each picture that was painted."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "pictures.jsonl"
        self.rows: dict[tuple[str, str], Record] = {}
        if self.path.exists():
            for line in self.path.read_text().splitlines():
                row = json.loads(line)
                self.rows[row["pair"], row["method"]] = row

    def of(self, pair: Pair) -> dict[str, Record]:
        """The records of a pair by method."""
        return {method: row for (name, method), row in self.rows.items() if name == pair.name}

    def seconds_of(self, method: str) -> float:
        """What a picture of a method has taken at most; 0 if none was painted."""
        return max((row["seconds"] for (_, name), row in self.rows.items() if name == method), default=0.0)

    def add(self, pair: Pair, method: str, record: Record) -> None:
        """Keep what is known of a picture."""
        row = {"pair": pair.name, "method": method, **record, "date": date.today().isoformat(), "commit": commit()}
        self.rows[pair.name, method] = row
        write_whole(self.path, "".join(json.dumps(row) + "\n" for row in self.rows.values()).encode())


def paint(job: Job, method: str, records: Records) -> bool:
    """Paint a picture of a pair, unless it is there and whole; whether it was painted."""
    path = job.path(method)
    if method in records.of(job.pair) and is_whole(path):
        return False
    unfinished = path.with_suffix(".part.png")
    began = perf_counter()
    told = METHODS[method].paint(job, unfinished)
    seconds = perf_counter() - began
    unfinished.replace(path)
    records.add(job.pair, method, {"seconds": seconds, **told})
    return True
