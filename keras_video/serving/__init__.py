"""Models behind HTTP: uploads are decoded in limited processes, views computed in batches.

`create_app` makes the application, `keras-video serve` runs it. Needs the extra `serve`.
"""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "Settings": "settings",
        "create_app": "create_app",
        "run_server": "run_server",
    },
)
