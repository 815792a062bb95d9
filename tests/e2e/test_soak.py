# SPDX-License-Identifier: MIT
"""Long: everything at once for a minute, and nothing lost, leaked or refused."""

import os
import signal
import subprocess
import time

import pytest
from harness import ports, processes, procfs, wait
from harness.program import LOAD, configuration, is_sanitized
from harness.worlds import credentials

SECONDS = int(os.environ.get("SOAK_SECONDS", "60"))

pytestmark = [pytest.mark.long, pytest.mark.deadline(SECONDS + 90)]

LOADS = [
    ["bulk", "--direction", "both", "--connections", "4"],
    ["bulk", "--direction", "up", "--connections", "2"],
    ["connect", "--connections", "8"],
    ["pingpong", "--size", "1000", "--connections", "8"],
]


class Pair:
    """An encryptor and an offloader as two programs, whose configurations change by a comment."""

    def __init__(self, run, pki, target):
        self.near, between = ports.free(), ports.free()
        far = {"mode": "offload", "accept": f"127.0.0.1:{between}", "connect": target}
        here = {"mode": "encrypt", "accept": f"127.0.0.1:{self.near}", "connect": f"localhost:{between}"}
        services = [{**far, **credentials(pki, "server")}, {**here, **credentials(pki, "client")}]
        self.texts = [configuration(service, log_level="notice") for service in services]
        self.programs = [run(text) for text in self.texts]

    def reload(self, number):
        for program, text in zip(self.programs, self.texts):
            line = program.reload(f"{text}# the {number}th\nidle-timeout = {number + 60}m\n")
            assert line["message"] == "reloaded", line

    def resident(self):
        return [procfs.resident_bytes(program.workers()) for program in self.programs]

    def descriptors(self):
        return [procfs.descriptors(program.workers()) for program in self.programs]


def start_loads(port, seconds):
    return [
        processes.start(
            [LOAD, command, "--connect", f"127.0.0.1:{port}", "--seconds", seconds, *rest],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for command, *rest in LOADS
    ]


def test_every_load_at_once_with_reloads_loses_nothing_and_leaks_nothing(run, pki, echo):
    pair = Pair(run, pki, echo)
    for load in start_loads(pair.near, 2):  # every pool and cache is warm afterwards
        said = load.communicate(timeout=60)[0]
        assert load.returncode == 0, said
    wait.until(lambda: pair.descriptors() and True, "serve is there")
    before, opened = pair.resident(), pair.descriptors()
    loads = start_loads(pair.near, SECONDS)
    try:
        number = 0
        while any(load.poll() is None for load in loads):
            pair.reload(number)
            number += 1
            time.sleep(1)
        for load in loads:
            said = load.communicate()[0]
            assert load.returncode == 0, said
    finally:
        for load in loads:
            processes.end(load)
    assert number > SECONDS / 4
    wait.until(lambda: pair.descriptors() <= [count + 4 for count in opened], "descriptors are given back")
    if not is_sanitized():
        for now, then in zip(pair.resident(), before):
            assert now - then < 32 << 20, f"{then} bytes have become {now}"


def test_serve_may_die_again_and_again(run, pki, echo):
    pair = Pair(run, pki, echo)
    program = pair.programs[1]
    for _ in range(4):
        serve = program.workers()
        program.mark()
        os.kill(serve, signal.SIGKILL)
        wait.until(lambda: procfs.children(program.pid) not in ([], [serve]), "serve is restarted", timeout=40)
    check = processes.run([LOAD, "connect", "--connect", f"127.0.0.1:{pair.near}", "--count", "50"], timeout=60)
    assert check.returncode == 0, check.stdout
