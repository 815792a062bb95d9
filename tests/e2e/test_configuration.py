# SPDX-License-Identifier: MIT
"""The configuration and the command line: every error at once, in words, and nothing done by looking."""

import os
import re
import shutil

import pytest
from harness import ports, processes
from harness.ends import PlainEnd
from harness.listeners import Listener, connect
from harness.program import SALLYPORT, configuration
from harness.tls import TlsEnd, context
from harness.worlds import credentials

TOP = os.path.join(os.path.dirname(__file__), "..", "..")
SAMPLES = os.path.join(TOP, "conf.d")


def sallyport(*arguments, **options):
    return processes.run([SALLYPORT, *arguments], **options)


@pytest.fixture
def conf(tmp_path):
    """conf(text, name) writes a file and returns its path."""

    def write(text, name="test.conf"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return str(path)

    return write


@pytest.fixture
def good(pki):
    """The options of an offloader without a fault."""
    port = ports.free()
    service = {"mode": "offload", "accept": f"127.0.0.1:{port}", "connect": f"127.0.0.1:{ports.free()}"}
    return {"name": "good", **service, **credentials(pki, "server")}


def test_check_says_that_all_is_well(conf, good):
    result = sallyport("check", "-c", conf(configuration(good)))
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


def test_check_tells_every_error_of_every_file_with_its_line(conf, pki):
    path = conf(
        "log-format = yaml\n"  # line 1
        "include = more/*.conf\n"
        "\n"
        "[orders]\n"
        "mode = offlaod\n"  # 5
        "accept = 127.0.0.1\n"
        "conect = 127.0.0.1:1\n"  # 7
        "idle-timeout = 10\n"
        "keepalive = 5 parsecs\n"  # 9
    )
    more = conf("[a]\nmode = encrypt\nverify = perhaps\n[a]\nmode = encrypt\n", "more/a.conf")
    result = sallyport("check", "-c", path)
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    for number, words in ((1, "yaml"), (5, "offlaod"), (6, "accept"), (7, "conect"), (8, "idle-timeout"), (9, "parsecs")):
        assert any(line.startswith(f"{path}:{number}:") and words in line for line in lines), (number, lines)
    for number, words in ((3, "perhaps"), (4, "a")):
        assert any(line.startswith(f"{more}:{number}:") and words in line for line in lines), (number, lines)
    assert "service orders: " in result.stderr


@pytest.mark.parametrize(
    "change, words",
    [
        ({"cert": None, "key": None}, "cert"),
        ({"ca": None}, "ca"),
        ({"ca": "none"}, "ca"),
        ({"cert": "none", "key": None}, "cert"),
        ({"mode": None}, "mode"),
        ({"accept": None}, "accept"),
        ({"connect": None}, "connect"),
        ({"accept": "127.0.0.1:0"}, "accept"),
        ({"accept": "127.0.0.1:70000"}, "70000"),
        ({"connect": "*:80"}, "connect"),
        ({"connect": "198.51.100.1:80"}, "allow-remote-plaintext"),
        ({"connect": "db.example.net:80"}, "allow-remote-plaintext"),
        ({"peer_name": "x"}, "peer-name"),
        ({"tls_min_version": "1.1"}, "1.1"),
        ({"tls_min_version": "1.3", "tls_max_version": "1.2"}, "tls-m"),
        ({"priority": "NORMAL:+NO-SUCH-THING"}, "NO-SUCH-THING"),
        ({"cert": "/nonexistent.crt"}, "nonexistent"),
        ({"ca": "/nonexistent.crt"}, "nonexistent"),
        ({"cert": "/dev/null"}, "cert"),
        ({"handshake_timeout": "off"}, "handshake-timeout"),
        ({"idle_timeout": "-1s"}, "idle-timeout"),
        ({"socket_mode": "0600"}, "socket-mode"),
        ({"socket_users": "root"}, "socket-users"),
        ({"verify": "maybe"}, "maybe"),
        ({"user": "root"}, "user"),
        ({"idle_timeout": ["1s", "2s"]}, "idle-timeout"),
        ({"connect_verify": "no"}, "connect-verify"),
    ],
    ids=str,
)
def test_a_mistake_is_told_with_the_line_and_the_option(conf, good, change, words):
    path = conf(configuration({**good, **change}))
    result = sallyport("check", "-c", path)
    assert result.returncode == 1
    assert words in result.stderr
    assert re.search(rf"^{re.escape(path)}:\d+: ", result.stderr, re.MULTILINE), result.stderr


@pytest.mark.parametrize(
    "text",
    ["", "# nothing\n", "log-level = info\n", "[x]\n", "[x\nmode=offload\n", "[]\n", "mode\n", "\0", "x" * 9000, "[x]y\n"],
    ids=repr,
)
def test_nonsense_is_an_error_in_words(conf, text):
    path = conf(text)
    result = sallyport("check", "-c", path)
    assert result.returncode == 1
    assert path in result.stderr


def test_a_default_that_no_service_uses_is_an_error(conf, good):
    result = sallyport("check", "-c", conf(configuration(good, server_name="x.test")))
    assert result.returncode == 1
    assert "server-name" in result.stderr


def test_a_missing_file_and_a_directory_are_errors(tmp_path):
    for path in (tmp_path / "absent.conf", tmp_path):
        result = sallyport("check", "-c", path)
        assert result.returncode == 1
        assert str(path) in result.stderr


def test_a_line_of_8_kib_is_read(conf, good):
    words = ":".join(["+AES-128-GCM"] * 500)
    result = sallyport("check", "-c", conf(configuration({**good, "priority": f"NORMAL:{words}"})))
    assert result.returncode == 0, result.stderr


def test_run_refuses_what_check_refuses(conf, good):
    path = conf(configuration({**good, "verify": "maybe"}))
    result, checked = sallyport("run", "-c", path), sallyport("check", "-c", path)
    assert result.returncode == 1
    assert checked.stderr.strip() in result.stderr


def test_check_binds_and_creates_nothing(conf, good, tmp_path):
    taken = Listener()
    service = {**good, "accept": [taken.address, f"unix:{tmp_path}/socket"]}
    path = conf(configuration(service, log_target=str(tmp_path / "log")))
    before = sorted(os.listdir(tmp_path))
    result = sallyport("check", "-c", path)
    taken.close()
    assert result.returncode == 0, result.stderr
    assert sorted(os.listdir(tmp_path)) == before


def test_the_printed_configuration_loads_and_prints_the_same(conf, good, pki, tmp_path):
    bridge = {"name": "b", "mode": "bridge", "accept": [f"127.0.0.1:{ports.free()}", f"[::1]:{ports.free()}"]}
    bridge |= {"connect": ["a.test:1", "b.test:2"], "accept_verify": "optional", "connect_verify": "yes"}
    bridge |= {**credentials(pki, "client"), "idle_timeout": "90s", "connect_truncation": "accept"}
    encrypt = {"name": "e", "mode": "encrypt", "accept": f"unix:{tmp_path}/s", "connect": "c.test:3"}
    encrypt |= {**credentials(pki, "client"), "socket_mode": "0660", "peer_name": "d.test"}
    first = sallyport("print-config", "-c", conf(configuration(good, bridge, encrypt, half_close_timeout="2h")))
    assert first.returncode == 0, first.stderr
    second = sallyport("print-config", "-c", conf(first.stdout, "second.conf"))
    assert second.returncode == 0, second.stderr

    def without_origins(text):
        return [line for line in text.splitlines() if not line.startswith("#")]

    assert without_origins(first.stdout) == without_origins(second.stdout)
    assert "half-close-timeout = 2h" in first.stdout
    assert "idle-timeout = 90s" in first.stdout


def test_a_printed_value_says_where_it_came_from(conf, good):
    path = conf(configuration(good, idle_timeout="7m"))
    lines = sallyport("print-config", "-c", path).stdout.splitlines()
    at = lines.index("idle-timeout = 7m")
    number = open(path, encoding="ascii").read().splitlines().index("idle-timeout = 7m") + 1
    assert lines[at - 1] == f"# {path}:{number}"


def test_relative_paths_start_at_the_file(conf, good, pki, tmp_path):
    shutil.copy(pki.get("server").crt, tmp_path / "my.crt")
    shutil.copy(pki.get("server").key, tmp_path / "my.key")
    path = conf(configuration({**good, "cert": "my.crt", "key": "my.key"}))
    assert sallyport("check", "-c", path, cwd="/").returncode == 0


def test_options_of_the_program_are_defaults_of_services(conf, good, pki):
    plain = {key: good[key] for key in ("mode", "accept", "connect")}
    defaults = credentials(pki, "server")
    path = conf(configuration({"name": "a", **plain}, **defaults))
    result = sallyport("check", "-c", path)
    assert result.returncode == 0, result.stderr


def test_included_files_are_read_in_order_and_only_conf(conf, good):
    conf(configuration(good).partition("[")[1] + configuration(good).partition("[")[2], "d/a.conf")
    conf("nonsense\n", "d/b.conf~")
    path = conf("include = d/*.conf\n")
    result = sallyport("print-config", "-c", path)
    assert result.returncode == 0, result.stderr
    assert "[good]" in result.stdout


def samples():
    """The samples but hsm.conf, which tests/style/samples.sh tries with a token."""
    return sorted(set(os.listdir(SAMPLES)) - {"hsm.conf"}) if os.path.isdir(SAMPLES) else []


@pytest.mark.parametrize("name", samples())
def test_every_sample_loads(conf, pki, tmp_path, name):
    """The samples name files in /etc/sallyport; they are read from a directory of our own instead."""
    with open(os.path.join(SAMPLES, name), encoding="ascii") as file:
        text = file.read()
    here = tmp_path / "etc"
    here.mkdir()
    for found in set(re.findall(r"/etc/sallyport/([\w.-]+)", text)):
        source = pki.ca if found.startswith("ca") else pki.get("server").key
        if found.endswith(".crt") and not found.startswith("ca"):
            source = pki.get("server").crt
        shutil.copy(source, here / found)
        if found.endswith(".psk"):
            (here / found).write_text("meter-17:00112233445566778899aabbccddeeff\n")
    text = text.replace("/etc/sallyport", str(here))
    result = sallyport("check", "-c", conf(text))
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_go_to_standard_output(arguments):
    result = sallyport(*arguments)
    assert result.returncode == 0
    assert result.stdout and not result.stderr
    assert "sallyport" in result.stdout.lower()
    if arguments == ["--version"]:
        assert "GnuTLS" in result.stdout and "libev" in result.stdout
    else:
        assert "handshake-timeout" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [[], ["frobnicate"], ["run"], ["run", "-c"], ["check"], ["check", "-x", "y"], ["--nonsense"], ["run", "-c", "a", "b"]],
    ids=str,
)
def test_wrong_usage_is_told_on_standard_error_with_exit_code_2(arguments):
    result = sallyport(*arguments)
    assert result.returncode == 2
    assert result.stderr and not result.stdout


