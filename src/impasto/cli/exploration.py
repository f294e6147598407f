"""Where an exploration goes: a sheet, an index or a report."""

from __future__ import annotations

from pathlib import Path

from impasto.errors import SignalError


def target_of(output: Path) -> str:
    """What the output is to be: "index", "sheet" or "report"."""
    from impasto.media.image.write import image_format

    if output.is_dir() or not output.suffix:
        return "report"
    if output.suffix.lower() == ".json":
        return "index"
    image_format(output)
    return "sheet"


def index_file(output: Path, target: str) -> Path:
    """Where the index is kept, also of a search that is interrupted."""
    return {"index": output, "report": output / "index.json", "sheet": Path(f"{output}.part.json")}[target]


def check_exploration(photos: tuple[Path, ...], output: Path, target: str, state: Path) -> None:
    """See that the result can be written there, and that nothing that is given is overwritten.

    Raises:
        SignalError: it cannot.
    """
    from impasto.files import check_replaceable, check_writable

    if target == "report":
        if output.exists() and not output.is_dir():
            raise SignalError(f"{output} is a file; a folder for the report was expected")
        if output.is_dir() and any(output.iterdir()) and not state.exists():
            raise SignalError(f"{output} holds other files; name a new folder for the report")
    for path in [state] if output.is_dir() else [output] if target == "report" else [output, state]:
        check_writable(path)
        check_replaceable(path)
        if any(path.exists() and photo.exists() and path.samefile(photo) for photo in photos):
            raise SignalError(f"{path} is an input; write the result to another file")
