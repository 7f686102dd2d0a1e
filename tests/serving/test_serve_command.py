"""`keras-video serve` as a process: start, load, SIGTERM, exit code, nothing left."""

import asyncio
import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from serving_support import wait_until

from keras_video.cli import main

TOOL = Path(__file__).parents[2] / "tools" / "load_test.py"
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
TAIL = b"\r\n--b--\r\n"


@pytest.fixture(scope="module")
def load_test():
    """The tool as a module."""
    spec = importlib.util.spec_from_file_location("load_test", TOOL)
    module = sys.modules["load_test"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def server(load_test, tmp_path_factory):
    """Address, process and folder of a server."""
    folder = tmp_path_factory.mktemp("uploads")
    # Its decoders start elsewhere; it must not matter to a relative path.
    arguments = ["--preset", "tsm_tiny_motion", "--workers", "2"]
    arguments += ["--temp-dir", os.path.relpath(folder)]
    with load_test.running_server(arguments) as (address, process):
        yield address, process, folder


def test_a_server_under_load_answers_all_and_rightly(server, load_test):
    address, _, _ = server
    clips = load_test.render_clips(per_class=1)
    report = asyncio.run(load_test.run_load(address, clips, 40, 40, corrupt_share=0.1))
    assert report.wrong == []
    assert sum(one.status == 200 for one in report.sent) == 36
    assert "40 requests" in "\n".join(report.lines())
    with urlopen(f"{address}/metrics") as answer:
        text = answer.read().decode()
    assert "keras_video_worker_restarts_total 0.0" in text
    batches, views = (
        float(next(line.split()[1] for line in text.splitlines() if line.startswith(name)))
        for name in ("keras_video_batch_views_count", "keras_video_batch_views_sum")
    )
    assert views > batches  # Requests were put together.


def test_on_sigterm_new_requests_are_refused_and_old_ones_finish(server, clip):
    address, process, folder = server
    content = clip.read_bytes()
    connection = socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), 60)
    length = len(HEAD) + len(content) + len(TAIL)
    connection.sendall(
        f"POST /v1/classify HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nConnection: close\r\n\r\n".encode()
        + HEAD
        + content[:1000]
    )
    wait_until(lambda: len(list(folder.glob("*/*"))) == 2)
    process.terminate()
    wait_until(lambda: status_of(address) == 503)
    refused = subprocess.run(
        [sys.executable, "-c", ASK, address], capture_output=True, text=True, timeout=60
    )
    assert json.loads(refused.stdout)["error"]["code"] == "draining"
    connection.sendall(content[1000:] + TAIL)
    text = b""
    while block := connection.recv(1 << 16):
        text += block
    connection.close()
    assert text.startswith(b"HTTP/1.1 200") and b"moving left" in text
    assert process.wait(60) == 0
    assert list(folder.iterdir()) == []


ASK = (
    "import sys, urllib.request as r, urllib.error as e\n"
    "try: r.urlopen(r.Request(sys.argv[1] + '/v1/classify', b'x'))\n"
    "except e.HTTPError as error: print(error.read().decode())\n"
)


def status_of(address):
    try:
        with urlopen(f"{address}/health") as answer:
            return answer.status
    except HTTPError as error:
        error.close()
        return error.code


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--port", "70000"], "--port 70000"),
        (["--model", "/nowhere"], "--model /nowhere"),
        (["--allow-url", "ftp://a"], "'ftp://a'"),
        (["--preset", "tsm_tiny_motion", "--runtime", "onnxruntime"], "onnxruntime"),
        (["--max-queue", "-1"], "max_queue=-1"),
        (["--temp-dir", "/nowhere"], "/nowhere"),
    ],
)
def test_what_does_not_work_is_said_in_a_line(arguments, said, capsys):
    assert main(["serve", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error and len(error.splitlines()) == 1


def test_numbers_have_units_and_nonsense_is_refused(capsys):
    for wrong in (["--max-bytes", "many"], ["--max-bytes", "1.5"], ["--workers", "inf"]):
        with pytest.raises(SystemExit):
            main(["serve", *wrong])
        assert "Received" in capsys.readouterr().err
    assert main(["serve", "--max-bytes", "200M", "--port", "70000"]) == 2


def test_an_address_in_use_is_said_in_a_line(predictor, capsys, monkeypatch):
    monkeypatch.setattr("keras_video.cli_serve._load", lambda options: (predictor, "model"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["serve", "--port", str(taken.getsockname()[1])]) == 2
    error = capsys.readouterr().err
    assert "can't listen" in error and len(error.splitlines()) == 1


def test_a_server_that_cannot_start_its_decoders_ends(predictor, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("keras_video.cli_serve._load", lambda options: (predictor, "model"))
    start = time.monotonic()
    arguments = ["--port", "0", "--worker-memory", "20M", "--temp-dir", str(tmp_path)]
    assert main(["serve", *arguments]) == 2
    assert "decoding process does not start" in capsys.readouterr().err
    assert time.monotonic() - start < 30 and list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_is_said_in_a_line(predictor, capsys, monkeypatch, tmp_path):
    folder = tmp_path / "uploads"
    folder.mkdir()

    def load(options):
        folder.rmdir()
        return predictor, "model"

    monkeypatch.setattr("keras_video.cli_serve._load", load)
    assert main(["serve", "--port", "0", "--temp-dir", str(folder)]) == 2
    error = capsys.readouterr().err
    assert "could not start" in error and str(folder) in error and "Traceback" not in error


def test_without_the_extra_one_line_says_what_to_install():
    code = (
        "import sys; sys.modules['fastapi'] = None\n"
        "import keras_video.serving\n"
        "try: keras_video.serving.create_app\n"
        "except ImportError as error: print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert 'pip install "keras-video[serve]"' in said and len(said.splitlines()) == 1


def test_the_command_s_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from keras_video.cli import main\n"
        "try: main(['serve', '--help'])\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'fastapi', 'uvicorn', 'pydantic', 'numpy', 'av', 'keras', 'tensorflow'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    assert "--max-bytes" in shown.stdout
