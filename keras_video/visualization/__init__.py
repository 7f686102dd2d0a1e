"""Pictures of what a model saw and said."""

# Not lazy: `annotate` and `tile` are named like their modules, and the function must win.
from keras_video.visualization.annotate import annotate
from keras_video.visualization.tile import tile

__all__ = ["annotate", "tile"]
