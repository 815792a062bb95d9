# SPDX-License-Identifier: MIT
"""Other programs that a test starts, each ended by its process id when the test is over."""

import ctypes
import os
import signal
import subprocess

from . import wait

_libc = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


def _die_with_the_tests():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(command, **options):
    """Start a process in a session of its own that does not outlive the tests."""
    return subprocess.Popen(
        [str(word) for word in command],
        stdin=options.pop("stdin", subprocess.DEVNULL),
        start_new_session=True,
        preexec_fn=_die_with_the_tests,
        **options,
    )


def end(process, timeout=5):
    """End a process that start() made, with its children: kindly, then not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout * wait.SLOWNESS)
        except subprocess.TimeoutExpired:
            pass
    # The group is the process's own session: nothing that we did not start is in it.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        try:
            if pipe is not None:
                pipe.close()
        except BrokenPipeError:
            pass  # what was still in it, nobody will read


def run(command, timeout=30, **options):
    """Run a command to its end; the result has text in stdout and stderr."""
    options.setdefault("stdin", subprocess.DEVNULL)
    if "input" in options:
        del options["stdin"]
    return subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        timeout=timeout * wait.SLOWNESS,
        check=False,
        **options,
    )


def must_run(command, **options):
    result = run(command, **options)
    assert result.returncode == 0, f"{command}: {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result.stdout
