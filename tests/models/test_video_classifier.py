import numpy as np
import pytest

import keras_video
from keras_video.data import VideoDecodeError, VideoPreprocessor, render_motion_clip, write_video
from keras_video.models import PPTSM, TSM, TSN


@pytest.fixture(scope="module")
def model():
    return TSM.from_preset("tsm_tiny_motion")


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    paths = {}
    for label in ("moving left", "zooming in"):
        paths[label] = folder / f"{label}.mp4"
        write_video(paths[label], render_motion_clip(label, seed=77, num_frames=40, size=160))
    return paths


def test_classify_one_video(model, videos):
    predictions = model.classify(videos["moving left"], top_k=3)
    assert len(predictions) == 3
    assert predictions[0]["label"] == "moving left"
    assert predictions[0]["class_id"] == model.labels.index("moving left")
    scores = [prediction["score"] for prediction in predictions]
    assert scores == sorted(scores, reverse=True)
    assert 0.5 < scores[0] <= 1


def test_classify_takes_paths_bytes_files_and_frames(model, videos):
    path = videos["zooming in"]
    expected = model.classify(path)
    with keras_video.data.open_video(path) as video:
        frames = video.get_frames(range(len(video)))
    with open(path, "rb") as file:
        sources = [str(path), path.read_bytes(), file, frames, frames.astype("float32")]
        for source in sources:
            assert model.classify(source) == expected


def test_a_list_gives_a_list_of_lists_in_order(model, videos):
    results = model.classify(list(videos.values()) * 5, top_k=1)
    assert [result[0]["label"] for result in results] == list(videos) * 5


def test_top_k_is_clipped_to_the_classes(model, videos):
    predictions = model.classify(videos["moving left"], top_k=100)
    assert len(predictions) == 8
    assert sum(p["score"] for p in predictions) == pytest.approx(1)


def test_views_are_averaged_before_the_softmax(videos):
    model = TSM.from_preset("tsm_tiny_motion", image_size=None)
    model.preprocessor = VideoPreprocessor(short_side=80, crop_size=64, crop="three")
    views = model.preprocessor(videos["moving left"])
    logits = np.concatenate([model.predict(view[None], verbose=0) for view in views]).mean(0)
    scores = np.exp(logits) / np.exp(logits).sum()
    best = model.classify(videos["moving left"], top_k=1, batch_size=2)[0]
    assert best["class_id"] == scores.argmax()
    assert best["score"] == pytest.approx(scores.max(), rel=1e-4)


def test_a_broken_video_is_named(model, videos, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"")
    with pytest.raises(VideoDecodeError, match="broken.mp4"):
        model.classify(broken)
    paths = [videos["moving left"], broken, videos["zooming in"]]
    with pytest.raises(VideoDecodeError, match="broken.mp4"):
        model.classify(paths)
    first, error, last = model.classify(paths, top_k=1, errors="return")
    assert first[0]["label"] == "moving left"
    assert isinstance(error, VideoDecodeError)
    assert last[0]["label"] == "zooming in"


def test_a_single_broken_video_can_give_its_error_too(model):
    assert isinstance(model.classify("no_such.mp4", errors="return"), VideoDecodeError)


@pytest.mark.parametrize(
    "options",
    [
        {"top_k": 0},
        {"top_k": -3},
        {"top_k": 2.5},
        {"top_k": "2"},
        {"batch_size": 0},
        {"batch_size": -1},
        {"errors": "ignore"},
    ],
)
def test_wrong_options_are_named_at_once(model, options):
    (name,) = options
    for classify in (model.classify, model.classify_each):
        with pytest.raises(ValueError, match=f"`{name}` must be.*Received: {name}="):
            classify(["no_such.mp4"], **options)


def test_a_preprocessor_of_another_size_is_named(videos):
    model = TSM(num_classes=3, num_frames=8, depth=18, width=8, image_size=32)
    model.preprocessor = VideoPreprocessor(short_side=40, crop_size=24)
    with pytest.raises(ValueError, match=r"preprocessor doesn't suit.*Received: shape=\(1, 8, 24"):
        model.classify(videos["moving left"])


def test_short_videos_are_padded(model, tmp_path):
    for num_frames in (1, 3):
        path = tmp_path / f"{num_frames}.mp4"
        write_video(path, render_motion_clip("moving left", 5, 8, 64)[:num_frames])
        assert len(model.classify(path)) == 5


def test_without_labels_the_class_id_is_the_label(videos):
    model = TSM(num_classes=3, depth=18, width=8)
    model.preprocessor = VideoPreprocessor(short_side=40, crop_size=32)
    assert model.classify(videos["moving left"], top_k=1)[0]["label"] in ("0", "1", "2")


