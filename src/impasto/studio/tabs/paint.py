"""The Paint tab: a content, a style, a few words on how, and the painting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import gradio as gr

from impasto.errors import ImpastoError
from impasto.studio.colour_previews import colour_previews
from impasto.studio.components import controls, preset_choice, result_view, signal_input
from impasto.studio.components.component import component
from impasto.studio.components.notice import NOTHING, notice, notice_place
from impasto.studio.state import StudioState
from impasto.studio.tabs import paint_inputs
from impasto.studio.tabs.explanation import explaining
from impasto.studio.tabs.own_queue import Handler, OwnQueue
from impasto.studio.tabs.paint_masks import PaintMasks, masks_in, with_masks
from impasto.studio.tabs.paint_parts import (
    EACH,
    ENDLESS,
    IN_ORDER,
    LATEST,
    NEEDED,
    QUIET,
    ROLES,
    PaintTab,
    Values,
    identity_of,
)
from impasto.studio.tabs.remembered import recall, remember
from impasto.studio.tabs.run_display import Watched, sentence
from impasto.studio.tabs.stage import Stage
from impasto.studio.variations import VARIATIONS, Variation

__all__ = ["ENDLESS", "NEEDED", "QUIET", "ROLES", "PaintTab", "Values", "paint_tab"]


def paint_tab(state: StudioState, page: gr.Blocks) -> PaintTab:
    """Put the tab onto the page."""
    stage = Stage(state)
    files = {role: gr.State(None) for role in ROLES}
    current = gr.BrowserState("", storage_key="impasto-run", secret="run")
    visitor = gr.BrowserState("", storage_key="impasto-visitor", secret="visitor")
    opened, masks = gr.State(False), gr.State({})
    with gr.Row(equal_height=False):
        with gr.Column(elem_id="side"):
            with gr.Row(elem_id="inputs"):
                inputs = {
                    role: signal_input.signal_input(role, state.gallery.thumbnails(role.split()[0]), visible=role in NEEDED)
                    for role in ROLES
                }
            another = gr.Button("another style", elem_id="add-style", size="sm")
            take_up = gr.Button("Take up the settings of this painting", visible=False, size="sm")
            rows, painter = controls.plain_rows()
            with gr.Column(elem_id="actions"):
                estimate = gr.Markdown("", elem_id="estimate")
                paint = gr.Button("Paint", variant="primary", elem_id="paint")
                buttons = {
                    "stop": gr.Button("Stop", visible=False, elem_id="stop"),
                    "go_on": gr.Button("Continue", visible=False, elem_id="continue"),
                    "download": component("download", None, visible=False),
                }
                explanation = component("explain", None)
                buttons["notice"] = notice_place()
            with gr.Row(elem_id="variations"):
                gr.HTML("or four at once, of different", apply_default_css=False)
                several = {
                    name: gr.Button(name, size="sm", elem_id=f"vary-{name}", elem_classes="vary") for name in VARIATIONS
                }
            with gr.Accordion("More", open=False, elem_id="more"):
                preset = preset_choice.preset_choice()
                settings = controls.setting_fields()
        with gr.Column(elem_id="main"):
            view = result_view.result_view(state.gallery.example())
            queue = OwnQueue(state)
    controls.connect(rows, settings)
    preset_choice.connect(preset, settings)
    watched = Watched(view, current, **buttons)
    tab = PaintTab(files, inputs, rows, settings, watched, stage.follow, visitor, opened, masks, painter, several)
    queue.connect(tab)
    all_files: set[Any] = set(files.values())
    keep = (remember(state, tab), tab.chosen, None)
    PaintMasks(state, tab).connect()

    for role, place in inputs.items():
        change = paint_inputs.changes(state, tab, role)
        changed: list[Any] = [files[role], place]
        if role == "content":
            changed += [view, *rows.values(), *several.values(), *(settings[name] for name in rows)]
        place.input(paint_inputs.weigh, files[role], files[role], **IN_ORDER).then(*keep, **IN_ORDER)
        # at once, and not with the estimate, which may come after the next notice
        gr.on([place.upload, place.select, place.clear], lambda: NOTHING, None, watched.notice, **QUIET)
        for event, handle in (("upload", change.uploaded), ("select", change.chosen), ("clear", change.cleared)):
            stored = getattr(place, event)(handle, [files[role], current, visitor], changed, **EACH)
            stored.then(_foresee(state, tab, gr.skip()), tab.chosen, [estimate, watched.notice], **IN_ORDER)
            stored.then(paint_inputs.offer(tab, take_up), all_files, [take_up], **IN_ORDER)
            stored.then(*keep, **IN_ORDER)
    sketched = {*all_files, rows["colour"]}
    changed_files = [file.change for file in files.values()]
    looks = gr.on(changed_files, _preview_colours(tab), sketched, rows["colour"], **LATEST)
    looks.then(**controls.show_colour(rows, settings))
    plain = [row for name, row in rows.items() if name != "colour"]
    changes = [one.change for one in (*plain, *settings.values(), masks)]
    gr.on(changes, _foresee(state, tab), tab.chosen, [estimate, watched.notice], **LATEST)
    gr.on(changes, *keep, **IN_ORDER)  # not after what it takes is known, which takes seconds
    another.click(paint_inputs.add_style(tab, another), all_files, [*inputs.values(), another], **QUIET)
    take_up.click(paint_inputs.take_up(tab, take_up), all_files, [*settings.values(), take_up], **QUIET)

    shown = [*watched, queue.clock]
    paint.click(queue.waking(_begin(stage, tab, lambda settings: [settings])), tab.chosen, shown, **EACH)
    for name, variation in VARIATIONS.items():
        several[name].click(queue.waking(_begin(stage, tab, variation)), tab.chosen, shown, **EACH)
    watched.go_on.click(queue.waking(_go_on(stage, tab)), tab.chosen, shown, **EACH)
    watched.stop.click(stage.stop, current, None, **ENDLESS)
    explanation.select(explaining(state), current, [explanation, watched.notice], **ENDLESS)
    view.select(identity_of, None, current, **QUIET).then(tab.follow, current, list(watched), **EACH)
    opening = page.load(recall(state, tab), visitor, [opened, visitor, *tab.parts], **ENDLESS)
    opening.then(queue.waking(_open(stage, tab)), tab.chosen, shown, **ENDLESS)
    return tab


def _begin(stage: Stage, tab: PaintTab, vary: Variation) -> Handler:
    """Paint what is chosen, in each of the ways that ``vary`` makes of the settings."""

    async def begin(values: Values, request: gr.Request) -> AsyncIterator[Watched]:
        files = tab.chosen_in(values)
        missing = {role: f"Choose a {role} first." for role in NEEDED if role not in files}
        if missing:
            which = " and a ".join(missing)
            told = notice(f"Choose a {which} first: drop a file, or click one of the pictures.", roles=missing)
            yield Watched.only(notice=told)
            return
        try:
            ways = vary(tab.settings_in(values))
            masks = await asyncio.to_thread(masks_in, stage.state, tab, values)
        except ImpastoError as error:
            yield Watched.only(notice=notice(sentence(error), controls.mistakes(tab.texts_in(values))))
            return
        styles = [files[role] for role in ROLES[1:] if role in files]
        shown = values[tab.watched.run]
        begun = stage.begin(files["content"], styles, ways, values[tab.visitor], request, shown, masks)
        async for update in begun:
            yield update

    return begin


def _go_on(stage: Stage, tab: PaintTab) -> Handler:
    def go_on(values: Values, request: gr.Request) -> AsyncIterator[Watched]:
        return stage.go_on(values[tab.watched.run], values[tab.visitor], request)

    return go_on


def _open(stage: Stage, tab: PaintTab) -> Handler:
    async def open_stage(values: Values, request: gr.Request) -> AsyncIterator[Watched]:
        stage.state.visited.set()
        if not values[tab.watched.run]:
            yield await asyncio.to_thread(stage.idle, tab.chosen_in(values).get("content"))
            return
        async for update in stage.follow(values[tab.watched.run], request):
            yield update

    return open_stage


def _preview_colours(tab: PaintTab) -> Callable[[Values], dict[str, Any]]:
    """What each way to treat colours does to the pictures that there are."""

    def preview(values: Values) -> dict[str, Any]:
        files, row = tab.chosen_in(values), values[tab.rows["colour"]]
        pictures: dict[str, str] = {}
        if all(role in files and files[role].kind == "image" for role in NEEDED):
            with suppress(ImpastoError):  # told where the file came in
                styles = [files[role] for role in ROLES[1:] if role in files and files[role].kind == "image"]
                pictures = colour_previews(files["content"], styles)
        coloured = "content" not in files or files["content"].kind == "image"
        return {**row, "pictures": pictures, "coloured": coloured}

    return preview


def _foresee(state: StudioState, tab: PaintTab, otherwise: Any = NOTHING) -> Callable[[Values], tuple[str, Any]]:
    """What painting it will take, or why it cannot be painted like this; where it can, ``otherwise`` is the notice."""

    def foresee(values: Values) -> tuple[str, Any]:
        texts, files = tab.texts_in(values), tab.chosen_in(values)
        wrong = controls.mistakes(texts)
        if wrong:
            return "", notice(sentence(next(iter(wrong.values()))), wrong)
        try:
            settings = tab.settings_in(values)
            if "content" not in files:
                return "", otherwise
            styles = [files[role] for role in ROLES[1:] if role in files]
            settings = with_masks(state, settings, masks_in(state, tab, values), len(styles))
            return state.speed.tell(files["content"], settings, styles), otherwise
        except ImpastoError as error:
            return "", notice(sentence(error))

    return foresee
