# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The loop of a training: step after step, with what is told, tried and saved between."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
import time

from apprentice_dataset.errors import DatasetError
from apprentice_policies.errors import PolicyError
from apprentice_training.data import loader
from apprentice_training.errors import TrainingError
from apprentice_training.feed import Feed
from apprentice_training.flags import Start
from apprentice_training.log import Log
from apprentice_training.order import Batches
from apprentice_training.page import write_page
from apprentice_training.run import RunFolder
from apprentice_training.session import prepare
from apprentice_training.session import Session
from apprentice_training.snapshot import write_snapshot
from apprentice_training.state import rng_state
from apprentice_training.step import memory_error
from apprentice_training.step import NotFinite
from apprentice_training.step import out_of_memory
from apprentice_training.step import Stepper
from apprentice_training.story import describe
from apprentice_training.story import name_batch
from apprentice_training.transforms import ImageTransforms
from apprentice_training.trial import success_rate
from apprentice_training.validate import Validation
from apprentice_training.watch import Watch
from apprentice_training.world import joined
import torch


def run(start: Start) -> None:
    """
    Train to the last step.

    :raises TrainingError: or PolicyError, DatasetError: what a user can mend.
    :raises KeyboardInterrupt: says how to go on.
    """
    config = start.config
    assert config.policy is not None and config.output_dir is not None
    torch.backends.cudnn.deterministic = config.cudnn_deterministic
    torch.backends.cudnn.benchmark = not config.cudnn_deterministic
    folder = RunFolder(Path(config.output_dir), config.steps, config.keep_checkpoints)
    with joined(config.policy.device) as world:
        if world.is_main:
            folder.clean() if config.resume else folder.begin()
        world.wait()
        try:
            Loop(prepare(start, world, folder)).run()
        except (RuntimeError, MemoryError) as error:
            if out_of_memory(error):
                raise memory_error(error, config) from None
            raise
        except KeyboardInterrupt:
            last = folder.linked('last')
            raise KeyboardInterrupt(
                f'go on by --resume=true --output_dir={folder.root}, which begins at {last.name}'
                if last else 'no checkpoint was saved yet') from None


