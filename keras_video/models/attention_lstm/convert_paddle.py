"""Where PaddleVideo keeps the weights of an AttentionLSTM."""

from collections.abc import Mapping

from keras_video.presets.checkpoint_format import CheckpointFormat

# Names of the first modalities; the checkpoint only has their numbers.
MODALITIES = ("rgb", "audio")


def paddlevideo_map(model) -> dict[str, tuple]:
    """Maps the variables of an `AttentionLSTM` to the tensors of a PaddleVideo checkpoint.

    Returns:
        `{variable path: (tensor name or names, layout)}`, complete.
    """
    table = _dense("classifier", "fc_logit")
    for number in range(1, len(model.hidden_dims) + 1):
        table |= _dense(f"hidden{number}", f"fc_out{number}")
    for number, modality in enumerate(model.features):
        table |= _dense(f"{modality}_embedding", f"fc_feature{number}")
        table |= _dense(f"{modality}_attention/score", f"att_fc{number}")
        for direction, end in (("forward", "l0"), ("backward", "l0_reverse")):
            cell = f"{modality}_lstm/{direction}/lstm_cell"
            theirs = f"head.bi_lstm{number}"
            biases = (f"{theirs}.bias_ih_{end}", f"{theirs}.bias_hh_{end}")
            table[f"{cell}/kernel"] = (f"{theirs}.weight_ih_{end}", "dense_torch")
            table[f"{cell}/recurrent_kernel"] = (f"{theirs}.weight_hh_{end}", "dense_torch")
            table[f"{cell}/bias"] = (biases, "sum")
    return table


def _dense(ours: str, theirs: str) -> dict[str, tuple[str, str]]:
    return {
        f"{ours}/kernel": (f"head.{theirs}.weight", "dense"),
        f"{ours}/bias": (f"head.{theirs}.bias", "same"),
    }


def _sizes(tensors: Mapping, given: Mapping) -> dict:
    """What the shapes tell of the model's arguments; nothing where tensors are missing."""
    names = {
        "embedding": "head.fc_feature0.weight",
        "lstm": "head.bi_lstm0.weight_hh_l0",
        "hidden1": "head.fc_out1.weight",
        "hidden2": "head.fc_out2.weight",
    }
    if not all(name in tensors and tensors[name].ndim == 2 for name in names.values()):
        return {}
    shapes = {key: tensors[name].shape for key, name in names.items()}
    sizes = {
        "embedding_dim": shapes["embedding"][1],
        "lstm_dim": shapes["lstm"][1],
        "hidden_dims": (shapes["hidden1"][1], shapes["hidden2"][1]),
    }
    weights = [tensors.get(f"head.fc_feature{number}.weight") for number in range(3)]
    weights = [weight for weight in weights if weight is not None]
    if len(weights) <= len(MODALITIES):
        channels = [weight.shape[0] for weight in weights]
        sizes["features"] = dict(zip(MODALITIES, channels, strict=False))
    return sizes


PADDLEVIDEO = CheckpointFormat(
    paddlevideo_map,
    arguments={"peepholes": False, "attention_bias": True},
    sizes=_sizes,
    # Paddle names each weight of an LSTM twice.
    aliases=(
        (r"(.*)\.0\.cell_fw\.(weight|bias)_(ih|hh)", r"\1.\2_\3_l0"),
        (r"(.*)\.0\.cell_bw\.(weight|bias)_(ih|hh)", r"\1.\2_\3_l0_reverse"),
    ),
)
