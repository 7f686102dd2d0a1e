"""Metrics of videos with several labels: Hit@1, PERR, GAP, mAP; as functions and for Keras."""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "GlobalAveragePrecision": "global_average_precision_metric",
        "HitAtOne": "hit_at_one_metric",
        "MeanAveragePrecision": "mean_average_precision",
        "PrecisionAtEqualRecall": "precision_at_equal_recall",
        "TaggingScores": "tagging_scores",
        "average_precision": "average_precision",
        "average_precision_per_class": "average_precision_per_class",
        "global_average_precision": "global_average_precision",
        "hit_at_one": "hit_at_one",
        "perr": "perr",
    },
)
