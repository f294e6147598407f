"""Movies: how they are read, written and painted."""

from __future__ import annotations

from impasto.media.medium import Late, Medium

_HERE = "impasto.media.movie"
_read = Late(f"{_HERE}.read:read_movie")

ANIMATIONS = {".gif": "GIF", ".webp": "WEBP", ".apng": "PNG"}
"""The endings of animations that can be written, with Pillow's names of their formats."""
WRITABLE = (".mp4", ".m4v", ".mov", ".mkv", ".webm", *ANIMATIONS)

MOVIE = Medium(
    name="movie",
    noun="a movie",
    axes=("3", "frames", "height", "width"),
    read=lambda source, rate, longest, memory: _read(source, longest, rate),
    encode=Late(f"{_HERE}.write:encode_movie"),
    sample=Late(f"{_HERE}.read:sample_movie"),
    describe=Late(f"{_HERE}.read:describe_movie"),
    readable=(
        *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".ogv", ".3gp"),
        *(".m2ts", ".mts", ".m2t", ".vob", ".m2v", ".m1v", ".mpe", ".asf", ".f4v", ".3g2", ".mxf", ".dv", ".divx", ".nut"),
        *(".y4m", ".ivf", ".h264", ".264", ".hevc", ".265", ".obu", ".rm", ".rmvb", ".wtv"),
        *(".gif", ".webp", ".apng", ".png", ".avif"),
    ),
    writable=WRITABLE,
    safest=".mkv",
    prepare=Late(f"{_HERE}.prepare:prepare_movies"),
    styles=("image", "movie"),
    why="its frames have the brush strokes of a picture or of the frames of another movie",
    defaults={
        "size": 512, "iterations": 90, "draw": 0.0, "beta": 20.0, "optimizer": "lbfgs", "network": "vgg19",
        "method": "frames",
    },
    networks=("vgg19",),
    axes_seen=2,
    settings=("stroke", "draw", "cuts"),
    claims=Late(f"{_HERE}.animation:is_movie_file"),
    folders=Late(f"{_HERE}.numbered:is_folder_of_frames"),
    numbered=True,
    encode_numbered=Late(f"{_HERE}.numbered:encode_frames"),
    bounds=(0, 1),
    draw=Late(f"{_HERE}.plot:plot_movie"),
    measure=Late(f"{_HERE}.prepare:measure_movie"),
)  # fmt: skip
