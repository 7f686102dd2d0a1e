"""`FeatureSamples`: features of records of different lengths, put together as batches."""

import numpy as np

from keras_video.data.sample_loader import SampleLoader


class FeatureSamples(SampleLoader):
    """A `SampleLoader` of features: pads them to the length of their batch, and adds masks."""

    unread = "counted as wrong: zeros take its place"

    def _batch(self, epoch: int, index: int, samples: list) -> tuple:
        time = self._order.padded_length(epoch, index)
        for sample in samples:
            # A record that is longer than it said it would be is not cut.
            for array in (sample.clip or {}).values():
                time = max(time, int(self._order.rounded(len(array))))
        inputs = {}
        for name, (channels, dtype) in self._loader.modalities.items():
            features = np.zeros((len(samples), time, channels), dtype)
            mask = np.zeros((len(samples), time), bool)
            for place, sample in enumerate(samples):
                if sample.clip is not None:
                    array = sample.clip[name]
                    features[place, : len(array)] = array
                    mask[place, : len(array)] = True
            inputs[name], inputs[f"{name}_mask"] = features, mask
        if self.num_classes is None:
            return (inputs,)
        labels = np.stack([sample.label for sample in samples])
        if not self._weigh:
            return inputs, labels
        return inputs, labels, np.array([sample.weight for sample in samples], np.float32)
