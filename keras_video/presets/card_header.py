"""The YAML header of a model card, by which the Hub finds and describes a model."""

import json
import re
from collections.abc import Mapping

HOMEPAGE = "https://github.com/keras-video/keras-video"

# Tasks that the Hub has a page for.
PIPELINES = ("image-feature-extraction", "video-classification")
# Data set -> its id on the Hub.
_HUB_DATASETS = {"Kinetics-400": "kinetics400", "ImageNet-1k": "ILSVRC/imagenet-1k"}
# Our name of a metric -> the Hub's type and what people call it.
_METRICS = {
    "top1": ("accuracy", "Top-1 accuracy, %"),
    "top5": ("accuracy", "Top-5 accuracy, %"),
    "hit_at_one": ("hit_at_one", "Hit@1, %"),
    "perr": ("perr", "PERR, %"),
    "gap": ("gap", "GAP, %"),
    "map": ("mean_average_precision", "mAP, %"),
    "auc": ("auc", "AUC of AR@AN, %"),
    "ar@1": ("average_recall", "AR@1, %"),
    "ar@5": ("average_recall", "AR@5, %"),
    "ar@10": ("average_recall", "AR@10, %"),
    "ar@100": ("average_recall", "AR@100, %"),
}


def metric_name(metric: str) -> str:
    """What people call a metric: `"Top-1 accuracy, %"` for `"top1"`."""
    return _METRICS.get(metric, (metric, metric))[1]


def card_tags(task: str, class_name: str) -> tuple[str, ...]:
    """The tags by which people find a model of a class."""
    return tuple(filter(None, ("keras", "keras-video", task, class_name.lower())))


def card_header(
    *,
    name: str,
    task: str,
    class_name: str,
    license: str | None,
    dataset: str | None,
    metrics: Mapping[str, float],
    metrics_source: str | None,
    source_name: str,
) -> str:
    """Returns the header, between lines of three dashes.

    Args:
        name: of the model, in its list of results.
        task: such as `"video-classification"`; empty for none.
        class_name: of the model; a tag.
        license: an identifier of the Hub; `None` leaves it out.
        dataset: that it was trained on and the results are of.
        metrics: results; without a data set they are left out.
        metrics_source: where they are published.
        source_name: what that is.
    """
    # JSON strings are YAML strings.
    lines = ["library_name: keras-video"]
    if task in PIPELINES:
        lines.append(f"pipeline_tag: {task}")
    if license:
        lines.append(f"license: {json.dumps(license)}")
    if dataset in _HUB_DATASETS:
        lines += ["datasets:", f"- {_HUB_DATASETS[dataset]}"]
    lines += ["tags:", *(f"- {tag}" for tag in card_tags(task, class_name))]
    if metrics and dataset and task:
        lines += _model_index(name, task, dataset, metrics, metrics_source, source_name)
    return "\n".join(["---", *lines, "---", ""])


def _model_index(
    name: str, task: str, dataset: str, metrics: Mapping, source: str | None, source_name: str
) -> list[str]:
    slug = re.sub(r"[^a-z0-9]+", "-", dataset.lower()).strip("-")
    lines = [
        "model-index:",
        f"- name: {json.dumps(name)}",
        "  results:",
        "  - task:",
        f"      type: {json.dumps(task)}",
        "    dataset:",
        f"      type: {json.dumps(slug)}",
        f"      name: {json.dumps(dataset)}",
        "    metrics:",
    ]
    for metric, value in metrics.items():
        kind = _METRICS.get(metric, (metric,))[0]
        lines += [
            f"    - type: {json.dumps(kind)}",
            f"      name: {json.dumps(metric_name(metric))}",
            f"      value: {json.dumps(value)}",
        ]
    if source:
        lines += [
            "    source:",
            f"      name: {json.dumps(source_name)}",
            f"      url: {json.dumps(source)}",
        ]
    return lines
