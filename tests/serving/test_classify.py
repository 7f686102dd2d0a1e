"""The API of a server that classifies."""

import json

import numpy as np
import pytest
from serving_support import PRESET, error_of, post

from keras_video.inference import Predictor
from keras_video.serving import Settings, create_app


def test_a_video_gets_the_predictor_s_answer(client, clip, predictor):
    response = post(client, clip, "/v1/classify?top_k=3")
    answer = response.json()
    assert response.status_code == 200
    assert list(answer) == ["id", "model", "video", "predictions", "windows", "timings"]
    assert answer["model"] == PRESET and answer["windows"] == []
    assert answer["id"] == response.headers["x-request-id"]
    expected = {"duration": 1.2, "fps": 25, "frames": 30, "width": 128, "height": 128}
    assert answer["video"] == expected
    for got, wanted in zip(answer["predictions"], predictor.classify(str(clip), 3), strict=True):
        assert got["label"] == wanted["label"] and got["class_id"] == wanted["class_id"]
        assert got["score"] == pytest.approx(wanted["score"], abs=1e-4)
    timings = answer["timings"]
    assert set(timings) == {"decode", "queue", "network", "total"} and min(timings.values()) >= 0
    assert timings["total"] >= timings["decode"] + timings["network"] > 0


def test_windows_tell_what_is_seen_when(client, long_clip):
    answer = post(client, long_clip, "/v1/classify?windows=true&top_k=2").json()
    windows = answer["windows"]
    assert windows[0]["start"] == 0 and windows[-1]["end"] == pytest.approx(40, abs=0.1)
    assert [window["start"] for window in windows] == pytest.approx([0, 5, 10, 15, 20, 25, 30])
    assert all(len(window["predictions"]) == 2 for window in windows)
    alone = post(client, long_clip, "/v1/classify?top_k=2").json()
    assert alone["windows"] == []
    for one, other in zip(alone["predictions"], answer["predictions"], strict=True):
        assert one["label"] == other["label"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-4)


def test_the_name_of_the_file_is_never_used(client, clip):
    for name in ("../../etc/passwd", "/etc/passwd", "a\\..\\b.mp4", "\u202egp.4pm", "x" * 1000):
        assert post(client, clip, name=name).status_code == 200


def test_the_model_says_what_it_is(client):
    facts = client.get("/v1/model").json()
    assert facts["name"] == PRESET and facts["task"] == "classify" and facts["runtime"] == "keras"
    assert facts["labels"][0] == "moving left" and facts["window_seconds"] == 10
    assert facts["limits"]["max_bytes"] == 200_000_000 and facts["limits"]["max_seconds"] == 600
    assert 3840 * 2160 < facts["limits"]["max_pixels"] < 7680 * 4320


def test_health_metrics_page_and_docs_are_there(client, clip):
    assert client.get("/health").json() == {"status": "ready"}
    post(client, clip)
    post(client, b"text")
    text = client.get("/metrics").text
    assert 'keras_video_requests_total{code="200",path="/v1/classify"}' in text
    assert 'keras_video_rejected_total{reason="not_a_video"}' in text
    for name in ("decode_seconds", "queue_seconds", "network_seconds", "batch_views"):
        assert f"keras_video_{name}_count" in text
    assert "keras_video_requests_in_flight 1.0" in text  # This one.
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert client.get("/page/page.js").headers["content-type"].startswith("text/javascript")
    docs = client.get("/docs").text
    assert "/v1/classify" in docs and "http" + "s://" not in docs
    schema = client.get("/openapi.json").json()
    answers = schema["paths"]["/v1/classify"]["post"]["responses"]
    assert set(answers) >= {"200", "400", "403", "408", "413", "415", "422", "503", "504"}
    assert json.dumps(answers["413"]).count("ErrorResponse") == 1


@pytest.mark.parametrize(
    "path",
    [
        "/page/../settings.py",
        "/page/..%2fsettings.py",
        "/page/%2e%2e/settings.py",
        "/page//etc/passwd",
        "/page/",
        "/etc/passwd",
    ],
)
def test_nothing_but_the_page_s_files_can_be_had(client, path):
    assert error_of(client.get(path)) == (404, "not_found")


def test_other_methods_are_told_which_one_to_use(client):
    response = client.get("/v1/classify")
    assert error_of(response) == (405, "wrong_method") and response.headers["allow"] == "POST"


