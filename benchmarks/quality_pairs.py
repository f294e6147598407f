"""What is painted: pairs of a content and a style, each with a folder in which both are as every method gets them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from PIL import Image
from skimage import data

from impasto.media.image.read import over_white, read_image, resample_image, scaled_shape
from impasto.media.image.write import write_image
from impasto.media.signal import Signal, Values

# in the folder of the data; a name alone is a picture of skimage.data
CONTENTS = {
    "taj": "photos/TajMahal_background.webp",
    "face": "astronaut",
    "butterfly": "photos/butterfly.webp",
    "night": "photos/TowerBridgeLondon_background.webp",
    "kitten": "photos/kitten.webp",
    "town": "photos/tubingen.jpg",
}
STYLES = {
    "ejiri": "paintings/katsushika_hokusai_ejiri_in_suruga_province_1830_1833.jpg",
    "kandinsky": "paintings/wassily_kandinsky_composition_viii_1923.jpg",
    "starry": "paintings/vincent_van_gogh_starry_night_1889.jpg",
    "renoir": "paintings/pierre_auguste_renoir_bal_du_moulin_de_la_galette_1876.jpg",
    "turner": "paintings/william_turner_shipwreck_of_the_minotaur_1810.jpg",
    "wave": "paintings/katsushika_hokusai_the_great_wave_off_kanagawa_1823_1829.jpg",
    "lion": "paintings/albrecht_durer_lion_1494.jpg",
    "auvers": "paintings/vincent_van_gogh_village_street_in_auvers_1890.jpg",
    "spring": "paintings/giuseppe_arcimboldo_spring_1573.jpg",
    "prawn": "paintings/utagawa_hiroshige_horse_mackerel_and_prawn_1840.jpg",
    "bruegel": "paintings/pieter_brugel_the_harvesters_1565.jpg",
    "cassatt": "paintings/mary_cassatt_summertime_1894.jpg",
}


class Pair(NamedTuple):
    """A content to be painted in a style, by their names."""

    content: str
    style: str

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.content}+{self.style}"


def all_pairs() -> list[Pair]:
    """Every content with every style, in an order of which the first few have many of both."""
    contents = list(CONTENTS)
    rounds = range(len(contents))
    return [Pair(contents[(i + turn) % len(contents)], style) for turn in rounds for i, style in enumerate(STYLES)]


def read_values(path: Path) -> Values:
    """A picture as (3, height, width) in 0..1, laid on white."""
    return over_white(read_image(path)).values


def prepare(pair: Pair, data_folder: Path, size: int, folder: Path) -> None:
    """Write content and style of a pair as every method gets them, unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in (("content", CONTENTS[pair.content]), ("style", STYLES[pair.style])):
        path = folder / f"{name}.png"
        if is_whole(path):
            continue
        given = data_folder / source if "/" in source else getattr(data, source)()
        picture = over_white(read_image(given))
        longest = size if name == "content" else min(size, max(picture.shape))
        scaled = resample_image(picture, scaled_shape(picture.shape, longest))
        write_image(Signal(scaled.values), path)


def is_whole(path: Path) -> bool:
    """Whether there is a picture that can be read to its end."""
    try:
        with Image.open(path) as picture:
            picture.load()
    except (OSError, SyntaxError):
        return False
    return True
