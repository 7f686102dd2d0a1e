"""Presets: find, load, save, publish and convert models with everything they need."""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "Preset": "preset",
        "PresetError": "errors",
        "PresetMixin": "preset_mixin",
        "convert": "conversion",
        "create_plugin": "create_plugin",
        "get_preset": "registry",
        "list_presets": "registry",
        "load_labels": "label_files",
        "load_plugins": "plugins",
        "load_preset": "loading",
        "original_tensors": "conversion",
        "read_checkpoint": "checkpoint_reader",
        "register_model": "model_names",
        "register_preset": "registry",
        "save_preset": "saving",
        "upload_preset": "uploading",
        "write_checkpoint": "checkpoint_writing",
    },
)
