"""`Trainer`: the loop of a run, from an empty directory to a preset."""

import functools
import os
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_video.training.checkpoint import CheckpointError
from keras_video.training.checkpoint_store import CheckpointStore
from keras_video.training.distillation import Distillation
from keras_video.training.lost_workers import naming_lost_workers
from keras_video.training.non_finite_loss import names_of_batch, non_finite_loss
from keras_video.training.precise_batch_norm import (
    averaging_statistics,
    recompute_batch_norm,
    trainable_batch_norms,
)
from keras_video.training.publish_preset import best_checkpoint, outdate_preset, publish_preset
from keras_video.training.replicas import (
    batch_length,
    is_several_workers,
    local_replicas,
    share_out,
    summed,
    summing_workers,
)
from keras_video.training.run_directory import RunDirectory
from keras_video.training.run_record import RunRecord, check_counts, is_better
from keras_video.training.run_state import (
    RunMismatchError,
    averaged_weights,
    put_state,
    spread_seeds,
    take_state,
)
from keras_video.training.strategies import worker_index
from keras_video.training.sub_batches import sub_batches
from keras_video.training.termination import Termination
from keras_video.training.throughput_meter import ThroughputMeter
from keras_video.training.train_metrics import TrainMetrics
from keras_video.training.train_step import TrainStep
from keras_video.training.training_progress import TrainingProgress


