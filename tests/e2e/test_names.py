# SPDX-License-Identifier: MIT
"""Names and their addresses, in a network of our own: resolved late, raced, remembered, taken up again."""

import os
import time

import pytest
from harness import ports, wait
from harness.dns import NameServer
from harness.ends import PlainEnd
from harness.listeners import Listener, connect
from harness.namespace import NOWHERE, NOWHERE6, Namespace
from harness.program import configuration
from harness.tls import TlsEnd, context
from harness.worlds import credentials


@pytest.fixture(scope="module")
def namespace():
    if os.geteuid() != 0:
        pytest.skip("needs root to make a network namespace")
    try:
        made = Namespace()
    except OSError as error:
        pytest.skip(f"no network namespace can be made here: {error}")
    yield made
    made.close()


class Net:
    """A name server, backends that speak TLS, and an encryptor, all in the namespace."""

    def __init__(self, namespace, run, pki, closing):
        self.namespace, self.run, self.pki, self.closing = namespace, run, pki, closing
        namespace.write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        self.port = ports.free()
        self.server = self.name_server()

    def name_server(self, address="127.0.0.1", **records):
        with self.namespace.entered():
            return self.closing(NameServer(address, records))

    def backend(self, host="127.0.0.1", identity="server"):
        made = context(True, self.pki.get(identity), self.pki.ca)
        with self.namespace.entered():
            return self.closing(Listener(made, host=host, port=self.port))

    def start(self, *targets, **options):
        """An encryptor that connects to these hosts."""
        self.address = f"127.0.0.1:{ports.free()}"
        connects = [f"[{target}]:{self.port}" if ":" in target else f"{target}:{self.port}" for target in targets]
        options.setdefault("peer_name", "server.test")
        service = {"mode": "encrypt", "accept": self.address, "connect": connects}
        text = configuration({**service, **credentials(self.pki, "client"), **options}, workers=1)
        self.program = self.run(text, wrapper=self.namespace.wrapper)
        return self.program

    def client(self):
        with self.namespace.entered():
            client = self.closing(PlainEnd(connect(self.address)))
        client.send(b"ping")
        return client

    def seconds_to(self, backend):
        """How long it takes until a new client's data are at the backend."""
        before = time.monotonic()
        client = self.client()
        end = self.closing(backend.accept())
        assert end.receive(4) == b"ping"
        client.close()
        return time.monotonic() - before

    def fails(self):
        return self.client().wait_ending() == "reset"


@pytest.fixture
def net(namespace, run, pki, closing):
    return Net(namespace, run, pki, closing)


def test_a_name_is_resolved_and_its_host_is_asked_for_and_checked(net):
    net.server.records["server.test"] = (["127.0.0.1"], 60)
    backend = net.backend()
    net.start("server.test", peer_name=None)
    assert net.seconds_to(backend) < 2


def test_a_name_may_have_addresses_of_both_protocols(net):
    net.server.records["both.test"] = (["127.0.0.1", "::1"], 60)
    backend = net.backend("::1")
    net.start("both.test")
    assert net.seconds_to(backend) < 2


def test_etc_hosts_is_honoured_and_no_server_asked(net):
    backend = net.backend()
    net.start("in-hosts.test")
    assert net.seconds_to(backend) < 2
    assert "in-hosts.test" not in net.server.questions


def test_a_name_that_is_unknown_at_start_warns_and_works_once_it_is_known(net):
    backend = net.backend()
    program = net.start("later.test")
    program.wait_line(lambda line: line["level"] == "warning" and "later.test" in str(line), "a warning")
    assert net.fails()
    net.server.records["later.test"] = (["127.0.0.1"], 60)

    def reaches_it():
        net.client()
        try:
            net.closing(backend.accept(0.5))
        except TimeoutError:
            return False
        return True

    wait.until(reaches_it, "the name is resolved", timeout=10)


def test_an_answer_is_remembered_for_its_time_to_live(net):
    net.server.records["kept.test"] = (["127.0.0.1"], 60)
    backend = net.backend()
    net.start("kept.test")
    net.seconds_to(backend)
    asked = net.server.questions["kept.test"]
    for _ in range(10):
        net.seconds_to(backend)
    assert net.server.questions["kept.test"] == asked


def test_a_changed_answer_is_followed_after_its_time_to_live(net):
    net.server.records["moving.test"] = (["127.0.0.1"], 1)
    old, new = net.backend("127.0.0.1"), net.backend("127.0.0.2")
    net.start("moving.test")
    net.seconds_to(old)
    net.server.records["moving.test"] = (["127.0.0.2"], 1)

    def has_moved():
        net.client().close()
        time.sleep(0.2)
        return new.has_pending()

    wait.until(has_moved, "the new address is used", timeout=6)