def test_a_model_without_preprocessor_says_what_to_do(videos):
    model = TSM(num_classes=3, depth=18, width=8)
    with pytest.raises(ValueError, match=r"model\.preprocessor = "):
        model.classify(videos["moving left"])


def test_predict_gives_the_same_in_one_batch_and_in_many(model):
    clips = np.random.default_rng(0).integers(0, 256, (10, 8, 64, 64, 3), "uint8")
    whole = model.predict(clips, verbose=0)
    np.testing.assert_allclose(model.predict(clips, batch_size=4, verbose=0), whole, atol=1e-4)
    np.testing.assert_allclose(model.predict(clips, steps=1, verbose=0), whole, atol=1e-4)


@pytest.mark.parametrize(
    "clips, message",
    [
        (np.zeros((8, 64, 64, 3), "uint8"), r"Received: shape=\(8, 64, 64, 3\)"),
        (np.zeros((1, 7, 64, 64, 3), "uint8"), r"\(batch, 8, 64, 64, 3\).*\(1, 7, 64, 64, 3\)"),
        (np.zeros((1, 8, 64, 64, 1), "uint8"), r"Received: shape"),
        (np.zeros((0, 8, 64, 64, 3), "uint8"), r"Received: shape=\(0, 8, 64, 64, 3\)"),
        (np.zeros((1, 8, 64, 64, 3), "int64"), "Received: dtype=int64"),
        (np.zeros((1, 8, 64, 64, 3), "bool"), "Received: dtype=bool"),
    ],
)
def test_wrong_clips_are_refused_in_one_line(model, clips, message):
    with pytest.raises(ValueError, match=message) as error:
        model.predict(clips)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"depth": 20},
        {"num_classes": 0},
        {"num_frames": 0},
        {"normalize": "imagnet"},
        {"width": 0},
        {"width": 7},
        {"width": "64"},
        {"image_size": -1},
        {"image_size": "224"},
    ],
)
def test_bad_arguments_are_named(arguments):
    with pytest.raises(ValueError, match="Received: "):
        PPTSM(**arguments)


@pytest.mark.parametrize("name", ["TSN", "TSM", "PPTSN", "PPTSM", "ResNetBackbone"])
def test_a_misspelt_argument_is_an_error(name):
    with pytest.raises(TypeError, match="num_clases"):
        getattr(keras_video.models, name)(num_clases=5)


def test_labels_are_a_list_of_names():
    model = TSN(num_classes=3, depth=18, width=8)
    for labels in ("abc", [0, 1, 2]):
        with pytest.raises(ValueError, match="list of names. Received: labels="):
            model.labels = labels


def test_wrong_number_of_labels():
    model = TSN(num_classes=3, depth=18, width=8)
    with pytest.raises(ValueError, match="Received: 2 labels for 3 classes"):
        model.labels = ["a", "b"]


@pytest.mark.parametrize(
    "name, depth, parameters",
    [
        ("TSN", 50, 24_327_632),
        ("TSM", 50, 24_327_632),
        ("PPTSN", 50, 24_346_864),
        ("PPTSM", 50, 24_346_864),
        ("PPTSM", 101, 43_338_992),
    ],
)
def test_parameter_counts(name, depth, parameters):
    model = getattr(keras_video.models, name)(depth=depth)
    assert sum(np.prod(v.shape) for v in model.trainable_variables) == parameters


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
@pytest.mark.parametrize("name", ["TSM", "PPTSM"])
def test_every_depth_has_distinct_names_in_the_reference(name, depth):
    model = getattr(keras_video.models, name)(depth=depth, width=8, num_classes=3)
    table = model.checkpoint_maps["paddlevideo"](model)
    assert set(table) == {weight.path for weight in model.weights}
    assert len({tensor for tensor, _ in table.values()}) == len(table)


def test_a_model_may_average_its_views_otherwise(videos):
    class MeanOfProbabilities(TSN):
        def scores_of_views(self, logits):
            return np.mean(
                [super(MeanOfProbabilities, self).scores_of_views(row[None]) for row in logits], 0
            )

    model = MeanOfProbabilities(num_classes=3, num_frames=2, depth=18, width=2)
    model.get_layer("classifier").kernel.assign(np.random.default_rng(0).normal(size=(16, 3)))
    model.preprocessor = VideoPreprocessor(num_frames=2, short_side=40, crop_size=32, num_clips=3)
    views = model.predict(model.preprocessor(videos["zooming in"]), verbose=0)
    scores = (np.exp(views) / np.exp(views).sum(-1, keepdims=True)).mean(0)
    best = model.classify(videos["zooming in"], top_k=1)[0]
    assert best["class_id"] == scores.argmax()
    assert best["score"] == pytest.approx(scores.max(), rel=1e-4)
