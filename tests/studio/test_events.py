"""What a page asks of the server: each thing once, and what comes of it is heard."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from impasto.studio.app import build
from impasto.studio.state import StudioState
from tests.studio.conftest import Studio, open_page
from tests.studio.test_page import both, field, open_more

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

# a slow network: the word that the stream ends arrives two seconds late
SLOW = """
(() => {
  const ask = window.fetch.bind(window);
  window.ends = 0;
  window.fetch = async (what, how) => {
    const answer = await ask(what, how);
    if (!(what.url || String(what)).includes("/queue/data")) return answer;
    const late = new TransformStream({
      async transform(chunk, into) {
        if (new TextDecoder().decode(chunk).includes("close_stream")) {
          window.ends++;
          await new Promise(settled => setTimeout(settled, 2000));
        }
        into.enqueue(chunk);
      },
    });
    return new Response(answer.body.pipeThrough(late), { headers: answer.headers });
  };
})();
"""


def test_a_click_while_the_stream_ends(browser: Any, studio: Studio, pictures: dict[str, Path]):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(SLOW)
    page = open_page(context, studio)
    both(page, pictures, iterations="2")
    page.wait_for_timeout(5000)
    ends = page.evaluate("ends")
    field(page, "beta").fill("12")
    page.wait_for_function("before => ends > before", arg=ends)
    page.locator("#paint").click()
    page.locator("#download").wait_for(timeout=60_000)
    assert not page.trouble
    context.close()


def test_no_two_handlers_let_each_other_happen(tmp_path: Path):
    page = build(StudioState.in_folder(tmp_path))
    states = {number for number, block in page.blocks.items() if block.get_block_name() == "state"}
    handlers: list[dict[str, Any]] = page.get_config_file()["dependencies"]  # pyright: ignore[reportTypedDictNotRequiredAccess]
    last = [d for d in handlers if d["trigger_mode"] == "always_last" and d["backend_fn"]]
    events = Counter(target for d in last for target in d["targets"] if target[0] not in {*states, None})
    assert events and set(events.values()) == {1}


def test_a_page_falls_silent(page: Any, pictures: dict[str, Path]):
    asked: list[str] = []
    both(page, pictures)
    for beta in range(10, 20):
        field(page, "beta").fill(str(beta))
    page.wait_for_function("document.querySelector('#estimate').innerText.includes('about')")
    page.wait_for_timeout(3000)
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(3000)
    assert asked == []
    page.reload()
    page.locator("#content .signal-input[data-filled]").wait_for()
    open_more(page)
    assert field(page, "beta").input_value() == "19"
