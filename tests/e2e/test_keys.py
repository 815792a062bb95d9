# SPDX-License-Identifier: MIT
"""Keys where they live: every form of a key, several identities, tokens, and the key process."""

import os
import pwd
import signal

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from harness import ports, processes, procfs, tls, wait
from harness.listeners import connect
from harness.program import SALLYPORT, configuration, is_sanitized
from harness.tls import TlsEnd
from harness.token import Token, module
from harness.worlds import credentials

PASSWORD = b"correct horse"
FORMATS = serialization.PrivateFormat
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
needs_token = pytest.mark.skipif(not module(), reason="needs SoftHSM (Debian: softhsm2, gnutls-bin)")
ROLES = {"offload": "server", "encrypt": "client"}


def pem(private, password=None, form=FORMATS.PKCS8):
    lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return private.private_bytes(serialization.Encoding.PEM, form, lock)


def bundle(identity, password):
    chain = list(identity.chain)
    lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"it", identity.private, identity.certificate, chain, lock)


def openssl_bundle(identity, password):
    """One that is encrypted, as the cryptography package cannot make it with the empty password."""
    command = ["openssl", "pkcs12", "-export", "-inkey", identity.key, "-in", identity.crt]
    made = processes.subprocess.run(
        [*command, "-passout", "pass:" + password.decode()], stdout=processes.subprocess.PIPE, check=True
    )
    return made.stdout


