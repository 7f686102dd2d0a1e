"""Every variable gets exactly one tensor and every tensor is used, or nothing is changed."""

import keras
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from tiny_classifier import (
    LABELS,
    TinyClassifier,
    answers,
    checkpoint_of,
    tiny_map,
    tiny_preset,
    trained,
    write_pdparams,
)

import keras_video
from keras_video.presets import (
    PresetError,
    PresetMixin,
    convert,
    original_tensors,
    register_model,
    register_preset,
)
from keras_video.presets.layouts import LAYOUTS
from keras_video.presets.weights import to_numpy


@pytest.fixture
def tensors():
    return checkpoint_of(trained())


@pytest.fixture
def checkpoint(tmp_path, tensors):
    return write_pdparams(tmp_path / "tiny.pdparams", tensors)


def test_a_checkpoint_fills_a_model(checkpoint):
    model = TinyClassifier()
    assert keras_video.convert(checkpoint, model) is model
    np.testing.assert_array_equal(answers(model), answers(trained()))


def test_a_class_or_a_name_is_built(checkpoint):
    register_model("tiny", "tiny_classifier:TinyClassifier")
    for model in (TinyClassifier, "tiny"):
        converted = convert(checkpoint, model, format="paddlevideo")
        np.testing.assert_array_equal(answers(converted), answers(trained()))


def test_a_preset_s_name_brings_preprocessor_and_labels(checkpoint, tmp_path):
    register_preset(tiny_preset("tiny_motion"))
    convert(checkpoint, "tiny_motion", to=tmp_path / "converted")
    model = TinyClassifier.from_preset(tmp_path / "converted")
    np.testing.assert_array_equal(answers(model), answers(trained()))
    assert list(model.labels) == list(LABELS)
    assert model.preprocessor.num_frames == 2


def test_the_number_of_classes_is_read_off_the_head(tmp_path):
    path = write_pdparams(tmp_path / "six.pdparams", checkpoint_of(trained_with(6)))
    model = convert(path, TinyClassifier)
    assert model.num_classes == 6
    np.testing.assert_array_equal(answers(model), answers(trained_with(6)))
    with pytest.raises(PresetError, match="'head/kernel' has shape .4, 5."):
        convert(path, TinyClassifier, num_classes=5)


def test_a_preset_s_name_gives_the_file_s_number_of_classes_no_labels(tmp_path):
    register_preset(tiny_preset("tiny_motion"))
    path = write_pdparams(tmp_path / "six.pdparams", checkpoint_of(trained_with(6)))
    model = convert(path, "tiny_motion")
    assert (model.num_classes, model.labels) == (6, None)
    assert model.preprocessor.num_frames == 2
    np.testing.assert_array_equal(answers(model), answers(trained_with(6)))
    with pytest.raises(PresetError, match="'head/kernel' has shape .4, 4."):
        convert(path, "tiny_motion", num_classes=4)


def trained_with(num_classes):
    model = trained(num_classes)
    model.labels = None
    return model


def test_safetensors_and_dicts_are_taken_too(tmp_path, tensors):
    save_file(tensors, tmp_path / "tiny.safetensors")
    for source in (tmp_path / "tiny.safetensors", tensors):
        np.testing.assert_array_equal(answers(convert(source, TinyClassifier)), answers(trained()))


def test_half_precision_checkpoints_fill_float32_models(tensors):
    half = {name: array.astype("float16") for name, array in tensors.items()}
    model = convert(half, TinyClassifier)
    assert model.weights[0].dtype == "float32"
    np.testing.assert_allclose(answers(model), answers(trained()), atol=2e-2)


@pytest.mark.parametrize("prefix", ["", "backbone."])
def test_an_image_network_initialises_the_backbone(tensors, prefix):
    image_network = {
        name.replace("backbone.", prefix): array
        for name, array in tensors.items()
        if name.startswith("backbone.")
    }
    image_network.update({"fc.weight": np.ones((4, 1000)), "fc.bias": np.ones(1000)})
    model = TinyClassifier(num_classes=9)
    head = to_numpy(model.get_layer("head").kernel)
    convert(image_network, model, part="backbone")
    kernels = [to_numpy(m.get_layer("conv2").kernel) for m in (model, trained())]
    np.testing.assert_array_equal(*kernels)
    np.testing.assert_array_equal(to_numpy(model.get_layer("head").kernel), head)