def test_the_last_good_answer_is_kept_while_the_server_is_silent(net):
    net.server.records["good.test"] = (["127.0.0.1"], 1)
    backend = net.backend()
    net.start("good.test")
    net.seconds_to(backend)
    net.server.silent = True
    time.sleep(1.5)
    assert net.seconds_to(backend) < 4
    assert net.seconds_to(backend) < 4


def test_a_changed_resolv_conf_is_taken_up(net):
    backend = net.backend()
    net.start("new.test")
    assert net.fails()
    net.name_server("127.0.0.3", **{"new.test": (["127.0.0.1"], 60)})
    # The time stamp of the file must differ for anybody to see the change.
    time.sleep(1.1)
    net.namespace.write("resolv.conf", "nameserver 127.0.0.3\noptions timeout:1 attempts:1\n")

    def is_reached():
        net.client().close()
        time.sleep(0.3)
        return backend.has_pending()

    wait.until(is_reached, "the new server is asked", timeout=10)


def test_a_silent_name_server_does_not_delay_other_services(net):
    backend = net.backend()
    net.server.records["fast.test"] = (["127.0.0.1"], 60)
    net.start("fast.test")
    net.seconds_to(backend)
    net.server.silent = True
    assert net.seconds_to(backend) < 0.5 * wait.SLOWNESS


@pytest.mark.parametrize("dead, alive", [(NOWHERE, "127.0.0.1"), (NOWHERE6, "127.0.0.1"), (NOWHERE, "::1")])
def test_an_address_that_does_not_answer_costs_250_ms_once(net, dead, alive):
    backend = net.backend(alive)
    net.start(dead, alive)
    assert 0.15 < net.seconds_to(backend) < 1 * wait.SLOWNESS


def test_a_refusing_address_costs_nothing(net):
    """Sixteen of them would take four seconds, if they were waited for as those that do not answer."""
    backend = net.backend("127.0.0.2")
    net.start(*(f"127.0.0.{number}" for number in range(11, 27)), "127.0.0.2")
    assert net.seconds_to(backend) < 1 * wait.SLOWNESS


def test_an_address_that_failed_goes_last(net):
    backend = net.backend("127.0.0.1")
    net.start("127.0.0.3", "127.0.0.1")
    net.seconds_to(backend)
    with net.namespace.entered():
        revived = net.closing(Listener(backend.context, host="127.0.0.3", port=net.port))
    net.seconds_to(backend)
    assert not revived.has_pending()


def test_targets_are_used_in_order_of_preference(net):
    first, second = net.backend("127.0.0.1"), net.backend("127.0.0.2")
    net.start("127.0.0.1", "127.0.0.2")
    for _ in range(5):
        net.seconds_to(first)
    assert not second.has_pending()


def test_a_failing_handshake_tries_the_next_address(net):
    bad, good = net.backend("127.0.0.1", identity="wrong-ca"), net.backend("127.0.0.2")
    net.start("127.0.0.1", "127.0.0.2")
    client = net.client()
    refused = net.closing(bad.accept_silent())
    assert (refused.handshake() or refused.wait_ending()).startswith("alert:")
    assert net.closing(good.accept()).receive(4) == b"ping"
    client.close()


def test_when_all_addresses_fail_the_reason_names_each(net):
    program = net.start("127.0.0.1", "127.0.0.2", "unknown.test")
    assert net.fails()
    reason = program.wait_tunnel()["reason"]
    for words in ("127.0.0.1", "127.0.0.2", "unknown.test"):
        assert words in reason, reason


def test_a_plaintext_name_is_judged_by_what_it_resolves_to(net):
    """A name that is called local does not make a remote address so."""
    net.namespace.write("hosts", f"127.0.0.1 in-hosts.test\n{NOWHERE} localhost\n")
    try:
        address = f"127.0.0.1:{ports.free()}"
        service = {"mode": "offload", "accept": address, "connect": f"localhost:{net.port}"}
        service |= {**credentials(net.pki, "server"), "connect_timeout": "1s"}
        program = net.run(configuration(service), wrapper=net.namespace.wrapper)
        with net.namespace.entered():
            client = net.closing(TlsEnd(connect(address), context(False, net.pki.get("client"), net.pki.ca)))
        assert client.handshake() is None
        assert client.wait_ending() == "alert:internal_error"
        assert "plaintext" in program.wait_tunnel()["reason"]
    finally:
        net.namespace.write("hosts", "127.0.0.1 localhost\n127.0.0.1 in-hosts.test\n")
