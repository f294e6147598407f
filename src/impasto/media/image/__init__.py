"""Pictures: how they are read, written, painted and explored."""

from __future__ import annotations

from impasto.media.image.options import ImageOutput
from impasto.media.medium import Late, Medium, View

_HERE = "impasto.media.image"
_read = Late(f"{_HERE}.read:read_image")

RAW_ALONE = (".cr3", ".crw", ".mrw", ".orf", ".raf", ".rw2", ".x3f")
"""Endings of raw photographs that are not TIFF files."""
RAW = (
    *RAW_ALONE, ".3fr", ".arw", ".cr2", ".dcr", ".dng", ".erf", ".fff", ".gpr", ".iiq", ".kdc", ".mef", ".mos", ".nef",
    ".nrw", ".pef", ".raw", ".rwl", ".sr2", ".srf", ".srw",
)  # fmt: skip
"""Endings of raw photographs."""
READABLE = (
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".tif", ".tiff", ".avif", ".gif", ".bmp", ".jxl", ".jxr",
    ".heic", ".heif", ".jp2", ".j2k", ".ppm", ".pgm", ".pnm", ".tga", ".psd", ".ico", ".qoi", ".npy", *RAW, ".dcm",
)  # fmt: skip
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".avif")
"""Endings of files that can be written and always hold pictures."""
WRITABLE = (*ENDINGS, ".npy")

IMAGE = Medium(
    name="image",
    noun="a picture",
    axes=("1 or 3", "height", "width"),
    read=lambda source, rate, longest, memory: _read(source, longest, memory, whole=True),
    encode=Late(f"{_HERE}.write:encode_image"),
    sample=Late(f"{_HERE}.write:sample_image"),
    describe=lambda picture: " x ".join(str(n) for n in reversed(picture.shape)),
    readable=READABLE,
    writable=WRITABLE,
    safest=".png",
    prepare=Late(f"{_HERE}.prepare:prepare_images"),
    styles=("image",),
    why="the brush strokes of a picture are learned from a picture",
    defaults={"size": 512, "iterations": 100, "draw": 0.5, "beta": 20.0, "optimizer": "lbfgs", "network": "vgg19"},
    networks=("vgg19",),
    axes_seen=2,
    settings=("scales", "stroke", "draw", "colour", "noise", "content_mask", "style_mask", "protect"),
    # G from noise takes on the style first, so that the content needs more weight
    from_random={"beta": 5.0},
    claims=Late(f"{_HERE}.claims:holds_picture"),
    folders=Late(f"{_HERE}.claims:is_slice_in_folder"),
    bounds=(0, 1),
    is_picture=True,
    enlarges=True,
    options=ImageOutput,
    check_output=Late(f"{_HERE}.write:check_image_output"),
    view=View(
        dims=2,
        size=512,
        endings=(*ENDINGS, ".gif", ".bmp"),
        fit=Late(f"{_HERE}.view:fit_image"),
        draw=Late(f"{_HERE}.view:draw_image"),
        overview=Late(f"{_HERE}.view:overview_image"),
        measure="pixels",
        cuts=True,
        read=_read,
    ),
    preview=Late(f"{_HERE}.view:preview_image"),
)
