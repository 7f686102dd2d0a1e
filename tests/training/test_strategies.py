"""`make_strategy`: one word for where to train."""

import json

import pytest
import tensorflow as tf
from training.workers import free_ports

from keras_video.training import input_shards, make_strategy
from keras_video.training.lost_workers import WorkerLostError, naming_lost_workers
from keras_video.training.strategies import worker_addresses, worker_index


def set_cluster(monkeypatch, cluster: dict, task: dict) -> None:
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))


def test_one_device_needs_no_strategy_of_its_own(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    for name in ("auto", "one_device"):
        assert make_strategy(name).num_replicas_in_sync == 1
    assert input_shards(make_strategy()) == (1, 0)


def test_an_unknown_name_is_told_the_known_ones():
    with pytest.raises(ValueError, match="'mirrored'.*Received: name='miror'"):
        make_strategy("miror")


def test_several_workers_need_a_list_of_them(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match="environment variable TF_CONFIG"):
        make_strategy("multi_worker")


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_wrong_tf_config_is_named(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match="TF_CONFIG must be.*Received: "):
        make_strategy()


def test_a_chief_is_the_first_worker(monkeypatch):
    cluster = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}
    set_cluster(monkeypatch, cluster, {"type": "worker", "index": 1})
    assert worker_addresses() == ["a:1", "b:1", "c:1"] and worker_index() == 2
    set_cluster(monkeypatch, cluster, {"type": "chief", "index": 0})
    assert worker_index() == 0


def test_an_error_of_the_cluster_names_the_worker_that_is_gone(monkeypatch):
    (port,) = free_ports(1)
    addresses = ["127.0.0.1:1", f"127.0.0.1:{port}"]
    set_cluster(monkeypatch, {"worker": addresses}, {"type": "worker", "index": 0})
    error = tf.errors.UnavailableError(None, None, "Socket closed\nmore")
    with pytest.raises(WorkerLostError, match=f"Lost worker 1 .127.0.0.1:{port}.*Socket closed"):
        with naming_lost_workers(True):
            raise error
    with pytest.raises(tf.errors.UnavailableError):
        with naming_lost_workers(False):
            raise error
