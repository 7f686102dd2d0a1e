import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from keras_video.data import VideoList
from keras_video.data.video_decode_error import VideoNotFoundError
from keras_video.features import FeatureIndex, extract_features, step_plan
from keras_video.features.feature_folder import FeatureFolder


@pytest.fixture(scope="module")
def extractor(gray):
    """One for all tests, so that it is compiled once: every fourth frame."""
    return gray.extractor("groups", stride=4)


@pytest.fixture
def videos(gray, tmp_path):
    """Four videos in two folders, and a bad one."""
    folder = tmp_path / "videos"
    (folder / "deep" / "er").mkdir(parents=True)
    gray.write(folder / "a.mp4", 30)
    gray.write(folder / "a.mkv", 20, first=50)
    gray.write(folder / "deep" / "b.mp4", 41)
    gray.write(folder / "deep" / "er" / "c d.mp4", 3)
    (folder / "deep" / "bad.mp4").write_text("not a video")
    return folder


GOOD = ["a.mkv", "a.mp4", "deep/b.mp4", "deep/er/c d.mp4"]


def written(folder):
    """Everything in a folder but the lock, as bytes."""
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return {str(f.relative_to(folder)): f.read_bytes() for f in files if f.name != ".lock"}


# === What is written ===


def test_each_video_has_a_file_at_its_place_and_a_line(extractor, videos, tmp_path):
    report = extract_features(videos, extractor, tmp_path / "out")
    assert (report.videos, report.extracted, report.reused) == (5, 4, 0)
    assert report.failures == [
        {
            "path": str(videos / "deep" / "bad.mp4"),
            "error": "FFmpeg finds no video in the 11 bytes of this file",
        }
    ]
    assert (report.steps, report.frames) == (8 + 5 + 11 + 1, 8 + 8 + 12 + 4)
    assert sorted(written(tmp_path / "out")) == [
        "a.mp4.npy", "a.npy", "deep/b.npy", "deep/er/c d.npy", "features.json", "features.jsonl",
    ]  # fmt: skip
    index = FeatureIndex(tmp_path / "out")
    assert [entry.video for entry in index] == GOOD
    assert index["a.mp4"].path.endswith("a.mp4.npy")
    for entry, first in zip(index, (50, 0, 0, 0), strict=True):
        alone = extractor(videos / entry.video)
        np.testing.assert_array_equal(entry.features, alone.features)
        assert entry.features[0, 0] == first
        np.testing.assert_allclose(entry.times, alone.times, atol=1e-6)
        assert (entry.steps, entry.channels) == alone.features.shape
        assert (entry.duration, entry.fps) == (pytest.approx(alone.duration), alone.fps)
    assert index.settings["steps"] == {"stride": 4}


def test_irregular_times_are_kept_one_by_one(extractor, gray, tmp_path):
    stamps = np.cumsum([0, *np.random.default_rng(0).choice([20, 33, 300], 59)])
    gray.write(tmp_path / "vfr.mkv", 60, stamps)
    extract_features(tmp_path / "vfr.mkv", extractor, tmp_path / "out")
    np.testing.assert_allclose(
        FeatureIndex(tmp_path / "out")[0].times, stamps[::4] / 1000, atol=2e-3
    )


def test_files_may_be_float16(extractor, videos, tmp_path):
    extract_features(videos / "a.mp4", extractor, tmp_path / "out", dtype="float16")
    features = FeatureIndex(tmp_path / "out")["a.mp4"].features
    assert features.dtype == np.float16
    np.testing.assert_array_equal(features[:, 0], np.arange(0, 30, 4))


def test_lists_bring_their_labels_to_the_records(extractor, videos, tmp_path):
    listed = videos / "train.list"
    listed.write_text("# two\na.mp4 3 17\n\ndeep/er/c d.mp4\t5\ndeep/b.mp4\n")
    extract_features(listed, extractor, tmp_path / "out")
    records = FeatureIndex(tmp_path / "out").records()
    assert [(record.id, record.labels, record.length) for record in records] == [
        ("a.mp4", (3, 17), 8), ("deep/b.mp4", None, 11), ("deep/er/c d.mp4", (5,), 1),
    ]  # fmt: skip
    np.testing.assert_array_equal(
        np.load(records[0].features["rgb"]), extractor(videos / "a.mp4").features
    )
    listed.write_text("a.mp4 4\n")
    assert extract_features(listed, extractor, tmp_path / "out").reused == 1
    assert FeatureIndex(tmp_path / "out").records()[0].labels == (4,)


