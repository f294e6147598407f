"""The server: whom it lets in, what it gives away, and what it bears."""

from __future__ import annotations

import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from impasto.errors import SettingsError
from impasto.studio.server import is_local, parse_auth
from tests.conftest import Run
from tests.studio.conftest import MOST_BYTES, Studio, opened

FILE = "/gradio_api/file="


def ask(studio: Studio, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(studio.address).netloc, timeout=60)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, data


def send(studio: Studio, data: bytes, name: str = "a.png") -> tuple[int, bytes]:
    body = (
        f'--b\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode() + data + b"\r\n--b--\r\n"
    )
    return ask(studio, "/gradio_api/upload", "POST", body, Content_Type="multipart/form-data; boundary=b")


def test_the_page_is_there_and_may_speak_to_this_server_alone(studio: Studio):
    connection = http.client.HTTPConnection(urlsplit(studio.address).netloc, timeout=60)
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert answer.status == 200
    policy = answer.getheader("content-security-policy") or ""
    assert "default-src 'self'" in policy and "connect-src 'self'" in policy
    page = answer.read().decode()
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
def test_no_file_outside_is_given_away(studio: Studio, path: str):
    assert (studio.folder / "studio.pid").exists()
    status, data = ask(studio, FILE + path.format(folder=studio.folder))
    assert status in (403, 404)
    assert b"root:" not in data and str(studio.process.pid).encode() not in data


@pytest.mark.parametrize(
    "path", ["/proxy=http://localhost:1/", "/gradio_api/proxy=http://example.org/", "/docs", "/openapi.json"]
)
def test_it_fetches_nothing_for_others_and_has_no_more_doors(studio: Studio, path: str):
    status, _ = ask(studio, path)
    assert status >= 400


def test_other_sites_cannot_use_a_visitors_browser(studio: Studio):
    place = urlsplit(studio.address).netloc
    assert ask(studio, "/config", Origin="https://evil.example")[0] == 403
    assert ask(studio, "/config", Origin="null")[0] == 403
    assert ask(studio, "/config", Host="evil.example")[0] == 403
    assert ask(studio, "/config", Origin=f"http://{place}")[0] == 200


def test_it_listens_on_this_computer_alone(studio: Studio):
    port = int(urlsplit(studio.address).port or 0)
    name = socket.gethostbyname(socket.gethostname())
    if is_local(name):
        pytest.skip("this computer has no other address")
    with pytest.raises(OSError):
        socket.create_connection((name, port), timeout=5).close()


def test_too_large_a_file_is_refused_and_20_at_once_are_taken(studio: Studio):
    assert send(studio, bytes(MOST_BYTES + 1000))[0] == 413
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda i: send(studio, bytes(10_000 + i), f"../../{i}.png"), range(20)))
    assert {status for status, _ in answers} == {200}
    paths = [Path(json.loads(data)[0]) for _, data in answers]
    assert len(set(paths)) == 20
    for path in paths:
        assert path.resolve().is_relative_to((studio.folder / "uploads").resolve())
    assert ask(studio, "/")[0] == 200


def test_what_was_uploaded_is_given_to_those_who_know_its_address(studio: Studio):
    _, data = send(studio, b"<script>alert(1)</script>", "a.html")
    connection = http.client.HTTPConnection(urlsplit(studio.address).netloc, timeout=60)
    connection.request("GET", FILE + quote(json.loads(data)[0]))
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.getheader("x-content-type-options") == "nosniff"
    assert "attachment" in (answer.getheader("content-disposition") or "")


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
    assert err == "impasto: with --host 0.0.0.0 others can reach the studio: --auth USER:PASSWORD is needed\n"
    assert not (tmp_path / "studio").exists()


def test_two_studios_do_not_share_a_folder(studio: Studio, run: Run):
    code, _, err = run("studio", "--no-browser", "--folder", str(studio.folder))
    assert code == 2
    assert f"already (process {studio.process.pid}); give this one another --folder" in err


def test_with_a_password_nothing_is_to_be_had_without_it(tmp_path: Path):
    with opened(tmp_path / "studio", "--auth", "anna:secret") as studio:
        for path in ("/config", FILE + str(studio.folder / "runs"), "/gradio_api/queue/data?session_hash=x"):
            assert ask(studio, path)[0] == 401
        assert send(studio, b"x")[0] == 401
        form = {"Content_Type": "application/x-www-form-urlencoded"}
        assert ask(studio, "/login", "POST", b"username=anna&password=wrong", **form)[0] == 400
        assert ask(studio, "/login", "POST", b"username=anna&password=secret", **form)[0] == 200
