# SPDX-License-Identifier: MIT
"""Where the program listens: several addresses, dual stack, UNIX paths and abstract names."""

import os
import pwd
import socket
import stat
import subprocess
import sys

import pytest
from harness import ports, processes, procfs, wait
from harness.ends import PlainEnd
from harness.listeners import Listener, connect
from harness.program import configuration
from harness.tls import TlsEnd, context
from harness.worlds import credentials

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
NOBODY = pwd.getpwnam("nobody").pw_uid


@pytest.fixture
def tls_backend(pki, closing):
    return closing(Listener(context(True, pki.get("server"), pki.ca)))


@pytest.fixture
def offload(pki, backend):
    """The options of an offloader that listens where it is told."""

    def make(accept, **options):
        service = {"mode": "offload", "accept": accept, "connect": backend.address}
        return {**service, **credentials(pki, "server"), **options}

    return make


@pytest.fixture
def encrypt(pki, tls_backend):
    def make(accept, **options):
        service = {"mode": "encrypt", "accept": accept, "connect": tls_backend.address}
        return {**service, **credentials(pki, "client"), **options}

    return make


@pytest.fixture
def carries(pki, backend, closing):
    """Does the offloader at that address carry data both ways?"""

    def try_it(address, listener=backend):
        client = closing(TlsEnd(connect(address), context(False, pki.get("client"), pki.ca), name="localhost"))
        assert client.handshake() is None
        client.send(b"ping")
        end = closing(listener.accept())
        assert end.receive(4) == b"ping"
        end.send(b"pong")
        assert client.receive(4) == b"pong"
        client.close()
        end.close()
        return True

    return try_it


@pytest.fixture
def carries_plain(tls_backend, closing):
    def try_it(address):
        client = closing(PlainEnd(connect(address)))
        client.send(b"ping")
        return closing(tls_backend.accept()).receive(4) == b"ping"

    return try_it


def test_several_addresses_of_one_service(run, offload, carries, tmp_path):
    addresses = [f"127.0.0.1:{ports.free()}", f"127.0.0.2:{ports.free()}", f"[::1]:{ports.free()}"]
    addresses.append(f"unix:{tmp_path}/socket")
    run(configuration(offload(addresses)))
    assert all([carries(address) for address in addresses])


def test_a_star_is_both_protocols_on_one_port(run, offload, carries):
    port = ports.free()
    program = run(configuration(offload(f"*:{port}")))
    assert carries(f"127.0.0.1:{port}")
    assert carries(f"[::1]:{port}")
    # A mapped address is shown as what it is.
    assert program.wait_line(lambda line: True, "a line")
    program.stop()
    peers = [line["peer"] for line in program.log() if "peer" in line and "end" in line]
    assert any(peer.startswith("127.0.0.1:") for peer in peers), peers
    assert any(peer.startswith("[::1]:") for peer in peers), peers


def test_a_unix_backend(run, pki, offload, carries, closing, tmp_path):
    listener = closing(Listener(path=str(tmp_path / "backend")))
    address = f"127.0.0.1:{ports.free()}"
    run(configuration(offload(address, connect=listener.address)))
    assert carries(address, listener)


def test_an_abstract_backend(run, offload, carries, closing):
    listener = closing(Listener(path=f"\0sallyport-test-backend-{os.getpid()}"))
    address = f"127.0.0.1:{ports.free()}"
    run(configuration(offload(address, connect=listener.address)))
    assert carries(address, listener)


def test_tls_over_a_unix_socket_checks_the_name_that_is_given(run, pki, closing, tmp_path):
    listener = closing(Listener(context(True, pki.get("server"), pki.ca), path=str(tmp_path / "tls")))
    address = f"127.0.0.1:{ports.free()}"
    service = {"mode": "encrypt", "accept": address, "connect": listener.address, "peer_name": "server.test"}
    run(configuration({**service, **credentials(pki, "client")}))
    client = closing(PlainEnd(connect(address)))
    client.send(b"over unix")
    assert closing(listener.accept()).receive(9) == b"over unix"


def test_a_unix_socket_is_private_unless_told_otherwise(run, encrypt, carries_plain, tmp_path):
    path = tmp_path / "socket"
    run(configuration(encrypt(f"unix:{path}")))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert carries_plain(f"unix:{path}")


@needs_root
def test_a_unix_socket_has_the_mode_and_owner_that_are_asked_for(run, encrypt, carries_plain, tmp_path):
    path = tmp_path / "socket"
    group = os.stat("/").st_gid
    run(configuration(encrypt(f"unix:{path}", socket_mode="0660", socket_owner="nobody", socket_group=group)))
    found = path.stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o660, NOBODY, group)
    assert carries_plain(f"unix:{path}")


def test_a_stale_path_is_replaced(run, encrypt, carries_plain, tmp_path):
    path = str(tmp_path / "socket")
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(path)
    stale.close()
    run(configuration(encrypt(f"unix:{path}")))
    assert carries_plain(f"unix:{path}")


def test_a_live_path_is_refused_with_words_and_left_alone(run, encrypt, closing, tmp_path):
    path = str(tmp_path / "socket")
    live = closing(Listener(path=path))
    program = run(configuration(encrypt(f"unix:{path}")), ready=False)
    assert program.wait_exit() == 1
    assert path in program.output()
    connect(live.address).close()