def test_a_service_needs_no_file(run, pki, closing):
    backend = closing(Listener())
    address = f"127.0.0.1:{ports.free()}"
    identity = pki.get("server")
    run(
        arguments=["offload", "--accept", address, "--connect", backend.address, "--cert", identity.crt]
        + [f"--key={identity.key}", "--ca", pki.ca, "--log-format", "json", "--idle-timeout=1h"]
    )
    client = closing(TlsEnd(connect(address), context(False, pki.get("client"), pki.ca), name="localhost"))
    assert client.handshake() is None
    client.send(b"by flags")
    assert closing(backend.accept()).receive(8) == b"by flags"


def test_flags_are_checked_like_a_file():
    result = sallyport("encrypt", "--accept", "127.0.0.1", "--connect", "x:1", "--idle-timeout", "5")
    assert result.returncode == 1
    for word in ("--accept", "--idle-timeout", "cert", "ca"):
        assert word in result.stderr, result.stderr


def test_an_unknown_flag_is_an_error_with_a_suggestion():
    result = sallyport("encrypt", "--accept", "127.0.0.1:1", "--conect", "x:1")
    assert result.returncode != 0
    assert "--conect" in result.stderr and "--connect" in result.stderr


def test_a_port_that_is_taken_is_an_error_with_words(run, good):
    taken = Listener()
    program = run(configuration({**good, "accept": taken.address}), ready=False)
    assert program.wait_exit() == 1
    taken.close()
    assert taken.address in program.output()
    assert "in use" in program.output()


