"""`keras-video localize`: from long videos with actions to a timeline, by commands only."""

import json

import numpy as np
import pytest

from keras_video.cli import main
from keras_video.data import write_video

TRAIN = ["--extractor", "tsm_tiny_motion", "--window", "12", "--max-duration", "8"]


def run(capsys, *arguments):
    """The exit code of a command, and what it printed."""
    code = main(["localize", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with rendered videos and `runs/`, which commands trained, in two goes."""
    folder = tmp_path_factory.mktemp("localizing")
    render = ["localize", "render", str(folder), "--videos", "18", "--duration", "40"]
    assert main(render) == 0
    command = ["localize", "train", str(folder / "actions.json"), "--out", str(folder / "runs")]
    assert main([*command, *TRAIN, "--epochs", "6", "--stage", "proposals"]) == 0
    assert not (folder / "runs" / "preset").exists()
    assert main([*command, *TRAIN, "--epochs", "6"]) == 0
    return folder


@pytest.mark.slow
def test_from_videos_to_actions_by_commands_only(trained, capsys):
    report = json.loads((trained / "runs" / "report.json").read_text())
    assert report["reported_on"] == "test"
    # Chance is near 0; what the documented commands reach takes minutes, see README.md.
    assert report["classes"]["all"]["f1"] > 0.4 and report["recall"]["ar_100"] > 50
    code, out, _ = run(
        capsys, "evaluate", trained / "runs" / "preset", trained / "actions.json",
        "--split", "test", "--json",
    )  # fmt: skip
    measured = json.loads(out)
    assert code == 0
    assert measured["classes"]["all"]["f1"] == pytest.approx(report["classes"]["all"]["f1"])
    assert measured["auc"] == pytest.approx(report["recall"]["auc"], abs=0.5)


@pytest.mark.slow
def test_a_timeline_is_printed_written_and_drawn_and_bad_videos_are_named(
    trained, capsys, tmp_path
):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"")
    video, silent = trained / "videos" / "0017.mp4", tmp_path / "silent.mp4"
    write_video(silent, np.zeros((30, 32, 32, 3), "uint8"), 10)
    code, out, err = run(
        capsys, video, bad, tmp_path / "none.mp4", "--preset", trained / "runs" / "preset",
        "--json", "--out", tmp_path / "new" / "result.json", "--plot", tmp_path / "line.png",
        "--class-threshold", "0.05", "--iou-threshold", "0.05",
    )  # fmt: skip
    assert code == 1
    assert "bad.mp4: the file is empty" in err and "none.mp4" in err
    assert "2 of 3 videos failed" in err
    (written,) = json.loads((tmp_path / "new" / "result.json").read_text())
    assert json.loads(out) == written and written["video_name"] == str(video)
    labels = {action["label_name"] for action in written["action_results"]}
    assert labels and labels <= {
        "moving left", "moving right", "moving up to a drum", "moving up to a whistle",
    }  # fmt: skip
    assert (tmp_path / "line0.png").read_bytes().startswith(b"\x89PNG")
    code, out, err = run(capsys, video, silent, "--preset", trained / "runs" / "preset")
    assert code == 0 and str(video) in out.replace("\n", "")
    assert "warning: " in err and "silent.mp4 has no sound track" in err


def test_what_does_not_work_is_said_in_a_line(capsys, tmp_path):
    actions = {"video": "a.mp4", "duration": 5.0, "split": "train", "actions": []}
    path = tmp_path / "actions.json"
    path.write_text(json.dumps({"actions_version": 1, "videos": [actions]}))
    code, _, err = run(capsys, "train", path, "--out", tmp_path / "runs")
    assert code == 2 and "none of val" in err and not (tmp_path / "runs").exists()
    code, _, err = run(capsys, tmp_path, "--preset", "football_acton")
    assert code != 0
    path.write_text("{}")
    code, _, err = run(capsys, "evaluate", "runs/preset", path)
    assert code == 2 and str(path) in err
