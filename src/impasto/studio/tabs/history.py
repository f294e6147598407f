"""The History tab: every run of this computer as a picture, to be opened, gone on with, or forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gradio as gr

from impasto.errors import ImpastoError
from impasto.studio.components import controls
from impasto.studio.components.component import component
from impasto.studio.history import Run
from impasto.studio.masks import STYLES, Mask, masks_in_words
from impasto.studio.state import StudioState
from impasto.studio.tabs.paint import QUIET, ROLES, PaintTab, Values
from impasto.studio.tabs.run_display import DEFAULT, address_of, download_of
from impasto.studio.uploads import inspect

_SECONDS_BETWEEN = 2.0  # two looks at the folders of others


def history_tab(state: StudioState, tabs: gr.Tabs, tab: gr.Tab, paint: PaintTab) -> None:
    """Put the list of all runs onto its tab; a run that is opened is set up on the Paint tab."""
    if state.folders:
        _watch(state, tab)
    runs = component("history_list", list[dict[str, Any]]())

    def everything() -> list[dict[str, Any]]:
        return [_card(state, run) for run in state.history.all()]

    def forget(event: gr.EventData) -> list[dict[str, Any]]:
        state.forget(event.id)
        return everything()

    tab.select(everything, None, runs, **QUIET)
    runs.delete(forget, None, runs, **QUIET)
    runs.submit(_side_by_side(tabs, paint), None, [tabs, paint.watched.run], **QUIET).then(
        paint.follow, paint.watched.run, list(paint.watched), concurrency_limit=None, **QUIET
    )
    runs.select(_opener(state, tabs, paint), None, [tabs, paint.watched.run, *paint.parts], **QUIET).then(
        paint.follow, paint.watched.run, list(paint.watched), concurrency_limit=None, **QUIET
    )


def _watch(state: StudioState, tab: gr.Tab) -> None:
    """Put the folders that others paint above the runs."""
    folders, clock = component("folder_list", list[dict[str, Any]]()), gr.Timer(_SECONDS_BETWEEN)

    def look() -> list[dict[str, Any]]:
        return [folder.look() for folder in state.folders]

    for event in (tab.select, clock.tick):
        event(look, None, folders, **QUIET)


def _card(state: StudioState, run: Run) -> dict[str, Any]:
    started = time.strptime(run.id[:15], "%Y%m%d-%H%M%S")
    job = state.jobs.get(run.id)
    under_way = job is not None and not job.ended
    status = "painting" if under_way else run.state
    chosen = run.told(name for name, value in run.settings.items() if value != DEFAULT.get(name))
    chosen += masks_in_words(run.masks)
    return {
        "id": run.id,
        "title": run.title,
        "note": time.strftime("%d %b %H:%M", started) + ("" if status == "done" else f" · {status}"),
        "settings": ", ".join(chosen) or "as usual",
        "state": status,
        "picture": address_of(state.history.picture(run)),
        "download": download_of(state, run),
    }


def _side_by_side(tabs: gr.Tabs, paint: PaintTab) -> Callable[[gr.EventData], Values]:
    def show(event: gr.EventData) -> Values:
        return {tabs: gr.Tabs(selected="paint"), paint.watched.run: ",".join(map(str, event.ids))}

    return show


def _opener(state: StudioState, tabs: gr.Tabs, paint: PaintTab) -> Callable[[gr.EventData], Values]:
    def open_run(event: gr.EventData) -> Values:
        try:
            run = state.history.load(event.id)
            files = {
                role: replace(inspect(state.history.path(run, file), name, state.history.folder), weight=weight)
                for role, file, name, weight in zip(
                    ROLES, (run.content, *run.styles), run.names, (1.0, *run.weights), strict=False
                )
            }
            kind = files["content"].kind
            masks = {
                name: Mask(inspect(state.history.path(run, file), file, state.history.folder), files[role].shape)
                for name, file in run.masks.items()
                if (role := name if name in STYLES else "content") in files
            }
            texts = controls.texts_of(run.settings, kind)
        except ImpastoError as error:
            raise gr.Error(str(error)) from None
        return {tabs: gr.Tabs(selected="paint"), paint.watched.run: run.id, **paint.set_up(files, texts, masks)}

    return open_run
