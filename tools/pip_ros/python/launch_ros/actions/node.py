# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A ROS node in a process of its own."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
import os
from pathlib import Path
import tempfile
from typing import Any
from typing import TYPE_CHECKING
from typing import Union

from launch.actions import ExecuteProcess
from launch.substitution import perform_text
from launch.substitution import SomeSubstitutionsType

from .push_ros_namespace import CONFIGURATION
from .._names import full_node_name
from .._names import join_namespace
from ..parameter_descriptions import evaluate_parameters
from ..parameter_descriptions import ParameterFile
from ..substitutions import ExecutableInPackage

if TYPE_CHECKING:
    from launch import LaunchContext

Parameters = Union[SomeSubstitutionsType, Path, ParameterFile, Mapping[Any, Any]]
Remappings = Iterable[tuple[SomeSubstitutionsType, SomeSubstitutionsType]]
ANY_NODE = '/**'


class Node(ExecuteProcess):
    """Start an executable of a package with ROS arguments."""

    def __init__(self, *, executable: SomeSubstitutionsType, package: SomeSubstitutionsType,
                 name: SomeSubstitutionsType | None = None,
                 namespace: SomeSubstitutionsType | None = None,
                 exec_name: SomeSubstitutionsType | None = None,
                 parameters: list[Parameters] | None = None, remappings: Remappings | None = None,
                 ros_arguments: Iterable[SomeSubstitutionsType] | None = None,
                 arguments: Iterable[SomeSubstitutionsType] | None = None,
                 **kwargs: Any) -> None:
        if not isinstance(parameters, (list, type(None))):
            raise TypeError(f'parameters={parameters!r}: expected a list')
        program = ExecutableInPackage(executable=executable, package=package)
        super().__init__(cmd=[program, *(arguments or [])], name=exec_name, **kwargs)
        self._node_name = name
        self._namespace = namespace
        self._parameters = [] if parameters is None else parameters
        self._remappings = list(remappings or [])
        self._ros_arguments = list(ros_arguments or [])

    def command(self, context: LaunchContext) -> list[str]:
        """Return the program, its arguments and the ROS arguments."""
        namespace = self._expanded_namespace(context)
        words = super().command(context)
        if self._ros_arguments:
            words += ['--ros-args', *(perform_text(context, part)
                                      for part in self._ros_arguments)]
        words.append('--ros-args')
        rules = []
        if self._node_name is not None:
            rules.append(f'__node:={perform_text(context, self._node_name)}')
        if namespace is not None:
            rules.append(f'__ns:={namespace}')
        words += [word for rule in rules for word in ('-r', rule)]
        for path in self._parameter_files(context, namespace):
            words += ['--params-file', path]
        for old, new in self._remappings:
            words += ['-r', f'{perform_text(context, old)}:={perform_text(context, new)}']
        return words

    def _expanded_namespace(self, context: LaunchContext) -> str | None:
        base = context.launch_configurations.get(CONFIGURATION)
        if self._namespace is None:
            return base
        own = perform_text(context, self._namespace)
        return join_namespace(base, own)

    def _parameter_files(self, context: LaunchContext, namespace: str | None) -> list[str]:
        paths = []
        for parameter in self._parameters:
            if isinstance(parameter, Mapping):
                values = evaluate_parameters(context, parameter)
                paths.append(_write(context, self._parameter_key(context, namespace), values))
            elif isinstance(parameter, ParameterFile):
                paths.append(parameter.evaluate(context))
            elif isinstance(parameter, Path):
                paths.append(str(parameter))
            else:
                paths.append(perform_text(context, parameter))
        for path in paths:
            if not os.path.isfile(path):
                # Upstream warns and starts the node without it: no way to start an arm.
                raise FileNotFoundError(f"parameter file '{path}' does not exist")
        return paths

    def _parameter_key(self, context: LaunchContext, namespace: str | None) -> str:
        if self._node_name is None or namespace is None:
            return ANY_NODE
        return full_node_name(namespace, perform_text(context, self._node_name))


def _write(context: LaunchContext, key: str, values: dict[str, Any]) -> str:
    # Only here, so that a launch without parameters starts sooner.
    import yaml
    assert context.supervisor is not None
    with tempfile.NamedTemporaryFile(
            'w', prefix='launch_params_', delete=False, encoding='utf-8') as file:
        context.supervisor.remove_at_end(file.name)
        yaml.safe_dump({key: {'ros__parameters': values}}, file, default_flow_style=False,
                       allow_unicode=True)
    return file.name