@pytest.fixture
def store(tmp_path):
    """store(name, bytes) writes a file that only its owner may read."""

    def write(name, data, mode=0o600):
        path = str(tmp_path / name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(data)
        os.chmod(path, mode)
        return path

    return write


def read(path):
    with open(path, "rb") as file:
        return file.read()


def in_form(form, identity, store):
    """The options of an identity that is stored in this form."""
    crt, private = identity.crt, identity.private
    secret = {"password_file": store("password", PASSWORD + b"\n")}
    if form == "combined":
        return {"cert": store("both.pem", read(crt) + pem(private)), "key": None}
    if form == "key-first":
        return {"cert": store("both.pem", pem(private) + read(crt)), "key": None}
    if form == "encrypted":
        return {"cert": crt, "key": store("key", pem(private, PASSWORD)), **secret}
    if form == "legacy":
        return {"cert": crt, "key": store("key", pem(private, PASSWORD, FORMATS.TraditionalOpenSSL)), **secret}
    if form == "pkcs12":
        return {"cert": store("it.p12", bundle(identity, PASSWORD)), "key": None, **secret}
    if form == "pkcs12-beside":
        return {"cert": crt, "key": store("it.p12", bundle(identity, PASSWORD)), **secret}
    if form == "pkcs12-empty":
        return {"cert": store("it.p12", openssl_bundle(identity, b"")), "key": None}
    if form == "pkcs12-empty-file":
        empty = {"password_file": store("password", b"")}
        return {"cert": store("it.p12", openssl_bundle(identity, b"")), "key": None, **empty}
    assert form == "pem"
    return {"cert": crt, "key": identity.key}


FORMS = "pem combined key-first encrypted legacy pkcs12 pkcs12-beside pkcs12-empty pkcs12-empty-file".split()


def client_of(world, closing, **context):
    made = tls.context(False, world.pki.get("client"), world.pki.ca, **context)
    return closing(TlsEnd(connect(world.address), made, name="localhost"))


def works(world, closing):
    client = client_of(world, closing)
    return client.handshake() is None


@pytest.mark.parametrize("process", ["no", "yes"])
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("form", FORMS)
def test_a_key_works_in_every_form_and_role(world, pki, store, form, role, process):
    options = in_form(form, pki.get(ROLES[role]), store)
    place = world(role, "1.3", key_process=process, **options)
    place.open()
    children = procfs.children(place.program.pid)
    assert len(children) == (2 if process == "yes" else 1)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", ["server-rsa", "server-ed25519", "server"])
def test_the_key_process_signs_with_every_kind_of_key(world, pki, kind, role, version):
    identity = pki.get(kind)
    place = world(role, version, key_process="yes", cert=identity.crt, key=identity.key)
    place.open()
    assert place.program.keys()


@pytest.mark.parametrize("algorithm", ["RSA+SHA256", "RSA+SHA512", "RSA-PSS+SHA256"])
def test_the_key_process_signs_with_each_padding_of_rsa(world, pki, algorithm):
    identity = pki.get("server-rsa")
    place = world("offload", "1.2", key_process="yes", cert=identity.crt, key=identity.key)
    client = pki.get("client")
    command = ["openssl", "s_client", "-connect", place.address, "-tls1_2", "-sigalgs", f"{algorithm}:ECDSA+SHA256"]
    result = processes.run([*command, "-cert", client.crt, "-key", client.key, "-CAfile", pki.ca])
    assert "Peer signature type: " + algorithm.partition("+")[0] in result.stdout, result.stderr
    assert "Verify return code: 0 (ok)" in result.stdout


def check(store, pki, **options):
    service = {"name": "it", "mode": "offload", "accept": "127.0.0.1:1", "connect": "127.0.0.1:2", "ca": pki.ca}
    program = {name: options.pop(name) for name in ("key_process",) if name in options}
    file = store("check.conf", configuration({**service, **options}, **program).encode())
    result = processes.run([SALLYPORT, "check", "-c", file])
    return result.returncode, result.stdout + result.stderr


WRONG = {
    "mismatch": ("server", {"key": "other"}, "the key does not match the certificate", "key"),
    "other-kind": ("server", {"key": "server-rsa"}, "not even of the same kind", "key"),
    "no-password": ("encrypted", {}, "the key is encrypted: write password-file", "key"),
    "wrong-password": ("encrypted", {"password": b"wrong\n"}, "the password does not fit the key", "key"),
    "missing-password": ("encrypted", {"password_file": "/nowhere"}, "No such file", "password-file"),
    "loose-password": ("encrypted", {"password": PASSWORD, "mode": 0o644}, "others can read it", "password-file"),
    "no-pkcs12-password": ("pkcs12", {}, "the PKCS#12 file has a password: write password-file", "cert"),
    "wrong-pkcs12-password": ("pkcs12", {"password": b"wrong\n"}, "the password does not fit", "cert"),
    "empty-pkcs12-password": ("pkcs12", {"password": b""}, "has not the empty password", "cert"),
    "loose-combined": ("combined", {"combined_mode": 0o644}, "others can read it", "cert"),
}


@pytest.mark.parametrize("way", WRONG)
def test_what_is_wrong_with_an_identity_is_said_with_its_line(store, pki, way):
    form, wrong, words, option = WRONG[way]
    identity = pki.get("server")
    if form == "server":
        key = pki.issue("other", dns=("other.test",)) if wrong["key"] == "other" else pki.get(wrong["key"])
        options = {"cert": identity.crt, "key": key.key}
    else:
        options = in_form(form, identity, store)
        options.pop("password_file", None)
        if "password" in wrong:
            options["password_file"] = store("password", wrong["password"], wrong.get("mode", 0o600))
        options["password_file"] = wrong.get("password_file", options.get("password_file"))
        os.chmod(options["cert"], wrong.get("combined_mode", 0o600))
    code, said = check(store, pki, **options)
    assert code == 1 and words in said, said
    assert f"service it: {option}: " in said, said


# --- several identities on one port


def served_by(world, closing, **wishes):
    context = tls.context(False, world.pki.get("client"), world.pki.ca, wishes.get("version"))
    if "ciphers" in wishes:
        context.set_ciphers(wishes["ciphers"])
    client = closing(TlsEnd(connect(world.address), context, name="localhost"))
    assert client.handshake() is None
    return client.tls.getpeercert(True)


def der(identity):
    return identity.certificate.public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize("process", ["no", "auto", "yes"])
def test_a_client_gets_the_best_certificate_that_it_can_use(world, pki, closing, process):
    rsa, ecdsa, edward = pki.get("server-rsa"), pki.get("server"), pki.get("server-ed25519")
    names = {"cert": [rsa.crt, edward.crt, ecdsa.crt], "key": [rsa.key, edward.key, ecdsa.key]}
    place = world("offload", "1.2", tls_max_version="1.3", key_process=process, **names)
    assert served_by(place, closing) == der(edward)
    assert served_by(place, closing, version="1.2", ciphers="ECDHE-RSA-AES128-GCM-SHA256") == der(rsa)
    assert place.program.is_running()


def test_ecdsa_comes_before_rsa_whatever_the_order(world, pki, closing):
    rsa, ecdsa = pki.get("server-rsa"), pki.get("server")
    names = {"cert": [rsa.crt, ecdsa.crt], "key": [rsa.key, ecdsa.key]}
    place = world("offload", "1.2", tls_max_version="1.3", **names)
    assert served_by(place, closing) == der(ecdsa)
    assert served_by(place, closing, version="1.2") == der(ecdsa)
    assert served_by(place, closing, version="1.2", ciphers="ECDHE-RSA-AES128-GCM-SHA256") == der(rsa)


# --- tokens


@pytest.fixture(scope="session")
def token(tmp_path_factory):
    return Token(tmp_path_factory.mktemp("token"))


@needs_token
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("kind", ["server", "server-rsa"])
@pytest.mark.parametrize("role", ROLES)
def test_key_and_certificate_may_be_in_a_token(world, pki, token, monkeypatch, role, kind, version):
    monkeypatch.setenv("SOFTHSM2_CONF", token.conf)
    cert, key = token.take(pki.get(kind))
    place = world(role, version, cert=pki.get(kind).crt, key=key, pin_source=token.pin)
    place.open()
    assert place.program.keys()
    if role == "encrypt":
        return
    # The token has the certificate, but not those above it.
    code_and_words = processes.run([SALLYPORT, "check", "-c", write_check(place, cert, key, token)])
    assert code_and_words.returncode == 0, code_and_words.stderr


def write_check(place, cert, key, token):
    path = os.path.join(place.program.directory, "check.conf")
    service = {"mode": "offload", "accept": "127.0.0.1:1", "connect": "127.0.0.1:2", "ca": place.pki.ca}
    with open(path, "w", encoding="ascii") as file:
        file.write(configuration({**service, "cert": cert, "key": key, "pin_source": token.pin}))
    return path


@needs_token
def test_a_certificate_in_a_token_is_shown(world, pki, token, closing, monkeypatch):
    monkeypatch.setenv("SOFTHSM2_CONF", token.conf)
    identity = pki.issue("in-token", pki.root, dns=("localhost",))
    cert, key = token.take(identity)
    place = world("offload", "1.3", cert=cert, key=key, pin_source=token.pin)
    assert served_by(place, closing) == der(identity)


@needs_token
@pytest.mark.parametrize("way", ["no pin", "wrong pin", "no key", "mismatch", "no process", "pin in url"])
def test_what_is_wrong_with_a_token_is_said(store, pki, token, monkeypatch, way):
    monkeypatch.setenv("SOFTHSM2_CONF", token.conf)
    identity = pki.get("server")
    _, key = token.take(identity)
    options = {"cert": identity.crt, "key": key, "pin_source": token.pin}
    if way == "no pin":
        options["pin_source"], words = None, "write pin-source"
    elif way == "wrong pin":
        options["pin_source"], words = store("pin", b"000000\n"), "the token does not take the PIN"
    elif way == "no key":
        options["key"], words = "pkcs11:token=test;object=nothing", "no token has it"
    elif way == "mismatch":
        options["cert"], words = pki.issue("mismatch", dns=("localhost",)).crt, "the key does not match the certificate"
    elif way == "no process":
        options["key_process"], words = "no", "used by the key process only"
    else:
        options["key"], words = key + "?pin-value=271828", "pin-value does not belong into the URL"
    code, said = check(store, pki, **options)
    assert code == 1 and words in said, said
    # A wrong PIN was tried once, and has not locked the token.
    assert check(store, pki, cert=identity.crt, key=key, pin_source=token.pin)[0] == 0


# --- the key process


def secrets(private):
    """The bytes that are the secret, as they stand in files and in numbers of GnuTLS."""
    number = private.private_numbers()
    value = number.private_value if hasattr(number, "private_value") else number.p
    size = (value.bit_length() + 63) // 64 * 8
    numbers = [value.to_bytes(size, order) for order in ("big", "little")]
    return [*numbers, pem(private).splitlines()[2][:40]]


@pytest.mark.skipif(is_sanitized(), reason="the memory of a sanitizer is too large to be searched")
@pytest.mark.parametrize("kind", ["server", "server-rsa"])
def test_serve_has_no_key_in_its_memory_when_the_key_process_has_it(world, pki, closing, kind):
    identity = pki.get(kind)
    options = {"cert": identity.crt, "key": identity.key}
    place = world("offload", "1.3", key_process="yes", **options)
    place.open()
    place.program.reload()
    assert works(place, closing)
    held = [procfs.memory_holds(place.program.workers(), secret) for secret in secrets(identity.private)]
    assert held == [False, False, False]
    # The search would find it: so it does in the key process, and in a serve that has it.
    assert any(procfs.memory_holds(place.program.keys(), secret) for secret in secrets(identity.private))
    other = world("offload", "1.3", key_process="no", **options)
    other.open()
    assert any(procfs.memory_holds(other.program.workers(), secret) for secret in secrets(identity.private))


def has_libcrypto():
    version = processes.run([SALLYPORT, "version"]).stdout
    return "libcrypto  none" not in version


def maps_libcrypto(pid):
    return "/libcrypto.so" in read(f"/proc/{pid}/maps").decode()


@pytest.mark.parametrize("kind", ["server", "server-rsa"])
def test_libcrypto_is_in_the_key_process_alone_and_there_for_rsa_only(world, pki, closing, kind):
    identity = pki.get(kind)
    place = world("offload", "1.3", key_process="yes", cert=identity.crt, key=identity.key)
    assert works(place, closing)
    place.program.reload()
    assert works(place, closing)
    program = place.program
    assert not maps_libcrypto(program.pid) and not maps_libcrypto(program.workers())
    assert maps_libcrypto(program.keys()) == (kind == "server-rsa" and has_libcrypto())


@pytest.mark.skipif(not has_libcrypto(), reason="built without libcrypto")
@pytest.mark.parametrize("process, kind", [("yes", "server-rsa"), ("yes", "server"), ("no", "server-rsa")])
def test_a_libcrypto_that_cannot_be_loaded_is_told_where_it_is_needed(run, pki, store, tmp_path, process, kind):
    store("libcrypto.so.3", b"nothing")
    needed = (process, kind) == ("yes", "server-rsa")
    service = {"mode": "offload", "accept": f"127.0.0.1:{ports.free()}", "connect": "127.0.0.1:1"}
    text = configuration({**service, **credentials(pki, kind)}, key_process=process)
    program = run(text, ready=not needed, environment={"LD_LIBRARY_PATH": str(tmp_path)})
    if needed:
        assert program.wait_exit() == 1
        assert "libcrypto.so.3: file too short: install it" in program.output()


@pytest.mark.skipif(is_sanitized(), reason="the memory of a sanitizer is too large to be searched")
@pytest.mark.skipif(not has_libcrypto(), reason="built without libcrypto")
def test_libcrypto_leaves_one_form_of_a_key_in_memory(world, pki, closing):
    identity = pki.get("server-rsa")
    other = pki.issue("other-rsa", dns=("localhost",), key="rsa")
    place = world("offload", "1.3", key_process="yes", cert=other.crt, key=other.key)
    text = read(place.program.file).decode()
    for _ in range(3):
        place.program.reload(text)
        place.program.reload(text.replace(other.crt, identity.crt).replace(other.key, identity.key))
        assert works(place, closing)
    number, word, file = secrets(identity.private)
    # As the words with which it calculates, and no longer as the bytes in which it came.
    assert procfs.memory_holds(place.program.keys(), word)
    assert not procfs.memory_holds(place.program.keys(), number)
    assert not procfs.memory_holds(place.program.keys(), file)


def test_the_key_process_shows_nobody_its_memory(world):
    place = world("offload", "1.3", key_process="yes")
    place.open()
    # What is not dumpable belongs to root, whoever runs it, and leaves no core.
    assert os.stat(f"/proc/{place.program.keys()}/mem").st_uid == 0
    status = procfs.status(place.program.keys(), "CoreDumping")
    assert status == ["0"]


@needs_root
def test_who_is_the_same_user_as_the_key_process_cannot_look_into_it(world):
    place = world("offload", "1.3", key_process="yes", user="nobody")
    place.open()
    keys, serve = place.program.keys(), place.program.workers()
    nobody = pwd.getpwnam("nobody")
    assert procfs.status(keys, "Uid") == procfs.status(serve, "Uid") == [str(nobody.pw_uid)] * 4
    assert procfs.status(keys, "Groups") == []
    for pid, code in ((serve, 0), (keys, 1)):
        command = ["head", "-c0", f"/proc/{pid}/maps"]
        who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        assert processes.subprocess.run(command, check=False, **who).returncode == code


def test_keys_are_where_it_is_cheap_by_default(world, pki):
    rsa = pki.get("server-rsa")
    slow = world("offload", "1.3", cert=rsa.crt, key=rsa.key)
    slow.open()
    assert slow.program.keys()


def test_a_killed_key_process_is_started_again_and_handshakes_fail_cleanly_meanwhile(world, closing):
    place = world("offload", "1.3", key_process="yes")
    tunnel = place.open()
    endings = set()
    for _ in range(8):
        before = place.program.keys()
        place.program.mark()
        os.kill(before, signal.SIGKILL)
        place.program.wait_words("the key process was killed by signal 9", "is started again")
        client = client_of(place, closing)
        if client.handshake() is not None:
            endings.add(client.ending)
        wait.until(lambda: works(place, closing), "handshakes work again")
        assert place.program.keys() != before
        if endings:
            break
    assert endings == {"alert:internal_error"}
    # What runs is not touched by any of it.
    tunnel["client"].send(b"still here")
    assert tunnel["backend"].receive(10) == b"still here"


def test_a_serve_that_is_started_again_gets_channels_to_the_same_key_process(world, closing):
    place = world("offload", "1.3", key_process="yes")
    place.open()
    keys, serve = place.program.keys(), place.program.workers()
    os.kill(serve, signal.SIGKILL)
    wait.until(lambda: procfs.children(place.program.pid) not in ([], [keys], [serve]), "serve is started again")
    wait.until(lambda: works(place, closing), "handshakes work again")
    assert place.program.keys() == keys


def test_a_reload_brings_new_keys_to_the_key_process(world, pki, closing):
    place = world("offload", "1.3", key_process="yes")
    text = read(place.program.file).decode()
    identity = pki.issue("renewed", dns=("localhost",))
    server = pki.get("server")
    assert served_by(place, closing) == der(server)
    keys = place.program.keys()
    renewed = text.replace(server.crt, identity.crt).replace(server.key, identity.key)
    assert place.program.reload(renewed)["message"] == "reloaded"
    assert served_by(place, closing) == der(identity)
    # A bad one changes nothing.
    line = place.program.reload(renewed.replace(identity.key, server.key))
    assert "everything stays" in line["message"]
    assert served_by(place, closing) == der(identity)
    assert place.program.keys() == keys


def test_a_reload_moves_keys_into_the_key_process_and_back(world, closing):
    place = world("offload", "1.3", key_process="no")
    text = read(place.program.file).decode()
    assert works(place, closing)
    with_process = text.replace("key-process = no", "key-process = yes")
    assert place.program.reload(with_process)["message"] == "reloaded"
    assert works(place, closing)
    assert place.program.keys()
    assert place.program.reload(text)["message"] == "reloaded"
    assert works(place, closing)


def test_a_key_process_that_dies_during_reloads_is_given_what_counts_then(world, pki, closing):
    place = world("offload", "1.3", key_process="yes")
    text = read(place.program.file).decode()
    server = pki.get("server")
    identity = pki.issue("renewed-again", dns=("localhost",))
    renewed = text.replace(server.crt, identity.crt).replace(server.key, identity.key)
    for number in range(4):
        place.program.write(renewed if number % 2 == 0 else text)
        os.kill(place.program.keys(), signal.SIGKILL)
        place.program.reload(timeout=30)
        wait.until(lambda: works(place, closing), "handshakes work again")
    line = place.program.reload(renewed, timeout=30)
    assert line["message"] == "reloaded"
    wait.until(lambda: works(place, closing), "handshakes work again")
    assert served_by(place, closing) == der(identity)


def test_both_children_end_with_the_program(world):
    place = world("offload", "1.3", key_process="yes")
    children = [place.program.keys(), place.program.workers()]
    place.program.signal(signal.SIGTERM)
    assert place.program.wait_exit() == 0
    assert not any(procfs.is_running(pid) for pid in children)


def test_a_key_process_without_main_ends(world):
    place = world("offload", "1.3", key_process="yes")
    keys = place.program.keys()
    os.kill(place.program.pid, signal.SIGKILL)
    place.program.process.wait()
    wait.until(lambda: not procfs.is_running(keys), "the key process has ended")


@needs_token
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_a_key_process_that_cannot_open_its_token_says_so_at_the_start(run, pki, token, monkeypatch):
    monkeypatch.setenv("SOFTHSM2_CONF", token.conf)
    identity = pki.get("server")
    _, key = token.take(identity)
    address = f"127.0.0.1:{ports.free()}"
    service = {**credentials(pki, "server"), "key": key, "pin_source": token.pin}
    service |= {"name": "it", "mode": "offload", "accept": address, "connect": "127.0.0.1:9"}
    program = run(configuration(service, user="nobody"), ready=False)
    assert program.wait_exit() == 1
    assert "in the key process:" in program.output() and "service it: key:" in program.output()
