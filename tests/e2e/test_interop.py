# SPDX-License-Identifier: MIT
"""Others at the far end of the tunnel, and real protocols carried through a pair of two programs."""

import hashlib
import os
import pwd
import shutil
import socket
import tempfile

import pytest
from harness import load, ports, processes, procfs, wait
from harness.ends import PlainEnd
from harness.listeners import connect
from harness.program import LOAD, configuration
from harness.worlds import VERSIONS, credentials

MIB = 1 << 20
POSTGRES_PLACES = ["/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/17/bin"]


def tool(name, *places):
    """The path of a program that a test needs, or skip the test saying which."""
    found = shutil.which(name, path=os.pathsep.join([*places, os.environ["PATH"], "/usr/sbin", "/usr/bin"]))
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture
def daemon():
    """daemon(command, port) runs a program until the test is over, once it listens on the port."""
    started = []

    def start(command, port, **options):
        output = tempfile.TemporaryFile()
        process = processes.start(command, stdout=output, stderr=output, **options)
        started.append((process, output))

        def is_up():
            if process.poll() is not None:
                output.seek(0)
                raise AssertionError(f"{command[0]} has ended: {output.read().decode(errors='replace')}")
            return procfs.is_listening(port)

        wait.until(is_up, f"{command[0]} listens", timeout=20)
        return process

    yield start
    for process, output in reversed(started):
        processes.end(process)
        output.seek(0)
        print(output.read().decode(errors="replace")[-6000:])  # shown when the test has failed
        output.close()


@pytest.fixture
def pair(run, pki):
    """pair(target) starts an encryptor and an offloader as two programs; the port of the first."""

    def start(target, **options):
        near, between = ports.free(), ports.free()
        far = {"mode": "offload", "accept": f"127.0.0.1:{between}", "connect": target}
        run(configuration({**far, **credentials(pki, "server"), **options}))
        here = {"mode": "encrypt", "accept": f"127.0.0.1:{near}", "connect": f"localhost:{between}"}
        run(configuration({**here, **credentials(pki, "client"), **options}))
        return near

    return start


def stunnel(tmp_path, **options):
    """The command of an stunnel with one service."""
    lines = ["foreground = yes", "pid =", "debug = 6", "[service]"]
    lines += [f"{key} = {value}" for key, value in options.items()]
    path = tmp_path / "stunnel.conf"
    path.write_text("\n".join(lines) + "\n")
    return [tool("stunnel4"), path]


def stunnel_files(pki, name):
    identity = pki.get(name)
    return {"cert": identity.crt, "key": identity.key, "CAfile": pki.ca, "verifyChain": "yes"}


@pytest.fixture
def before_stunnel(run, pki, daemon, backend, tmp_path):
    """Our encryptor before stunnel as the server; the port of the encryptor."""

    def start(version, ours="client", **options):
        between, near = ports.free(), ports.free()
        files = stunnel_files(pki, "server")
        versions = {"sslVersion": f"TLSv{version}"}
        command = stunnel(
            tmp_path, accept=f"127.0.0.1:{between}", connect=backend.address, **files, **versions, requireCert="yes"
        )
        daemon(command, between)
        service = {"mode": "encrypt", "accept": f"127.0.0.1:{near}", "connect": f"localhost:{between}"}
        run(configuration({**service, **credentials(pki, ours), **options}))
        return near

    return start


@pytest.fixture
def behind_stunnel(run, pki, daemon, backend, tmp_path):
    """Our offloader behind stunnel as the client; the port of stunnel."""

    def start(version, theirs="client", **options):
        between, near = ports.free(), ports.free()
        service = {"mode": "offload", "accept": f"127.0.0.1:{between}", "connect": backend.address}
        run(configuration({**service, **credentials(pki, "server"), **options}))
        files = stunnel_files(pki, theirs)
        command = stunnel(
            tmp_path,
            client="yes",
            accept=f"127.0.0.1:{near}",
            connect=f"127.0.0.1:{between}",
            checkHost="localhost",
            sslVersion=f"TLSv{version}",
            **files,
        )
        daemon(command, near)
        return near

    return start


@pytest.fixture(params=["before_stunnel", "behind_stunnel"])
def with_stunnel(request):
    return request.getfixturevalue(request.param)


def through(port, backend):
    """Both ends of a tunnel between a port and a backend, plaintext both."""
    client = PlainEnd(connect(f"127.0.0.1:{port}"))
    client.send(b"?")
    end = backend.accept()
    assert end.receive(1) == b"?"
    return client, end


