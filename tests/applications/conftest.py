"""Applications live in the same world of their own as presets do."""

from presets.conftest import file_server, hub, no_network, offline, own_world

__all__ = ["file_server", "hub", "no_network", "offline", "own_world"]
