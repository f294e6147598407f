"""What can be chosen about a picture that is written; in a module of its own, so that ``--help`` loads no encoder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from impasto.errors import SettingsError, nearest
from impasto.validation import number, whole

ICC = ("srgb", "keep")


def _option(default: Any, help: str, metavar: str) -> Any:
    return field(default=default, metadata={"help": help, "metavar": metavar})


@dataclass(frozen=True)
class ImageOutput:
    """How a picture is written; each field is also an option of ``impasto transfer``.

    Raises:
        SettingsError: a value is out of its range.
    """

    bits: int = _option(8, "Bits a channel of the picture that is written; 16 in PNG and TIFF.", "8|16")
    quality: int | None = _option(
        None, "Quality of the JPEG, WebP or AVIF, 1 to 100; if not given, one that looks like the original.", "N"
    )
    dpi: float | None = _option(None, "Dots per inch noted in the picture; if not given, the content's.", "X")
    icc: Literal["srgb", "keep"] = _option(
        "srgb", "Colour profile of the picture that is written: sRGB, or the content's own.", "srgb|keep"
    )

    def __post_init__(self) -> None:
        for name, check in (("bits", whole(8, 16)), ("quality", whole(1, 100)), ("dpi", number(1.01, 99_999))):
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, check(name, given))
        if self.bits not in (8, 16):
            raise SettingsError(f"bits is {self.bits}; 8 or 16 was expected")
        if self.icc not in ICC:
            raise SettingsError(
                f"icc {self.icc!r} is unknown: did you mean {nearest(str(self.icc), ICC)!r}? ({', '.join(ICC)})"
            )
