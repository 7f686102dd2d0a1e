"""`Preset`: what keras_video knows about a published model before anything is downloaded."""

import dataclasses
import os
import re
from collections.abc import Mapping

from keras_video.presets.errors import PresetError

DEFAULT_HUB_ORG = "keras-video"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_IMPORT_STRING = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")

# Who measured a result, and on which weights.
PROVENANCES = ("published", "converted", "retrained")

# Format of an original checkpoint -> whose it is.
_PUBLISHERS = {
    "caffe2": "PySlowFast",
    "huggingface": "Hugging Face",
    "mit": "MIT",
    "mmaction2": "MMAction2",
    "paddleclas": "PaddleClas",
    "paddlevideo": "PaddleVideo",
    "pyslowfast": "PySlowFast",
    "pytorchvideo": "PyTorchVideo",
    "videotag": "PaddleVideo",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preset:
    """The manifest of a published model: where it is, how it is built, what it reaches.

    A manifest is enough to build the model, its preprocessor and its labels; the weights come
    from the package (`bundled`), the Hub repository, or the original checkpoint's URL.

    Args:
        name: the short name, as in `from_preset(name)`.
        model: import string of the model class, e.g. `"keras_video.models:TSM"`.
        description: one sentence for people.
        config: arguments of the model class.
        preprocessor: arguments of the preprocessor class; `None` for a model without one.
        preprocessor_class: import string of the preprocessor class.
        labels: a name that `load_labels` knows (`"kinetics400"`), the label names themselves,
            or `None`.
        labels_url: URL of the authors' list of labels, one a line, downloaded with the original
            checkpoint where `labels` is `None`.
        dataset: what the model was trained on, e.g. `"Kinetics-400"`.
        source_url: URL of the original checkpoint, used until the Hub has a repository.
        source_format: which of the class's `checkpoint_maps` reads the original checkpoint.
        source_part: `"model"`, or `"backbone"` where the original checkpoint is an image network
            whose classifier is left out, as in `convert`.
        metrics: results in percent, e.g. `{"top1": 74.54}`.
        metrics_source: where the results are published.
        metrics_provenance: `"published"` (default) by the authors, not measured again;
            `"converted"`, measured with the converted weights; or `"retrained"`, trained and
            measured with keras_video.
        parameters: number of trainable parameters.
        license: SPDX-like license identifier of the weights; `None` where it is unknown.
        license_note: what else is known about it, as a sentence.
        task: what the model is for, one of the Hub's names where it has one:
            `"video-classification"` (default), `"image-feature-extraction"`, or another.
        paper: address of the paper.
        recipe: the script in `recipes/` that trains it, without `.py`.
        conversion_note: what has been checked about the conversion, as a sentence.
        limits: what to know before relying on it, as sentences.
        repository: Hub repository, `"org/name"`; by default the organisation of
            `KERAS_VIDEO_HUB_ORG` (`"keras-video"`) and the preset's name.
        revision: Hub revision (commit, tag or branch) to pin; `None` follows `main`.
        bundled: whether the files ship inside the package, in `presets/bundled/<name>`.

    Raises:
        PresetError: if a name, an import string or a repository is malformed, or the part or the
            provenance is unknown.

    Example:

    >>> keras_video.register_preset(
    ...     keras_video.Preset(name="my_tsm", model="keras_video.models:TSM",
    ...                        config={"num_classes": 12}, repository="me/my_tsm"))
    >>> model = keras_video.models.TSM.from_preset("my_tsm")
    """

    name: str
    model: str
    description: str = ""
    config: Mapping = dataclasses.field(default_factory=dict)
    preprocessor: Mapping | None = None
    preprocessor_class: str = "keras_video.data:VideoPreprocessor"
    labels: str | tuple[str, ...] | None = None
    labels_url: str | None = None
    dataset: str | None = None
    source_url: str | None = None
    source_format: str = "paddlevideo"
    source_part: str = "model"
    metrics: Mapping = dataclasses.field(default_factory=dict)
    metrics_source: str | None = None
    metrics_provenance: str = "published"
    parameters: int | None = None
    license: str | None = None
    license_note: str = ""
    task: str = "video-classification"
    paper: str | None = None
    recipe: str | None = None
    conversion_note: str = ""
    limits: tuple[str, ...] = ()
    repository: str | None = None
    revision: str | None = None
    bundled: bool = False

    def __post_init__(self):
        if not _NAME.fullmatch(self.name):
            raise PresetError(
                "A preset's name has letters, digits, '.', '_' and '-' only. "
                f"Received: name={self.name!r}"
            )
        for field in ("model", "preprocessor_class"):
            if not _IMPORT_STRING.fullmatch(getattr(self, field)):
                raise PresetError(
                    f"Preset {self.name!r}: {field} must be an import string like "
                    f"'package.module:Class'. Received: {field}={getattr(self, field)!r}"
                )
        if self.source_part not in ("model", "backbone"):
            raise PresetError(
                f'Preset {self.name!r}: source_part must be "model" or "backbone". '
                f"Received: source_part={self.source_part!r}"
            )
        if self.metrics_provenance not in PROVENANCES:
            raise PresetError(
                f"Preset {self.name!r}: metrics_provenance must be one of "
                f"{', '.join(PROVENANCES)}. "
                f"Received: metrics_provenance={self.metrics_provenance!r}"
            )
        if self.repository is not None and self.repository.count("/") != 1:
            raise PresetError(
                f"Preset {self.name!r}: repository must be 'org/name'. "
                f"Received: repository={self.repository!r}"
            )

    @property
    def hub_repository(self) -> str:
        """`"org/name"` of the Hub repository, with the organisation set now."""
        return hub_repository(self.name, self.repository)

    @property
    def model_class_name(self) -> str:
        """The name of the model class, without importing it."""
        return self.model.partition(":")[2]

    @property
    def publisher(self) -> str:
        """Who published the weights first."""
        if self.bundled:
            return "keras_video"
        return _PUBLISHERS.get(self.source_format, self.source_format)


def hub_repository(name: str, repository: str | None = None) -> str:
    """The repository, or that of the name under the organisation set now."""
    if repository is not None:
        return repository
    return f"{os.environ.get('KERAS_VIDEO_HUB_ORG') or DEFAULT_HUB_ORG}/{name}"