@pytest.mark.parametrize("version", VERSIONS)
def test_stunnel_at_the_other_end_loses_nothing(with_stunnel, backend, version):
    """stunnel 5.68 itself drops what it has not read yet from a plaintext peer that has ended its way when
    the other way ends ("Read socket closed (HUP)", and fewer bytes "sent to TLS" in its log), so here each
    side ends its way only after it has got everything."""
    client, end = through(with_stunnel(version), backend)
    load.converse(client, end, 16 * MIB, patient=True)
    client.close()
    end.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_an_end_crosses_stunnel_and_the_answer_comes_back(with_stunnel, backend, version):
    client, end = through(with_stunnel(version), backend)
    client.send(b"question")
    client.finish()
    assert end.rest() == (b"question", "end")
    end.send(b"answer" * 10_000)
    end.finish()
    assert client.rest() == (b"answer" * 10_000, "end")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_hundred_connections_one_after_the_other_cross_stunnel(with_stunnel, backend, version):
    port = with_stunnel(version)
    for number in range(100):
        client, end = through(port, backend)
        end.send(b"%03d" % number)
        assert client.receive(3) == b"%03d" % number
        client.finish()
        assert end.wait_ending() == "end"
        end.finish()
        assert client.wait_ending() == "end"
        client.close()
        end.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_stunnel_with_a_certificate_of_a_stranger_gets_nowhere(behind_stunnel, backend, version):
    client = PlainEnd(connect(f"127.0.0.1:{behind_stunnel(version, theirs='wrong-ca')}"))
    client.send(b"?")
    client.wait_ending()
    assert not backend.has_pending()


@pytest.mark.parametrize("version", VERSIONS)
def test_stunnel_refuses_us_with_a_certificate_of_a_stranger(before_stunnel, backend, version):
    port = before_stunnel(version, ours="wrong-ca")
    client = PlainEnd(connect(f"127.0.0.1:{port}"))
    client.send(b"?")
    assert client.wait_ending() == "reset"
    assert not backend.has_pending()


@pytest.mark.parametrize("version", VERSIONS)
def test_openssl_as_the_server_of_an_encryptor(run, pki, daemon, version):
    between, near = ports.free(), ports.free()
    identity = pki.get("server")
    daemon(
        [tool("openssl"), "s_server", "-accept", f"127.0.0.1:{between}", "-cert", identity.crt, "-key", identity.key]
        + ["-cert_chain", identity.crt, "-CAfile", pki.ca, "-Verify", "3", "-verify_return_error", "-rev"]
        + ["-quiet", {"1.2": "-tls1_2", "1.3": "-tls1_3"}[version]],
        between,
    )
    service = {"mode": "encrypt", "accept": f"127.0.0.1:{near}", "connect": f"localhost:{between}"}
    run(configuration({**service, **credentials(pki, "client")}))
    client = PlainEnd(connect(f"127.0.0.1:{near}"))
    client.send(b"forwards\n")
    assert client.receive(9) == b"sdrawrof\n"
    client.close()


class Postgres:
    """A database in a directory of its own, run by another user, since it refuses root."""

    def __init__(self, daemon):
        self.bin = os.path.dirname(os.path.realpath(tool("initdb", *POSTGRES_PLACES)))
        self.directory = tempfile.mkdtemp(prefix="sallyport-pg-")
        self.port = ports.free()
        prefix = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("nobody")
            os.chown(self.directory, user.pw_uid, user.pw_gid)
            prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        data = os.path.join(self.directory, "data")
        initdb = [f"{self.bin}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--no-locale"]
        processes.must_run([*prefix, *initdb], timeout=60, cwd=self.directory)
        options = ["-c", "fsync=off", "-c", f"unix_socket_directories={self.directory}", "-c", "listen_addresses=127.0.0.1"]
        self.process = daemon(
            [*prefix, f"{self.bin}/postgres", "-D", data, "-p", self.port, *options], self.port, cwd=self.directory
        )
        wait.until(lambda: self.psql(self.port, "select 1", check=False).returncode == 0, "the database answers")

    def psql(self, port, command, check=True, **options):
        url = f"host=127.0.0.1 port={port} user=postgres dbname=postgres sslmode=disable gssencmode=disable"
        result = processes.run(
            [f"{self.bin}/psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", command],
            timeout=60,
            **options,
        )
        assert not check or result.returncode == 0, result.stderr
        return result

    def bench(self, port, *arguments):
        target = ["-h", "127.0.0.1", "-p", port, "-U", "postgres", *arguments, "postgres"]
        environment = {**os.environ, "PGSSLMODE": "disable"}
        return processes.must_run([f"{self.bin}/pgbench", *target], timeout=60, env=environment)

    def close(self):
        shutil.rmtree(self.directory, ignore_errors=True)


