"""`VGGish`: features of sound, one vector a second, and classes of them."""

from collections.abc import Sequence

import keras

from keras_video.models.functional_model import FunctionalModel

# Convolutions before each of the four poolings: configuration A of VGG without its last stage.
_CONVOLUTIONS = (1, 1, 2, 2)


@keras.saving.register_keras_serializable(package="keras_video")
class VGGish(FunctionalModel):
    """Tells sound by a convolutional network over log-mel spectrograms of a second.

    Six convolutions of 3 x 3 with ReLU and four poolings see the spectrogram as a picture; dense
    layers make a vector of features of it. With `num_classes`, ReLU and a dense layer make logits
    of them.

    Input: log-mel examples `(batch, num_steps, num_bands)`, such as
    `keras_video.data.log_mel_examples` gives. Output, float32: the features
    `(batch, embedding_dim)`, before any activation; with `num_classes`, the logits
    `(batch, num_classes)`, and `feature_model` has the features.

    59,034,880 parameters by default. PaddleVideo's FootballAction publishes weights of its
    network, not its code; it says of it that it is a VGGish that makes 1024 channels of a second.
    This is the network of the paper below, with an embedding of that size; whether it has the
    layers of the published weights is not known, so there is no preset. With `num_steps=96` and
    `embedding_dim=128` it is the one of AudioSet.

    Args:
        num_classes: size of the output, or `None` (default) for a network that gives features.
        num_steps: steps of an example. Defaults to 50, one second.
        num_bands: bands of an example. Defaults to 64.
        filters: of the convolutions before each of the four poolings, which halve both axes.
            Defaults to `(64, 128, 256, 512)`.
        hidden_dims: channels of the dense layers before the embedding. Defaults to `(4096, 4096)`.
        embedding_dim: channels of the features. Defaults to 1024.
        dropout: share of the features that training drops before the classifier. Defaults to 0.
        dtype: dtype policy of all layers, for example `"mixed_bfloat16"`.

    Raises:
        ValueError: an argument is out of range.

    Example:

    >>> examples = keras_video.data.log_mel_examples(keras_video.data.read_audio("match.mp4"))
    >>> keras_video.models.VGGish().predict(examples).shape
    (60, 1024)
    >>> small = keras_video.models.VGGish(
    ...     num_classes=3, filters=(8, 16, 32, 64), hidden_dims=(128,), embedding_dim=64)
    >>> small.feature_model().predict(examples).shape
    (60, 64)

    Reference: Hershey et al., "CNN Architectures for Large-Scale Audio Classification",
    https://arxiv.org/abs/1609.09430; layers as in https://github.com/tensorflow/models,
    research/audioset/vggish.
    """

    head_layers = ("classifier",)

    def __init__(
        self,
        num_classes: int | None = None,
        num_steps: int = 50,
        num_bands: int = 64,
        filters: Sequence[int] = (64, 128, 256, 512),
        hidden_dims: Sequence[int] = (4096, 4096),
        embedding_dim: int = 1024,
        dropout: float = 0.0,
        dtype=None,
        name: str | None = None,
    ):
        _check_counts("num_steps", num_steps)
        _check_counts("num_bands", num_bands)
        _check_counts("embedding_dim", embedding_dim)
        if num_classes is not None:
            _check_counts("num_classes", num_classes)
        _check_counts("filters", *filters)
        _check_counts("hidden_dims", *hidden_dims)
        if len(filters) != len(_CONVOLUTIONS):
            raise ValueError(
                f"`filters` must have {len(_CONVOLUTIONS)} numbers, one for each pooling. "
                f"Received: filters={filters!r}"
            )
        if not 0 <= dropout < 1:
            raise ValueError(
                f"`dropout` must be a share from 0 to less than 1. Received: dropout={dropout!r}"
            )

        # === Layers ===
        options = {"activation": "relu", "kernel_initializer": "he_normal", "dtype": dtype}
        layers = [keras.layers.Reshape((num_steps, num_bands, 1), dtype=dtype, name="picture")]
        for stage, (count, width) in enumerate(zip(_CONVOLUTIONS, filters, strict=True), start=1):
            for number in range(1, count + 1):
                conv_name = f"conv{stage}" if count == 1 else f"conv{stage}_{number}"
                layers.append(
                    keras.layers.Conv2D(width, 3, padding="same", name=conv_name, **options)
                )
            layers.append(
                keras.layers.MaxPooling2D(2, padding="same", dtype=dtype, name=f"pool{stage}")
            )
        layers.append(keras.layers.Flatten(dtype=dtype, name="flatten"))
        for number, size in enumerate(hidden_dims, start=1):
            layers.append(keras.layers.Dense(size, name=f"hidden{number}", **options))
        layers.append(keras.layers.Dense(embedding_dim, dtype=dtype, name="embedding"))
        layers.append(keras.layers.Activation("linear", dtype="float32", name="features"))
        if num_classes is not None:
            layers += [
                keras.layers.ReLU(dtype="float32", name="features_relu"),
                keras.layers.Dropout(dropout, dtype="float32", name="dropout"),
                keras.layers.Dense(num_classes, dtype="float32", name="classifier"),
            ]

        # === Functional model ===
        examples = keras.Input((num_steps, num_bands), name="examples")
        x = examples
        for layer in layers:
            x = layer(x)
        super().__init__(examples, x, dtype=dtype, name=name)

        # === Config ===
        self.output_name = "features" if num_classes is None else "logits"
        self.num_classes = num_classes
        self.num_steps = num_steps
        self.num_bands = num_bands
        self.filters = tuple(filters)
        self.hidden_dims = tuple(hidden_dims)
        self.embedding_dim = embedding_dim
        self.dropout = dropout

    def feature_model(self) -> keras.Model:
        """The network without its classifier: from examples to the features that it classifies.

        Returns:
            A model that shares this one's weights and input. Its output is float32 under every
            policy, `(batch, embedding_dim)`, a row for each second.

        Example:

        >>> features = keras_video.models.VGGish(num_classes=3).feature_model()
        >>> features.predict(np.zeros((2, 50, 64), "float32")).shape
        (2, 1024)
        """
        features = self.get_layer("features").output
        return keras.Model(self.input, features, name=f"{self.name}_features")

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "num_steps": self.num_steps,
            "num_bands": self.num_bands,
            "filters": list(self.filters),
            "hidden_dims": list(self.hidden_dims),
            "embedding_dim": self.embedding_dim,
            "dropout": self.dropout,
        }


def _check_counts(argument: str, *values) -> None:
    for value in values:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(
                f"`{argument}` must be positive, an integer or several. "
                f"Received: {argument}={values if len(values) > 1 else value!r}"
            )
