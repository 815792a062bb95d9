# SPDX-License-Identifier: MIT
"""The program under test: its configuration, its processes and what it logs."""

import json
import os
import re
import signal
import tempfile

from . import processes, procfs, wait

SALLYPORT = os.path.abspath(os.environ.get("SALLYPORT", "build/sallyport"))
LOAD = os.path.abspath(os.environ.get("LOAD", "build/bench/load"))
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:|Assertion .* failed|LeakSanitizer")
DEFAULTS = {"log_format": "json", "log_level": "debug", "workers": "2"}


def is_sanitized():
    """Was the program built with sanitizers, whose memory tells nothing?"""
    with open(SALLYPORT, "rb") as file:
        return b"__asan_init" in file.read()


def lines_of(options):
    """Options as lines of a file; a list is written line by line, None is left out."""
    lines = []
    for name, values in options.items():
        for value in values if isinstance(values, (list, tuple)) else [values]:
            if value is not None:
                lines.append(f"{name.replace('_', '-')} = {value}")
    return lines


def configuration(*services, **options):
    """The text of a file. A service is a dict of options, of which `name` is the section's name."""
    lines = lines_of({**DEFAULTS, **options})
    for index, service in enumerate(services):
        rest = dict(service)
        lines += ["", f"[{rest.pop('name', f'service-{index + 1}')}]", *lines_of(rest)]
    return "\n".join(lines) + "\n"


class Program:
    """A running sallyport. Its log is read from standard error unless it is told to log elsewhere."""

    def __init__(self, text=None, arguments=None, wrapper=(), ready=True, environment=None):
        self.directory = tempfile.mkdtemp(prefix="sallyport-e2e-")
        # The program may run as another user, which must find its sockets here.
        os.chmod(self.directory, 0o755)
        self.file = os.path.join(self.directory, "test.conf")
        self.stderr = os.path.join(self.directory, "stderr")
        self.position = 0
        if text is not None:
            self.write(text)
            arguments = ["run", "-c", self.file]
        with open(self.stderr, "wb") as stderr:
            self.process = processes.start(
                [*wrapper, SALLYPORT, *arguments],
                stdout=stderr,
                stderr=stderr,
                env={**os.environ, **(environment or {})},
            )
        self.pid = self.process.pid
        self.stopped = False
        if ready:
            self.wait_ready()

    def write(self, text):
        """Replace the configuration; reload() makes it count."""
        with open(self.file + ".new", "w", encoding="ascii") as file:
            file.write(text)
        os.rename(self.file + ".new", self.file)

    def output(self):
        with open(self.stderr, encoding="utf-8", errors="replace") as file:
            return file.read()

    def log(self):
        """Every line of the log so far, as dicts."""
        lines = []
        for line in self.output().splitlines():
            if line.startswith("{"):
                try:
                    lines.append(json.loads(line))
                except ValueError:
                    continue  # the last line may still be on its way
        return lines

    def mark(self):
        """Forget what was logged until now: what is waited for comes after it."""
        self.position = len(self.log())

    def find(self, condition):
        """The first line since the mark for which condition(line) holds, or None."""
        return next((line for line in self.log()[self.position :] if condition(line)), None)

    def wait_line(self, condition, what, timeout=10):
        def look():
            found = self.find(condition)
            assert found or self.is_running(), f"the program has ended:\n{self.output()}"
            return found

        try:
            return wait.until(look, what, timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.output()[-4000:]}") from None

    def wait_words(self, *words, timeout=10):
        """A line whose message has all these words."""
        return self.wait_line(
            lambda line: all(word in json.dumps(line) for word in words), f"a line with {words}", timeout
        )

    def wait_ready(self, timeout=10):
        self.wait_line(lambda line: line["message"].startswith("ready"), "the program is ready", timeout)

    def wait_tunnel(self, timeout=10, **fields):
        """The line of a tunnel that has ended, with these values in its fields."""

        def fits(line):
            return "tunnel" in line and "end" in line and all(line.get(k) == v for k, v in fields.items())

        return self.wait_line(fits, f"a tunnel's line with {fields}", timeout)

    def is_running(self):
        return self.process.poll() is None

    def workers(self):
        """The process id of serve."""
        return self._role("serve")

    def keys(self):
        """The process id of the key process."""
        return self._role("keys")

    def _role(self, role):
        def look():
            return [pid for pid in procfs.children(self.pid) if procfs.arguments(pid)[1:2] == [role]]

        found = wait.until(look, f"{role} is there")
        assert len(found) == 1, found
        return found[0]

    def signal(self, number):
        os.kill(self.pid, number)

    def reload(self, text=None, timeout=10):
        """Reload and wait until that is done; returns the line that says how it went."""
        if text is not None:
            self.write(text)
        self.mark()
        self.signal(signal.SIGHUP)

        def is_over(line):
            return "reload" in line["message"] and line["message"] != "reloading"

        return self.wait_line(is_over, "the reload is over", timeout)

    def wait_exit(self, timeout=10):
        """The exit code, once it has ended by itself."""
        self.process.wait(timeout * wait.SLOWNESS)
        return self.process.returncode

    def stop(self):
        """End it whatever it does, and check that no sanitizer complained."""
        if self.stopped:
            return
        self.stopped = True
        if self.is_running():
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(0.3)
            except processes.subprocess.TimeoutExpired:
                self.signal(signal.SIGTERM)
        try:
            self.process.wait(5 * wait.SLOWNESS)
            in_time = True
        except processes.subprocess.TimeoutExpired:
            in_time = False
        processes.end(self.process)
        output = self.output()
        assert not SANITIZER.search(output), output[-8000:]
        assert in_time, f"two SIGTERM did not end the program:\n{output[-4000:]}"
