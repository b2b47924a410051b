# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What the Rerun viewer shows, independent of ROS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

NS = 1e-9


class ViewerError(RuntimeError):
    """The viewer cannot start."""


class Throttle:
    """Lets at most `rate_hz` samples a second of each stream through."""

    def __init__(self, rate_hz: float) -> None:
        """Take the rate, Hz."""
        self._period_ns = round(1e9 / rate_hz)
        self._next_ns: dict[str, int] = {}

    def passes(self, stream: str, stamp_ns: int) -> bool:
        """Tell whether the stream's sample with this stamp is shown."""
        due_ns = self._next_ns.get(stream, 0)
        # A clock that jumped back must not silence the stream.
        if due_ns - 2 * self._period_ns < stamp_ns < due_ns:
            return False
        self._next_ns[stream] = stamp_ns + self._period_ns
        return True


class Viewer:
    """Sends images, joints and guard states to Rerun, or into a file that Rerun opens."""

    def __init__(self, cameras: Sequence[str], joints: Sequence[str], save: Path | None) -> None:
        """
        Open the viewer, or the file `save`.

        Raises ViewerError when rerun-sdk is missing or the file cannot be written.
        """
        self._rerun = _import_rerun()
        self._stream = self._rerun.RecordingStream('apprentice')
        layout = self._layout(cameras, joints)
        try:
            if save is not None:
                self._stream.save(save, default_blueprint=layout)
            else:
                self._stream.spawn(default_blueprint=layout)
        except (OSError, RuntimeError) as error:
            target = 'the viewer' if save is None else str(save)
            raise ViewerError(f'{target} cannot be opened: {error}') from error

    def show_image(self, camera: str, stamp_ns: int, media_type: str, data: bytes) -> None:
        """Show a compressed image as it came."""
        self._at(stamp_ns)
        self._stream.log(
            f'cameras/{camera}',
            self._rerun.EncodedImage(contents=data, media_type=media_type))

    def show_joints(
        self, curve: str, stamp_ns: int, names: Sequence[str], positions: Sequence[float],
    ) -> None:
        """Add one point (rad) to each joint's curve of this name."""
        self._at(stamp_ns)
        for name, position in zip(names, positions):
            self._stream.log(f'joints/{name}/{curve}', self._rerun.Scalars(position))

    def show_event(self, stamp_ns: int, text: str, warn: bool) -> None:
        """Add a line to the log."""
        self._at(stamp_ns)
        level = self._rerun.TextLogLevel.WARN if warn else self._rerun.TextLogLevel.INFO
        self._stream.log('guard', self._rerun.TextLog(text, level=level))

    def close(self) -> None:
        """Write out everything that is still under way."""
        self._stream.flush()
        self._stream.disconnect()

    def _at(self, stamp_ns: int) -> None:
        self._stream.set_time('time', timestamp=stamp_ns * NS)

    def _layout(self, cameras: Sequence[str], joints: Sequence[str]) -> object:
        from rerun import blueprint
        pictures = [
            blueprint.Spatial2DView(origin=f'cameras/{name}', name=name) for name in cameras]
        curves = [
            blueprint.TimeSeriesView(origin=f'joints/{name}', name=name) for name in joints]
        columns = [blueprint.Grid(*curves), blueprint.TextLogView(origin='guard', name='guard')]
        right = blueprint.Vertical(*columns, row_shares=[4, 1])
        if not pictures:
            return blueprint.Blueprint(right, collapse_panels=True)
        return blueprint.Blueprint(
            blueprint.Horizontal(blueprint.Vertical(*pictures), right), collapse_panels=True)


def media_type_of(format_text: str) -> str:
    """Return the media type for the `format` of a sensor_msgs/CompressedImage."""
    return 'image/png' if 'png' in format_text.lower() else 'image/jpeg'


def _import_rerun() -> ModuleType:
    try:
        import rerun
    except ImportError as error:
        raise ViewerError(
            f'the viewer needs the Python package rerun-sdk ({error}): pip install rerun-sdk, or '
            'start without view:=true') from error
    return rerun
