"""What docstrings need to be read as reStructuredText, and what the fields of settings say of themselves."""

import re
from dataclasses import Field, fields
from typing import Any, get_args, get_type_hints

from sphinx.application import Sphinx

import impasto


def values_of(field: "Field[Any]") -> str:
    """What a setting may be: its choices, or what the check of a number says it expects of one that is far out of range."""
    kinds = get_args(get_type_hints(impasto.TransferSettings)[field.name]) or (field.type,)
    if all(isinstance(kind, str) for kind in kinds) and field.metadata["metavar"] == "":
        return f"{', '.join(map(str, kinds[:-1]))} or {kinds[-1]}"
    if re.search(r"\b(int|float)\b", str(field.type)):
        try:
            field.metadata["check"](field.name, -1e300)
        except impasto.SettingsError as error:
            return str(error).partition("; ")[2].removesuffix(" was expected")
    return ""


def told_by_fields() -> list[str]:
    """The fields of TransferSettings as a docstring would list them: what each is, its values and its default."""
    lines = ["", "Attributes:"]
    for field in fields(impasto.TransferSettings):
        values = values_of(field) or field.metadata["metavar"]
        lines.append(f"    {field.name}: {field.metadata['help']} Values: {values}. Default: ``{field.default!r}``.")
    return lines


def as_it_stands(line: str) -> str:
    """A line in which (N, channels, *space) and |x| emphasise and replace nothing; what is code stays as it is."""
    parts = line.split("``")
    parts[::2] = [re.sub(r"(?<![\w*\\])(\*(?=\w)|\|)", r"\\\1", part) for part in parts[::2]]
    return "``".join(parts)


def prepare(app: Sphinx, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    """Change the lines of one docstring in place, before napoleon reads its sections."""
    if name == "impasto.TransferSettings":
        lines += told_by_fields()
    lines[:] = map(as_it_stands, lines)


def by_alias(
    app: Sphinx, what: str, name: str, obj: object, options: Any, signature: str | None, returns: str | None
) -> Any:
    """A signature in which the alias of a type is its name also within a union, where Sphinx shows its own wrapper."""
    return re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", signature or "") or None, returns


def setup(app: Sphinx) -> dict[str, Any]:
    """Come before napoleon."""
    app.connect("autodoc-process-docstring", prepare, priority=400)
    app.connect("autodoc-process-signature", by_alias)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
