"""The server: whom it lets in, what it gives away, and what it bears."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import psutil
import pytest

from impasto.errors import SettingsError
from impasto.studio.environment import environment, without_proxies
from impasto.studio.server import is_local, parse_auth, serve
from tests.conftest import Run
from tests.studio.conftest import MOST_BYTES, PATIENCE, Studio, opened

pytestmark = pytest.mark.slow

FILE = "/gradio_api/file="


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    data: bytes


def ask(studio: Studio, path: str, method: str = "GET", body: bytes | None = None, /, **headers: str) -> Answer:
    with closing(http.client.HTTPConnection(urlsplit(studio.address).netloc, timeout=PATIENCE)) as connection:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        with connection.getresponse() as answer:
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())


def login(studio: Studio, password: str) -> Answer:
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    return ask(studio, "/login", "POST", f"username=anna&password={password}".encode(), **form)


class Forbids(BaseHTTPRequestHandler):
    """A proxy that lets nothing through, and writes down who asked."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # pyright: ignore[reportAttributeAccessIssue]
        self.send_error(403)

    do_HEAD = do_CONNECT = do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def proxy() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Forbids) as server:
        server.asked = []  # pyright: ignore[reportAttributeAccessIssue]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, proxy: ThreadingHTTPServer) -> Iterator[Studio]:
    """A studio with a password, where proxies are set of which each alone would end one that asks itself through it.

    One forbids all, one needs a package that is not here, one is no address.
    """
    port = proxy.server_port
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (
            ("http", f"http://127.0.0.1:{port}"),
            ("all", f"socks5://127.0.0.1:{port}"),
            ("https", "http://[a:b"),
        ):
            patch.setenv(f"{name}_proxy", value)
            patch.setenv(f"{name.upper()}_PROXY", value)
        patch.delenv("no_proxy", raising=False)
        patch.setenv("NO_PROXY", "example.org")
        with opened(tmp_path_factory.mktemp("studio") / "folder", "--auth", "anna:secret") as studio:
            for name in ("http_proxy", "all_proxy", "https_proxy"):
                patch.delenv(name)
                patch.delenv(name.upper())
            yield studio


@pytest.fixture(scope="module")
def cookie(guarded: Studio) -> dict[str, str]:
    """What a browser sends that has logged in."""
    found = login(guarded, "secret")
    assert found.status == 200
    return {"Cookie": found.headers["set-cookie"].partition(";")[0]}


def send(studio: Studio, data: bytes, name: str = "a.png", **headers: str) -> Answer:
    body = (
        f'--b\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode() + data + b"\r\n--b--\r\n"
    )
    return ask(studio, "/gradio_api/upload", "POST", body, Content_Type="multipart/form-data; boundary=b", **headers)


def test_without_the_password_nothing_is_to_be_had(guarded: Studio, cookie: dict[str, str]):
    for path in ("/config", FILE + str(guarded.folder / "runs"), "/gradio_api/queue/data?session_hash=x"):
        assert ask(guarded, path).status == 401
    assert send(guarded, b"x").status == 401
    assert login(guarded, "wrong").status == 400
    assert ask(guarded, "/config", **cookie).status == 200


def test_the_page_is_there_and_may_speak_to_this_server_alone(guarded: Studio, cookie: dict[str, str]):
    answer = ask(guarded, "/", **cookie)
    assert answer.status == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy and "connect-src 'self'" in policy
    page = answer.data.decode()
    for sign in ("fonts.googleapis", "fonts.gstatic", "cdnjs", "jsdelivr", "unpkg", "preconnect", "dns-prefetch"):
        assert sign not in page


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "//etc/passwd",
        "../../../../../../etc/passwd",
        "..%2f..%2f..%2f..%2fetc%2fpasswd",
        "{folder}/studio.pid",
        "{folder}/runs/../studio.pid",
        "{folder}/runs/%2e%2e/studio.pid",
        "{folder}/uploads/../studio.pid",
        str(Path(__file__).resolve()),
        "http://localhost:1/x",
    ],
)
def test_no_file_outside_is_given_away(guarded: Studio, cookie: dict[str, str], path: str):
    assert (guarded.folder / "studio.pid").exists()
    answer = ask(guarded, FILE + path.format(folder=guarded.folder), **cookie)
    assert answer.status in (403, 404)
    assert b"root:" not in answer.data and str(guarded.process.pid).encode() not in answer.data


@pytest.mark.parametrize(
    "path", ["/proxy=http://localhost:1/", "/gradio_api/proxy=http://example.org/", "/docs", "/openapi.json"]
)
def test_it_fetches_nothing_for_others_and_has_no_more_doors(guarded: Studio, cookie: dict[str, str], path: str):
    assert ask(guarded, path, **cookie).status >= 400


def test_other_sites_cannot_use_a_visitors_browser(guarded: Studio, cookie: dict[str, str]):
    place = urlsplit(guarded.address).netloc
    for elsewhere in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}):
        assert ask(guarded, "/config", **elsewhere, **cookie).status == 403
    assert ask(guarded, "/config", Origin=f"http://{place}", **cookie).status == 200


def test_it_listens_on_this_computer_alone(guarded: Studio):
    sockets = psutil.Process(guarded.process.pid).net_connections(kind="inet")
    listening = [tuple(socket.laddr) for socket in sockets if socket.status == psutil.CONN_LISTEN]
    assert listening == [("127.0.0.1", urlsplit(guarded.address).port)]


