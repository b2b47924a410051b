# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Stand-in for the parts of ROS 2's launch that this workspace uses."""

from __future__ import annotations

from . import actions
from . import conditions
from . import event_handlers
from . import events
from . import launch_description_sources
from . import substitutions
from ._missing import refuse_missing
from .conditions import Condition
from .event import Event
from .event import EventHandler
from .launch_context import LaunchContext
from .launch_description import LaunchDescription
from .launch_description_entity import Action
from .launch_description_entity import LaunchDescriptionEntity
from .launch_description_entity import SomeEntitiesType
from .launch_description_sources import LaunchDescriptionSource
from .launch_service import LaunchService
from .substitution import SomeSubstitutionsType
from .substitution import Substitution

__all__ = [
    'Action', 'Condition', 'Event', 'EventHandler', 'LaunchContext', 'LaunchDescription',
    'LaunchDescriptionEntity', 'LaunchDescriptionSource', 'LaunchService', 'SomeEntitiesType',
    'SomeSubstitutionsType', 'Substitution', 'actions', 'conditions', 'event_handlers', 'events',
    'launch_description_sources', 'substitutions']
__getattr__ = refuse_missing(__name__)
