"""BMN computes what the reference and MMAction2 compute, from their kinds of checkpoints."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden_model import GoldenModel
from golden_torch import GoldenTorch

import keras_video
from keras_video.localization import make_bmn_labels, rank_proposals, soft_nms
from keras_video.losses import BoundaryLoss, SegmentConfidenceLoss
from keras_video.models import BMN
from keras_video.presets import PresetError, original_tensors
from keras_video.training import SGD, TrainStep

NAMES = {"starts": "pred_start", "ends": "pred_end", "confidence": "pred_bm"}
ACTIVATIONS = {
    "b_conv1_act": "base_conv1",
    "b_conv2_act": "base_conv2",
    "ts_conv1_act": "start_conv1",
    "ts_conv2_act": "start_conv2",
    "te_conv2_act": "end_conv2",
    "p_conv1_act": "proposal_conv",
    "p_conv3d1_act": "boundary_matching",
    "p_conv2d1_act": "map_conv1",
    "p_conv2d2_act": "map_conv2",
    "p_conv2d3_act": "map_conv3",
}


class Golden(GoldenModel):
    """A golden checkpoint, converted once."""

    def __init__(self, name):
        super().__init__(name)
        backbone = self.facts["model"]["backbone"]
        self.model = keras_video.convert(
            self.checkpoint,
            BMN,
            num_frames=backbone["tscale"],
            max_duration=backbone["dscale"],
        )
        self.features = self.arrays["input"].transpose(0, 2, 1)

    def labels(self, truth: str) -> dict[str, np.ndarray]:
        """Labels in our form: no overlap where no segment is, and the reference's draws."""
        arrays = self.arrays
        overlap = arrays[f"loss:{truth}_iou_map"] * arrays["loss:bm_mask"]
        draws = np.where(overlap > 0.3, arrays["loss:u_smmask"], arrays["loss:u_slmask"])
        overlap = np.where(arrays["loss:bm_mask"] > 0, overlap, -1)
        return {
            "starts": arrays[f"loss:{truth}_start"],
            "ends": arrays[f"loss:{truth}_end"],
            "confidence": np.stack([overlap, draws], axis=-1),
        }


@pytest.fixture(scope="module", params=["bmn_tiny", "bmn"])
def golden(request):
    return Golden(request.param)


def in_our_order(name: str, array: np.ndarray) -> np.ndarray:
    return array.transpose(0, 2, 3, 1) if name == "pred_bm" else array


def losses() -> dict[str, keras.losses.Loss]:
    return {"starts": BoundaryLoss(), "ends": BoundaryLoss(), "confidence": SegmentConfidenceLoss()}


def test_outputs_equal_the_reference(golden):
    outputs = golden.model.predict({"features": golden.features}, verbose=0)
    assert set(outputs) == set(NAMES)
    for ours, theirs in NAMES.items():
        exact = in_our_order(theirs, golden.arrays[f"main:{theirs}_f64"])
        noise = np.abs(in_our_order(theirs, golden.arrays[f"main:{theirs}"]) - exact).max()
        assert noise < 1e-5 < exact.std()
        assert np.abs(outputs[ours] - exact).max() < max(10 * noise, 2e-6), ours


def test_activations_equal_the_reference(golden):
    model, facts = golden.model, golden.facts["activations"]
    layers = {name: model.get_layer(layer).output for name, layer in ACTIVATIONS.items()}
    outputs = keras.Model(model.inputs, layers).predict({"features": golden.features}, verbose=0)
    for name, output in outputs.items():
        channels_first = np.moveaxis(output, -1, 1)
        assert channels_first.size == np.prod(facts[name]["shape"])
        actual = channels_first.reshape(-1)[:: facts[name]["flat_stride"]]
        expected = golden.arrays[f"main:{name}"].reshape(-1)
        scale = 2e-6 * max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(actual, expected, atol=scale, err_msg=name)


@pytest.mark.parametrize(
    "predictions, truth", [("model_pred", "gt"), ("rand_pred", "gt"), ("rand_pred", "rand_gt")]
)
def test_losses_and_their_gradients_equal_the_reference(golden, predictions, truth):
    case = f"{predictions}_{'repo_gt' if truth == 'gt' else truth}"
    arrays, expected = golden.arrays, golden.facts["loss"][case]
    given = "main:pred" if predictions == "model_pred" else "loss:rand_pred"
    predicted = {
        name: tf.constant(
            in_our_order(theirs, arrays[theirs.replace("pred", given)]),
        )
        for name, theirs in NAMES.items()
    }
    labels = golden.labels(truth)
    with tf.GradientTape() as tape:
        tape.watch(predicted)
        parts = {name: loss(labels[name], predicted[name]) for name, loss in losses().items()}
        total = sum(parts.values())
    np.testing.assert_allclose(total, expected["total"][0], rtol=2e-6)
    np.testing.assert_allclose(parts["starts"] + parts["ends"], expected["tem"][0], rtol=2e-6)
    np.testing.assert_allclose(
        parts["confidence"], 10 * expected["pem_reg"] + expected["pem_cls"], rtol=2e-6
    )
    for name, gradient in tape.gradient(total, predicted).items():
        theirs = arrays[f"loss:{case}_grad_{NAMES[name].removeprefix('pred_')}"]
        theirs = in_our_order(NAMES[name], theirs)
        np.testing.assert_allclose(gradient, theirs, atol=2e-6 * np.abs(theirs).max() + 1e-9)


