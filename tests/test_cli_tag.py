"""`keras-video tag`: from videos with tags to a tagger, by commands only."""

import csv
import json

import pytest

from keras_video.cli import main
from keras_video.cli_common import with_subcommand


def run(capsys, *arguments):
    """The exit code of a command, and what it printed."""
    code = main(["tag", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with rendered videos and `runs/`, which a command trained."""
    folder = tmp_path_factory.mktemp("tagging")
    assert main(["tag", "render", str(folder), "--videos", "200", "--seed", "3"]) == 0
    command = ["tag", "train", str(folder / "tags.csv"), "--out", str(folder / "runs")]
    options = ["--extractor", "tsm_tiny_motion", "--stride", "3", "--layers", "stem_pool"]
    assert main([*command, *options, "--epochs", "15"]) == 0
    return folder


@pytest.mark.slow
def test_from_videos_to_a_tagger_above_90_percent_by_commands_only(trained, capsys):
    summary = json.loads((trained / "runs" / "report.json").read_text())
    assert summary["reported_on"] == "test" and summary["videos"] == 50
    assert summary["map"] > 0.9

    report = trained / "measured.csv"
    code, out, _ = run(
        capsys, "evaluate", trained / "runs" / "preset", trained / "tags.csv",
        "--split", "test", "--report", report, "--json",
    )  # fmt: skip
    measured = json.loads(out)
    assert code == 0 and measured["videos"] == 50
    assert measured["map"] == pytest.approx(summary["map"], abs=1e-3)
    with open(report, encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 12


@pytest.mark.slow
def test_videos_are_tagged_and_bad_ones_named(trained, capsys, tmp_path):
    with open(trained / "tags.csv", encoding="utf-8", newline="") as file:
        last = list(csv.DictReader(file))[-1]
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"")
    code, out, err = run(
        capsys, trained / last["video"], bad, "--preset", trained / "runs" / "preset",
        "--threshold", "best", "--json", "--save-dir", tmp_path / "results",
    )  # fmt: skip
    assert code == 1 and "bad.mp4: the file is empty" in err
    first, second = (json.loads(line) for line in out.splitlines())
    assert len({tag["label"] for tag in first["predictions"]} & set(last["tags"].split("|"))) >= 2
    assert "error" in second
    path, *tags = json.loads((tmp_path / "results" / "result0.json").read_text(encoding="utf-8"))
    assert path == first["path"]
    assert tags[0]["class_name"] == first["predictions"][0]["label"]
    assert not (tmp_path / "results" / "result1.json").exists()


@pytest.mark.slow
def test_the_same_command_again_reads_no_video_and_changes_nothing(trained, capsys):
    before = (trained / "runs" / "report.csv").read_bytes()
    videos = trained / "videos"
    videos.rename(trained / "gone")
    try:
        code, out, err = run(
            capsys, "train", trained / "tags.csv", "--out", trained / "runs", "--extractor",
            "tsm_tiny_motion", "--stride", "3", "--layers", "stem_pool", "--epochs", "15",
        )  # fmt: skip
    finally:
        (trained / "gone").rename(videos)
    assert code == 0, err
    assert "mAP" in out
    assert (trained / "runs" / "report.csv").read_bytes() == before


def test_subcommands_and_videos_are_told_apart():
    assert with_subcommand(["tag", "train", "a.csv"]) == ["tag-train", "a.csv"]
    assert with_subcommand(["--debug", "tag", "evaluate"]) == ["--debug", "tag-evaluate"]
    assert with_subcommand(["tag", "./train"]) == ["tag", "./train"]
    assert with_subcommand(["predict", "train"]) == ["predict", "train"]
    assert with_subcommand([]) == []


def test_what_cannot_work_is_said_in_one_line(capsys, tmp_path):
    (tmp_path / "tags.csv").write_text("video,tags\nmissing.mp4,red\nother.mp4,blue\n")
    for arguments, message in (
        (["x.mp4", "--preset", "pp_tsm_k400"], "of a model (PPTSM)"),
        (["train", tmp_path / "none.csv", "--out", tmp_path / "o"], "cannot be read"),
        (["evaluate", "nothing", tmp_path / "tags.csv"], "Unknown application"),
        (["render", tmp_path / "r", "--videos", "1"], "num_videos=1"),
    ):
        (tmp_path / "x.mp4").write_bytes(b"x")
        arguments = [tmp_path / "x.mp4" if a == "x.mp4" else a for a in arguments]
        code, _, err = run(capsys, *arguments)
        assert code == 2 and message in err and err.count("\n") == 1, err


def test_videos_that_are_all_missing_end_the_training(capsys, tmp_path):
    (tmp_path / "tags.csv").write_text("video,tags\nmissing.mp4,red\nother.mp4,blue\n")
    code, _, err = run(
        capsys, "train", tmp_path / "tags.csv", "--out", tmp_path / "o",
        "--extractor", "tsm_tiny_motion",
    )  # fmt: skip
    assert code == 2 and "could be read" in err and "2 failures" in err
