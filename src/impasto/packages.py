"""What is imported only when it is called, and the rows that other packages add to a registry by an entry point."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar

from impasto.files import first_line

log = logging.getLogger("impasto")

Row = TypeVar("Row")


def found_at(where: str) -> Any:
    """What is called ``"package.module:name"``.

    Raises:
        ImportError: there is no such module; AttributeError: it has nothing of that name.
    """
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


@dataclass(frozen=True)
class Late:
    """The function at ``where``, ``"package.module:name"``, which is imported when it is called."""

    where: str

    def __call__(self, *given: Any, **named: Any) -> Any:
        """What the function makes of it."""
        return found_at(self.where)(*given, **named)


def with_rows_of_packages(built_in: Mapping[str, Row], group: str, kind: type[Row], noun: str, nouns: str) -> dict[str, Row]:
    """A registry by name: its own rows, and after them those of the entry points of a ``group``.

    One that cannot be loaded, is not of this ``kind``, or has the name of one that is there, is left out, which is told in
    one warning, with ``noun`` and ``nouns`` for what the rows are.
    """
    from importlib.metadata import entry_points

    found = dict(built_in)
    left_out: list[str] = []
    for entry in sorted(entry_points(group=group)):
        try:
            row = entry.load()
        except Exception as error:  # whatever another package does, the others are there
            reason = first_line(error)
        else:
            name = getattr(row, "name", None)
            if not isinstance(row, kind) or not isinstance(name, str):
                reason = f"a {kind.__name__} was expected, not {type(row).__name__}"
            elif name in found:
                reason = f"there is a {noun} {name!r} already"
            else:
                found[name] = row
                continue
        left_out.append(f"{entry.name} ({entry.value}): {reason}")
    if left_out:
        log.warning("%s of other packages are left out: %s", nouns, "; ".join(left_out))
    return found