def test_the_backbone_of_a_whole_model_can_be_taken(checkpoint):
    model = convert(checkpoint, TinyClassifier, part="backbone", num_classes=9)
    kernels = [to_numpy(m.get_layer("conv1").kernel) for m in (model, trained())]
    np.testing.assert_array_equal(*kernels)


def test_only_a_classifier_may_be_left_over_by_a_backbone(tensors):
    tensors["blocks.7.weight"] = np.ones(3)
    with pytest.raises(PresetError, match="1 tensors have no variable: 'blocks.7.weight'"):
        convert(tensors, TinyClassifier, part="backbone")


def test_leftovers_are_named_and_nothing_is_assigned(tensors):
    model = TinyClassifier()
    before = answers(model)
    for name in list(tensors)[:2]:
        tensors[f"renamed.{name}"] = tensors.pop(name)
    with pytest.raises(PresetError) as caught:
        convert(tensors, model)
    assert "2 variables have no tensor: 'head/kernel (tensor head.fc.weight)'" in str(caught.value)
    assert "2 tensors have no variable: 'renamed.head.fc.weight'" in str(caught.value)
    np.testing.assert_array_equal(answers(model), before)


def test_a_shape_names_variable_tensor_and_both_shapes(tensors):
    tensors["backbone.conv1.weight"] = np.zeros((3, 3, 5, 5), "float32")
    with pytest.raises(PresetError) as caught:
        convert(tensors, TinyClassifier())
    for part in ("conv1/kernel", "(3, 3, 3, 3)", "backbone.conv1.weight", "(3, 3, 5, 5)"):
        assert part in str(caught.value)
    tensors["backbone.conv1.weight"] = np.zeros((3, 3), "float32")
    with pytest.raises(PresetError, match=r"has shape \(3, 3\), but 'conv1/kernel' wants a conv2d"):
        convert(tensors, TinyClassifier())


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda m: m.pop("head/bias"), "variables without a tensor: 'head/bias'"),
        (lambda m: m.update({"x/y": ("t", "same")}), "entries without a variable: 'x/y'"),
        (
            lambda m: m.update({"conv1/bias": m["conv2/bias"]}),
            "tensors for two variables: 'backbone.conv2.bias'",
        ),
        (lambda m: m.update({"head/bias": ("head.fc.bias", "new")}), "unknown layouts: 'new'"),
    ],
)
def test_a_mistake_in_the_map_is_told_apart(monkeypatch, tensors, change, message):
    def wrong_map(model):
        entries = tiny_map(model)
        change(entries)
        return entries

    monkeypatch.setattr(TinyClassifier, "checkpoint_maps", {"paddlevideo": wrong_map})
    with pytest.raises(PresetError, match=f"checkpoint map has {message}"):
        convert(tensors, TinyClassifier())


def test_the_format_that_fits_best_is_chosen(monkeypatch, tensors):
    def other_map(model):
        return {path: (f"other.{name}", layout) for path, (name, layout) in tiny_map(model).items()}

    maps = {"other": other_map, "paddlevideo": tiny_map}
    monkeypatch.setattr(TinyClassifier, "checkpoint_maps", maps)
    np.testing.assert_array_equal(answers(convert(tensors, TinyClassifier)), answers(trained()))
    with pytest.raises(PresetError, match="have no tensor: .*tensor other.backbone"):
        convert(tensors, TinyClassifier, format="other")
    with pytest.raises(PresetError, match="Did you mean 'paddlevideo'"):
        convert(tensors, TinyClassifier, format="paddle_video")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"part": "head"}, "part must be one of model, backbone"),
        ({"model": TinyClassifier, "num_class": 3}, "Did you mean 'num_classes'"),
        ({"model": "pp_tsmm"}, "Unknown model. Did you mean 'pp_tsm'"),
        ({"num_classes": 3}, "can't change a model that is built: 'num_classes'"),
    ],
)
def test_wrong_arguments_are_named(tensors, arguments, message):
    model = arguments.pop("model", None) or TinyClassifier()
    with pytest.raises(PresetError, match=message):
        convert(tensors, model, **arguments)


