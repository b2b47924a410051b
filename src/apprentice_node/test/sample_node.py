# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A node that writes down which hooks ran, and fails where a parameter asks for it."""
from __future__ import annotations

from collections.abc import Iterable
import sys
import time

from apprentice_node.diagnostics import Health
from apprentice_node.managed_node import ManagedNode
from apprentice_node.parameters import ParameterSpec
from apprentice_node.runner import run
from std_srvs.srv import Trigger


class SampleError(Exception):
    """An error that a user can mend."""


class SampleNode(ManagedNode):
    """Keep a journal of its hooks on standard output."""

    expected_errors = (SampleError,)

    def __init__(self) -> None:
        """Read what shall fail."""
        super().__init__('sample', (
            ParameterSpec('refuse', '', 'Hook that fails as expected.'),
            ParameterSpec('crash', '', 'Hook that fails unexpectedly.'),
            ParameterSpec('release_s', 0.0, 'Time that a release takes.', minimum=0.0),
            ParameterSpec('gain', 1.0, 'Changes any time.', maximum=10.0, dynamic=True),
            ParameterSpec('pose', (0.0,), 'A list.'),
        ))
        self.journal: list[str] = []
        self.create_service(Trigger, 'raise', self._raise)

    def configure(self) -> None:
        """Note it."""
        self._note('configure')

    def activate(self) -> None:
        """Note it."""
        self._note('activate')

    def deactivate(self) -> None:
        """Note it."""
        self._note('deactivate')

    def release(self) -> None:
        """Take the time it takes."""
        self._note('release')
        time.sleep(self.values['release_s'])
        self._note('released')

    def parameter_changed(self, name: str, value: object) -> None:
        """Note it."""
        self._note(f'{name}={value}')

    def health(self) -> Iterable[Health]:
        """Report one part."""
        return [Health('sample', values={'journal': ' '.join(self.journal)})]

    def _note(self, what: str) -> None:
        self.journal.append(what)
        print(what, flush=True)
        if self.values['refuse'] == what:
            raise SampleError('the port is gone')
        if self.values['crash'] == what:
            raise ZeroDivisionError('never thought of')

    def _raise(self, _request: object, _response: object) -> None:
        raise ZeroDivisionError('in a callback')


if __name__ == '__main__':
    sys.exit(run(SampleNode))