def test_the_other_task_is_explained(client, clip):
    response = post(client, clip, "/v1/localize")
    assert error_of(response) == (404, "other_task")
    assert "/v1/classify" in response.json()["error"]["message"]


@pytest.mark.parametrize("query", ["top_k=0", "top_k=many", "top_k=1.5", "windows=perhaps"])
def test_wrong_parameters_are_malformed(client, clip, query):
    assert error_of(post(client, clip, f"/v1/classify?{query}")) == (400, "malformed")


def test_more_classes_than_there_are_give_all(client, clip):
    assert len(post(client, clip, "/v1/classify?top_k=1000").json()["predictions"]) == 8


@pytest.mark.parametrize(
    "body, kind, expected",
    [
        (b"", "multipart/form-data", (400, "malformed")),
        (b"x", "multipart/form-data; boundary=", (400, "malformed")),
        (b"no boundary in here", "multipart/form-data; boundary=b", (400, "malformed")),
        (b"--b\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b", (400, "malformed")),
        (
            b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nhalf',
            "multipart/form-data; boundary=b",
            (400, "malformed"),
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="other"\r\n\r\nx\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
            (400, "malformed"),
        ),
        (b"--b--\r\n", "multipart/form-data; boundary=b", (400, "malformed")),
        (b"{", "application/json", (400, "malformed")),
        (b"[" * 50_000, "application/json", (400, "malformed")),
        (b'{"url": 5}', "application/json", (400, "malformed")),
        (b'{"file": "a.mp4"}', "application/json", (400, "malformed")),
        (b" " * 70_000, "application/json", (400, "malformed")),
        (b"video", "video/mp4", (415, "unsupported_type")),
        (b"", "", (415, "unsupported_type")),
    ],
)
def test_malformed_requests_are_told_so(client, body, kind, expected):
    response = client.post("/v1/classify", content=body, headers={"content-type": kind})
    assert error_of(response) == expected


def test_much_besides_the_file_is_malformed(client):
    def body():
        yield b'--b\r\nContent-Disposition: form-data; name="file"\r\n'
        for _ in range(40):
            yield b"X-Filler: " + b"y" * 4000 + b"\r\n"

    headers = {"content-type": "multipart/form-data; boundary=b"}
    response = client.post("/v1/classify", content=body(), headers=headers)
    assert error_of(response) == (400, "malformed")


def test_a_failure_of_the_server_is_an_id_in_the_answer_and_a_trace_in_the_log(
    client, app, clip, monkeypatch, caplog
):
    async def fail(path, **options):
        raise RuntimeError("a secret")

    monkeypatch.setattr(app.state.service, "answer", fail)
    response = post(client, clip)
    assert error_of(response) == (500, "internal") and "secret" not in response.text
    assert response.headers["x-request-id"] in response.text
    assert "a secret" in caplog.text


def test_a_network_that_fails_costs_its_request_only(client, app, clip, monkeypatch):
    service = app.state.service
    compute, calls = service.batcher._compute, []

    def fail_once(views):
        calls.append(len(views))
        if len(calls) == 1:
            raise FloatingPointError("no")
        return compute(views)

    monkeypatch.setattr(service.batcher, "_compute", fail_once)
    assert error_of(post(client, clip)) == (500, "internal")
    assert post(client, clip).status_code == 200


def test_a_network_that_gives_no_numbers_gives_no_answer(client, app, clip, monkeypatch, caplog):
    compute = app.state.service.batcher._compute
    monkeypatch.setattr(
        app.state.service.batcher, "_compute", lambda views: compute(views) * np.nan
    )
    assert error_of(post(client, clip)) == (500, "internal")
    assert "scores that are no numbers" in caplog.text


def test_models_that_cannot_be_served_are_refused(predictor):
    with pytest.raises(ValueError, match="Received: 'clip'"):
        create_app("clip")
    unprepared = Predictor(predictor.runtime.model)
    unprepared.preprocessor = None
    with pytest.raises(ValueError, match="preprocessor=None"):
        create_app(unprepared)
    unprepared.view_average = None
    with pytest.raises(ValueError, match="classifiers"):
        create_app(unprepared)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_bytes": 0},
        {"max_bytes": 1.5},
        {"workers": True},
        {"decode_seconds": float("nan")},
        {"max_queue": -1},
        {"max_wait_ms": 121_000.0},
        {"allowed_urls": "https://a.org"},
        {"allowed_urls": ["ftp://a.org"]},
        {"temp_dir": "/nowhere"},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="Received"):
        Settings(**wrong)