def test_layouts_turn_weights_as_documented_and_back():
    def turned(layout, array):
        (result,) = LAYOUTS[layout].from_keras(LAYOUTS[layout].to_keras([array]))
        np.testing.assert_array_equal(result, array)
        return LAYOUTS[layout].to_keras([array])

    conv1d = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    assert turned("conv1d", conv1d)[3, 2, 1] == conv1d[1, 2, 3]
    conv2d = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    assert turned("conv2d", conv2d)[3, 4, 2, 1] == conv2d[1, 2, 3, 4]
    conv3d = np.arange(2 * 3 * 4 * 5 * 6).reshape(2, 3, 4, 5, 6)
    assert turned("conv3d", conv3d)[3, 4, 5, 2, 1] == conv3d[1, 2, 3, 4, 5]
    dense = np.arange(6).reshape(2, 3)
    assert turned("dense", dense)[1, 2] == turned("dense_torch", dense)[2, 1] == dense[1, 2]


@keras.saving.register_keras_serializable(package="tiny")
class TinyAttentionLSTM(PresetMixin, keras.Model):
    """What later models need: queries and keys in one matrix, an LSTM with two biases."""

    checkpoint_maps = {
        "torch": lambda model: {
            "qk/kernel": (("q.weight", "k.weight"), "dense_torch"),
            "qk/bias": (("q.bias", "k.bias"), "same"),
            "lstm/lstm_cell/kernel": ("lstm.weight_ih_l0", "dense_torch"),
            "lstm/lstm_cell/recurrent_kernel": ("lstm.weight_hh_l0", "dense_torch"),
            "lstm/lstm_cell/bias": (("lstm.bias_ih_l0", "lstm.bias_hh_l0"), "sum"),
        }
    }

    def __init__(self, name=None):
        inputs = keras.Input((None, 3))
        features = keras.layers.Dense(8, name="qk")(inputs)
        super().__init__(inputs, keras.layers.LSTM(5, name="lstm")(features), name=name)


@pytest.fixture
def torch_tensors():
    generator = np.random.default_rng(0)
    shapes = {
        "q.weight": (4, 3), "k.weight": (4, 3), "q.bias": (4,), "k.bias": (4,),
        "lstm.weight_ih_l0": (20, 8), "lstm.weight_hh_l0": (20, 5),
        "lstm.bias_ih_l0": (20,), "lstm.bias_hh_l0": (20,),
    }  # fmt: skip
    return {name: generator.normal(size=s).astype("float32") for name, s in shapes.items()}


def test_several_tensors_make_one_variable(torch_tensors):
    model = convert(torch_tensors, TinyAttentionLSTM)
    clips = np.random.default_rng(1).normal(size=(2, 6, 3)).astype("float32")

    tensors = {name: torch.tensor(array) for name, array in torch_tensors.items()}
    weights = [tensors[f"{name}.weight"] for name in "qk"]
    biases = [tensors[f"{name}.bias"] for name in "qk"]
    features = torch.tensor(clips) @ torch.cat(weights).T + torch.cat(biases)
    lstm = torch.nn.LSTM(8, 5, batch_first=True)
    lstm.load_state_dict(
        {k.removeprefix("lstm."): v for k, v in tensors.items() if k.startswith("lstm.")}
    )
    expected = lstm(features)[0][:, -1].detach().numpy()
    np.testing.assert_allclose(model.predict(clips, verbose=0), expected, atol=1e-6)

    torch_tensors["k.weight"] = np.zeros((4, 5), "float32")
    with pytest.raises(PresetError, match="'q.weight', 'k.weight' .* fit together .*'qk/kernel'"):
        convert(torch_tensors, TinyAttentionLSTM)
    del torch_tensors["k.weight"]
    with pytest.raises(PresetError, match="'qk/kernel .tensor q.weight . k.weight.'"):
        convert(torch_tensors, TinyAttentionLSTM)


def test_weights_go_back_to_their_original_names(torch_tensors, tensors):
    model = convert(torch_tensors, TinyAttentionLSTM)
    back = original_tensors(model, "torch")
    total = torch_tensors["lstm.bias_ih_l0"] + torch_tensors["lstm.bias_hh_l0"]
    np.testing.assert_array_equal(back.pop("lstm.bias_ih_l0"), total)
    assert not back.pop("lstm.bias_hh_l0").any()
    for name, array in back.items():
        np.testing.assert_array_equal(array, torch_tensors[name])

    gradients = {"conv1/kernel": np.ones((3, 3, 3, 3))}
    assert list(original_tensors(TinyClassifier(), "paddlevideo", gradients)) == [
        "backbone.conv1.weight"
    ]
    with pytest.raises(PresetError, match="Did you mean 'paddlevideo'"):
        original_tensors(TinyClassifier(), "paddle_video")
