"""`AttentionLSTM`: labels a video by sequences of features of its frames and its sound."""

from collections.abc import Mapping, Sequence

import keras
from keras import ops

from keras_video.layers.attention_pooling import AttentionPooling
from keras_video.layers.bidirectional_lstm import BidirectionalLSTM
from keras_video.models.attention_lstm.convert_paddle import PADDLEVIDEO
from keras_video.models.attention_lstm.convert_videotag import VIDEOTAG
from keras_video.models.functional_model import FunctionalModel


@keras.saving.register_keras_serializable(package="keras_video")
class AttentionLSTM(FunctionalModel):
    """Labels a video by features of its frames and its sound, such as those of YouTube-8M.

    Each modality is embedded, read forwards and backwards by an LSTM, and averaged over time with
    weights that it learns (attention). Dense layers turn what all modalities give into one logit a
    label; several labels may be right.

    Input: a dictionary with two entries for each modality `NAME`: `NAME`, features
    `(batch, time, channels)`, `uint8` or float; and `NAME_mask`, `(batch, time)`, true or 1 where a
    step is real. The number of steps is any, and may differ between modalities; steps that a mask
    leaves out play no role, whatever they hold. Output: logits `(batch, num_classes)`, float32;
    their sigmoids are the probabilities.

    108,720,920 parameters by default. The original has 108,737,304: its LSTMs have two biases each,
    of which only the sum plays a role; here they are one.

    Args:
        num_classes: size of the output. Defaults to 3862, the labels of YouTube-8M of 2018.
        features: channels of each modality, in the order of the original's weights. Defaults to
            `{"rgb": 1024, "audio": 128}`.
        embedding_dim: channels after the embedding. Defaults to 512.
        lstm_dim: cells of each direction of the LSTMs. Defaults to 1024.
        hidden_dims: channels of the dense layers before the logits; the last of them has tanh, the
            others have ReLU. Defaults to `(8192, 4096)`.
        dropout: share of the LSTMs' outputs that training drops. Defaults to 0.5.
        peepholes: whether the gates of the LSTMs see the state of their cell, as in VideoTag.
            Defaults to `False`.
        attention_bias: whether the dense unit of the attention has a bias. Defaults to `True`.
        feature_range: the numbers that the codes 0 and 255 stand for; features are then such codes
            of 8 bits, each taken as the middle of its 256th of the range. `None` where features
            are the numbers themselves. Defaults to `(-2.0, 2.0)`, as in YouTube-8M.
        dtype: dtype policy of all layers, for example `"mixed_bfloat16"`.

    Raises:
        ValueError: an argument is out of range.

    Example:

    >>> model = keras_video.models.AttentionLSTM.from_preset("attention_lstm_yt8m")
    >>> features = {
    ...     "rgb": np.zeros((1, 300, 1024), "uint8"), "rgb_mask": np.ones((1, 300), bool),
    ...     "audio": np.zeros((1, 300, 128), "uint8"), "audio_mask": np.ones((1, 300), bool)}
    >>> model.predict(features).shape
    (1, 3862)
    >>> model = keras_video.models.AttentionLSTM(
    ...     num_classes=20, features={"clip": 2048}, feature_range=None)

    Reference: the attention is that of Long et al., "Attention Clusters: Purely Attention Based
    Local Feature Integration for Video Classification", https://arxiv.org/abs/1711.09550; features
    and labels are those of Abu-El-Haija et al., "YouTube-8M: A Large-Scale Video Classification
    Benchmark", https://arxiv.org/abs/1609.08675.
    """

    head_layers = ("classifier",)
    # As published: no decay of the biases after the attention.
    weight_rules = ((r"^(hidden\d+|classifier)/bias$", 1.0, 0.0),)
    checkpoint_maps = {"paddlevideo": PADDLEVIDEO, "videotag": VIDEOTAG}

    def __init__(
        self,
        num_classes: int = 3862,
        features: Mapping[str, int] | None = None,
        embedding_dim: int = 512,
        lstm_dim: int = 1024,
        hidden_dims: Sequence[int] = (8192, 4096),
        dropout: float = 0.5,
        peepholes: bool = False,
        attention_bias: bool = True,
        feature_range: tuple[float, float] | None = (-2.0, 2.0),
        dtype=None,
        name: str | None = None,
    ):
        features = {"rgb": 1024, "audio": 128} if features is None else dict(features)
        hidden_dims = tuple(hidden_dims)
        _check_features(features)
        for argument, value in (
            ("num_classes", num_classes),
            ("embedding_dim", embedding_dim),
            ("lstm_dim", lstm_dim),
            *(("hidden_dims", size) for size in hidden_dims),
        ):
            if not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"`{argument}` must be positive integers. Received: {argument}={value!r}"
                    if argument == "hidden_dims"
                    else f"`{argument}` must be a positive integer. Received: {argument}={value!r}"
                )

        # === Layers ===
        dequantize = _dequantization(feature_range)
        hidden = [
            keras.layers.Dense(
                size,
                activation="tanh" if number == len(hidden_dims) else "relu",
                dtype=dtype,
                name=f"hidden{number}",
            )
            for number, size in enumerate(hidden_dims, start=1)
        ]
        classifier = keras.layers.Dense(num_classes, dtype="float32", name="classifier")

        # === Functional model ===
        inputs, pooled = {}, []
        for modality, channels in features.items():
            x = keras.Input((None, channels), name=modality)
            mask = keras.Input((None,), dtype="bool", name=f"{modality}_mask")
            inputs |= {modality: x, f"{modality}_mask": mask}
            if dequantize is not None:
                x = dequantize(x)
            embedding = keras.layers.Dense(
                embedding_dim, activation="tanh", dtype=dtype, name=f"{modality}_embedding"
            )
            lstm = BidirectionalLSTM(lstm_dim, peepholes, dtype=dtype, name=f"{modality}_lstm")
            drop = keras.layers.Dropout(dropout, dtype=dtype, name=f"{modality}_dropout")
            attention = AttentionPooling(attention_bias, dtype=dtype, name=f"{modality}_attention")
            pooled.append(attention(drop(lstm(embedding(x), mask=mask)), mask=mask))
        x = ops.concatenate(pooled, axis=-1) if len(pooled) > 1 else pooled[0]
        for dense in hidden:
            x = dense(x)
        super().__init__(inputs, classifier(x), dtype=dtype, name=name)

        # === Config ===
        self.num_classes = num_classes
        self.features = features
        self.embedding_dim = embedding_dim
        self.lstm_dim = lstm_dim
        self.hidden_dims = hidden_dims
        self.dropout = dropout
        self.peepholes = peepholes
        self.attention_bias = attention_bias
        self.feature_range = None if feature_range is None else tuple(feature_range)

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "features": dict(self.features),
            "embedding_dim": self.embedding_dim,
            "lstm_dim": self.lstm_dim,
            "hidden_dims": list(self.hidden_dims),
            "dropout": self.dropout,
            "peepholes": self.peepholes,
            "attention_bias": self.attention_bias,
            "feature_range": None if self.feature_range is None else list(self.feature_range),
        }


def _check_features(features: dict) -> None:
    names = [f"{name}{end}" for name in features for end in ("", "_mask")]
    good = all(isinstance(size, int) and size > 0 for size in features.values())
    if not features or not good or len(set(names)) < len(names):
        raise ValueError(
            "`features` must give the channels of each modality by its name, such as "
            '{"rgb": 1024, "audio": 128}; no name may be another one\'s with "_mask" after it. '
            f"Received: features={features!r}"
        )


def _dequantization(feature_range) -> keras.layers.Layer | None:
    if feature_range is None:
        return None
    if len(feature_range) != 2 or not feature_range[0] < feature_range[1]:
        raise ValueError(
            "`feature_range` must be what the codes 0 and 255 stand for, the lower number first, "
            f"or None. Received: feature_range={feature_range!r}"
        )
    low, high = feature_range
    size = high - low
    return keras.layers.Rescaling(size / 255, low + size / 512, dtype="float32", name="dequantize")
