# SPDX-License-Identifier: MIT
"""Chains that verified and are remembered, which shows in nothing but the time of the processor."""

import pytest
from harness import procfs
from harness.pki import IDENTITIES, Pki
from harness.worlds import VERSIONS, World

ROLES = {"offload": "client", "encrypt": "server"}
CONNECTIONS = 40  # so many, since the kernel counts in hundredths of a second
FACTOR = 2.5  # measured are 7 to 10, with a chain of 13 and keys on P-521


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    """Identities whose chains are long, and slow to verify: far slower than everything else about a connection."""
    pki = Pki(tmp_path_factory.mktemp("deep"))
    issuer = pki.root
    for number in range(12):
        issuer = pki.authority(f"level-{number}", issuer, "ecdsa-521")
    for role in ROLES.values():
        pki.made[role] = pki.issue(role, issuer, **IDENTITIES[role])
    return pki


@pytest.fixture
def world(run, deep, closing):
    return lambda mode, version, **options: closing(World(run, deep, mode, version, tickets="no", **options))


def cost(ends):
    """Seconds of processor time for a connection, when the first has been seen."""
    serve = ends.program.workers()
    ends.open()
    before = procfs.cpu_seconds(serve)
    for _ in range(CONNECTIONS):
        ends.open()
    return (procfs.cpu_seconds(serve) - before) / CONNECTIONS


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mode", ROLES)
def test_a_chain_is_verified_anew_only_where_nothing_is_remembered(world, mode, version):
    remembered = cost(world(mode, version))
    anew = cost(world(mode, version, remember_chains="no"))
    assert anew > FACTOR * remembered, f"{anew * 1e3:.1f} ms anew, {remembered * 1e3:.1f} ms remembered"


@pytest.mark.parametrize("side", ("accept", "connect"))
def test_each_side_of_a_bridge_has_its_own_memory(world, side):
    remembered = cost(world("bridge", "1.3"))
    anew = cost(world("bridge", "1.3", **{f"{side}_remember_chains": "no"}))
    assert anew > FACTOR * remembered, f"{anew * 1e3:.1f} ms anew, {remembered * 1e3:.1f} ms remembered"


@pytest.mark.parametrize("mode", ROLES)
def test_a_reload_with_other_anchors_drops_it(world, deep, mode):
    ends = world(mode, "1.3")
    for _ in range(2):
        ends.open()
    with open(ends.program.file, encoding="utf-8") as file:
        text = file.read()
    assert deep.ca in text
    assert ends.program.reload(text.replace(deep.ca, deep.stranger.crt))["message"] == "reloaded"
    ends.program.mark()
    client = ends.connect_silent()
    (client if ends.client_is_tls else ends.listener.accept_silent()).handshake()
    assert "authority is not known" in ends.program.wait_tunnel()["reason"]


def test_a_reload_switches_it(world):
    ends = world("offload", "1.3")
    remembered = cost(ends)
    with open(ends.program.file, encoding="utf-8") as file:
        text = file.read()
    assert ends.program.reload(text + "remember-chains = no\n")["message"] == "reloaded"
    assert cost(ends) > FACTOR * remembered
    assert ends.program.reload(text)["message"] == "reloaded"
    assert cost(ends) < FACTOR * remembered