def test_a_video_list_and_several_arguments_are_taken(extractor, videos, tmp_path):
    records = VideoList([str(videos / "a.mp4"), str(videos / "deep" / "b.mp4")])
    assert extract_features(records, extractor, tmp_path / "one").extracted == 2
    several = [videos / "deep" / "b.mp4", str(videos / "*.mp4")]
    assert extract_features(several, extractor, tmp_path / "two").extracted == 2
    assert written(tmp_path / "one") == written(tmp_path / "two")


# === Again ===


def test_what_is_there_is_not_done_again(extractor, videos, tmp_path):
    out = tmp_path / "out"
    extract_features(videos, extractor, out)
    before = written(out)
    report = extract_features(videos, extractor, out)
    assert (report.extracted, report.reused, report.frames) == (0, 4, 0)
    assert written(out) == before


def test_what_is_missing_or_changed_is_done(extractor, gray, videos, tmp_path):
    out = tmp_path / "out"
    extract_features(videos, extractor, out)
    (out / "a.npy").unlink()
    gray.write(videos / "deep" / "b.mp4", 50, first=9)
    gray.write(videos / "deep" / "bad.mp4", 10)
    gray.write(videos / "deep" / "new.mp4", 10)
    report = extract_features(videos, extractor, out)
    assert (report.extracted, report.reused, report.failures) == (4, 2, [])
    assert FeatureIndex(out)["deep/b.mp4"].features[:, 0].tolist() == list(range(9, 59, 4))


def test_a_moved_data_set_is_the_same(extractor, videos, tmp_path):
    out = tmp_path / "out"
    extract_features(videos, extractor, out)
    shutil.move(videos, tmp_path / "moved")
    assert extract_features(tmp_path / "moved", extractor, out).reused == 4


def test_features_stay_when_their_video_is_gone(extractor, videos, tmp_path):
    out = tmp_path / "out"
    (videos / "all.list").write_text("a.mp4 1\ndeep/b.mp4 2\n")
    extract_features(videos / "all.list", extractor, out)
    shutil.move(videos / "a.mp4", tmp_path / "a.mp4")
    before = written(out)
    assert extract_features(videos / "all.list", extractor, out).reused == 2
    assert written(out) == before
    shutil.move(tmp_path / "a.mp4", videos / "a.mp4")
    assert extract_features(videos / "all.list", extractor, out).reused == 2


def test_other_settings_are_refused_and_named(extractor, gray, videos, tmp_path):
    out = tmp_path / "out"
    extract_features(videos, extractor, out)
    before = written(out)
    for arguments, name in (
        ({"model": gray.extractor("groups", stride=5)}, "`steps`: {'stride': 4}.*'stride': 5"),
        ({"model": gray.extractor("alone", stride=4)}, "`frames_alone`"),
        ({"model": extractor, "dtype": "float16"}, "`dtype`: float32.*dtype=float16"),
    ):
        with pytest.raises(ValueError, match=f"another {name}"):
            extract_features(videos, out=out, **arguments)
    assert written(out) == before
    again = extract_features(videos, extractor, out, dtype="float16", resume=False)
    assert again.extracted == 4
    assert {entry.features.dtype for entry in FeatureIndex(out)} == {np.dtype("float16")}


def test_another_video_of_the_same_name_is_not_overwritten(extractor, gray, videos, tmp_path):
    out = tmp_path / "out"
    extract_features(videos, extractor, out)
    (tmp_path / "others").mkdir()
    gray.write(tmp_path / "others" / "a.mp4", 10)
    with pytest.raises(ValueError, match="another video of that name.*videos/a.mp4.*others/a.mp4"):
        extract_features(tmp_path / "others", extractor, out)


def test_a_second_process_is_refused(extractor, videos, tmp_path):
    (tmp_path / "out").mkdir()
    with FileLock(tmp_path / "out" / ".lock"):
        with pytest.raises(ValueError, match="Another process is writing.*Received.*out"):
            extract_features(videos, extractor, tmp_path / "out")
    assert extract_features(videos, extractor, tmp_path / "out").extracted == 4


def test_a_line_that_was_cut_counts_as_none(extractor, videos, tmp_path):
    out = tmp_path / "out"
    extract_features(videos, extractor, out)
    text = (out / "features.jsonl").read_text()
    (out / "features.jsonl").write_text(text[:-30])
    assert len(FeatureIndex(out)) == 3
    assert extract_features(videos, extractor, out).extracted == 1
    assert (out / "features.jsonl").read_text() == text


