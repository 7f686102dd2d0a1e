"""`ViTBackbone`: the image network that a TimeSformer is initialised from."""

import keras
from keras import ops

from keras_video.layers.fold_time import UnfoldTime
from keras_video.models.functional_model import FunctionalModel
from keras_video.models.rgb_normalization import rgb_normalization
from keras_video.models.timesformer.convert_vit import (
    huggingface_map,
    keras_hub_map,
    paddleclas_map,
    timm_map,
)
from keras_video.models.timesformer.residual_branches import ResidualAttention, ResidualMLP
from keras_video.models.timesformer.resized_embeddings import resize_positions
from keras_video.models.timesformer.space_time_embedding import SpaceTimeEmbedding
from keras_video.presets.checkpoint_format import CheckpointFormat


@keras.saving.register_keras_serializable(package="keras_video")
class ViTBackbone(FunctionalModel):
    """A vision transformer (ViT) on every frame, without a classifier.

    Input: clips `(batch, num_frames, image_size, image_size, 3)`, RGB from 0 to 255, `uint8` or
    float. Output: features `(batch, num_frames, hidden_dim)`, float32. 85,798,656 parameters by
    default.

    Checkpoints of ViT are read from PaddleClas (`"paddleclas"`), timm (`"timm"`), Hugging Face's
    transformers (`"huggingface"`) and KerasHub (`"keras_hub"`); positions are interpolated to
    another `image_size`.

    Args:
        num_frames: frames of a clip. Defaults to 1.
        image_size: height and width of the frames, a multiple of `patch_size`. Defaults to 224.
        patch_size: height and width of a patch. Defaults to 16.
        hidden_dim: channels. Defaults to 768.
        num_layers: blocks. Defaults to 12.
        num_heads: heads of each attention. Defaults to 12.
        mlp_ratio: channels within a multilayer perceptron over `hidden_dim`. Defaults to 4.
        epsilon: of the layer normalisations. Defaults to 1e-6.
        normalize: as in `TimeSformer`; by default mean and std are 0.5.
        dtype: dtype policy of all layers.

    Example:

    >>> vit = keras_video.models.ViTBackbone.from_preset("vit_base_patch16_imagenet")
    >>> vit.predict(np.zeros((1, 1, 224, 224, 3), "uint8")).shape
    (1, 1, 768)

    Reference: Dosovitskiy et al., "An Image is Worth 16x16 Words",
    https://arxiv.org/abs/2010.11929
    """

    attention = "space_only"
    resized_weights = {"embedding/positions": resize_positions}
    checkpoint_maps = {
        "timm": timm_map,
        "paddleclas": paddleclas_map,
        "huggingface": CheckpointFormat(huggingface_map, (r"(vit\.)?pooler\..*",)),
        "keras_hub": keras_hub_map,
    }

    def __init__(
        self,
        num_frames: int = 1,
        image_size: int = 224,
        patch_size: int = 16,
        hidden_dim: int = 768,
        num_layers: int = 12,
        num_heads: int = 12,
        mlp_ratio: float = 4.0,
        epsilon: float = 1e-6,
        normalize=((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        dtype=None,
        name: str | None = None,
    ):
        # === Layers ===
        normalization = rgb_normalization(normalize)
        options = {"epsilon": epsilon, "dtype": dtype}
        hidden = int(hidden_dim * mlp_ratio)
        blocks = []
        for number in range(1, num_layers + 1):
            blocks.append(ResidualAttention(num_heads, name=f"block{number}_attention", **options))
            blocks.append(ResidualMLP(hidden, name=f"block{number}_mlp", **options))
        embedding = SpaceTimeEmbedding(
            patch_size, hidden_dim, times=False, dtype=dtype, name="embedding"
        )
        norm = keras.layers.LayerNormalization(epsilon=epsilon, dtype="float32", name="norm")
        unfold = UnfoldTime(num_frames, dtype="float32", name="unfold_frames")

        # === Functional model ===
        clips = keras.Input((num_frames, image_size, image_size, 3), name="clips")
        x = embedding(clips if normalization is None else normalization(clips))
        for block in blocks:
            x = block(x)
        features = unfold(norm(ops.cast(x[:, 0], "float32")))
        super().__init__(clips, features, dtype=dtype, name=name)

        # === Config ===
        self.num_frames = num_frames
        self.image_size = image_size
        self.patch_size = patch_size
        self.hidden_dim = hidden_dim
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.mlp_ratio = mlp_ratio
        self.epsilon = epsilon
        self.normalize = normalize

    def get_config(self):
        return {
            **super().get_config(),
            "num_frames": self.num_frames,
            "image_size": self.image_size,
            "patch_size": self.patch_size,
            "hidden_dim": self.hidden_dim,
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "mlp_ratio": self.mlp_ratio,
            "epsilon": self.epsilon,
            "normalize": self.normalize,
        }