def test_a_path_that_is_no_socket_is_refused_and_left_alone(run, encrypt, tmp_path):
    path = tmp_path / "socket"
    path.write_text("precious")
    program = run(configuration(encrypt(f"unix:{path}")), ready=False)
    assert program.wait_exit() == 1
    assert path.read_text() == "precious"


def test_the_path_is_gone_after_a_clean_end(run, encrypt, tmp_path):
    path = tmp_path / "socket"
    program = run(configuration(encrypt(f"unix:{path}")))
    program.stop()
    assert not path.exists()


def as_nobody(address):
    """What another user gets at an abstract address: "carried", or how it ended."""
    script = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_UNIX)\n"
        "s.connect('\\0' + sys.argv[1])\n"
        "s.settimeout(5)\n"
        "try:\n"
        "    s.sendall(b'ping')\n"
        "    print('carried' if s.recv(4) == b'pong' else 'closed')\n"
        "except OSError as error:\n"
        "    print('broken')\n"
    )
    command = ["setpriv", f"--reuid={NOBODY}", "--regid=65534", "--clear-groups", sys.executable, "-c", script]
    return processes.start([*command, address], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@needs_root
@pytest.mark.parametrize("options, admitted", [({}, False), ({"socket_users": "root,nobody"}, True), ({"user": "nobody"}, True)])
def test_an_abstract_socket_admits_only_the_users_it_should(run, encrypt, tls_backend, closing, options, admitted):
    name = f"sallyport-test-{os.getpid()}-{ports.free()}"
    program_options = {"user": options.pop("user")} if "user" in options else {}
    run(configuration(encrypt(f"unix:@{name}", **options), **program_options))
    stranger = as_nobody(name)
    try:
        if admitted:
            end = closing(tls_backend.accept())
            assert end.receive(4) == b"ping"
            end.send(b"pong")
        said = stranger.communicate(timeout=10)[0].strip()
    finally:
        processes.end(stranger)
    if admitted:
        assert said == b"carried"
    else:
        assert said in (b"closed", b"broken")
        assert not tls_backend.has_pending()
    us = closing(PlainEnd(connect(f"unix:@{name}")))
    us.send(b"root")
    assert closing(tls_backend.accept()).receive(4) == b"root"


@needs_root
def test_users_that_are_listed_replace_root(run, encrypt, tls_backend, closing):
    name = f"sallyport-test-{os.getpid()}-{ports.free()}"
    run(configuration(encrypt(f"unix:@{name}", socket_users="nobody")))
    us = closing(PlainEnd(connect(f"unix:@{name}")))
    assert us.wait_ending() in ("end", "reset")
    assert not tls_backend.has_pending()


@pytest.mark.parametrize("accept", ["0.0.0.0", "*", "[::]", "192.0.2.1"])
def test_a_plaintext_listener_that_is_not_local_is_an_error(run, encrypt, accept):
    program = run(configuration(encrypt(f"{accept}:{ports.free()}")), ready=False)
    assert program.wait_exit() == 1
    assert "allow-remote-plaintext" in program.output()


def test_remote_plaintext_is_possible_on_purpose_and_warns(run, encrypt, carries_plain):
    port = ports.free()
    program = run(configuration(encrypt(f"*:{port}", allow_remote_plaintext="yes")))
    assert carries_plain(f"127.0.0.1:{port}")
    assert "allow-remote-plaintext" in program.output()


@pytest.mark.parametrize("accept", ["127.0.0.1", "127.9.9.9", "[::1]"])
def test_every_local_address_may_carry_plaintext(run, encrypt, carries_plain, accept):
    port = ports.free()
    run(configuration(encrypt(f"{accept}:{port}")))
    assert carries_plain(f"{accept}:{port}")


@pytest.mark.parametrize("target", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_every_local_target_may_be_given_plaintext(run, offload, carries, backend, target):
    address = f"127.0.0.1:{ports.free()}"
    run(configuration(offload(address, connect=f"{target}:{backend.port}")))
    assert carries(address)


def test_localhost_is_listened_on_as_an_address(run, offload, carries):
    port = ports.free()
    run(configuration(offload(f"localhost:{port}")))
    assert carries(f"127.0.0.1:{port}")


def test_another_name_to_listen_on_is_an_error_with_the_remedy(run, encrypt):
    program = run(configuration(encrypt(f"db.example.net:{ports.free()}")), ready=False)
    assert program.wait_exit() == 1
    assert "write the address that it has" in program.output()


def test_a_hundred_services_in_one_program(run, offload, carries, closing):
    services, backends = [], []
    for index in range(100):
        backends.append(closing(Listener()))
        service = offload(f"127.0.0.1:{ports.free()}", connect=backends[-1].address)
        services.append({"name": f"s{index}", **service})
    run(configuration(*services))
    for index in (0, 1, 50, 99):
        assert carries(services[index]["accept"], backends[index])
    for service in services:
        connect(service["accept"]).close()


def test_thousands_of_probes_leak_no_descriptor(run, offload, carries):
    address = f"127.0.0.1:{ports.free()}"
    program = run(configuration(offload(address)))
    assert carries(address)
    serve = program.workers()
    before = procfs.descriptors(serve)
    for _ in range(2000):
        connect(address).close()
    assert carries(address)
    wait.until(lambda: procfs.descriptors(serve) <= before + 4, "descriptors are given back")
