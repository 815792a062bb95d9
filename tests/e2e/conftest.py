# SPDX-License-Identifier: MIT
"""Fixtures of the end-to-end tests: time limits, certificates, and programs that end with the test."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys

import pytest

sys.dont_write_bytecode = True

from harness import decision, ports, processes, wait  # noqa: E402
from harness.listeners import Listener  # noqa: E402
from harness.pki import Pki  # noqa: E402
from harness.program import LOAD, SALLYPORT, Program  # noqa: E402
from harness.worlds import World  # noqa: E402

DEADLINE = 30


def pytest_configure(config):
    config.addinivalue_line("markers", f"deadline(seconds): how long a test may take, instead of {DEADLINE}")
    config.addinivalue_line("markers", "long: takes a minute or more; for make check-long")
    if not os.access(SALLYPORT, os.X_OK):
        pytest.exit(f"{SALLYPORT} is not there: build it, or set SALLYPORT", 2)


@contextlib.contextmanager
def limited(item):
    """What hangs fails, with the place where it hung."""
    marker = item.get_closest_marker("deadline")
    seconds = int((marker.args[0] if marker else DEADLINE) * wait.SLOWNESS)

    def late(_number, _frame):
        raise TimeoutError(f"the test took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    with limited(item):
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    with limited(item):
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item):
    with limited(item):
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Let fixtures know whether the test failed, and show what the programs said."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for program in getattr(item, "programs", []):
            report.sections.append((f"log of {program.file}", program.output()[-6000:]))


@pytest.fixture(autouse=True)
def reserved_ports():
    """What a test has reserved is free again after everything else of it has ended."""
    yield
    ports.release()


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pki")
    made = Pki(directory)
    yield made
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def closing():
    """closing(thing) closes it after the test."""
    things = []

    def keep(thing):
        things.append(thing)
        return thing

    yield keep
    for thing in reversed(things):
        thing.close()


@pytest.fixture
def started():
    """started(*command, **options) runs a program that is not ours; it is ended after the test."""
    running = []

    def start(*command, **options):
        running.append(processes.start(command, **options))
        return running[-1]

    yield start
    for process in running:
        processes.end(process)


@pytest.fixture
def backend(closing):
    """A plain backend."""
    return closing(Listener())


@pytest.fixture
def run(request):
    """run(text, ...) starts the program; it is ended after the test, and must not have crashed."""
    programs = request.node.programs = []

    def start(*arguments, **options):
        program = Program.__new__(Program)
        programs.append(program)
        program.__init__(*arguments, **options)
        return program

    yield start
    errors = []
    for program in programs:
        try:
            if hasattr(program, "stopped"):
                program.stop()
            shutil.rmtree(program.directory, ignore_errors=True)
        except AssertionError as error:
            errors.append(str(error))
    assert not errors, "\n".join(errors)


@pytest.fixture
def echo():
    """The address of a backend that sends back what it gets, with `load` at the other end."""
    if not os.access(LOAD, os.X_OK):
        pytest.skip(f"{LOAD} is not built")
    served = processes.start([LOAD, "serve", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE)
    yield served.stdout.readline().decode().split()[-1]
    processes.end(served)


@pytest.fixture
def world(run, pki):
    """world(mode, version, **options) puts the program between a client and a backend."""
    worlds = []

    def make(mode, version, **options):
        made = World(run, pki, mode, version, **options)
        worlds.append(made)
        return made

    yield make
    for made in worlds:
        made.close()


@pytest.fixture
def decide(run, pki, closing, tmp_path):
    """decide(row, place) plays a row of the tables of those who are wrong."""
    return lambda row, place: decision.play(row, place, run, pki, closing, tmp_path)
