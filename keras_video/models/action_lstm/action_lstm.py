"""`ActionLSTM`: says what happens in a segment of a video, and how well the segment fits it."""

from collections.abc import Mapping, Sequence

import keras
from keras import ops

from keras_video.layers.attention_pooling import AttentionPooling
from keras_video.layers.bidirectional_lstm import BidirectionalLSTM
from keras_video.models.functional_model import FunctionalModel


@keras.saving.register_keras_serializable(package="keras_video")
class ActionLSTM(FunctionalModel):
    """Classifies a segment of a video by features of its frames and its sound.

    As in `AttentionLSTM`, each modality is read forwards and backwards by an LSTM and averaged over
    time with weights that it learns. Two dense layers with batch normalisation follow, and two
    heads: one of several classes, of which one may be the background; and how much of an action the
    segment overlaps (IoU). It is the last stage of FootballAction.

    Input: a dictionary with two entries for each modality `NAME`: `NAME`, features
    `(batch, time, channels)`, and `NAME_mask`, `(batch, time)`, true where a step is real. Output:
    a dictionary of `"classes"`, logits `(batch, num_classes)`, and `"iou"`, from 0 to 1,
    `(batch, 1)`; both float32.

    Args:
        num_classes: classes, with the background. Defaults to 8.
        features: channels of each modality. Defaults to `{"image": 2048, "sound": 1024}`.
        embedding_dim: channels of a dense layer with tanh before each LSTM; `None` (default) for
            none, as in FootballAction.
        lstm_dim: cells of each direction of the LSTMs; `None` (default) for as many as the
            modality has channels.
        hidden_dims: channels of the dense layers. Defaults to `(8192, 4096)`.
        dropout: share of what the LSTMs and dense layers give that training drops. Defaults to 0.5.
        dtype: dtype policy of all layers, for example `"mixed_bfloat16"`.

    Raises:
        ValueError: an argument is out of range.

    Example:

    >>> model = keras_video.models.ActionLSTM(
    ...     num_classes=5, features={"image": 128}, lstm_dim=64, hidden_dims=(64,))
    >>> outputs = model.predict({"image": np.zeros((1, 25, 128)), "image_mask": np.ones((1, 25))})
    >>> outputs["classes"].shape, outputs["iou"].shape
    ((1, 5), (1, 1))

    Reference: PaddleVideo's FootballAction,
    https://github.com/PaddlePaddle/PaddleVideo/tree/develop/applications/FootballAction
    """

    head_layers = ("classes", "iou")

    def __init__(
        self,
        num_classes: int = 8,
        features: Mapping[str, int] | None = None,
        embedding_dim: int | None = None,
        lstm_dim: int | None = None,
        hidden_dims: Sequence[int] = (8192, 4096),
        dropout: float = 0.5,
        dtype=None,
        name: str | None = None,
    ):
        features = {"image": 2048, "sound": 1024} if features is None else dict(features)
        hidden_dims = tuple(hidden_dims)
        sizes = {"num_classes": (num_classes,), "hidden_dims": hidden_dims}
        sizes |= {f"features[{modality!r}]": (size,) for modality, size in features.items()}
        optional = {"embedding_dim": embedding_dim, "lstm_dim": lstm_dim}
        sizes |= {key: (size,) for key, size in optional.items() if size is not None}
        for argument, values in sizes.items():
            if not all(isinstance(value, int) and value > 0 for value in values):
                raise ValueError(
                    f"`{argument}` must be of positive integers. Received: {argument}={values!r}"
                )
        if not features or any(f"{modality}_mask" in features for modality in features):
            raise ValueError(
                "`features` must give the channels of each modality by its name, none of which is "
                f'another one\'s with "_mask" after it. Received: features={features!r}'
            )

        # === Functional model ===
        inputs, pooled = {}, []
        for modality, channels in features.items():
            x = keras.Input((None, channels), name=modality)
            mask = keras.Input((None,), dtype="bool", name=f"{modality}_mask")
            inputs |= {modality: x, f"{modality}_mask": mask}
            if embedding_dim is not None:
                x = keras.layers.Dense(
                    embedding_dim, activation="tanh", dtype=dtype, name=f"{modality}_embedding"
                )(x)
            lstm = BidirectionalLSTM(lstm_dim or channels, dtype=dtype, name=f"{modality}_lstm")
            drop = keras.layers.Dropout(dropout, dtype=dtype, name=f"{modality}_dropout")
            attention = AttentionPooling(dtype=dtype, name=f"{modality}_attention")
            pooled.append(attention(drop(lstm(x, mask=mask)), mask=mask))
        x = ops.concatenate(pooled, axis=-1) if len(pooled) > 1 else pooled[0]
        for number, size in enumerate(hidden_dims, start=1):
            x = keras.layers.Dense(size, dtype=dtype, name=f"hidden{number}")(x)
            # As Paddle's.
            x = keras.layers.BatchNormalization(
                momentum=0.9, epsilon=1e-5, dtype=dtype, name=f"hidden{number}_norm"
            )(x)
            x = keras.layers.Activation("relu", dtype=dtype, name=f"hidden{number}_relu")(x)
            x = keras.layers.Dropout(dropout, dtype=dtype, name=f"hidden{number}_dropout")(x)
        classes = keras.layers.Dense(num_classes, dtype="float32", name="classes")(x)
        iou = keras.layers.Dense(1, activation="sigmoid", dtype="float32", name="iou")(x)
        super().__init__(inputs, {"classes": classes, "iou": iou}, dtype=dtype, name=name)

        # === Config ===
        self.num_classes = num_classes
        self.features = features
        self.embedding_dim = embedding_dim
        self.lstm_dim = lstm_dim
        self.hidden_dims = hidden_dims
        self.dropout = dropout

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "features": dict(self.features),
            "embedding_dim": self.embedding_dim,
            "lstm_dim": self.lstm_dim,
            "hidden_dims": list(self.hidden_dims),
            "dropout": self.dropout,
        }
