# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Encode videos anew, and compute statistics anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from apprentice_dataset.codecs import decide
from apprentice_dataset.codecs import VideoSettings
from apprentice_dataset.depth import is_depth
from apprentice_dataset.edit.engine import write_dataset
from apprentice_dataset.edit.plan import in_default_places
from apprentice_dataset.edit.plan import no_progress
from apprentice_dataset.edit.plan import opened_source
from apprentice_dataset.edit.plan import plain_plan
from apprentice_dataset.edit.plan import Progress
from apprentice_dataset.edit.plan import whole_pieces
from apprentice_dataset.edit.target import target
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.features import Feature
from apprentice_dataset.features import RESERVED
from apprentice_dataset.info import Info
from apprentice_dataset.tasks import Each
from apprentice_dataset.tasks import in_threads


def reencode(
    root: Path | str, settings: VideoSettings, output: Path | str | None,
    progress: Progress = no_progress, each: Each = in_threads,
) -> Info:
    """
    Encode every colour camera whose settings differ anew; the others, and depth, keep packets.

    What `settings` leaves out stays as it was recorded, or is our default for another codec.
    Statistics stay: they are of the pictures before they were encoded first.

    :param output: where the result goes; None: in the place of `root`.
    :param each: encodes episodes.
    :returns: what info.json of the result says, its cameras' `info` among it.
    :raises DatasetError: no camera differs.
    """
    metadata = opened_source(root)
    settings.check()
    plan = plain_plan(metadata, whole_pieces(0, metadata, range(len(metadata.episodes))),
                      metadata.tasks)
    features, raw = dict(plan.info.features), dict(plan.info.raw_features or {})
    wanted = {}
    for name, feature in plan.info.cameras.items():
        known, (height, width) = dict(feature.info or {}), feature.height_width
        if feature.shape[-1] == 1:
            continue
        same = settings.codec in (None, known.get('video.codec'))
        encoding = decide(settings, int(plan.info.fps), known if same else None)
        info = {**known, **encoding.info(int(plan.info.fps), height, width)}
        keys = ('video.codec', 'video.g', 'video.crf', 'video.preset')
        if any(info[key] != known.get(key) for key in keys):
            wanted[name] = VideoSettings(encoding.codec, encoding.g, encoding.crf, encoding.preset)
            features[name] = replace(feature, info=info)
            raw[name] = {**raw.get(name, feature.to_json()), 'info': info}
    if not wanted:
        raise DatasetError(f'{root}: found no colour camera whose settings differ, expected one; '
                           'there is nothing to encode')
    plan = replace(plan, encode=wanted,
                   info=replace(plan.info, features=features, raw_features=raw))
    with target(Path(root), None if output is None else Path(output)) as folder:
        return write_dataset(plan, folder, progress, each)


def images_to_video(
    root: Path | str, settings: VideoSettings, output: Path | str | None,
    progress: Progress = no_progress,
) -> Info:
    """
    Make videos of the colour cameras that are stored as images; tasks and statistics stay.

    :param settings: what it leaves out is our default.
    :param output: where the result goes; None: in the place of `root`.
    :raises DatasetError: no colour camera is stored as images.
    """
    metadata = opened_source(root)
    settings.check()
    plan = plain_plan(metadata, whole_pieces(0, metadata, range(len(metadata.episodes))),
                      metadata.tasks)
    features, raw = dict(plan.info.features), dict(plan.info.raw_features or {})
    fps, found = int(plan.info.fps), {}
    encoding = decide(settings, fps)
    for name, feature in features.items():
        if feature.dtype == 'image' and not is_depth(feature):
            info = encoding.info(fps, *feature.height_width)
            found[name] = Feature('video', feature.shape, feature.names, info)
            raw[name] = found[name].to_json()
    if not found:
        raise DatasetError(f'{root}: found no colour camera stored as images, expected one')
    wanted = VideoSettings(encoding.codec, encoding.g, encoding.crf, encoding.preset)
    info = replace(plan.info, features={**features, **found}, raw_features=raw)
    plan = replace(plan, info=in_default_places(info), encode=dict.fromkeys(found, wanted))
    with target(Path(root), None if output is None else Path(output)) as folder:
        return write_dataset(plan, folder, progress)


def recompute_stats(
    root: Path | str, output: Path | str | None, skip_image_video: bool = False,
    progress: Progress = no_progress, each: Each = in_threads,
) -> Info:
    """
    Compute the statistics of every episode and of the dataset anew; videos are linked.

    Those of colour cameras come from decoded frames, those of depth stay.

    :param output: where the result goes; None: in the place of `root`.
    :param each: computes those of episodes.
    :param skip_image_video: leave those of all cameras as they are.
    """
    metadata = opened_source(root)
    plan = plain_plan(metadata, whole_pieces(0, metadata, range(len(metadata.episodes))),
                      metadata.tasks)
    names = frozenset(name for name, feature in plan.info.features.items()
                      if name not in RESERVED
                      and not (skip_image_video and feature.dtype in ('video', 'image')))
    with target(Path(root), None if output is None else Path(output)) as folder:
        return write_dataset(replace(plan, recompute=names), folder, progress, each)
