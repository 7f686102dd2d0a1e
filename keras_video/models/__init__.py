"""Video models: functional Keras models with presets."""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "ActionLSTM": "action_lstm.action_lstm",
        "AttentionLSTM": "attention_lstm.attention_lstm",
        "BMN": "bmn.bmn",
        "FunctionalModel": "functional_model",
        "ModelSummary": "model_summary",
        "PPTSM": "pp_tsm.pp_tsm",
        "PPTSN": "pp_tsn.pp_tsn",
        "ResNetBackbone": "resnet.resnet_backbone",
        "SlowFast": "slowfast.slowfast",
        "SlowFastBackbone": "slowfast.slowfast_backbone",
        "SlowOnly": "slowfast.slow_only",
        "SlowOnlyBackbone": "slowfast.slow_only_backbone",
        "TSM": "tsm.tsm",
        "TSN": "tsn.tsn",
        "TimeSformer": "timesformer.timesformer",
        "VGGish": "vggish.vggish",
        "ViTBackbone": "timesformer.vit_backbone",
        "VideoClassifier": "video_classifier",
        "summarize": "summarize",
    },
)