def test_ssl_key_log_file_is_not_honoured(run, good, pki, tmp_path, closing):
    keylog = tmp_path / "keys"
    run(configuration(good), environment={"SSLKEYLOGFILE": str(keylog)})
    client = closing(TlsEnd(connect(good["accept"]), context(False, pki.get("client"), pki.ca), name="localhost"))
    assert client.handshake() is None
    client.wait_ending()
    assert not keylog.exists()


def test_pki_makes_a_pair_that_works_without_openssl(run, tmp_path, closing):
    directory = str(tmp_path / "pki")
    processes.must_run([SALLYPORT, "pki", "init", directory])
    for name, key_type in (("app", "ecdsa-p256"), ("db", "ed25519")):
        processes.must_run(
            [SALLYPORT, "pki", "issue", directory, name, "--dns", f"{name}.test", "--ip", "127.0.0.1", "--key-type", key_type]
        )
    backend, near, far = closing(Listener()), ports.free(), ports.free()

    def service(mode, name, accept, target):
        files = {"cert": f"{directory}/{name}.crt", "key": f"{directory}/{name}.key", "ca": f"{directory}/ca.crt"}
        return {"name": mode, "mode": mode, "accept": f"127.0.0.1:{accept}", "connect": target, **files}

    program = run(
        configuration(
            service("encrypt", "app", near, f"127.0.0.1:{far}"), service("offload", "db", far, backend.address)
        )
    )
    client = closing(PlainEnd(connect(f"127.0.0.1:{near}")))
    client.send(b"hello")
    end = closing(backend.accept())
    assert end.receive(5) == b"hello"
    for each in (client, end):
        each.finish()
    assert "db.test" in program.wait_tunnel(service="encrypt")["identity"]
    assert "app.test" in program.wait_tunnel(service="offload")["identity"]
    shown = processes.must_run([SALLYPORT, "pki", "show", f"{directory}/db.crt"])
    assert "db.test" in shown and "sha256" in shown
