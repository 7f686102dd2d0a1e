"""What the manifests of PaddleVideo's checkpoints share."""

from keras_video.presets.preset import Preset

HOST = "https://videotag.bj.bcebos.com/"
DOCS = "https://github.com/PaddlePaddle/PaddleVideo/blob/develop/docs/en/model_zoo/recognition/"


def paddlevideo_preset(
    *, model: str, url: str, top1: float, docs: str, labels: str = "kinetics400", **arguments
) -> Preset:
    """The manifest of a checkpoint that PaddleVideo published.

    Args:
        model: name of the class in `keras_video.models`.
        url: where the checkpoint is, below `HOST`.
        top1: published top-1 accuracy in percent.
        docs: the page below `DOCS` that publishes it.
        labels: `"kinetics400"` (default) or `"ucf101"`.
        **arguments: further fields of `Preset`.
    """
    datasets = {"kinetics400": "Kinetics-400", "ucf101": "UCF101 (split 1)"}
    return Preset(
        model=f"keras_video.models:{model}",
        labels=labels,
        dataset=datasets[labels],
        source_url=HOST + url,
        source_format="paddlevideo",
        metrics={"top1": top1},
        metrics_source=DOCS + docs,
        license="apache-2.0",
        **arguments,
    )
