"""Publishing presets on the Hub: convert, compare, describe, upload; stopped, it goes on."""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "Publication": "publication",
        "PublishedFile": "published_file",
        "compare_copies": "compare_copies",
        "publish_preset": "publish_preset",
    },
)