class Loop:
    """A session under way."""

    def __init__(self, session: Session) -> None:
        """Open the log and what updates the weights."""
        self.session, self.config, self.world = session, session.config, session.world
        self.watch = Watch(self.world.device)
        self.stepper = Stepper(session.policy, session.optimizer, session.scheduler, self.config,
                               self.world, self.watch)
        # Samples of all processes in one batch, and in one step.
        self.batch = self.config.batch_size * self.world.size
        self.per_step = self.batch * self.config.gradient_accumulation_steps
        self.log = Log(session.folder.root, self.config, session.step) if self.world.is_main \
            else None
        self.sums: dict[str, float] = defaultdict(float)
        self.counted, self.since = 0, time.monotonic()
        self.validation = Validation(session) if session.held_out and self.log else None
        # By step: what `best` is chosen by.
        self.scores: dict[int, float] = {}

    def run(self) -> None:
        """Take all steps that are left."""
        session = self.session
        if self.log:
            self.log.line(describe(session, self.per_step))
        feed = self._feed()
        self.watch.take()
        self.since = time.monotonic()
        try:
            while session.step < self.config.steps:
                self._step(feed)
                self._after(session.step)
        finally:
            if self.log:
                self.log.close()
        if self.log:
            page = write_page(session)
            last = session.folder.linked('last')
            self.log.line(f'done; {f"checkpoint {last}, " if last else ""}results {page}')
            self._publish(last)

    def _publish(self, last: Path | None) -> None:
        policy = self.config.policy
        if self.log and last and policy and policy.push_to_hub and policy.repo_id:
            from apprentice_policies.hub import push
            folder = last / 'pretrained_model'
            try:
                pushed = push(folder, policy.repo_id, private=policy.private)
            except (PolicyError, DatasetError) as error:
                raise TrainingError(
                    f'{error}\nall steps are done, only this is left: ros2 run '
                    f'apprentice_policies push {folder} {policy.repo_id}') from None
            self.log.line(f'pushed to {policy.repo_id}, commit {pushed.commit}')

    def _feed(self) -> Feed:
        """Return the batches of this process from where the session stands."""
        session, config, world = self.session, self.config, self.world
        count = (config.steps - session.step) * config.gradient_accumulation_steps
        batches = Batches(session.order, config.batch_size, session.samples, count, world.rank,
                          world.size)
        feed = Feed(loader(session.data, batches, config, world.device.type == 'cuda'),
                    session.pre, world.device)
        feed.time(self.watch)
        if config.dataset.image_transforms.enable:
            assert config.seed is not None
            begin = session.samples + world.rank * config.batch_size
            feed.change(ImageTransforms(config.dataset.image_transforms, config.seed),
                        session.data.cameras(), range(begin, begin + config.batch_size),
                        self.batch)
        return feed

    def _step(self, feed: Feed) -> None:
        session = self.session
        rate = session.optimizer.param_groups[0]['lr']
        try:
            figures = self.stepper.update(feed)
        except NotFinite as error:
            last = session.folder.linked('last')
            raise TrainingError(
                f'step {session.step + 1}: {error}.{name_batch(session, feed, self.per_step)}\n'
                f'{f"the last good checkpoint is {last}" if last else "no checkpoint was saved"}; '
                'lower the learning rate, or look at these samples') from None
        session.step += 1
        session.samples += self.per_step
        if session.ema is not None:
            session.ema.update(session.step)
        for name, value in {**figures, 'lr': rate}.items():
            self.sums[name] += value
        self.counted += 1
        if self.log:
            self.log.live(session.step, figures['loss'])

    def _after(self, step: int) -> None:
        """Tell, try and save where the step asks for it."""
        config = self.config
        last = step == config.steps
        if config.log_freq and (step % config.log_freq == 0 or last):
            self._tell(step)
        saves = config.save_checkpoint and (last or bool(
            config.save_freq and step % config.save_freq == 0))
        begin = time.monotonic()
        # First of all: an environment that fails then costs no steps.
        if saves:
            self._save(step)
        if config.env and config.env_eval_freq and (step % config.env_eval_freq == 0 or last):
            self._try(step)
        if config.eval_steps and (step % config.eval_steps == 0 or saves):
            self._validate(step)
        if saves and self.log and step in self.scores:
            self.session.folder.rate(step, self.scores[step])
        # None of it belongs to the time of the steps.
        self.watch.skip()
        self.since += time.monotonic() - begin

    def _tell(self, step: int) -> None:
        # The gradient was shared already, and the rate is the same everywhere.
        figures = {name: value / self.counted if name in ('grad_norm', 'lr')
                   else self.world.mean(value / self.counted)
                   for name, value in self.sums.items()}
        if self.log:
            self.log.progress(step, figures, self.watch.take(), self.counted * self.per_step,
                              time.monotonic() - self.since,
                              self.session.samples / self.session.order.length)
        else:
            self.watch.take()
        self.sums.clear()
        self.counted, self.since = 0, time.monotonic()

    def _validate(self, step: int) -> None:
        if self.log and self.validation:
            self.scores[step] = found = self.validation.loss()
            self.log.write(step, eval_loss=found)
            self.log.line(f'step {step}/{self.config.steps}  validation loss {found:.4g}')
        self.world.wait()

    def _try(self, step: int) -> None:
        if self.log:
            found = success_rate(self.session)
            self.scores[step] = 1 - found
            self.log.write(step, success_rate=found)
            self.log.line(f'step {step}/{self.config.steps}  success rate {found:.0%}')
        self.world.wait()

    def _save(self, step: int) -> None:
        states = self.world.gather(rng_state())
        if self.log:
            self.session.folder.save(
                step, lambda folder: write_snapshot(folder, self.session, states))
        self.world.wait()