def test_a_training_step_has_the_reference_s_gradients(golden):
    model, optimizer = golden.model, SGD(1e-9, momentum=0.9)
    model.compile(optimizer, losses())
    optimizer.build(model.trainable_variables)
    batch = {"features": golden.features}, golden.labels("gt")
    loss, _ = tf.function(TrainStep(model), autograph=False)(batch)
    # The velocity of the first step is the gradient.
    gradients = [v.numpy() for v in optimizer.variables if v.path.endswith("_velocity")]
    np.testing.assert_allclose(loss, golden.facts["loss"]["train_step_loss"], rtol=2e-6)
    pairs = zip(model.trainable_variables, gradients, strict=True)
    gradient_of = original_tensors(model, "paddlevideo", {v.path: g for v, g in pairs})
    names = golden.facts["grad_norm_names"]
    assert sorted(names) == sorted(gradient_of)
    norms = [np.linalg.norm(gradient_of[name].astype("float64")) for name in names]
    np.testing.assert_allclose(norms, golden.arrays["loss:grad_norms"], rtol=2e-5)
    stored = [key for key in golden.arrays if key.startswith("loss:grad:")]
    assert len(stored) >= 18
    for key in stored:
        expected = golden.arrays[key].reshape(-1)
        stride = golden.facts["gradient_flat_stride"].get(key.removeprefix("loss:"), 1)
        actual = gradient_of[key.removeprefix("loss:grad:")].reshape(-1)[::stride]
        tolerance = 1e-4 * np.abs(expected).max() + 1e-7
        np.testing.assert_allclose(actual, expected, atol=tolerance, err_msg=key)


def test_labels_equal_the_reference(golden):
    for number, truth in enumerate(golden.facts["ground_truth"]):
        segments = np.array(truth["segments"]) / truth["duration"]
        model = golden.model
        labels = make_bmn_labels(segments, model.num_frames, model.max_duration)
        for name in ("starts", "ends"):
            expected = golden.arrays[f"loss:gt_{name[:-1]}"][number]
            np.testing.assert_allclose(labels[name], expected, atol=1e-6)
        real = golden.arrays["loss:bm_mask"] > 0
        overlap, expected = labels["confidence"][..., 0], golden.arrays["loss:gt_iou_map"][number]
        np.testing.assert_allclose(overlap[real], expected[real], atol=1e-6)
        assert (overlap[~real] == -1).all()


@pytest.mark.parametrize("case", ["model", "synth"])
def test_proposals_equal_the_reference(golden, case):
    arrays = golden.arrays
    segments, scores = rank_proposals(
        arrays[f"post:{case}_pred_bm"][0],
        arrays[f"post:{case}_pred_start"][0],
        arrays[f"post:{case}_pred_end"][0],
    )
    expected = arrays[f"post:{case}_proposals"]
    order = np.lexsort(np.column_stack([segments, scores]).T[[1, 0]])
    theirs = expected[np.lexsort(expected.T[[1, 0]])]
    np.testing.assert_allclose(
        np.column_stack([segments, scores])[order], theirs, rtol=1e-5, atol=1e-7
    )
    segments, scores = soft_nms(segments, scores, max_proposals=101)
    expected = arrays[f"post:{case}_snms"]
    np.testing.assert_allclose(scores[: len(expected)], expected[:, 0], rtol=1e-5)
    np.testing.assert_allclose(segments[: len(expected)], expected[:, 1:], atol=1e-9)


def test_it_proposes_what_the_reference_does(golden):
    """The model's own maps, through to seconds."""
    facts = golden.facts["post"]["model"]
    proposals = golden.model.propose(golden.features[0], facts["duration"])
    assert len(proposals) == 100
    for proposal, expected in zip(proposals, facts["top5"], strict=False):
        assert proposal.score == pytest.approx(expected["score"], rel=1e-4)
        assert [proposal.start, proposal.end] == pytest.approx(expected["segment"])


def test_mmaction2_s_weights_compute_what_they_do_there():
    golden = GoldenTorch("mm_bmn")
    mask = np.zeros((100, 32 * 100 * 100), "float32")
    checkpoint = {**golden.checkpoint, "sample_mask": mask}
    model = keras_video.convert(checkpoint, BMN)
    assert (model.num_frames, model.max_duration, model.proposal_dim) == (100, 100, 256)
    features = golden.arrays["input:features"].transpose(0, 2, 1)
    outputs = model.predict({"features": features}, verbose=0)
    for ours, theirs in (("starts", "start"), ("ends", "end"), ("confidence", "confidence_map")):
        exact = golden.arrays[f"out:{theirs}_fp64"]
        exact = exact.transpose(0, 2, 3, 1) if exact.ndim == 4 else exact
        assert np.abs(outputs[ours] - exact).max() < 5e-6


def test_the_original_repository_s_weights_keep_their_own_map():
    """Names as MMAction2's, without its `bm_mask`; taken for the other one, they are refused."""
    golden = GoldenTorch("mm_bmn")
    checkpoint = {k: v for k, v in golden.checkpoint.items() if not k.endswith("_mask")}
    model = keras_video.convert(checkpoint, BMN)
    assert model.map_layout == "start_end"
    with pytest.raises(PresetError, match="layout"):
        keras_video.convert(checkpoint, model, format="mmaction2")


def test_it_has_the_reference_s_number_of_parameters():
    assert BMN().count_params() == 2_782_980
    # Those of FootballAction's features.
    assert BMN(2688, num_frames=200).count_params() == 3_222_276
    assert BMN(2048, num_frames=200).count_params() == 3_099_396
