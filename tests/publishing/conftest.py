"""Publishing happens in the same world of its own as presets do."""

from presets.conftest import file_server, hub, no_network, own_world

__all__ = ["file_server", "hub", "no_network", "own_world"]
