"""Training on the run's data, with an evaluation after each epoch. Never ranked."""

import hashlib
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.records.record import LearningPoint, LearningRecord
from benchmarks.records.run_record import MetricText
from benchmarks.worker import timing
from benchmarks.worker.models import Models
from implementations.contract import DeviceArray, DeviceBatch, Model
from implementations.train import Epoch


def learn(models: Models, alive: Callable[[], None] = lambda: None) -> Iterator[LearningRecord]:
    """Train from several seeds; `alive` is called after every epoch, for a training may take longer than a silence may last.

    The first training goes on to the last epoch, for its curve; the others end when they have reached the target.
    """
    begin = timing.clock()
    model = models.model(models.spec, models.state(models.spec))
    test = models.batch_to_device(models.data.test)
    models.fence(model.train_step(next(models.data.batches(models.spec.batch, number=0))))
    models.fence(model.predict(test))
    prepare_s = timing.clock() - begin
    for seed in range(models.job.trainings):
        yield _training(models, model, test, seed, prepare_s, alive)


def _training(
    models: Models, model: Model, test: DeviceBatch, seed: int, prepare_s: float, alive: Callable[[], None]
) -> LearningRecord:
    spec, to_host = models.spec.changed(seed=(models.spec.seed + seed) % 2**31), models.adapter.to_host
    model.load_state(models.state(spec))
    metric = spec.metric
    reached = MetricText(name=metric.name, target=metric.target, share=metric.share).reached
    points: list[LearningPoint] = []
    spent = 0.0
    for epoch in range(1, models.epochs + 1):
        losses: list[DeviceArray] = []

        def train(epoch: int = epoch, losses: list[DeviceArray] = losses) -> DeviceArray:
            losses += models.data.epoch(model, spec.batch, 1000 * seed + epoch)
            return losses[-1]

        spent += timing.once(train, models.fence)
        done = Epoch.after(epoch, losses, model.predict(test), metric, models.data.test, to_host)
        points.append(LearningPoint(epoch=epoch, elapsed_s=spent, metric=done.metric, train_loss=done.loss))
        alive()
        if seed and reached(done.metric):
            break
    digest = hashlib.sha256(done.logits.argmax(axis=-1).astype(np.int64).tobytes()).hexdigest()
    return LearningRecord(
        who=models.who, block=models.job.block, dropout=max((mask.rate for mask in spec.masks(1).values()), default=0.0), batch=spec.batch, points=points,
        predictions_sha256=digest, seed=seed, prepare_s=prepare_s,
    )  # fmt: skip
