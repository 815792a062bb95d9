# SPDX-License-Identifier: MIT
"""AES-GCM by libIPSec_MB: where it is loaded, and that everything goes without it."""

import re

import pytest
from harness import processes
from harness.program import SALLYPORT

NEVER = "\n".join(f"void {name}(void) {{ abort(); }}" for name in ["alloc_mb_mgr", "init_mb_mgr_auto", "free_mb_mgr"])


def version():
    return processes.run([SALLYPORT, "version"]).stdout


def has_it():
    return "AES-GCM by ipsec-mb (VAES, AVX-512)          yes" in version()


# The program looks for the major version that it was built with, if any.
LIBRARY = "libIPSec_MB.so." + re.search(r"ipsec-mb +(\d*)", version())[1]
needs_it = pytest.mark.skipif(not has_it(), reason="needs libIPSec_MB (Debian: libipsec-mb-dev), VAES and AVX-512")


def maps_it(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
        return LIBRARY in file.read()


@needs_it
def test_it_is_in_serve_alone_and_there_from_the_start(world):
    program = world("offload", "1.3", key_process="yes").program
    assert maps_it(program.workers())
    assert not maps_it(program.pid) and not maps_it(program.keys())


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """broken(how) makes a library that cannot be used, and has it found before the real one."""

    def make(how):
        path = tmp_path / LIBRARY
        if how == "damaged":
            path.write_bytes(b"nothing")
        else:
            source = f"#include <stdlib.h>\n{NEVER}\nunsigned imb_get_version(void) {{ return 0; }}\n"
            command = ["cc", "-w", "-shared", "-fPIC", "-x", "c", "-", "-o", path]
            processes.must_run(command, input=source)
        monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))

    return make


@needs_it
@pytest.mark.parametrize("how", ["damaged", "of another version"])
def test_one_that_does_not_fit_is_done_without(world, broken, how):
    broken(how)
    assert not has_it()
    place = world("offload", "1.3")
    ends = place.open()
    ends["client"].send(b"there" * 20000)
    assert ends["backend"].receive(100000) == b"there" * 20000
    ends["backend"].send(b"back" * 20000)
    assert ends["client"].receive(80000) == b"back" * 20000
    assert not maps_it(place.program.workers())
