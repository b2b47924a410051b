# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Declare specified parameters on a node and check what is set at run time."""
from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence

from apprentice_node.parameters import Kind
from apprentice_node.parameters import ParameterError
from apprentice_node.parameters import ParameterSpec
from apprentice_node.parameters import parse_parameters
from apprentice_node.parameters import unknown_parameter
from apprentice_node.parameters import Value
from rcl_interfaces.msg import FloatingPointRange
from rcl_interfaces.msg import IntegerRange
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.parameter import Parameter

# Declared by rclpy itself or read by it from the overrides.
BUILT_IN = ('use_sim_time', 'start_type_description_service')
BUILT_IN_PREFIX = 'qos_overrides.'

_INT64_MAX = 2**63 - 1
_FLOAT_MAX = 1.7976931348623157e308


class ParameterTable:
    """Hold a node's parameters in their final types."""

    def __init__(self, node: Node, specs: Sequence[ParameterSpec]) -> None:
        """Declare every specified parameter; raise ParameterError for a bad override."""
        self._specs = {spec.name: spec for spec in specs}
        # rclpy has no public view of overrides that nobody declared.
        found = {
            name: parameter.value for name, parameter in node._parameter_overrides.items()
            if not _is_built_in(name)
        }
        self.values: dict[str, Value] = parse_parameters(
            specs, found, node.get_fully_qualified_name())
        for spec in specs:
            node.declare_parameter(
                spec.name, _TYPES[spec.kind], _descriptor(spec), ignore_override=True)

    def initial(self) -> list[Parameter]:
        """Return every parameter as read from the command line and parameter files."""
        return [self._parameter(name, value) for name, value in self.values.items()]

    def check(self, parameters: Sequence[Parameter], configured: bool) -> list[Parameter]:
        """
        Return the parameters in their final types.

        Raises ParameterError if one is unknown, unsuitable, or fixed while configured.
        """
        return [
            parameter if _is_built_in(parameter.name)
            else self._parameter(parameter.name, self._check_one(parameter, configured))
            for parameter in parameters
        ]

    def accept(self, parameters: Sequence[Parameter]) -> None:
        """Keep values that the node has taken over."""
        for parameter in parameters:
            if parameter.name in self._specs:
                self.values[parameter.name] = self._specs[parameter.name].parse(parameter.value)

    def _check_one(self, parameter: Parameter, configured: bool) -> Value:
        spec = self._specs.get(parameter.name)
        if spec is None:
            raise ParameterError(unknown_parameter(parameter.name, self._specs))
        if configured and not spec.dynamic:
            raise ParameterError(
                f"parameter '{spec.name}' is fixed while the node is configured; "
                'clean the node up first (lifecycle transition cleanup)')
        return spec.parse(parameter.value)

    def _parameter(self, name: str, value: Value) -> Parameter:
        plain = list(value) if isinstance(value, tuple) else value
        return Parameter(name, _TYPES[self._specs[name].kind], plain)


_TYPES: Mapping[Kind, Parameter.Type] = {kind: Parameter.Type[kind.name] for kind in Kind}


def _is_built_in(name: str) -> bool:
    return name in BUILT_IN or name.startswith(BUILT_IN_PREFIX)


def _descriptor(spec: ParameterSpec) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(name=spec.name, description=spec.description)
    descriptor.additional_constraints = spec.expected
    if spec.minimum is None and spec.maximum is None:
        return descriptor
    if spec.kind is Kind.INTEGER:
        low = -_INT64_MAX if spec.minimum is None else int(spec.minimum)
        high = _INT64_MAX if spec.maximum is None else int(spec.maximum)
        descriptor.integer_range = [IntegerRange(from_value=low, to_value=high, step=0)]
    elif spec.kind is Kind.DOUBLE:
        low = -_FLOAT_MAX if spec.minimum is None else float(spec.minimum)
        high = _FLOAT_MAX if spec.maximum is None else float(spec.maximum)
        descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    return descriptor
