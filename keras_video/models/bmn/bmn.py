"""`BMN`: proposes the segments of a video in which something happens."""

import keras
import numpy as np
from keras import ops

from keras_video.layers.boundary_matching import BoundaryMatching
from keras_video.layers.grouped_conv_1d import GroupedConv1D
from keras_video.localization.proposal import Proposal
from keras_video.localization.propose import propose_segments
from keras_video.models.bmn.convert_mmaction2 import BMN_ORIGINAL, MMACTION2
from keras_video.models.bmn.convert_paddle import PADDLEVIDEO
from keras_video.models.functional_model import FunctionalModel


@keras.saving.register_keras_serializable(package="keras_video")
class BMN(FunctionalModel):
    """Boundary-matching network: proposes segments of a video by a sequence of its features.

    Of each step it says how likely an action starts or ends there, and of each segment how well it
    fits an action. `propose` makes a ranked list of segments from that.

    Input: features `(batch, num_frames, feature_dim)`, evenly over the video or a window of it.
    Output: a dictionary of probabilities, float32: `"starts"` and `"ends"`, `(batch, num_frames)`;
    and `"confidence"`, `(batch, max_duration, num_frames, 2)`: of the segment that starts at step
    `s` and lasts `d + 1` steps, at `[d, s]`, the expected overlap (IoU) with an action, and the
    probability that it is one. Cells that reach beyond the end mean nothing.

    2,782,980 parameters by default.

    Args:
        feature_dim: channels of the features, a multiple of 4. Defaults to 400, as the two-stream
            features of ActivityNet.
        num_frames: steps. Defaults to 100.
        max_duration: of segments, in steps; at most `num_frames`, which is the default.
        hidden_dim: channels of the convolutions over time. Defaults to 256.
        proposal_dim: channels of what segments are sampled from. Defaults to 128.
        segment_dim: channels of the segments' features. Defaults to 512.
        map_dim: channels of the convolutions over the map. Defaults to 128.
        num_samples: samples of each segment. Defaults to 32.
        points: interpolated points of each sample. Defaults to 3.
        boundary_ratio: of a segment's length, how much is sampled on each side of it. Defaults to
            0.5.
        layout: of the map; `"start_end"` for weights of the first published code, whose cell
            `[s, e]` is the segment from step `s` to step `e + 1`. See `layers.BoundaryMatching`.
            Defaults to `"duration_start"`.
        dtype: dtype policy of all layers, for example `"mixed_bfloat16"`.

    Raises:
        ValueError: an argument is out of range.

    Example:

    >>> model = keras_video.models.BMN.from_preset("bmn_activitynet")
    >>> proposals = model.propose(np.zeros((100, 400), "float32"), duration=124.23)
    >>> proposals[0]
    Proposal(start=0.0, end=122.9877, score=0.79681)

    Reference: Lin et al., "BMN: Boundary-Matching Network for Temporal Action Proposal Generation",
    https://arxiv.org/abs/1907.09702
    """

    # The last two have the same names of weights; only MMAction2's files have a `bm_mask`.
    checkpoint_maps = {"paddlevideo": PADDLEVIDEO, "bmn": BMN_ORIGINAL, "mmaction2": MMACTION2}

    def __init__(
        self,
        feature_dim: int = 400,
        num_frames: int = 100,
        max_duration: int | None = None,
        hidden_dim: int = 256,
        proposal_dim: int = 128,
        segment_dim: int = 512,
        map_dim: int = 128,
        num_samples: int = 32,
        points: int = 3,
        boundary_ratio: float = 0.5,
        layout: str = "duration_start",
        dtype=None,
        name: str | None = None,
    ):
        max_duration = num_frames if max_duration is None else max_duration
        sizes = {"feature_dim": feature_dim, "num_frames": num_frames, "hidden_dim": hidden_dim}
        sizes |= {"proposal_dim": proposal_dim, "map_dim": map_dim, "max_duration": max_duration}
        for argument, value in sizes.items():
            if not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"`{argument}` must be a positive integer. Received: {argument}={value!r}"
                )
        if feature_dim % 4 or hidden_dim % 4:
            raise ValueError(
                "`feature_dim` and `hidden_dim` must be multiples of 4, the groups of the "
                f"convolutions. Received: feature_dim={feature_dim}, hidden_dim={hidden_dim}"
            )

        # === Functional model ===
        def over_time(filters, kernel_size, name, groups=1, activation="relu", dtype=dtype):
            return GroupedConv1D(
                filters, kernel_size, groups, activation=activation, dtype=dtype, name=name
            )

        def over_map(filters, kernel_size, name, activation="relu", dtype=dtype):
            return keras.layers.Conv2D(
                filters,
                kernel_size,
                padding="same",
                activation=activation,
                # He et al.'s, not truncated.
                kernel_initializer=keras.initializers.VarianceScaling(
                    2.0, "fan_in", "untruncated_normal"
                ),
                dtype=dtype,
                name=name,
            )

        features = keras.Input((num_frames, feature_dim), name="features")
        x = over_time(hidden_dim, 3, "base_conv1", groups=4)(features)
        x = over_time(hidden_dim, 3, "base_conv2", groups=4)(x)
        boundaries = {}
        for boundary in ("start", "end"):
            y = over_time(hidden_dim, 3, f"{boundary}_conv1", groups=4)(x)
            y = over_time(1, 1, f"{boundary}_conv2", activation="sigmoid", dtype="float32")(y)
            boundaries[f"{boundary}s"] = ops.squeeze(y, axis=-1)
        x = over_time(proposal_dim, 3, "proposal_conv")(x)
        matching = BoundaryMatching(
            segment_dim,
            max_duration,
            num_samples,
            points,
            boundary_ratio,
            layout,
            activation="relu",
            dtype=dtype,
            name="boundary_matching",
        )
        x = over_map(map_dim, 1, "map_conv1")(matching(x))
        x = over_map(map_dim, 3, "map_conv2")(x)
        x = over_map(map_dim, 3, "map_conv3")(x)
        confidence = over_map(2, 1, "map_conv4", activation="sigmoid", dtype="float32")(x)
        outputs = {"confidence": confidence, **boundaries}
        super().__init__({"features": features}, outputs, dtype=dtype, name=name)

        # === Config ===
        self.feature_dim = feature_dim
        self.num_frames = num_frames
        self.max_duration = max_duration
        self.hidden_dim = hidden_dim
        self.proposal_dim = proposal_dim
        self.segment_dim = segment_dim
        self.map_dim = map_dim
        self.num_samples = num_samples
        self.points = points
        self.boundary_ratio = boundary_ratio
        self.map_layout = layout

    def propose(
        self, features: np.ndarray, duration: float, max_proposals: int = 100, **kwargs
    ) -> list[Proposal]:
        """Ranks the segments of a video.

        Args:
            features: of the whole video, `(steps, feature_dim)`; other numbers of steps than
                `num_frames` are interpolated.
            duration: of the video, in seconds.
            max_proposals: the length of the list. Defaults to 100.
            **kwargs: of `localization.soft_nms`.

        Returns:
            Proposals in seconds, best first.

        Raises:
            ValueError: features of another shape, or that are no numbers; `duration` is not
                positive.
        """
        return propose_segments(self, features, duration, max_proposals, **kwargs)

    def get_config(self):
        return {
            **super().get_config(),
            "feature_dim": self.feature_dim,
            "num_frames": self.num_frames,
            "max_duration": self.max_duration,
            "hidden_dim": self.hidden_dim,
            "proposal_dim": self.proposal_dim,
            "segment_dim": self.segment_dim,
            "map_dim": self.map_dim,
            "num_samples": self.num_samples,
            "points": self.points,
            "boundary_ratio": self.boundary_ratio,
            "layout": self.map_layout,
        }