@pytest.mark.deadline(120)
def test_postgresql_through_the_pair(daemon, pair):
    database = Postgres(daemon)
    try:
        port = pair(f"127.0.0.1:{database.port}")
        database.psql(port, "create table t as select g, md5(g::text) m from generate_series(1, 300000) g")
        out = [database.psql(each, "copy (select * from t order by g) to stdout").stdout for each in (port, database.port)]
        assert len(out[0]) > 10 * MIB
        assert hashlib.sha256(out[0].encode()).digest() == hashlib.sha256(out[1].encode()).digest()
        database.psql(port, "create table u (g int, m text)")
        database.psql(port, "copy u from stdin", input=out[0])
        same = "select count(*) from t join u using (g, m)"
        assert database.psql(database.port, same).stdout.strip() == "300000"
        database.bench(port, "-i", "-s", "1", "-q")
        said = database.bench(port, "-c", "8", "-j", "2", "-T", "5")
        assert "number of failed transactions: 0" in said
        counted = int(said.partition("number of transactions actually processed: ")[2].split()[0].partition("/")[0])
        rows = int(database.psql(database.port, "select count(*) from pgbench_history").stdout)
        assert rows == counted > 0
    finally:
        database.close()


def test_redis_through_the_pair(daemon, pair, tmp_path):
    port = ports.free()
    daemon(
        [tool("redis-server"), "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", tmp_path, "--daemonize", "no"],
        port,
    )
    near = pair(f"127.0.0.1:{port}")
    cli = [tool("redis-cli"), "-h", "127.0.0.1", "-p"]
    assert processes.must_run([*cli, near, "ping"]).strip() == "PONG"
    commands = "".join(f"SET key:{n} {hashlib.md5(str(n).encode()).hexdigest() * 8}\r\n" for n in range(40_000))
    said = processes.must_run([*cli, near, "--pipe"], input=commands)
    assert "errors: 0, replies: 40000" in said
    assert processes.must_run([*cli, port, "dbsize"]).strip() == "40000"
    assert processes.must_run([*cli, port, "get", "key:39999"]).strip() == hashlib.md5(b"39999").hexdigest() * 8
    big = os.urandom(4 * MIB).hex()
    assert processes.must_run([*cli, near, "-x", "set", "big"], input=big).strip() == "OK"
    assert processes.must_run([*cli, near, "get", "big"]).strip() == big
    bench = processes.must_run(
        [tool("redis-benchmark"), "-h", "127.0.0.1", "-p", near, "-n", "20000", "-c", "20", "-P", "16", "-q", "-t", "set,get,lpush"],
        timeout=60,
    )
    assert bench.count("requests per second") == 3


def test_a_subscriber_waits_without_losing_the_message(daemon, pair, tmp_path):
    port = ports.free()
    daemon([tool("redis-server"), "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", tmp_path], port)
    near = pair(f"127.0.0.1:{port}")
    with socket.create_connection(("127.0.0.1", near), 5) as subscriber:
        subscriber.sendall(b"SUBSCRIBE news\r\n")
        assert b"subscribe" in subscriber.recv(1000)
        processes.must_run([tool("redis-cli"), "-p", near, "publish", "news", "hello"])
        assert b"hello" in subscriber.recv(1000)


LOADS = [
    ["bulk", "--direction", "both", "--bytes", "32M", "--connections", "4"],
    ["connect", "--count", "500", "--connections", "8"],
    ["pingpong", "--count", "500", "--size", "1000", "--connections", "8"],
    ["hold", "--seconds", "0.5", "--connections", "200"],
    ["hash", "--bytes", "64M"],
]


@pytest.mark.parametrize("arguments", LOADS, ids=lambda arguments: arguments[0])
def test_the_load_generator_finds_no_fault_with_the_pair(pair, echo, arguments):
    command, *rest = arguments
    result = processes.run([LOAD, command, "--connect", f"127.0.0.1:{pair(echo)}", *rest], timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
