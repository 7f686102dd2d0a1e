"""`Trainer`: the loop of a run, from an empty directory to a preset."""

import os
import shutil
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_video.training.checkpoint import CheckpointError
from keras_video.training.checkpoint_store import CheckpointStore
from keras_video.training.distillation import Distillation
from keras_video.training.lost_workers import naming_lost_workers
from keras_video.training.non_finite_loss import NonFiniteLossError, save_nan_batch
from keras_video.training.precise_batch_norm import recompute_batch_norm, trainable_batch_norms
from keras_video.training.replicas import (
    batch_length,
    is_several_workers,
    local_replicas,
    share_out,
    summed,
)
from keras_video.training.run_directory import RunDirectory
from keras_video.training.run_state import averaged_weights, put_state, take_state
from keras_video.training.strategies import worker_index
from keras_video.training.termination import Termination
from keras_video.training.throughput_meter import ThroughputMeter
from keras_video.training.train_metrics import TrainMetrics
from keras_video.training.train_step import TrainStep
from keras_video.training.training_progress import TrainingProgress

LOWER_IS_BETTER = ("loss",)


class Trainer:
    """Trains a compiled model in a directory of its own; started again, it goes on from there.

    The directory holds `config.json`, `train.csv`, `validation.csv`, TensorBoard logs, the last
    `keep` checkpoints and the best, and in the end `preset/` with the best weights.

    **Resuming** is exact: weights, optimizer with its averages and loss scale, random generators
    and the position in the data set are saved together, at the end of every epoch and every
    `checkpoint_every` steps. However a run ended, the same command goes on from the last
    checkpoint, to the weights that it would have had.

    **Ends.** SIGTERM and Ctrl-C save and return. A loss that is no number stops the run and leaves
    its batch in the directory. A disk too full for a checkpoint costs that checkpoint only, with a
    warning; at the end it is an error. A lost worker stops the others, which name it.

    Args:
        model: compiled, and made under `strategy`.
        data: batches `(clips, labels)` or `(clips, labels, weights)` of this worker: a
            `VideoDataset` or `ArrayDataset` for training.
        workdir: the directory; several workers share it.
        num_epochs: passes over `data`.
        evaluator: has `evaluate() -> dict` of numbers, such as a `ClassificationEvaluator`; without
            one the last weights are the best.
        strategy: by default the model's.
        xla: see `TrainStep`.
        accumulate: micro-batches in a step, see `TrainStep`.
        distillation: a `Distillation`.
        evaluate_every: epochs between evaluations. The last epoch has one in any case.
        checkpoint_every: steps between checkpoints beside those at the ends of epochs.
        keep: how many of the last checkpoints stay, beside the best.
        precise_batch_norm: how many batches to recompute the statistics of batch normalisation
            from, before evaluations; 0 (default) for none.
        precise_batch_norm_every: epochs between those.
        patience: evaluations without a better result after which the run ends.
        monitor: which of the evaluator's numbers says what is best. Defaults to `"top1"`; the
            highest counts, for `"loss"` the lowest.
        log_every: steps between rows of the log.
        config: what is written to `config.json`; a directory of another config is refused.
        allow_changes: take a changed config all the same.
        metadata: entries of the finished preset's `metadata.json`.

    Raises:
        ValueError: arguments that do not fit together, or a directory of another run.

    Example:

    >>> model.compile(keras_video.training.SGD(0.01), loss, metrics=["accuracy"])
    >>> evaluator = keras_video.training.ClassificationEvaluator(model, validation_data)
    >>> trainer = Trainer(model, data, workdir="runs/a", num_epochs=50, evaluator=evaluator)
    >>> trainer.run()
    {"top1": 0.7454, "top5": 0.92, "loss": 0.93, "epoch": 50, "step": 93750, "finished": True}
    """

    def __init__(
        self,
        model: keras.Model,
        data,
        *,
        workdir: str | os.PathLike,
        num_epochs: int,
        evaluator=None,
        strategy: tf.distribute.Strategy | None = None,
        xla: bool | str = "auto",
        accumulate: int = 1,
        distillation: Distillation | None = None,
        evaluate_every: int = 1,
        checkpoint_every: int | None = None,
        keep: int = 3,
        precise_batch_norm: int = 0,
        precise_batch_norm_every: int = 1,
        patience: int | None = None,
        monitor: str = "top1",
        log_every: int = 20,
        config: dict | None = None,
        allow_changes: bool = False,
        metadata: dict | None = None,
    ):
        for name, value in (
            ("num_epochs", num_epochs),
            ("evaluate_every", evaluate_every),
            ("log_every", log_every),
            ("precise_batch_norm_every", precise_batch_norm_every),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"`{name}` must be a whole number from 1. Received: {name}={value!r}"
                )
        self.model, self.data, self.evaluator = model, data, evaluator
        self.strategy = strategy or model.distribute_strategy
        share = accumulate * local_replicas(self.strategy)
        if data.batch_size % share:
            raise ValueError(
                "The batch of a worker must be a multiple of replicas times micro-batches. "
                f"Received: batch_size={data.batch_size}, "
                f"{local_replicas(self.strategy)} replicas, accumulate={accumulate}"
            )
        self.workdir, self.num_epochs = Path(workdir), num_epochs
        self.evaluate_every, self.checkpoint_every = evaluate_every, checkpoint_every
        self.precise_batch_norm = precise_batch_norm
        self.precise_batch_norm_every = precise_batch_norm_every
        self.patience, self.monitor, self.log_every = patience, monitor, log_every
        self.metadata = dict(metadata or {})
        if precise_batch_norm and not trainable_batch_norms(model):
            raise ValueError(
                "The model has no trainable batch normalisation to recompute. "
                f"Received: precise_batch_norm={precise_batch_norm}"
            )
        self._config, self._allow_changes, self._keep = config, allow_changes, keep
        self._several_workers = is_several_workers(self.strategy)
        self._is_chief = not self._several_workers or worker_index() == 0
        with self.strategy.scope():
            model.optimizer.build(model.trainable_variables)
        self._step = TrainStep(model, xla, accumulate, distillation)
        self._metrics = TrainMetrics(model, self.strategy)
        self._train = summed(self.strategy, self._train_on)
        self._add = summed(self.strategy, lambda batch: batch[0])
        # What the checkpoints hold beside the arrays.
        self._done = {"step": 0, "epoch": 0, "batch": 0, "finished": False}
        self._best: dict | None = None
        self._last: dict | None = None
        self._stale = 0

    def run(self) -> dict:
        """Trains to the end, or until a signal asks to stop.

        Returns:
            The best evaluation's numbers (without an evaluator none), `epoch` and `step` done, and
            `finished`: whether the run is complete.

        Raises:
            NonFiniteLossError: the loss became NaN or infinite.
            WorkerLostError: another worker is gone.
            CheckpointError: the last state of the run cannot be saved.
            RuntimeError: another process uses the directory.
        """
        directory = RunDirectory(
            self.workdir, self._config, allow_changes=self._allow_changes, write=self._is_chief
        )
        progress = TrainingProgress(
            self.num_epochs, self.data.batches_in_epoch, write=self._is_chief
        )
        store = CheckpointStore(self.workdir / "checkpoints", keep=self._keep, write=self._is_chief)
        with directory, Termination() as termination, naming_lost_workers(self._several_workers):
            self._directory, self._progress, self._store = directory, progress, store
            self._termination = termination
            with progress:
                self._resume()
                if not self._done["finished"]:
                    self._train_epochs()
                if self._done["finished"] and self._is_chief:
                    self._write_preset()
        return {**(self._best or {}), **{k: self._done[k] for k in ("epoch", "step", "finished")}}

    # --- The loop ---

    def _train_epochs(self) -> None:
        if self._is_chief:
            # That of a run which now goes on with more epochs.
            shutil.rmtree(self.workdir / "preset", ignore_errors=True)
        while self._done["epoch"] < self.num_epochs:
            if not self._train_epoch():
                self._save(required=True)
                self._progress.message(
                    f"Stopped by {self._termination.signal_name or 'another worker'}; the same "
                    f"command goes on from step {self._done['step']}."
                )
                return
            improved = self._end_epoch()
            ended = self._done["epoch"] == self.num_epochs or self._is_out_of_patience()
            self._done["finished"] = ended
            self._save(best=improved, required=ended)
            if ended:
                return

    def _train_epoch(self) -> bool:
        """Trains on the rest of the epoch; whether it was completed."""
        done, pending = self._done, None
        meter, losses = ThroughputMeter(), []
        workers = self.strategy.num_replicas_in_sync // local_replicas(self.strategy)
        for batch in meter.waiting(self.data):
            shares = self._with_signal(batch)
            self._metrics.build(shares[:-1])
            total = self._train(shares)
            done["step"] += 1
            done["batch"] += 1
            meter.add(batch_length(batch) * workers)
            # The numbers of a step are read while the next one runs.
            stop = pending is not None and self._check(pending, losses)
            pending = (dict(done), total, batch)
            self._progress.advance(done["step"])
            due = self.checkpoint_every and done["step"] % self.checkpoint_every == 0
            if stop or due or done["step"] % self.log_every == 0:
                stop |= self._check(pending, losses)
                pending = None
            if done["step"] % self.log_every == 0:
                self._log(losses, meter)
            last = done["batch"] == self.data.batches_in_epoch
            if stop and not last:
                return False
            if due and not last:
                self._save()
                meter.reset()
        if pending is not None:
            self._check(pending, losses)
        return True

    def _end_epoch(self) -> bool:
        """Evaluates where it is due; whether the result is the best so far."""
        done = self._done
        done["epoch"], done["batch"] = done["epoch"] + 1, 0
        epoch, last = done["epoch"], done["epoch"] == self.num_epochs
        if self.precise_batch_norm and (last or epoch % self.precise_batch_norm_every == 0):
            count = min(self.precise_batch_norm, self.data.batches_in_epoch)
            # Training never reads these statistics, so they may be those of the averaged weights.
            with averaged_weights(self.model):
                batches = (self.data.batch(index, epoch - 1) for index in range(count))
                recompute_batch_norm(self.model, batches)
        if self.evaluator is None or not (last or epoch % self.evaluate_every == 0):
            return False
        with averaged_weights(self.model):
            result = {name: float(value) for name, value in self.evaluator.evaluate().items()}
        if self.monitor not in result:
            raise ValueError(
                f"`monitor` must be one of the evaluator's numbers, {', '.join(result)}. "
                f"Received: monitor={self.monitor!r}"
            )
        row = {"step": done["step"], "epoch": epoch, **result}
        self._directory.log_validation(row)
        self._progress.validation(row)
        sign = -1 if self.monitor in LOWER_IS_BETTER else 1
        better = self._best is None or (
            sign * result[self.monitor] > sign * self._best[self.monitor]
        )
        self._stale = 0 if better else self._stale + 1
        if better:
            self._best = result
        return better

    def _is_out_of_patience(self) -> bool:
        return self.patience is not None and self._stale >= max(1, self.patience)

    # --- One step ---

    def _train_on(self, batch: tuple) -> tf.Tensor:
        """The loss's share of this replica, and whether somebody wants to stop."""
        *data, stop = batch
        loss, outputs = self._step(tuple(data))
        self._metrics.update(tuple(data), outputs)
        return tf.stack([loss / self.strategy.num_replicas_in_sync, stop[0]])

    def _with_signal(self, batch: tuple) -> tuple:
        wish = np.full(local_replicas(self.strategy), self._termination.requested, "float32")
        return share_out((*batch, wish), self.strategy)

    def _check(self, pending: tuple, losses: list) -> bool:
        """Reads the numbers of a step; whether some worker wants to stop."""
        done, total, batch = pending
        loss, stop = total.numpy()
        if not np.isfinite(loss):
            index = worker_index() if self._several_workers else 0
            path = save_nan_batch(
                self.workdir / f"worker_{index}" if index else self.workdir,
                batch,
                self._names(done["epoch"], done["batch"] - 1),
                done["step"],
            )
            raise NonFiniteLossError(done["step"], loss, path, self._learning_rate())
        losses.append(float(loss))
        return stop > 0

    def _names(self, epoch: int, index: int) -> list[str]:
        records = getattr(self.data, "records", None)
        if records is None:
            return []
        numbers = self.data.record_indices(index, epoch)
        return [str(records[number].source) if number >= 0 else "" for number in numbers]

    def _learning_rate(self) -> float:
        return float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))

    def _log(self, losses: list, meter: ThroughputMeter) -> None:
        row = {
            "step": self._done["step"],
            "epoch": self._done["epoch"] + 1,
            "loss": float(np.mean(losses)),
        }
        row |= self._metrics.take()
        row |= {"learning_rate": self._learning_rate(), **meter.take()}
        losses.clear()
        self._directory.log_train(row)
        self._progress.train(row)

    # --- State ---

    def _resume(self) -> None:
        checkpoint = self._store.latest()
        step = 0
        if checkpoint is not None:
            state = checkpoint.state
            put_state(self.model, checkpoint.arrays())
            self._done, self._best = dict(state["done"]), state["best"]
            self._stale = state["stale"]
            # More epochs than last time: a finished run goes on.
            ended = self._done["epoch"] >= self.num_epochs or self._is_out_of_patience()
            self._done["finished"] &= ended
            if not self._done["finished"]:
                self.data.restore(state["data"][worker_index() if self._several_workers else 0])
            step = checkpoint.step
            self._progress.message(f"Resuming from step {step}, {checkpoint.path}")
        if self._several_workers:
            wish = np.full(local_replicas(self.strategy), step, "float32")
            total = float(self._add(share_out((wish,), self.strategy)).numpy()[0])
            if total != step * self.strategy.num_replicas_in_sync:
                raise RuntimeError(
                    "The workers would resume from different steps: they must share the working "
                    f"directory. Received: step {step} in {self.workdir} of this worker"
                )
        self._directory.rewind(step)
        self._progress.start(step)

    def _save(self, best: bool = False, required: bool = False) -> None:
        if not self._is_chief:
            return
        done = self._done
        position = self.data.state(epoch=done["epoch"], batch=done["batch"])
        shards = range(position["num_shards"])
        state = {
            "done": done,
            "best": self._best,
            "stale": self._stale,
            "data": [{**position, "shard_index": shard} for shard in shards],
        }
        try:
            self._store.save(done["step"], take_state(self.model), state, best=best)
        except CheckpointError as error:
            if required:
                raise
            self._progress.message(f"Warning: {error}")

    def _write_preset(self) -> None:
        target = self.workdir / "preset"
        if target.exists():
            self._progress.message(f"This run is complete: {target}")
            return
        checkpoint = self._store.best() or self._store.latest()
        put_state(self.model, checkpoint.arrays())
        metrics = {k: v * 100 if k.startswith("top") else v for k, v in (self._best or {}).items()}
        partial = self.workdir / "preset.partial"
        shutil.rmtree(partial, ignore_errors=True)
        with averaged_weights(self.model):
            self.model.save_to_preset(partial, metadata={"metrics": metrics, **self.metadata})
        os.rename(partial, target)
        self._progress.message(f"Wrote {target}")