def test_too_large_a_file_is_refused_and_20_at_once_are_taken(guarded: Studio, cookie: dict[str, str]):
    assert send(guarded, bytes(MOST_BYTES + 1000), **cookie).status == 413
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda i: send(guarded, bytes(10_000 + i), f"../../{i}.png", **cookie), range(20)))
    assert {answer.status for answer in answers} == {200}
    paths = [Path(json.loads(answer.data)[0]) for answer in answers]
    assert len(set(paths)) == 20
    for path in paths:
        assert path.resolve().is_relative_to((guarded.folder / "uploads").resolve())
    assert ask(guarded, "/", **cookie).status == 200


def test_what_was_uploaded_is_never_a_page(guarded: Studio, cookie: dict[str, str]):
    path = json.loads(send(guarded, b"<script>alert(1)</script>", "a.html", **cookie).data)[0]
    answer = ask(guarded, FILE + quote(path), **cookie)
    assert answer.status == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("::", False),
     ("192.168.1.7", False), ("localhost.evil.example", False), ("", False)],
)  # fmt: skip
def test_which_addresses_are_this_computers_own(host: str, local: bool):
    assert is_local(host) is local


def test_who_may_come_in():
    assert parse_auth(None, "127.0.0.1") is None
    assert parse_auth("anna:se:cret", "0.0.0.0") == ("anna", "se:cret")
    with pytest.raises(SettingsError, match=r"with --host 0\.0\.0\.0 others can reach the studio: --auth USER:PASSWORD"):
        parse_auth(None, "0.0.0.0")
    for half in ("anna", "anna:", ":secret", ""):
        with pytest.raises(SettingsError, match="USER:PASSWORD"):
            parse_auth(half, "127.0.0.1")


def test_the_command_refuses_to_be_open_to_all(run: Run, tmp_path: Path):
    code, _, err = run("studio", "--host", "0.0.0.0", "--folder", str(tmp_path / "studio"))
    assert code == 2
    told = "impasto: with --host 0.0.0.0 others can reach the studio: --auth USER:PASSWORD is needed\n"
    assert err.splitlines(keepends=True)[1:] == [told]
    assert not (tmp_path / "studio").exists()


def test_what_is_no_index_is_told_before_the_studio_opens(run: Run, tmp_path: Path):
    (tmp_path / "photos.json").write_text("{}")
    for given, told in (("photos.json", "is not an index of patches"), ("gone.json", "No such file"), (".", "No such file")):
        code, _, err = run("studio", "--index", str(tmp_path / given), "--folder", str(tmp_path / "studio"))
        assert code == 1
        assert told.lower() in err.lower() and err.count("\n") == 2
        assert not (tmp_path / "studio").exists()


def test_two_studios_do_not_share_a_folder(guarded: Studio, run: Run):
    code, _, err = run("studio", "--no-browser", "--folder", str(guarded.folder))
    assert code == 2
    assert f"already (process {guarded.process.pid}); give this one another --folder" in err


def test_proxies_do_not_come_between_the_studio_and_itself(
    guarded: Studio, cookie: dict[str, str], proxy: ThreadingHTTPServer
):
    assert ask(guarded, "/config", **cookie).status == 200
    assert str(proxy.server_port) not in guarded.record.read_text()
    assert proxy.asked == []  # pyright: ignore[reportAttributeAccessIssue]


def test_the_environment_of_a_caller_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "example.org")
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    before = dict(os.environ)
    seen: dict[str, dict[str, str]] = {}

    def launched(*_: object) -> tuple[SimpleNamespace, str]:
        seen["gradio"] = dict(os.environ)
        return SimpleNamespace(close=lambda verbose: None), "http://127.0.0.1:7860/"

    monkeypatch.setattr("impasto.studio.server._launched", launched)
    monkeypatch.setattr("impasto.studio.server._wake", lambda *_: None)
    monkeypatch.setattr("webbrowser.open", lambda address: seen.update(browser=dict(os.environ)))
    with serve(tmp_path, host="127.0.0.1", port=None, auth=None, browser=True):
        within = dict(os.environ)
    assert dict(os.environ) == before
    assert within == before | {"GRADIO_TEMP_DIR": str(tmp_path / "uploads")}
    assert {name for name in seen["gradio"] if name.endswith("_proxy")} == {"no_proxy"}
    assert seen["browser"]["http_proxy"] == "http://127.0.0.1:9"  # a browser keeps the proxy that the user wants


def test_proxies_are_out_of_the_way_only_for_a_while(monkeypatch: pytest.MonkeyPatch):
    from urllib.request import getproxies

    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    before = dict(os.environ)
    with pytest.raises(ZeroDivisionError), environment(without_proxies()):
        assert getproxies() == {"no": "*"}
        raise ZeroDivisionError
    assert dict(os.environ) == before


@pytest.mark.parametrize("seconds", [0.3, 3.0, 8.0, 14.0])
def test_a_start_says_so_at_once_and_ends_in_peace_when_it_is_terminated(tmp_path: Path, seconds: float):
    command = [sys.executable, "-m", "impasto", "studio", "--no-browser", "--folder", str(tmp_path / "studio")]
    began = time.monotonic()
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "opening the studio, which takes some seconds\n"
        first = time.monotonic() - began
        time.sleep(seconds)
        process.terminate()
        told = process.stderr.read()
        # Python itself ends so if the exception has passed through a library's own call of Python
        assert process.wait(PATIENCE) in (0, 130, -signal.SIGINT), told
    assert first < 5, "a second where nobody else computes"
    assert "Traceback" not in told and told.strip().count("\n") == 0
