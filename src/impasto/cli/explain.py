"""``impasto explain``: where a painting comes from, as a page."""

from __future__ import annotations

from pathlib import Path

import click

from impasto.cli.output import check_page
from impasto.cli.paint import FILE
from impasto.cli.styles import parse_style
from impasto.validation import whole


@click.command()
@click.argument("painting", type=FILE, metavar="PAINTING")
@click.argument("other", type=FILE, metavar="[OTHER]", required=False)
@click.option("-o", "--output", type=FILE, metavar="OUT", help="Page to write.  [default: PAINTING with the ending .html]")
@click.option("--content", type=FILE, metavar="FILE", help="What it was painted from, if that is not beside it.")
@click.option(
    "--style",
    "styles",
    multiple=True,
    metavar="FILE",
    help="The style, if it is not beside it; again for each of several.",
)
@click.option("--size", metavar="N", default=512, show_default=True, help="Longest side in pixels at which it is looked at.")
def explain(
    painting: Path,
    other: Path | None,
    output: Path | None,
    content: Path | None,
    styles: tuple[str, ...],
    size: int,
) -> int:
    """Explain where each place of a painting comes from, and what it costs.

    PAINTING is a picture that impasto has written: its settings are inside, and content and style are found beside it by
    their names. With OTHER, what differs in that one.

    \b
    impasto explain out.png
    impasto explain out.png other.png -o both.html
    impasto explain out.png --content harbour.jpg --style monet.jpg

    The page is one file, which opens in any browser without a network.
    """
    whole(64)("size", size)
    page = output or painting.with_suffix(".html")
    check_page(page)

    from impasto.explanation.explain import explain as explained
    from impasto.explanation.page import write_page

    files = [parse_style(text)[0] for text in styles] or None
    runs = [explained(path, content=content, style=files, size=size) for path in (painting, other) if path]
    write_page(runs[0], page, runs[1] if other else None)
    for run in runs:
        totals = ", ".join(f"{name} {value:.4g}" for name, value in run.totals().items())
        click.echo(f"{run.name}: J {sum(run.totals().values()):.4g} = {totals}")
    click.echo(f"{click.format_filename(page)}: {page.stat().st_size / 2**20:.1f} MiB")
    return 0
