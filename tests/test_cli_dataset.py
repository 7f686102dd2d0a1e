import contextlib
import json
import shutil
import subprocess
import sys

import pytest

from keras_video import console
from keras_video.cli import main
from keras_video.data import render_motion_clip, write_video
from keras_video.data.video_list import VideoList

PRESET = "tsm_tiny_motion"
CLASSES = ("moving left", "moving right", "zooming in")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Five videos of each of three classes, in folders."""
    root = tmp_path_factory.mktemp("good")
    for label in CLASSES:
        (root / label).mkdir()
        for seed in range(5):
            clip = render_motion_clip(label, 10**7 + seed, 30, 96)
            write_video(root / label / f"clip {seed}.mp4", clip)
    return root


@pytest.fixture(scope="module")
def prepared(good, tmp_path_factory):
    out = tmp_path_factory.mktemp("prepared") / "data"
    assert main(["dataset", "prepare", str(good), "--out", str(out), "--gop", "6"]) == 0
    return out


@pytest.fixture
def data(prepared, tmp_path):
    """A prepared data set to plant defects in."""
    shutil.copytree(prepared, tmp_path / "data")
    return tmp_path / "data"


def append(path, line):
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


# === dataset prepare ===


def test_prepare_tells_what_it_did(good, tmp_path, capsys):
    shutil.copytree(good, tmp_path / "videos")
    (tmp_path / "videos" / "moving left" / "bad [bold].mp4").write_text("not a video")
    out = tmp_path / "data"
    assert main(["dataset", "prepare", str(tmp_path / "videos"), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "unreadable" in said
    assert "[bold]" in said.replace("\n", "")
    assert "12 videos to train, 3 to validate, 1 left out" in said
    assert (out / "labels.txt").read_text() == "".join(f"{label}\n" for label in CLASSES)


def test_prepare_prints_json_and_goes_on_where_it_was(good, prepared, capsys):
    arguments = ["dataset", "prepare", str(good), "--out", str(prepared), "--gop", "6", "--json"]
    assert main(arguments) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["train"], report["val"], report["encoded"], report["reused"]) == (12, 3, 0, 15)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["prepare"],
        ["prepare", "videos"],
        ["prepare", "videos", "--out", "data", "--val", "1"],
        ["prepare", "videos", "--out", "data", "--val", "half"],
        ["prepare", "videos", "--out", "data", "--gop", "0"],
        ["check"],
        ["check", "train.list", "--min-frames", "0"],
    ],
)
def test_wrong_arguments_exit_with_2_and_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as exit:
        main(["dataset", *arguments])
    assert exit.value.code == 2
    assert "usage: keras-video dataset" in capsys.readouterr().err


def test_a_folder_that_does_not_fit_is_one_line(tmp_path, capsys):
    for folder in (tmp_path, tmp_path / "missing"):
        assert main(["dataset", "prepare", str(folder), "--out", str(tmp_path.parent / "x")]) == 2
        said = capsys.readouterr().err
        assert said.startswith("keras-video: error: ")
        assert said.count("\n") == 1


# === dataset check ===


def check(data, *arguments):
    return main(["dataset", "check", str(data / "train.list"), str(data / "val.list"), *arguments])


def test_check_finds_nothing_in_what_prepare_made(prepared, capsys):
    assert check(prepared) == 0
    said = capsys.readouterr().out
    assert "Defects: none" in said
    assert "train.list: 12 videos, 360 frames" in said


def test_check_finds_each_planted_defect(data, capsys):
    lines = (data / "train.list").read_text().splitlines()
    first = lines[0].rpartition(" ")[0]
    (data / "empty.mp4").touch()
    shutil.copy(data / first, data / "copy.mp4")
    write_video(data / "short.mp4", render_motion_clip("zooming in", 3, 5, 64))
    append(data / "train.list", "empty.mp4 0")
    append(data / "train.list", "short.mp4 2")
    append(data / "train.list", lines[1])
    append(data / "val.list", "copy.mp4 0")
    assert check(data, "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["counts"] == {"unreadable": 1, "short": 1, "duplicate": 1, "leak": 1}
    assert report["classes"]["moving left"]["train.list"] == 6
    assert check(data) == 1
    said = capsys.readouterr().out
    assert "Defects: 1 unreadable, 1 short, 1 duplicate, 1 leak" in said


def test_lists_that_cannot_be_read_are_one_line(data, capsys):
    append(data / "val.list", "clip.mp4 7")
    for arguments in ([str(data / "val.list")], ["missing.list"], [str(data / "train.list")] * 2):
        assert main(["dataset", "check", *arguments]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("keras-video: error: ")
        assert captured.err.count("\n") == 1
    assert main(["dataset", "check", str(data / "train.list"), "--root", str(data / "none")]) == 2
    assert "There is no such folder. Received: --root" in capsys.readouterr().err
    assert check(data, "--decoder", "dekord") == 2
    assert "'decord'" in capsys.readouterr().err


def test_paths_may_start_elsewhere(data, tmp_path, capsys):
    shutil.move(data / "train.list", tmp_path / "train.list")
    shutil.move(data / "labels.txt", tmp_path / "labels.txt")
    train = str(tmp_path / "train.list")
    assert main(["dataset", "check", train, "--root", str(data), "--json"]) == 0
    assert main(["dataset", "check", train, "--json"]) == 1
    both = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [report["counts"] for report in both] == [{}, {"unreadable": 12}]


def test_check_needs_no_framework(prepared):
    code = (
        "import sys\n"
        "from keras_video.cli import main\n"
        "assert main(sys.argv[1:]) == 0\n"
        "assert not {'keras', 'tensorflow', 'torch', 'jax'} & set(sys.modules)\n"
    )
    arguments = ["dataset", "check", str(prepared / "train.list")]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


# === dataset frames ===


def extract(data, out, *arguments):
    listed = str(data / "train.list")
    return main(["dataset", "frames", listed, "--out", str(out), "--short-side", "64", *arguments])


def test_frames_makes_shards_that_the_other_commands_read(prepared, tmp_path, capsys):
    out = tmp_path / "shards"
    assert extract(prepared, out, "--videos-per-shard", "5") == 0
    said = capsys.readouterr().out
    assert said == f"12 videos in 3 shards, 0 of them already there: {out / 'train.list'}\n"
    assert extract(prepared, out / "train.list") == 2
    assert "there is a file" in capsys.readouterr().err
    listed = str(out / "train.list")
    assert main(["dataset", "check", listed, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["frames"] == {"train.list": 360}
    assert main(["evaluate", "--preset", PRESET, "--list", listed, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["top1"] == 1.0

    next(out.glob("*-00001-of-*.tfrecord")).unlink()
    assert extract(prepared, out, "--videos-per-shard", "5") == 0
    assert "3 shards, 2 of them already there" in capsys.readouterr().out
    assert extract(prepared, out, "--videos-per-shard", "12") == 2
    assert "shards of another extraction" in capsys.readouterr().err


def test_frames_leaves_out_bad_videos_and_names_them(data, tmp_path, capsys):
    (data / "empty.mp4").touch()
    append(data / "train.list", "empty.mp4 0")
    assert extract(data, tmp_path / "shards") == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("12 videos in 1 shard,")
    assert "empty.mp4: the file is empty (0 bytes)" in captured.err
    advice = "1 of 13 videos failed; once they are mended, run again with --retry-failed"
    assert advice in captured.err

    shutil.copy(next((data / "videos").rglob("*.mp4")), data / "empty.mp4")
    assert extract(data, tmp_path / "shards") == 1
    assert advice in capsys.readouterr().err
    assert extract(data, tmp_path / "shards", "--retry-failed", "--workers", "2") == 0
    assert capsys.readouterr().out.startswith("13 videos in 1 shard, 0 of them already there")
    assert len(VideoList.read(tmp_path / "shards" / "train.list")) == 13


def test_frames_counts_each_video(prepared, tmp_path, monkeypatch):
    counts = []

    @contextlib.contextmanager
    def count(total, task):
        yield lambda: counts.append(written(tmp_path))

    monkeypatch.setattr(console, "progress_bar", count)
    assert extract(prepared, tmp_path) == 0
    assert counts == [0] * 12, "before the shard is finished"
    assert written(tmp_path) == 1


def written(folder):
    return len(list(folder.glob("*.tfrecord")))


def test_frames_of_bad_videos_alone_fails(tmp_path, capsys):
    (tmp_path / "train.list").write_text("none.mp4 0\nnowhere.mp4 0\n")
    assert extract(tmp_path, tmp_path / "shards") == 1
    captured = capsys.readouterr()
    assert captured.out == "" and "2 of 2 videos failed" in captured.err
    assert not (tmp_path / "shards" / "train.list").exists()


# === dataset browse ===


def browse(data, page, *arguments):
    listed = str(data / "train.list")
    preset = ["--preset", PRESET, "--out", str(page)]
    return main(["dataset", "browse", listed, *preset, *arguments])


def test_browse_writes_one_page(prepared, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert browse(prepared, page, "--count", "5") == 0
    assert capsys.readouterr().out == f"5 clips: {page}\n"
    text = page.read_text(encoding="utf-8")
    assert text.count("<article>") == 5
    assert text.count("<img") == 5 * 8
    assert "12 videos; training, epoch 0, seed 0" in text

    assert browse(prepared, page, "--evaluation") == 0
    text = page.read_text(encoding="utf-8")
    assert text.count("<article>") == 12
    assert "12 videos; evaluation" in text


def test_browse_names_bad_videos(data, tmp_path, capsys):
    (data / "empty.mp4").touch()
    append(data / "train.list", "empty.mp4 0")
    page = tmp_path / "page.html"
    assert browse(data, page, "--evaluation") == 1
    assert "Not read: the file is empty (0 bytes)" in page.read_text(encoding="utf-8")
    assert "1 video could not be read" in capsys.readouterr().err
    assert browse(data, tmp_path / "missing" / "page.html") == 2
    assert browse(data, data) == 2
    assert "this is a folder" in capsys.readouterr().err


# === evaluate ===


def evaluate(data, *arguments):
    listed = str(data / "train.list")
    return main(["evaluate", "--preset", PRESET, "--list", listed, *arguments])


def test_evaluate_measures_a_preset(prepared, capsys):
    assert evaluate(prepared, "--views", "2x3", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["videos"], result["views"], result["k"]) == (12, 6, 5)
    assert result["top1"] == result["topk"] == 1.0
    assert {row["label"] for row in result["classes"]} == set(CLASSES)
    assert result["preset"] == PRESET


def test_evaluate_counts_failures_as_wrong_and_shows_confusions(data, capsys):
    (data / "empty.mp4").touch()
    write_video(data / "right.mp4", render_motion_clip("moving right", 10**7 + 9, 30, 96))
    append(data / "train.list", "empty.mp4 2")
    append(data / "train.list", "right.mp4 0")
    assert evaluate(data) == 1
    captured = capsys.readouterr()
    assert "Top-1 85.71 %" in captured.out
    assert "of 14 videos" in captured.out
    assert "moving right (1)" in captured.out
    assert "not read (1)" in captured.out
    assert "empty.mp4: the file is empty (0 bytes)" in captured.err
    assert "1 of 14 videos failed; they count as wrong" in captured.err


def test_evaluate_refuses_what_does_not_fit(data, capsys):
    assert evaluate(data, "--views", "3") == 2
    assert "clips x crops" in capsys.readouterr().err
    (data / "labels.txt").write_text("walking\nrunning\nswimming\n")
    assert evaluate(data) == 2
    said = capsys.readouterr().err
    assert "no class for 3 of the list's classes" in said
    assert said.startswith("keras-video: error: ") and said.count("\n") == 1
