"""Other packages add models and presets by an entry point, without keras_video knowing them.

A package that pip installs is in tests/test_contributing.py.
"""

import sys
import threading
import time

import pytest
from tiny_classifier import TinyClassifier, tiny_preset

import keras_video
from keras_video.presets import PresetError, list_presets, plugins, register_preset

MODEL = '''
"""A model of another package."""

import keras

from keras_video.presets import PresetMixin


@keras.saving.register_keras_serializable(package="tiny_plugin")
class PluginClassifier(PresetMixin, keras.Model):
    def __init__(self, num_classes=3, name=None):
        inputs = keras.Input((2,))
        super().__init__(inputs, keras.layers.Dense(num_classes, name="head")(inputs), name=name)
        self.num_classes, self.labels, self.preprocessor = num_classes, None, None

    def get_config(self):
        return {"num_classes": self.num_classes, "name": self.name}
'''

REGISTER = '''
"""What the package adds."""

from pathlib import Path

from keras_video.presets import Preset, register_model, register_preset


def register():
    register_model("plugin_classifier", "tiny_plugin.model:PluginClassifier")
    register_preset(Preset(name="plugin_preset", model="tiny_plugin.model:PluginClassifier"))
'''


def install(folder, package, files, entry_point):
    """Lays a package and its metadata into a folder, as pip does."""
    info = f"{package}-1.0.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n",
        f"{info}/entry_points.txt": f"[keras_video.plugins]\n{package} = {entry_point}\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def installed(tmp_path):
    """A folder with two plug-in packages: one that works, one that fails."""
    good = {
        "tiny_plugin/__init__.py": "",
        "tiny_plugin/model.py": MODEL,
        "tiny_plugin/register.py": REGISTER,
    }
    bad = {"broken_plugin/__init__.py": "def register():\n    raise RuntimeError('out of order')\n"}
    install(tmp_path, "tiny_plugin", good, "tiny_plugin.register:register")
    install(tmp_path, "broken_plugin", bad, "broken_plugin:register")
    return tmp_path


@pytest.fixture
def with_plugins(installed, monkeypatch):
    """This process finds the installed plug-ins; they haven't been loaded yet."""
    monkeypatch.syspath_prepend(installed)
    monkeypatch.setattr(plugins, "_loaded", False)
    monkeypatch.setattr(plugins, "_packages", set())
    yield
    for name in [name for name in sys.modules if name.startswith("tiny_plugin")]:
        del sys.modules[name]


def test_an_installed_plugin_s_preset_loads_by_name(with_plugins, tmp_path):
    with pytest.warns(UserWarning, match="plug-in 'broken_plugin' of broken_plugin failed.*out of"):
        names = keras_video.list_presets()
    assert names == ["plugin_preset"]

    model = keras_video.presets.load_preset("plugin_preset", load_weights=False)
    assert type(model).__name__ == "PluginClassifier"
    model.save_to_preset(tmp_path / "saved")
    again = keras_video.presets.load_preset(tmp_path / "saved")
    assert type(again) is type(model)

    assert list_presets(model="plugin_classifier") == ["plugin_preset"]
    with pytest.raises(PresetError, match="is a PluginClassifier, not a TinyClassifier"):
        TinyClassifier.from_preset("plugin_preset")


def test_plugins_are_called_once(with_plugins):
    with pytest.warns(UserWarning, match="broken_plugin"):
        list_presets()
    # Warnings are errors here: a second call would fail.
    assert list_presets() == ["plugin_preset"]


def test_two_threads_that_need_a_plugin_at_once_do_not_wait_for_each_other(monkeypatch):
    registering = threading.Event()

    class SlowPlugin:
        module = "slow_plugin"

        def load(self):
            return self.register

        def register(self):
            registering.set()
            time.sleep(0.3)
            register_preset(tiny_preset("slow"))

    monkeypatch.setattr(plugins, "_loaded", False)
    monkeypatch.setattr(plugins.metadata, "entry_points", lambda group: [SlowPlugin()])
    threads = [threading.Thread(target=plugins.load_plugins, daemon=True)]
    threads[0].start()
    registering.wait(5)
    found = []
    threads.append(threading.Thread(target=lambda: found.extend(list_presets()), daemon=True))
    threads[1].start()
    for thread in threads:
        thread.join(5)
    assert found == ["slow"]
