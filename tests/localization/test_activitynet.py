"""ActivityNet's annotations and result files."""

import json

import pytest

from keras_video.localization import (
    Action,
    ActionListError,
    AnnotatedVideo,
    Detection,
    Proposal,
    average_recall,
    read_activitynet,
    read_activitynet_results,
    write_activitynet_results,
)

RUN = {"segment": [1.5, 9.0], "label": "run"}
OFFICIAL = {
    "version": "VERSION 1.3",
    "taxonomy": [],
    "database": {
        "QOlSCBRmfWY": {"duration": 20.0, "subset": "training", "annotations": [RUN]},
        "v_QOlSCBRmf": {"subset": "validation", "annotations": [RUN, RUN]},
        "00000000000": {"duration": 5.5, "subset": "testing", "annotations": []},
    },
}
OTHER = {
    "v_QOlSCBRmfWY": {"duration_second": 20, "subset": "training", "annotations": [RUN]},
    "v_v_QOlSCBRmf": {"duration_second": 9.0, "subset": "validation", "annotations": [RUN]},
    "v_my own match": {"duration_second": 9.0, "subset": "validation", "annotations": []},
}


def written(tmp_path, content):
    path = tmp_path / "anet.json"
    path.write_text(json.dumps(content))
    return path


def names(videos):
    return [video.video for video in videos]


def test_the_official_form(tmp_path):
    path = written(tmp_path, OFFICIAL)
    run = Action(1.5, 9.0, "run")
    assert read_activitynet(path) == [
        AnnotatedVideo("QOlSCBRmfWY", 20.0, "train", (run,)),
        AnnotatedVideo("v_QOlSCBRmf", None, "val", (run, run)),
        AnnotatedVideo("00000000000", 5.5, "test"),
    ]
    assert names(read_activitynet(path, split="val")) == ["v_QOlSCBRmf"]


def test_ids_get_one_form_and_other_names_stay(tmp_path):
    official, other = tmp_path / "a", tmp_path / "b"
    official.mkdir(), other.mkdir()
    official, other = written(official, OFFICIAL), written(other, OTHER)
    assert names(read_activitynet(other)) == list(OTHER)
    # Of an id that itself begins with v_ nothing is cut.
    bare = ["QOlSCBRmfWY", "v_QOlSCBRmf"]
    assert names(read_activitynet(other, prefix="")) == [*bare, "v_my own match"]
    assert names(read_activitynet(official, prefix=""))[:2] == bare
    assert names(read_activitynet(official, prefix="v_"))[:2] == list(OTHER)[:2]
    assert names(read_activitynet(other, prefix="v_")) == list(OTHER)
    with pytest.raises(ValueError, match="prefix='x_'"):
        read_activitynet(official, prefix="x_")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"database": []}, "no list of ActivityNet"),
        ({"a": 3}, "no list of ActivityNet"),
        ([], "no list of ActivityNet"),
        ({"database": {"a": 3}}, "'?a'?|no list"),
        ({"a": {"subset": "training", "annotations": {}}}, "video 'a'"),
        ({"a": {"subset": "dev"}}, "'a' is of no known split"),
        ({"a": {"subset": "training", "annotations": [3]}}, "annotation of 'a'"),
        ({"a": {"subset": "training", "annotations": [{"segment": [1]}]}}, "annotation of 'a'"),
        ({"a": {"subset": "training", "annotations": [{"segment": [1, 2]}]}}, "'a' has no label"),
        (
            {"a": {"subset": "training", "annotations": [{"segment": [2, 1], "label": "x"}]}},
            "'x' of 'a' ends at its start or before",
        ),
    ],
)
def test_other_content_is_named(tmp_path, content, message):
    with pytest.raises(ActionListError, match=message):
        read_activitynet(written(tmp_path, content))


def test_two_forms_of_an_id_are_one_video(tmp_path):
    content = {key: OTHER["v_QOlSCBRmfWY"] for key in ("QOlSCBRmfWY", "v_QOlSCBRmfWY")}
    assert len(read_activitynet(written(tmp_path, content))) == 2
    with pytest.raises(ActionListError, match="'QOlSCBRmfWY' occurs twice"):
        read_activitynet(written(tmp_path, content), prefix="")


def test_results_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "new" / "results.json"
    results = {
        "v_QOlSCBRmfWY": [Proposal(1.5, 9.0, 0.8), Proposal(0.0, 1 / 3, 0.5)],
        "b": [Detection(1.5, 9.0, 0.8, "run")],
        "c": [],
    }
    write_activitynet_results(path, results)
    assert read_activitynet_results(path) == results
    content = json.loads(path.read_text())
    assert set(content) == {"version", "results", "external_data"}
    assert content["version"] == "VERSION 1.3"
    assert content["results"]["b"] == [{"score": 0.8, "segment": [1.5, 9.0], "label": "run"}]


def test_results_meet_the_truth_once_names_have_one_form(tmp_path):
    path = tmp_path / "results.json"
    write_activitynet_results(path, {"v_QOlSCBRmfWY": [Proposal(1.5, 9.0, 0.8)]}, "v", prefix="")
    videos = read_activitynet(written(tmp_path, OFFICIAL), split="train")
    truth = {video.video: video.actions for video in videos}
    assert average_recall(read_activitynet_results(path), truth).at(100) == 100
    with pytest.raises(ValueError, match="`prefix`"):
        average_recall(read_activitynet_results(path, prefix="v_"), truth)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "results are"),
        ({"results": []}, "results are"),
        ({"results": {"a": 3}}, "video 'a' has no list"),
        ({"results": {"a": [3]}}, "result of 'a'"),
        ({"results": {"a": [{"segment": [1, 2]}]}}, "result of 'a'.*score"),
        ({"results": {"a": [{"segment": [2, 1], "score": 1}]}}, "result of 'a'.*end not before"),
        ({"results": {"a": [{"segment": [1, 2], "score": float("nan")}]}}, "finite"),
        ({"results": {"a": [{"segment": [1, 2], "score": 1, "label": 3}]}}, "label=3"),
    ],
)
def test_results_of_other_content_are_named(tmp_path, content, message):
    with pytest.raises(ActionListError, match=message):
        read_activitynet_results(written(tmp_path, content))


def test_results_that_cannot_be_written_are_named(tmp_path):
    two = {"QOlSCBRmfWY": [], "v_QOlSCBRmfWY": []}
    with pytest.raises(ActionListError, match="two videos would get the name 'QOlSCBRmfWY'"):
        write_activitynet_results(tmp_path / "a.json", two, prefix="")
    with pytest.raises(ValueError, match="of 'a'"):
        write_activitynet_results(tmp_path / "a.json", {"a": [(0, 1, 0.5)]})
