"""A model whose features are what was seen: the brightness of frames, or the mean over a clip's."""

import keras
from keras import ops

from keras_video.data import VideoPreprocessor
from keras_video.models import VideoClassifier

SIDE = 16


@keras.saving.register_keras_serializable(package="gray_model")
class GrayModel(VideoClassifier):
    """Features `(batch, num_frames or 1, 2)`: brightness, and the sum over the clip's frames."""

    def __init__(
        self, num_frames=4, per_frame=True, independent=False, side=SIDE, dtype=None, name=None
    ):
        clips = keras.Input((num_frames, side, side, 3), name="clips")
        gray = ops.mean(ops.cast(clips, "float32"), axis=(2, 3))[..., :1]
        total = ops.sum(gray, axis=1, keepdims=True)
        if per_frame:
            features = ops.concatenate([gray, 0 * gray if independent else total + 0 * gray], -1)
        else:
            features = ops.concatenate([ops.mean(gray, axis=1, keepdims=True), total], -1)
        super().__init__(clips, ops.mean(features, axis=1), dtype=dtype, name=name)
        self.seen = features
        self.arguments = {
            "num_frames": num_frames,
            "per_frame": per_frame,
            "independent": independent,
            "side": side,
        }
        self.frames_are_independent = independent
        self.preprocessor = VideoPreprocessor(
            num_frames, short_side=side, crop_size=side, sampling="slowfast:2"
        )

    def feature_model(self):
        return keras.Model(self.input, self.seen)

    def get_config(self):
        return {**super().get_config(), **self.arguments}