class Trainer:
    """Trains a compiled model in a directory of its own; started again, it goes on from there.

    The directory holds `config.json`, `train.csv`, `validation.csv`, TensorBoard logs, the last
    `keep` checkpoints and the best, and in the end `preset/` with the best weights.

    **Resuming** is exact: weights, optimizer with its averages and loss scale, random generators
    and the position in the data set are saved together, at the end of every epoch and every
    `checkpoint_every` steps. However a run ended, the same command goes on from the last
    checkpoint, to the weights that it would have had.

    **Ends.** SIGTERM and Ctrl-C save and return. A loss that is no number stops the run and leaves
    its batch in the directory. A full disk costs checkpoints or rows of the log, with a warning; at
    the end it is an error. A lost worker stops the others, which name it.

    Args:
        model: compiled, and made under `strategy`.
        data: batches `(clips, labels)` or `(clips, labels, weights)` of this worker: a
            `VideoDataset` or `ArrayDataset` for training, perhaps with the shapes of `Multigrid`.
        workdir: the directory; several workers share it.
        num_epochs: passes over `data`.
        evaluator: has `evaluate() -> dict` of numbers, such as a `ClassificationEvaluator`; without
            one the last weights are the best.
        strategy: by default the model's.
        xla, accumulate, distillation: see `TrainStep`.
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
        config: goes to `config.json`; a directory of another one is refused, but for
            `allow_changes`.
        metadata: entries of the finished preset's `metadata.json`.

    Raises:
        ValueError: arguments that do not fit together, or a directory of another run.

    Example:

    >>> model.compile(keras_video.training.SGD(0.01), loss, metrics=["accuracy"])
    >>> evaluator = keras_video.training.ClassificationEvaluator(model, validation_data)
    >>> Trainer(model, data, workdir="runs/a", num_epochs=50, evaluator=evaluator).run()
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
        check_counts(
            num_epochs=num_epochs,
            evaluate_every=evaluate_every,
            log_every=log_every,
            precise_batch_norm_every=precise_batch_norm_every,
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
        self.workdir, self.num_epochs = Path(workdir).expanduser(), num_epochs
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
        self._worker = worker_index() if self._several_workers else 0
        self._is_chief = self._worker == 0
        with self.strategy.scope():
            model.optimizer.build(model.trainable_variables)
        self._step = TrainStep(model, xla, accumulate, distillation)
        self._metrics = TrainMetrics(model, self.strategy)
        self._train = functools.cache(self._compiled)
        self._sum = summing_workers(self.strategy)
        self._average_statistics = averaging_statistics(model)

    def run(self, on_start: Callable[[], None] | None = None) -> dict:
        """Trains to the end, or until a signal asks to stop.

        Args:
            on_start: called once the run is known to fit its directory.

        Returns:
            The best evaluation's numbers (without an evaluator none), `epoch` and `step` done, and
            `finished`: whether the run is complete.

        Raises:
            NonFiniteLossError: the loss became NaN or infinite.
            RunMismatchError: the directory holds a run that this one cannot go on with.
            WorkerLostError: another worker is gone.
            CheckpointError: the last state of the run cannot be saved.
            RuntimeError: another process uses the directory.
        """
        directory = RunDirectory(
            self.workdir, self._config, allow_changes=self._allow_changes, write=self._is_chief
        )
        steps = [self.data.batches_in(epoch) for epoch in range(self.num_epochs)]
        progress = TrainingProgress(self.num_epochs, steps, write=self._is_chief)
        store = CheckpointStore(self.workdir / "checkpoints", keep=self._keep, write=self._is_chief)
        with directory, Termination() as termination, naming_lost_workers(self._several_workers):
            self._directory, self._progress, self._store = directory, progress, store
            self._termination, self._logs, self._losses = termination, True, []
            with progress:
                self._resume()
                directory.keep_config()
                if on_start is not None:
                    on_start()
                if not self._record.finished:
                    self._train_epochs()
                record, result = self._record, self._record.best
                if record.finished and self._is_chief:
                    result = publish_preset(
                        self.model, store, self.workdir, self.metadata, progress.message
                    )
        done = {"epoch": record.epoch, "step": record.step, "finished": record.finished}
        return {**(result or {}), **done}

    # --- The loop ---

    def _train_epochs(self) -> None:
        record = self._record
        if self._is_chief:
            outdate_preset(self.workdir)
        while not record.finished:
            if not self._train_epoch() or self._is_stopped_before_evaluation():
                self._save(required=True)
                self._progress.message(
                    f"Stopped by {self._termination.signal_name or 'another worker'}; the same "
                    f"command goes on from step {record.step}."
                )
                return
            record.epoch, record.batch = record.epoch + 1, 0
            last = record.epoch == self.num_epochs
            self._recompute_statistics(last)
            evaluated = self._evaluate(last)
            record.finished = last or record.is_out_of_patience(self.patience)
            self._save(evaluated=evaluated, required=record.finished)

    def _is_stopped_before_evaluation(self) -> bool:
        """Saves what an evaluation could lose, and looks whether somebody wants to stop."""
        epoch = self._record.epoch + 1
        due = epoch == self.num_epochs or epoch % self.evaluate_every == 0
        if self.evaluator is not None and due:
            self._save()
        return self._sum(self._termination.requested) > 0

    def _train_epoch(self) -> bool:
        """Trains on the rest of the epoch; whether it was completed."""
        record, meter, pending = self._record, ThroughputMeter(), None
        workers = self.strategy.num_replicas_in_sync // local_replicas(self.strategy)
        batches, num_splits = self.data.batches_in(record.epoch), self.data.num_splits(record.epoch)
        if record.batch == batches:
            return True  # Only its evaluation is missing.
        for batch in meter.waiting(self.data):
            shares = self._with_signal(batch)
            self._metrics.build(shares[:-1])
            total = self._train(num_splits)(shares)
            record.step += 1
            record.batch += 1
            meter.add(batch_length(batch) * workers)
            # The numbers of a step are read while the next one runs.
            stop = pending is not None and self._check(*pending)
            pending = (record.step, record.batch, total, batch)
            self._progress.advance(record.step)
            due = self.checkpoint_every and record.step % self.checkpoint_every == 0
            if stop or due or record.step % self.log_every == 0:
                stop |= self._check(*pending)
                pending = None
            if record.step % self.log_every == 0:
                self._log_training(meter)
            last = record.batch == batches
            if stop and not last:
                return False
            if due and not last:
                self._save()
                meter.reset()
        if pending is not None:
            self._check(*pending)
        return True

    def _recompute_statistics(self, last: bool) -> None:
        record = self._record
        if self.precise_batch_norm and (last or record.epoch % self.precise_batch_norm_every == 0):
            epoch = record.epoch - 1
            numbers = self.data.base_batches(epoch)[: self.precise_batch_norm]
            splits = sub_batches(self.model, self.data.num_splits(epoch))
            # Training never reads these statistics, so they may be those of the averaged weights.
            with averaged_weights(self.model), splits:
                recompute_batch_norm(self.model, (self.data.batch(i, epoch) for i in numbers))
            spread_seeds(self.model)

    def _evaluate(self, last: bool) -> bool:
        """Evaluates where it is due; whether it was."""
        record = self._record
        if self.evaluator is None or not (last or record.epoch % self.evaluate_every == 0):
            return False
        with averaged_weights(self.model):
            result = {name: float(value) for name, value in self.evaluator.evaluate().items()}
        if self.monitor not in result:
            raise ValueError(
                f"`monitor` must be one of the evaluator's numbers, {', '.join(result)}. "
                f"Received: monitor={self.monitor!r}"
            )
        record.note(result, self.monitor)
        row = {"step": record.step, "epoch": record.epoch, **result}
        self._log(self._directory.log_validation, row)
        self._progress.validation(row)
        return True

    # --- One step ---

    def _train_on(self, batch: tuple) -> tf.Tensor:
        """The loss's share of this replica, and whether somebody wants to stop."""
        *data, stop = batch
        loss, outputs = self._step(tuple(data))
        self._metrics.update(tuple(data), outputs)
        return tf.stack([loss / self.strategy.num_replicas_in_sync, stop[0]])

    def _compiled(self, num_splits: int) -> Callable:
        """`_train_on` for batches that are normalised in so many parts; traced once a shape."""
        tracing = functools.partial(sub_batches, self.model, num_splits)
        return summed(self.strategy, self._train_on, tracing)

    def _with_signal(self, batch: tuple) -> tuple:
        wish = np.full(local_replicas(self.strategy), self._termination.requested, "float32")
        return share_out((*batch, wish), self.strategy)

    def _check(self, step: int, batches: int, total: tf.Tensor, batch: tuple) -> bool:
        """Reads the numbers of a step; whether some worker wants to stop."""
        loss, stop = total.numpy()
        if not np.isfinite(loss):
            folder = self.workdir / f"worker_{self._worker}" if self._worker else self.workdir
            names = names_of_batch(self.data, self._record.epoch, batches - 1)
            raise non_finite_loss(step, loss, self._learning_rate(), folder, batch, names)
        self._losses.append(float(loss))
        return stop > 0

    def _learning_rate(self) -> float:
        return float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))

    def _log_training(self, meter: ThroughputMeter) -> None:
        row = {"step": self._record.step, "epoch": self._record.epoch + 1}
        row |= {"loss": float(np.mean(self._losses)), **self._metrics.take()}
        row |= {"learning_rate": self._learning_rate(), **meter.take()}
        self._losses.clear()
        self._log(self._directory.log_train, row)
        self._progress.train(row)

    def _log(self, write: Callable[[dict], None], row: dict) -> None:
        try:
            write(row)
        except OSError as error:
            if self._logs:
                self._progress.message(f"Warning: rows of the log are lost: {error}")
            self._logs = False

    # --- State ---

    def _resume(self) -> None:
        self._record = record = RunRecord()
        checkpoint = self._store.latest()
        if checkpoint is not None:
            state = checkpoint.state
            self._record = record = RunRecord.from_state(state["run"])
            # More epochs than last time: a finished run goes on.
            enough = record.epoch >= self.num_epochs or record.is_out_of_patience(self.patience)
            if enough and not record.finished:
                raise RunMismatchError(
                    f"The run in this directory has done {record.epoch} epochs already. Received: "
                    f"num_epochs={self.num_epochs}, patience={self.patience}"
                )
            record.finished = enough
            put_state(self.model, checkpoint.arrays())
            if not record.finished:
                self._restore_position(state["data"])
            self._progress.message(f"Resuming from step {record.step}, {checkpoint.path}")
        spread_seeds(self.model)
        if self._sum(record.step) != record.step * self._sum(1):
            raise RunMismatchError(
                "The workers would resume from different steps: they must share the working "
                f"directory. Received: step {record.step} in {self.workdir} of this worker"
            )
        best = best_checkpoint(self._store, self._progress.message) if self._is_chief else None
        self._kept = best.state["run"]["result"] if best else None
        self._directory.rewind(record.step)
        self._progress.start(record.step)

    def _restore_position(self, position: dict) -> None:
        try:
            self.data.restore({**position, "shard_index": self._worker})
        except ValueError as error:
            raise RunMismatchError(
                f"The run in this directory read its data in another way. {error}"
            ) from error

    def _save(self, evaluated: bool = False, required: bool = False) -> None:
        self._average_statistics()
        if not self._is_chief:
            return
        record = self._record
        best = evaluated and is_better(record.result, self._kept, self.monitor)
        state = {
            "run": record.to_state(),
            "data": {**self.data.state(epoch=record.epoch, batch=record.batch), "shard_index": 0},
        }
        try:
            self._store.save(record.step, take_state(self.model), state, best=best)
        except CheckpointError as error:
            if required:
                raise
            self._progress.message(f"Warning: {error}")
        else:
            self._kept = record.result if best else self._kept
