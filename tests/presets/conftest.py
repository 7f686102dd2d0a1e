"""A world of its own for every preset test: an empty registry, local servers, new caches."""

import huggingface_hub.constants
import pytest
from fake_hub import FakeHub
from file_server import FileServer

from keras_video.presets import model_names, plugins, registry

# Nothing listens on port 9 of this machine: who talks to it finds the network down.
NO_NETWORK = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def own_world(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_presets", {})
    monkeypatch.setattr(registry, "_builtins_loaded", True)
    monkeypatch.setattr(plugins, "_loaded", True)
    monkeypatch.setattr(model_names, "_models", dict(model_names._models))
    point_hub_client_to(monkeypatch, NO_NETWORK)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub_cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("KERAS_VIDEO_CACHE", str(tmp_path / "own_cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    for name in ("HF_TOKEN", "KERAS_VIDEO_HUB_ORG", "KERAS_VIDEO_CHECKPOINT_MIRROR"):
        monkeypatch.delenv(name, raising=False)


def point_hub_client_to(monkeypatch, address):
    """Makes an address the Hub client's own endpoint, as HF_ENDPOINT does at import."""
    constants = huggingface_hub.constants
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def hub():
    """A Hub on this machine; `hub.address` is its endpoint."""
    hub = FakeHub()
    with hub.serve() as address:
        hub.address = address
        yield hub


@pytest.fixture
def default_hub(hub, monkeypatch):
    """The same Hub, as the client's default endpoint."""
    point_hub_client_to(monkeypatch, hub.address)
    return hub


@pytest.fixture
def file_server():
    with FileServer().serve() as server:
        yield server


@pytest.fixture
def offline(monkeypatch):
    """Call it to switch the network off, as HF_HUB_OFFLINE=1 does at import."""
    return lambda: monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


@pytest.fixture
def no_network():
    return NO_NETWORK
