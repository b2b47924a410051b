# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The control tables are consistent, and agree with the simulator's, written apart."""

from __future__ import annotations

from itertools import pairwise

from apprentice_sim import registers as simulated
from feetech_driver import release
from feetech_driver.registers import Access
from feetech_driver.registers import alarm_names
from feetech_driver.registers import model_name
from feetech_driver.registers import MODELS
from feetech_driver.registers import Protocol
from feetech_driver.registers import REGISTERS
from feetech_driver.registers import STS_REGISTERS
import pytest


@pytest.mark.parametrize('protocol', Protocol)
def test_registers_do_not_overlap(protocol: Protocol) -> None:
    """No byte of a control table belongs to two registers."""
    ordered = sorted(REGISTERS[protocol].values(), key=lambda register: register.address)
    for before, after in pairwise(ordered):
        assert before.address + before.size <= after.address, (before.name, after.name)


@pytest.mark.parametrize('name', MODELS)
def test_tables_agree_with_the_simulators(name: str) -> None:
    """Address, size, sign and writability equal those of an independently written table."""
    model, other = MODELS[name], simulated.MODELS[name]
    assert (model.number, model.resolution) == (other.number, other.resolution)
    assert (model.protocol is Protocol.SCS) == other.big_endian
    by_address = {register.address: register for register in other.registers}
    compared = 0
    for register in REGISTERS[model.protocol].values():
        theirs = by_address.get(register.address)
        if theirs is None:
            continue
        compared += 1
        assert (register.size, register.sign_bit) == (theirs.size, theirs.sign_bit), register.name
        assert (register.access is Access.READ_ONLY) == (not theirs.writable), register.name
    assert compared > 30


def test_the_release_uses_the_tables_addresses() -> None:
    """The constants of the release, kept apart for its few imports, are the table's."""
    assert release._TORQUE_ENABLE == STS_REGISTERS['torque_enable'].address
    assert release._TORQUE_LIMIT == STS_REGISTERS['torque_limit'].address
    assert release._MAX_TORQUE == STS_REGISTERS['max_torque'].address


def test_a_value_beyond_a_maximum_names_the_register() -> None:
    """Torque enable takes 0 and 1 only: other values recalibrate the servo."""
    with pytest.raises(ValueError, match='torque_enable at 40: 128'):
        STS_REGISTERS['torque_enable'].encode(128, Protocol.STS)


def test_names_for_the_user() -> None:
    """Models and alarm bits have names, unknown models too."""
    assert model_name(777) == 'sts3215'
    assert model_name(1) == 'unknown model 1'
    assert alarm_names(0x21) == ('voltage out of limits', 'overload')
