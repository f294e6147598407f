"""Volumes: how they are read, written, painted and explored."""

from __future__ import annotations

from impasto.media.medium import Late, Medium, View

_HERE = "impasto.media.volume"
_read = Late(f"{_HERE}.files:read_volume")

BY_NIBABEL = (".nii", ".nii.gz", ".mgh", ".mgz", ".hdr", ".img", ".mnc")
READABLE = (*BY_NIBABEL, ".tif", ".tiff", ".npy", ".dcm")
WRITABLE = (".nii", ".nii.gz", ".mgh", ".mgz", ".tif", ".tiff", ".npy")
CONVERTIBLE = (".nrrd", ".nhdr", ".mha", ".mhd")
"""Endings of volumes that cannot be read here, but that other programs convert; named to tell people so."""

VOLUME = Medium(
    name="volume",
    noun="a volume",
    axes=("channels", "x", "y", "z"),
    read=lambda source, rate, longest, memory: _read(source),
    encode=Late(f"{_HERE}.files:encode_volume"),
    sample=Late(f"{_HERE}.files:sample_volume"),
    describe=lambda volume: " x ".join(str(n) for n in volume.shape) + " voxels",
    readable=READABLE + CONVERTIBLE,
    writable=WRITABLE,
    safest=".npy",
    prepare=Late(f"{_HERE}.prepare:prepare_volumes"),
    styles=("image", "volume"),
    why="its sections have the texture of pictures or of the sections of another volume",
    defaults={
        "size": "full", "iterations": 80, "draw": 0.0, "beta": 8.0, "optimizer": "lbfgs", "network": "vgg19",
        "method": "slices",
    },
    networks=("vgg19",),
    axes_seen=2,
    settings=("scales", "stroke", "draw"),
    claims=Late(f"{_HERE}.files:is_volume"),
    folders=Late(f"{_HERE}.files:is_folder_of_slices"),
    finite=False,
    draw=Late(f"{_HERE}.plot:plot_volume"),
    view=View(
        dims=3,
        size=64,
        endings=READABLE,
        fit=Late(f"{_HERE}.view:fit_volume"),
        draw=Late(f"{_HERE}.view:draw_section"),
        overview=Late(f"{_HERE}.view:overview_volume"),
        measure="voxels",
    ),
    preview=Late(f"{_HERE}.view:preview_volume"),
    stacks=Late(f"{_HERE}.view:stack_volume"),
    kept=".nii.gz",
)  # fmt: skip
