"""The world that the documentation's pages run in: a Hub with small models of the known names."""

import contextlib

import huggingface_hub.constants
import pytest
from fake_hub import FakeHub

# Of a published preset's class, frames, classes and preprocessing, but tiny.
SMALL_RESNET = {"depth": 18, "width": 8}
SMALL_SLOWFAST = {"depth": 14, "width": 8}
SMALL_TRANSFORMER = {"image_size": 64, "hidden_dim": 32, "num_layers": 1, "num_heads": 4}
STAND_INS = {
    "tsn_k400": ("TSN", {"num_frames": 3, **SMALL_RESNET}, {"num_frames": 3}),
    "tsm_k400": ("TSM", SMALL_RESNET, {}),
    "pp_tsn_k400": ("PPTSN", {"num_frames": 3, **SMALL_RESNET}, {"num_frames": 3}),
    "pp_tsm_k400": ("PPTSM", SMALL_RESNET, {"sampling": "uniform"}),
    "slowfast_8x8_k400": ("SlowFast", SMALL_SLOWFAST, {"num_frames": 32, "sampling": "slowfast"}),
    "timesformer_k400": ("TimeSformer", SMALL_TRANSFORMER, {"sampling": "timesformer"}),
}
# Models of features, without labels and preprocessing.
SMALL_LSTM = {"embedding_dim": 8, "lstm_dim": 8, "hidden_dims": (16, 8)}
SMALL_BMN = {"hidden_dim": 16, "proposal_dim": 8, "segment_dim": 8, "map_dim": 8}
OF_FEATURES = {
    "attention_lstm_yt8m": ("AttentionLSTM", SMALL_LSTM),
    "bmn_activitynet": ("BMN", SMALL_BMN),
}


@pytest.fixture(scope="session")
def hub_address():
    """The address of a Hub on this machine with these presets, as `keras-video/NAME`."""
    import keras_video
    from keras_video.presets import load_labels, upload_preset

    hub = FakeHub()
    with hub.serve() as address, _no_xet():
        for name, (model_class, arguments, preprocessing) in STAND_INS.items():
            model = getattr(keras_video.models, model_class)(num_classes=400, **arguments)
            model.labels = load_labels("kinetics400")
            model.preprocessor = keras_video.data.VideoPreprocessor(
                **{"short_side": 72, "crop_size": 64, **preprocessing}
            )
            uri = f"hf://keras-video/{name}"
            upload_preset(uri, model, endpoint=address, token="hf_writer")
        for name, (model_class, arguments) in OF_FEATURES.items():
            model = getattr(keras_video.models, model_class)(**arguments)
            uri = f"hf://keras-video/{name}"
            upload_preset(uri, model, endpoint=address, token="hf_writer")
        tagger = small_video_tag()
        tagger.upload_preset("hf://keras-video/video_tag_3k", endpoint=address, token="hf_writer")
        yield address


def small_video_tag():
    """A VideoTag of ten frames, with as many tags as the published one."""
    import keras_video

    extractor = keras_video.models.ResNetBackbone(**SMALL_RESNET)
    extractor.preprocessor = keras_video.data.VideoPreprocessor(short_side=72, crop_size=64)
    predictor = keras_video.models.AttentionLSTM(
        num_classes=3396, features={"rgb": 64}, feature_range=None, **SMALL_LSTM
    )
    predictor.labels = [f"标签 {number}" for number in range(3396)]
    return keras_video.applications.VideoTag(extractor, predictor, extraction={"frames": 10})


@contextlib.contextmanager
def _no_xet():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
        yield


@pytest.fixture
def world(hub_address, tmp_path_factory, monkeypatch):
    """An empty folder to work in, and a Hub where the public one would be."""
    folder = tmp_path_factory.mktemp("page")
    monkeypatch.chdir(folder)
    cache = tmp_path_factory.mktemp("cache")
    constants = huggingface_hub.constants
    monkeypatch.setattr(constants, "ENDPOINT", hub_address)
    template = hub_address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    # For commands that run in processes of their own.
    monkeypatch.setenv("HF_ENDPOINT", hub_address)
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("KERAS_VIDEO_CACHE", str(cache / "own"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    return folder
