"""TensorBoard reads what we write: the events and their order."""

import tensorflow as tf

from keras_video.training import TensorBoardLog


def events(directory):
    """All events after the header, files in the order in which TensorBoard reads them."""
    for path in sorted(directory.glob("events.out.tfevents.*")):
        header, *rest = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
        assert tf.compat.v1.Event.FromString(header).file_version == "brain.Event:2"
        yield from map(tf.compat.v1.Event.FromString, rest)


def test_scalars_can_be_read_while_the_run_goes_on(tmp_path):
    log = TensorBoardLog(tmp_path / "tensorboard")
    assert not log.directory.exists()
    log.write(step=20, scalars={"train/loss": 5.5, "train/learning_rate": 0.25})
    start, event = events(log.directory)
    assert start.session_log.status == tf.compat.v1.SessionLog.START
    assert event.step == 20
    assert {value.tag: value.simple_value for value in event.summary.value} == {
        "train/loss": 5.5,
        "train/learning_rate": 0.25,
    }
    log.close()


def test_a_resumed_run_purges_later_steps(tmp_path):
    for steps in ([10, 20], [11]):
        log = TensorBoardLog(tmp_path)
        log.rewind(10)
        for step in steps:
            log.write(step, {"loss": step})
        log.close()
    start, first, second, purge, third = events(tmp_path)
    assert (first.step, second.step, third.step) == (10, 20, 11)
    assert (start.step, purge.step) == (0, 11)
    assert purge.session_log.status == tf.compat.v1.SessionLog.START
