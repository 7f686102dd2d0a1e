"""`TimeSformer`: a vision transformer with attention over time."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_video.layers.divided_space_time_attention import DividedSpaceTimeAttention
from keras_video.layers.fold_time import UnfoldTime
from keras_video.models.rgb_normalization import rgb_normalization
from keras_video.models.timesformer.convert_huggingface import HUGGINGFACE
from keras_video.models.timesformer.convert_mmaction2 import MMACTION2
from keras_video.models.timesformer.convert_paddle import PADDLEVIDEO
from keras_video.models.timesformer.convert_timesformer import TIMESFORMER
from keras_video.models.timesformer.residual_branches import (
    ResidualAttention,
    ResidualMLP,
    initializer,
)
from keras_video.models.timesformer.resized_embeddings import resize_positions, resize_times
from keras_video.models.timesformer.space_time_embedding import SpaceTimeEmbedding
from keras_video.models.video_classifier import VideoClassifier

ATTENTIONS = ("divided_space_time", "joint_space_time", "space_only")
EPSILON = 1e-6


@keras.saving.register_keras_serializable(package="keras_video")
class TimeSformer(VideoClassifier):
    """A vision transformer (ViT) on the patches of all frames.

    Attention is divided: each patch sees its own place in all frames, then its own frame
    (`keras_video.layers.DividedSpaceTimeAttention`). What the class token has become, one dense
    layer classifies.

    Input: clips `(batch, num_frames, image_size, image_size, 3)`, RGB from 0 to 255, `uint8` or
    float. Output: logits `(batch, num_classes)`, float32. 121,566,352 parameters by default.

    Args:
        num_classes: size of the output. Defaults to 400.
        num_frames: frames of a clip. Defaults to 8.
        image_size: height and width of the frames, a multiple of `patch_size`. Defaults to 224.
        attention: `"divided_space_time"` (default); `"joint_space_time"`, over all patches of all
            frames at once; or `"space_only"`, within frames, whose class tokens are averaged.
        patch_size: height and width of a patch. Defaults to 16.
        hidden_dim: channels. Defaults to 768.
        num_layers: blocks of attention and a multilayer perceptron (MLP). Defaults to 12.
        num_heads: heads of each attention; must divide `hidden_dim`. Defaults to 12.
        mlp_ratio: channels within an MLP over `hidden_dim`. Defaults to 4.
        dropout: share of the features that training drops before the classifier. Defaults to 0.
        drop_path: share of the residual branches that training drops in the last block; it grows
            evenly from 0 in the first. Defaults to 0.1.
        remat: whether training computes the activations of each layer again on the way back,
            instead of keeping them: a quarter of their memory for a quarter more time. Defaults to
            `False`.
        normalize: `"kinetics"` (default: mean 0.45, std 0.225), `"imagenet"`, a pair `(mean, std)`
            of three numbers each in units of 0 to 1, or `None` where inputs are normalised already.
        view_average: what `classify` averages over the views of a video: `"logits"` (default) or
            `"probabilities"`.
        dtype: dtype policy of all layers, for example `"mixed_bfloat16"`.

    Raises:
        ValueError: an argument is out of range.

    Example:

    >>> model = keras_video.models.TimeSformer.from_preset("timesformer_k400")
    >>> model.classify("clip.mp4", top_k=1)
    [{"label": "archery", "class_id": 5, "score": 0.99}]
    >>> larger = keras_video.models.TimeSformer.from_preset(
    ...     "timesformer_k400", image_size=448, num_frames=16)

    Position and time embeddings of a preset or checkpoint are interpolated to another `image_size`
    (bicubic) or `num_frames` (linear) when they are loaded. `convert` builds a model of the
    checkpoint's own sizes, which its tensors tell, unless they are given.

    Reference: Bertasius et al., "Is Space-Time Attention All You Need for Video Understanding?",
    https://arxiv.org/abs/2102.05095
    """

    resized_weights = {
        "embedding/positions": resize_positions,
        "embedding/times": resize_times,
    }
    checkpoint_maps = {
        "paddlevideo": PADDLEVIDEO,
        "timesformer": TIMESFORMER,
        "huggingface": HUGGINGFACE,
        "mmaction2": MMACTION2,
    }

    def __init__(
        self,
        num_classes: int = 400,
        num_frames: int = 8,
        image_size: int = 224,
        attention: str = "divided_space_time",
        patch_size: int = 16,
        hidden_dim: int = 768,
        num_layers: int = 12,
        num_heads: int = 12,
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        drop_path: float = 0.1,
        remat: bool = False,
        normalize="kinetics",
        view_average: str = "logits",
        dtype=None,
        name: str | None = None,
    ):
        for argument, value in (
            ("num_classes", num_classes),
            ("num_frames", num_frames),
            ("image_size", image_size),
            ("patch_size", patch_size),
            ("hidden_dim", hidden_dim),
            ("num_layers", num_layers),
            ("num_heads", num_heads),
        ):
            if not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"`{argument}` must be a positive integer. Received: {argument}={value!r}"
                )
        if attention not in ATTENTIONS:
            raise ValueError(
                f"`attention` must be one of {', '.join(ATTENTIONS)}. "
                f"Received: attention={attention!r}"
            )
        if view_average not in ("logits", "probabilities"):
            raise ValueError(
                '`view_average` must be "logits" or "probabilities". '
                f"Received: view_average={view_average!r}"
            )
        if image_size % patch_size:
            raise ValueError(
                "`image_size` must be a multiple of `patch_size`. "
                f"Received: image_size={image_size}, patch_size={patch_size}"
            )
        if hidden_dim % num_heads:
            raise ValueError(
                "`num_heads` must divide `hidden_dim`. "
                f"Received: hidden_dim={hidden_dim}, num_heads={num_heads}"
            )
        divided, space_only = attention == "divided_space_time", attention == "space_only"

        # === Layers ===
        normalization = rgb_normalization(normalize)
        embedding = SpaceTimeEmbedding(
            patch_size, hidden_dim, times=not space_only, dtype=dtype, name="embedding"
        )
        blocks = []
        for number in range(1, num_layers + 1):
            options = {
                "drop_path": drop_path * (number - 1) / max(num_layers - 1, 1),
                "epsilon": EPSILON,
                "remat": remat,
                "dtype": dtype,
            }
            if divided:
                attend = DividedSpaceTimeAttention(
                    num_frames,
                    num_heads,
                    kernel_initializer=initializer(hidden_dim),
                    # As published: only the first block has a say over time from the start.
                    temporal_initializer=initializer(hidden_dim) if number == 1 else "zeros",
                    name=f"block{number}_attention",
                    **options,
                )
            else:
                attend = ResidualAttention(num_heads, name=f"block{number}_attention", **options)
            hidden = int(hidden_dim * mlp_ratio)
            blocks += [attend, ResidualMLP(hidden, name=f"block{number}_mlp", **options)]
        unfold = UnfoldTime(num_frames, dtype="float32", name="unfold_frames")
        norm = keras.layers.LayerNormalization(epsilon=EPSILON, dtype="float32", name="norm")
        drop = keras.layers.Dropout(dropout, dtype="float32", name="dropout")
        classifier = keras.layers.Dense(
            num_classes,
            kernel_initializer=initializer(hidden_dim),
            dtype="float32",
            name="classifier",
        )

        # === Functional model ===
        clips = keras.Input((num_frames, image_size, image_size, 3), name="clips")
        x = clips if normalization is None else normalization(clips)
        x = embedding(x)
        for block in blocks:
            x = block(x)
        features = ops.cast(x[:, 0], "float32")
        if space_only:
            features = ops.mean(unfold(features), axis=1)
        logits = classifier(drop(norm(features)))
        super().__init__(clips, logits, dtype=dtype, name=name)

        # === Config ===
        self.num_classes = num_classes
        self.num_frames = num_frames
        self.image_size = image_size
        self.attention = attention
        self.patch_size = patch_size
        self.hidden_dim = hidden_dim
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.mlp_ratio = mlp_ratio
        self.dropout = dropout
        self.drop_path = drop_path
        self.remat = remat
        self.normalize = normalize
        self.view_average = view_average

    def feature_model(self, layers: Sequence[str] = ()) -> keras.Model:
        """See `VideoClassifier.feature_model`: one step, the class token after normalisation."""
        self._refuse_layers(layers)
        features = self.get_layer("norm").output[:, None]
        return keras.Model(self.input, features, name=f"{self.name}_features")

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "num_frames": self.num_frames,
            "image_size": self.image_size,
            "attention": self.attention,
            "patch_size": self.patch_size,
            "hidden_dim": self.hidden_dim,
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "mlp_ratio": self.mlp_ratio,
            "dropout": self.dropout,
            "drop_path": self.drop_path,
            "remat": self.remat,
            "normalize": self.normalize,
            "view_average": self.view_average,
        }
