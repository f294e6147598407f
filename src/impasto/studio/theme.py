"""How the studio looks: paper and ink, one colour, the fonts of the system."""

from __future__ import annotations

from pathlib import Path

from gradio import themes

from impasto import lecture

CSS = (Path(__file__).parent / "style.css", Path(lecture.__file__).parent / "chart.css")
"""The files that say what the theme cannot."""

_PAPER = themes.Color(
    name="paper",
    c50="#faf8f4", c100="#f3f0e9", c200="#e6e1d6", c300="#d3cdbf", c400="#aba395", c500="#857d70",
    c600="#655e53", c700="#47423a", c800="#2b2823", c900="#1d1b18", c950="#141311",
)  # fmt: skip
_MADDER = themes.Color(
    name="madder",
    c50="#fdf3f0", c100="#fae3dc", c200="#f3c3b5", c300="#e99c86", c400="#dc7356", c500="#c8512f",
    c600="#b03f20", c700="#8f3119", c800="#702817", c900="#562015", c950="#30100a",
)  # fmt: skip
_SANS = ["ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Noto Sans", "DejaVu Sans", "sans-serif"]
_MONO = ["ui-monospace", "SFMono-Regular", "Consolas", "DejaVu Sans Mono", "monospace"]


def theme() -> themes.Base:
    """The theme; what it cannot say is in the files :data:`CSS`."""
    return themes.Base(
        primary_hue=_MADDER,
        secondary_hue=_PAPER,
        neutral_hue=_PAPER,
        font=_SANS,
        font_mono=_MONO,
        radius_size=themes.sizes.radius_sm,
    ).set(
        body_background_fill="*neutral_100",
        body_background_fill_dark="*neutral_950",
        body_text_color="*neutral_800",
        body_text_color_dark="*neutral_200",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_border_width_dark="0px",
        block_shadow="none",
        block_padding="0px",
        block_label_background_fill="transparent",
        block_title_text_weight="500",
        input_background_fill="*neutral_50",
        input_background_fill_dark="*neutral_900",
        input_border_color="*neutral_300",
        input_border_color_dark="*neutral_700",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_700",
        button_primary_text_color="white",
        button_secondary_background_fill="*neutral_200",
        button_secondary_background_fill_hover="*neutral_300",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover_dark="*neutral_700",
    )