def test_parts_of_long_videos_are_kept_when_it_stops(gray, tmp_path, monkeypatch):
    monkeypatch.setattr(step_plan, "_SEGMENT_FRAMES", 16)
    video, out = gray.write(tmp_path / "long.mp4", 160), tmp_path / "out"
    extract = gray.extractor("groups", stride=1)
    kept = []

    def full(self, video, segment, outputs):
        if len(kept) == 4:
            raise OSError(28, "No space left on device", "somewhere")
        original(self, video, segment, outputs)
        kept.append(segment)

    original = FeatureFolder.save_segment
    monkeypatch.setattr(FeatureFolder, "save_segment", full)
    with pytest.raises(OSError, match="No space left"):
        extract_features(video, extract, out)
    monkeypatch.setattr(FeatureFolder, "save_segment", original)
    assert not list(out.rglob("*.npy"))
    report = extract_features(video, extract, out)
    assert report.frames == 160 - 4 * 16
    np.testing.assert_array_equal(
        FeatureIndex(out)[0].features, gray.extractor("groups", stride=1)(video).features
    )
    assert not (out / ".partial").exists()


def test_parts_of_a_video_that_changed_are_not_used(gray, tmp_path, monkeypatch):
    monkeypatch.setattr(step_plan, "_SEGMENT_FRAMES", 16)
    video, out = gray.write(tmp_path / "long.mp4", 64), tmp_path / "out"
    extract = gray.extractor("groups", stride=1)

    def stop(done, total):
        raise KeyboardInterrupt

    original = FeatureFolder.save
    monkeypatch.setattr(FeatureFolder, "save", lambda *arguments: stop(0, 0))
    with pytest.raises(KeyboardInterrupt):
        extract_features(video, extract, out)
    monkeypatch.setattr(FeatureFolder, "save", original)
    gray.write(video, 64, first=100)
    assert extract_features(video, extract, out).frames == 64
    assert FeatureIndex(out)[0].features[0, 0] == 100


@pytest.mark.slow
def test_resume_after_kill_gives_the_same_files(gray, tmp_path, monkeypatch):
    folder, out = tmp_path / "videos", tmp_path / "out"
    folder.mkdir()
    for number in range(4):
        gray.write(folder / f"{number}.mp4", 256 if number == 2 else 40, first=number)
    script = Path(__file__).parent / "run_extraction.py"
    process = subprocess.Popen([sys.executable, script, folder, out])
    deadline = time.time() + 120
    while len(list(out.rglob("*.part"))) < 2 and time.time() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    for path in out.rglob("*"):
        if path.suffix in (".npy", ".part"):
            with open(path, "rb") as file:
                assert np.load(file).size
    settings = json.loads((out / "features.json").read_text())
    assert settings["steps"] == {"stride": 1}
    monkeypatch.setattr(step_plan, "_SEGMENT_FRAMES", 64)
    extractor = gray.extractor("groups", stride=1)
    report = extract_features(folder, extractor, out)
    assert 0 < report.frames < 256 + 3 * 40
    extract_features(folder, extractor, tmp_path / "whole")
    assert written(out) == written(tmp_path / "whole")


# === What goes wrong ===


def test_arguments_are_checked(extractor, videos, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(ValueError, match="`dtype` must be.*Received"):
        extract_features(videos, extractor, out, dtype="int8")
    with pytest.raises(ValueError, match="has these settings already.*'fps': 5"):
        extract_features(videos, extractor, out, fps=5)
    with pytest.raises(VideoNotFoundError, match="nowhere"):
        extract_features(tmp_path / "nowhere", extractor, out)
    with pytest.raises(ValueError, match="no videos"):
        extract_features([], extractor, out)
    with pytest.raises(ValueError, match="listed twice, with the labels"):
        (videos / "twice.list").write_text("a.mp4 1\n./a.mp4 2\n")
        extract_features(videos / "twice.list", extractor, out)
    assert not out.exists()
    with pytest.raises(ValueError, match="need a folder.*a.mp4"):
        extract_features(videos, extractor, videos / "a.mp4")


def test_an_index_needs_a_folder_of_features(tmp_path):
    with pytest.raises(ValueError, match="holds no features.*Received"):
        FeatureIndex(tmp_path)
    (tmp_path / "features.json").write_text("{")
    with pytest.raises(ValueError, match="damaged.*Received"):
        FeatureIndex(tmp_path)
    (tmp_path / "features.json").write_text("{}")
    (tmp_path / "features.jsonl").write_text('{"video": "a.mp4"}\n')
    with pytest.raises(ValueError, match="no entry.*a.mp4"):
        FeatureIndex(tmp_path)
    (tmp_path / "features.jsonl").write_text("")
    with pytest.raises(KeyError, match="no features of this video.*b.mp4"):
        FeatureIndex(tmp_path)["b.mp4"]
