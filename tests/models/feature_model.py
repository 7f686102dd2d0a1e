"""A model that is no classifier and takes no clips, for tests of what all models share."""

import keras

from keras_video.models import FunctionalModel


@keras.saving.register_keras_serializable(package="feature_model")
class FeatureModel(FunctionalModel):
    """Features and their mask in, two outputs."""

    weight_rules = (("bias$", 2.0, 0.0),)

    def __init__(self, units=3, dtype=None, name=None):
        features, mask = keras.Input((None, 4), name="features"), keras.Input((None,), name="mask")
        dense = keras.layers.Dense(units, dtype=dtype, name="dense")
        kept = dense(features) * mask[..., None]
        outputs = {"all": kept, "sum": keras.ops.sum(kept, axis=1)}
        super().__init__({"features": features, "mask": mask}, outputs, dtype=dtype, name=name)
        self.units = units

    def get_config(self):
        return {**super().get_config(), "units": self.units}
