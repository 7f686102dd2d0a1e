"""`SlowFastClassifier`: what SlowFast and SlowOnly have in common."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_video.models.video_classifier import VideoClassifier

# The reference decays everything but what batch normalisation learns.
WEIGHT_RULES = (("/norm/(gamma|beta)$", 1.0, 0.0),)


class SlowFastClassifier(VideoClassifier):
    """3-D ResNets whose answers for positions and views are averaged after the softmax."""

    weight_rules = WEIGHT_RULES
    view_average = "probabilities"

    def feature_model(self, layers: Sequence[str] = ()) -> keras.Model:
        """See `VideoClassifier.feature_model`: one step, the mean over the head's windows.

        The classifier makes of it the mean of the windows' logits.
        """
        self._refuse_layers(layers)
        windows = self.get_layer("dropout").input
        features = ops.mean(windows, axis=(1, 2))[:, None]
        return keras.Model(self.input, features, name=f"{self.name}_features")
