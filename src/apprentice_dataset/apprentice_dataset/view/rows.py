# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read what is shown of an episode's rows: numbers, and texts with their first frames."""

from __future__ import annotations

from typing import Any

from apprentice_dataset.columns import column_type
from apprentice_dataset.columns import in_one_form
from apprentice_dataset.columns import to_numpy
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.reader import Dataset
from apprentice_dataset.view.plots import drawn
import numpy as np
from numpy.typing import NDArray

Spans = list[tuple[int, str]]
"""A text and the first frame it is said for, where it changes."""


def numbers_and_texts(
    dataset: Dataset, episode: int,
) -> tuple[dict[str, NDArray[Any]], dict[str, Spans]]:
    """
    Return the (rows, values) of every feature that is drawn, and the texts: task first.

    Whole numbers and booleans stay what they are, a number that is missing is NaN.

    :raises DatasetBroken: the rows cannot be read or name a task that does not exist.
    """
    features = dataset.info.columns
    numeric = drawn(features)
    strings = [name for name, feature in features.items() if feature.dtype == 'string']
    table = dataset.rows(episode, [*numeric, *strings, 'task_index'])

    def column(name: str) -> NDArray[Any] | list[Any]:
        where, feature = f'{dataset.root}: episode {episode}: {name}', features[name]
        return to_numpy(in_one_form(where, table[name], feature, column_type(feature)), feature)

    numbers = {name: _values(column(name), table.num_rows) for name in numeric}
    texts = {'task': _spans(_tasks(dataset, episode, list(column('task_index'))))}
    for name in strings:
        texts[name] = _spans([text or '' for text in column(name)])
    return numbers, texts


def _values(found: NDArray[Any] | list[Any], rows: int) -> NDArray[Any]:
    if isinstance(found, np.ndarray):
        return found.reshape(rows, -1)
    width = next((np.size(value) for value in found if value is not None), 1)
    missing = [np.nan] * width
    return np.array([missing if value is None else np.ravel(value).tolist() for value in found],
                    float).reshape(rows, width)


def _tasks(dataset: Dataset, episode: int, numbers: list[Any]) -> list[str]:
    tasks = dataset.tasks
    wrong = [number for number in numbers if number is None or not 0 <= number < len(tasks)]
    if wrong:
        raise DatasetBroken(f'{dataset.root}: episode {episode}: task_index', str(wrong[0]),
                            f'a number from 0 to {len(tasks) - 1}', 'validate the dataset')
    return [tasks[int(number)] for number in numbers]


def _spans(texts: list[str]) -> Spans:
    return [(frame, text) for frame, text in enumerate(texts)
            if frame == 0 or text != texts[frame - 1]]
