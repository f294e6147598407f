"""The server: where it listens, whom it lets in, and that it speaks to nobody else."""

from __future__ import annotations

import ipaddress
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from impasto.errors import SettingsError
from impasto.studio.environment import environment, without_proxies
from impasto.studio.state import StudioState
from impasto.studio.uploads import MOST_BYTES

if TYPE_CHECKING:
    from gradio import Blocks

_SECONDS_TO_END = 60
_EVENTS = Path(__file__).with_name("events.js")
_POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'self'; object-src 'none'"
)


class OnlyHere:
    """Lets in only what this page sends, and lets the page speak only to this server.

    A page of another site could else make a visitor's browser send requests here (by its address, or by a name that is
    made to point here).
    """

    def __init__(self, app: ASGIApp, local: bool) -> None:
        self._app = app
        self._local = local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Request(scope).headers
        host, origin = headers.get("host", ""), headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc != host
        if foreign or (self._local and not is_local(urlsplit(f"//{host}").hostname or "")):
            await PlainTextResponse("this request comes from elsewhere", 403)(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    # without the name that the file has here, the browser takes the one that the page gives it
                    *(
                        (k, v.partition(b";")[0] if k == b"content-disposition" else v)
                        for k, v in message.get("headers", [])
                    ),
                    (b"content-security-policy", _POLICY.encode()),
                    (b"referrer-policy", b"no-referrer"),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        await self._app(scope, receive, guarded)


def is_local(host: str) -> bool:
    """Whether this name or address is this computer's own, which no other one reaches."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_auth(auth: str | None, host: str) -> tuple[str, str] | None:
    """User and password of "USER:PASSWORD".

    Raises:
        SettingsError: they are no such pair, or are missing where other computers can reach the studio.
    """
    if auth is None:
        if not is_local(host):
            raise SettingsError(f"with --host {host} others can reach the studio: --auth USER:PASSWORD is needed")
        return None
    user, _, password = auth.partition(":")
    if not user or not password:
        raise SettingsError("--auth is USER:PASSWORD, both of at least one letter")
    return user, password


@contextmanager
def serve(
    folder: Path,
    *,
    host: str,
    port: int | None,
    auth: tuple[str, str] | None,
    browser: bool,
    index: Path | None = None,
    watch: Sequence[Path] = (),
) -> Iterator[str]:
    """A studio that lives in ``folder``: its address, for as long as the context lasts.

    Raises:
        ImpastoError: the folder, the index or what is to be watched cannot be used; SettingsError: the port is taken.
    """
    state = StudioState.in_folder(folder, index, watch)
    closing = threading.Event()
    warm = threading.Thread(target=_wake, args=(state, closing), daemon=True)
    page: Blocks | None = None
    with environment({"GRADIO_TEMP_DIR": str(state.uploads)}):
        try:
            warm.start()
            with environment(without_proxies()):  # gradio asks its own page whether it answers
                page, address = _launched(state, host, port, auth)
            if browser:  # within the context, as it inherits the environment, and after the proxies are back
                webbrowser.open(address)
            yield address
        finally:  # also of a start that is interrupted
            closing.set()
            state.visited.set()
            state.queue.close(_SECONDS_TO_END)
            warm.join(_SECONDS_TO_END)  # a thread in the middle of torch cannot be left behind
            state.weights.drop()
            if page is not None:
                page.close(verbose=False)


def _launched(state: StudioState, host: str, port: int | None, auth: tuple[str, str] | None) -> tuple[Blocks, str]:
    """The page that answers now, and its address."""
    from impasto.studio.app import build
    from impasto.studio.theme import CSS, theme

    page = build(state)
    try:
        _, address, _ = page.launch(
            server_name=host,
            server_port=port,
            auth=auth,
            inbrowser=False,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
            show_error=False,
            footer_links=[],
            run_history=False,
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
            enable_monitoring=False,
            max_file_size=MOST_BYTES,
            allowed_paths=[str(state.history.folder)],
            theme=theme(),
            css_paths=list(CSS),
            head=f"<script>{_EVENTS.read_text(encoding='utf-8')}</script>",
            app_kwargs={
                "middleware": [Middleware(OnlyHere, local=is_local(host))],
                "docs_url": None,
                "redoc_url": None,
                "openapi_url": None,
            },
        )
    except OSError as error:
        raise SettingsError(f"the studio cannot listen at {host}:{port or 'any port'}: {error}") from None
    except ValueError:  # what gradio raises if its own page does not answer
        raise SettingsError("the studio does not answer itself: is the computer very busy?") from None
    return page, address


def _wake(state: StudioState, closing: threading.Event) -> None:
    """Measure how fast this computer is, when somebody has the page: until then it would only be open later."""
    state.visited.wait()
    with suppress(Exception):  # whatever fails here fails again at the first painting, and is told there
        if not closing.is_set():
            with state.weights.used():
                state.speed.measure(closing)
