"""How often a model is right about the videos of a list."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from keras_video.data.video_pipeline import parse_views


@dataclass(frozen=True)
class EvaluationResult:
    """What `evaluate_videos` found.

    Attributes:
        videos: number of videos, those that failed included.
        views: views of each video that the answer is the mean of.
        top1: share of the videos whose first answer is right; a video that failed is wrong.
        topk: share of the videos with the right class among the first `k` answers.
        k: 5, or the number of classes where there are fewer.
        failures: path and reason of each video that could not be read.
        classes: for each class of the list, worst first: its `label`, number of `videos`, `top1`,
            number of videos that `failed`, and `taken_for`, the wrong first answers with their
            numbers, most frequent first.
    """

    videos: int
    views: int
    top1: float
    topk: float
    k: int
    failures: list[dict]
    classes: list[dict]

    def to_dict(self) -> dict:
        """The result as plain lists and dictionaries, for JSON."""
        return asdict(self)


def evaluate_videos(
    model,
    videos,
    *,
    views: str | None = None,
    decoder: str | None = None,
    batch_size: int = 8,
    advance: Callable[[], None] | None = None,
) -> EvaluationResult:
    """Measures a model on every video of a list, each exactly once.

    Where both the list and the model have names of classes, they are matched by name, so the
    numbers of the list may follow another order.

    Args:
        model: a `VideoClassifier` with a preprocessor.
        videos: a `VideoList` with labels.
        views: such as `"10x3"`: ten clips a video, three crops each, instead of the preset's own.
        decoder: decodes with another reader than the preset's, see `open_video`.
        batch_size: views that the network takes at a time.
        advance: called after each video.

    Returns:
        An `EvaluationResult`.

    Raises:
        ValueError: an empty list, videos without label, classes that the model does not know, or
            views that are not possible.

    Example:

    >>> model = keras_video.models.TSM.from_preset("tsm_tiny_motion")
    >>> evaluate_videos(model, VideoList.read("val.list"), views="2x3").top1
    0.98
    """
    if not len(videos):
        raise ValueError("There is nothing to evaluate. Received: a list of 0 videos")
    truths = _class_ids(model, videos)
    original = model.preprocessor
    model.preprocessor = preprocessor = with_views(original, views, decoder)
    k = min(5, model.output_shape[-1])
    wrong: dict[int, Counter] = {}
    totals, firsts, failed, among, failures = Counter(truths), Counter(), Counter(), 0, []
    try:
        sources = [record.source for record in videos]
        results = model.classify_each(sources, top_k=k, batch_size=batch_size, errors="return")
        for source, truth, result in zip(sources, truths, results, strict=True):
            if isinstance(result, Exception):
                reason = getattr(result, "reason", None) or " ".join(str(result).split())
                failures.append({"path": source, "error": reason})
                failed[truth] += 1
            else:
                answers = [answer["class_id"] for answer in result]
                firsts[truth] += answers[0] == truth
                among += truth in answers
                if answers[0] != truth:
                    wrong.setdefault(truth, Counter())[answers[0]] += 1
            if advance is not None:
                advance()
    finally:
        model.preprocessor = original
    names = model.labels or [str(i) for i in range(model.output_shape[-1])]
    classes = [
        {
            "label": names[truth],
            "videos": totals[truth],
            "top1": firsts[truth] / totals[truth],
            "failed": failed[truth],
            "taken_for": {
                names[answer]: count for answer, count in wrong.get(truth, Counter()).most_common()
            },
        }
        for truth in sorted(totals, key=lambda truth: (firsts[truth] / totals[truth], truth))
    ]
    return EvaluationResult(
        videos=len(truths),
        views=getattr(preprocessor, "num_views", 1),
        top1=firsts.total() / len(truths),
        topk=among / len(truths),
        k=k,
        failures=failures,
        classes=classes,
    )


def with_views(preprocessor, views: str | None = None, decoder: str | None = None):
    """Returns a preprocessor like the given one, with other views or another decoder.

    Args:
        preprocessor: a `VideoPreprocessor`.
        views: clips and crops, such as `"10x3"`; crops are 1 (center), 3 (left, right, center) or
            10 (corners and center, mirrored too). A preprocessor with three `"uniform"` crops
            keeps them.
        decoder: see `open_video`.

    Raises:
        ValueError: views of another form.

    Example:

    >>> with_views(model.preprocessor, "10x3").num_views
    30
    """
    if views is None and decoder is None:
        return preprocessor
    config = dict(preprocessor.get_config())
    if decoder is not None:
        config["decoder"] = decoder
    if views is not None:
        config["num_clips"], config["crop"] = parse_views(views, config.get("crop", "center"))
    return type(preprocessor).from_config(config)


def _class_ids(model, videos: Iterable) -> list[int]:
    """The class of each video in the model's numbers."""
    missing = next((record.source for record in videos if record.label is None), None)
    if missing is not None:
        raise ValueError(f"Every video needs a class. Received: {missing} without one")
    num_classes = model.output_shape[-1]
    known = model.labels
    if known is None or not videos.labels:
        outside = [record for record in videos if record.label >= num_classes]
        if outside:
            raise ValueError(
                f"The model has the classes 0 to {num_classes - 1}. "
                f"Received: class {outside[0].label} for {outside[0].source}"
            )
        return [record.label for record in videos]
    places = {name: place for place, name in enumerate(known)}
    used = [videos.labels[record.label] for record in videos]
    unknown = sorted(set(used) - set(places))
    if unknown:
        raise ValueError(
            f"The model has no class for {len(unknown)} of the list's classes. "
            f"Received: {', '.join(map(repr, unknown[:5]))}; the model knows "
            f"{', '.join(map(repr, known[:5]))}{', ...' if len(known) > 5 else ''}"
        )
    return [places[name] for name in used]
