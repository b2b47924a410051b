# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Bring columns of data files, however their writer stored them, to one form."""

from __future__ import annotations

import math
from typing import Any

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.features import Feature
import numpy as np
from numpy.typing import NDArray
import pyarrow as pa
import pyarrow.compute as pc

IMAGE = pa.struct([('bytes', pa.binary()), ('path', pa.string())])


def column_type(feature: Feature) -> pa.DataType | None:
    """
    Return the type of a column in one form; None for language, whose type files decide.

    A scalar is plain; a vector and all of higher rank are a fixed-size list of all their values.
    """
    if feature.dtype == 'language':
        return None
    if feature.dtype == 'image':
        return IMAGE
    value = pa.string() if feature.dtype == 'string' else pa.from_numpy_dtype(
        np.dtype(feature.dtype))
    return value if feature.shape == (1,) else pa.list_(value, math.prod(feature.shape))


def in_one_form(
    where: str, column: pa.Array | pa.ChunkedArray, feature: Feature, kind: pa.DataType,
) -> pa.Array:
    """
    Return a column as `column_type` says.

    Lists of any kind, wider numbers, large strings and dictionaries are accepted; so is a column
    of nulls.

    :raises DatasetBroken: values do not fit the feature.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    try:
        if feature.dtype in ('string', 'image', 'language'):
            # A damaged page may hold strings that are none.
            array.validate(full=True)
        if array.type == kind:
            return array
        if array.null_count == len(array):
            return pa.nulls(len(array), kind)
        if feature.dtype == 'image':
            return _pictures(where, array)
        if feature.dtype == 'language':
            return _nested(array, kind)
        values = _flat(where, array, feature.shape)
        if pa.types.is_fixed_size_list(kind):
            return pa.FixedSizeListArray.from_arrays(
                _cast(where, values, kind.value_type), type=kind)
        return _cast(where, values, kind)
    except pa.ArrowException as error:
        raise DatasetBroken(where, str(error).splitlines()[0],
                            f'{feature.dtype} {list(feature.shape)}') from None


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) \
        or pa.types.is_fixed_size_list(kind)


def _flat(where: str, array: pa.Array, shape: tuple[int, ...]) -> pa.Array:
    for size in shape:
        if not _is_list(array.type):
            if shape == (1,):
                break
            raise DatasetBroken(where, str(array.type), f'lists of shape {list(shape)}')
        if array.null_count:
            raise DatasetBroken(where, 'a list that is missing', 'one in every row')
        sizes = pc.min_max(pc.list_value_length(array)).as_py()
        if len(array) and sizes != {'min': size, 'max': size}:
            raise DatasetBroken(where, f'lists of {sizes["min"]} to {sizes["max"]} values',
                                f'{size}: shape {list(shape)}')
        array = array.flatten()
    if _is_list(array.type):
        raise DatasetBroken(where, str(array.type), f'lists of shape {list(shape)}')
    return array


def _cast(where: str, values: pa.Array, kind: pa.DataType) -> pa.Array:
    found = values.type
    if pa.types.is_dictionary(found):
        values = values.dictionary_decode()
        found = values.type
    number = pa.types.is_integer(found) or pa.types.is_floating(found) \
        or pa.types.is_boolean(found)
    if number == pa.types.is_string(kind):
        raise DatasetBroken(where, str(found), str(kind))
    # A float of more digits is rounded; a whole number must fit.
    return values.cast(kind, safe=not (pa.types.is_floating(found) and pa.types.is_floating(kind)))


def _pictures(where: str, array: pa.Array) -> pa.Array:
    if not pa.types.is_struct(array.type) or array.type.get_field_index('bytes') < 0:
        raise DatasetBroken(where, str(array.type), 'a struct of bytes and path')
    paths = array.field('path') if array.type.get_field_index('path') >= 0 \
        else pa.nulls(len(array))
    data = array.field('bytes')
    if pa.types.is_null(data.type):
        data = pa.nulls(len(array), pa.binary())
    return pa.StructArray.from_arrays(
        [data.cast(pa.binary()), paths.cast(pa.string())], fields=list(IMAGE),
        mask=array.is_null() if array.null_count else None)


def _nested(array: pa.Array, kind: pa.DataType) -> pa.Array:
    try:
        return array.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return pa.array(array.to_pylist(), kind)


def to_numpy(column: pa.Array | pa.ChunkedArray, feature: Feature) -> NDArray[Any] | list[Any]:
    """
    Return a column of one form as (rows, *shape), (rows,) for a scalar.

    What is no number, and a column in which a number is missing, comes as a list of Python values.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if array.null_count or feature.dtype in ('string', 'image', 'language'):
        return array.to_pylist()
    if not pa.types.is_fixed_size_list(array.type):
        return array.to_numpy(zero_copy_only=False)
    values = array.flatten()
    if values.null_count:
        return array.to_pylist()
    return values.to_numpy(zero_copy_only=False).reshape(len(array), *feature.shape)
