# SPDX-License-Identifier: MIT
"""One program that was started: its log, and its end by process id."""

import contextlib
import os
import signal
import subprocess


class Program:
    """Runs in a process group of its own, so that its children can be ended with it."""

    def __init__(self, name, command, directory):
        self.name = name
        self.log = os.path.join(directory, f"{name}.log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.pid = self.process.pid

    def is_running(self):
        return self.process.poll() is None

    def output(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self):
        """A second signal ends what still waits for connections; what then is left is killed."""
        for _ in range(2):
            if self.is_running():
                self.process.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(1)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
