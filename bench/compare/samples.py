# SPDX-License-Identifier: MIT
"""One sample: a fresh pair under one load, and what came of it."""

import selectors
import subprocess
import time

from compare import figures, loads
from compare.pair import Pair, PairError

# How long a load may take beyond what it was told.
_PATIENCE = 120

# Longer than connections are ever held.
_HOLDING = 3600

# Two pairs that are compared take turns of about so many seconds.
_SLICE = 0.5


def _sample(found=None, errors=0, words=None):
    return {"figures": found or {}, "errors": errors, "words": words}


def _command(pair, arguments):
    return [pair.load, *arguments, "--connect", pair.near, "--json"]


def _judge(code, output, complaints):
    """(result, errors, words) of a load that has ended. Fails with PairError if it did not even begin."""
    try:
        result = figures.parse(output)
    except ValueError as error:
        raise PairError(f"the load failed: {complaints.strip() or error}") from error
    words = complaints.strip() or (f"the load ended with {code}" if code else None)
    return result, result["errors"] or int(code != 0), words


def _run(pair, arguments, seconds=0):
    command = _command(pair, arguments)
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds + _PATIENCE, check=False)
    except subprocess.TimeoutExpired as error:
        raise PairError(f"the load did not end: {' '.join(arguments)}") from error
    return _judge(ended.returncode, ended.stdout, ended.stderr)


def timed(pair, load, profile):
    before = pair.cpu_seconds()
    result, errors, words = _run(pair, [*load.arguments, "--seconds", str(profile.seconds)], profile.seconds)
    return _sample(figures.of(result, pair.cpu_seconds() - before), errors, words)


def stream(pair, load, profile):
    """One stream after the other, until there are enough bytes for the kernel's clock."""
    before, size, errors, words = pair.cpu_seconds(), 0, 0, None
    while size < max(profile.least_streamed, load.stream) and not errors:
        result, errors, words = _run(pair, [*load.arguments, "--bytes", str(load.stream)])
        size += load.stream
    result["bytes"] = size
    return _sample(figures.of(result, pair.cpu_seconds() - before), errors, words)


def start(pair, _load, _profile):
    return _sample({"start": pair.start_seconds * 1000})


def reload(pair, load, _profile):
    """Nothing, of a program whose reload is not measured."""
    seconds = pair.reload(load.held)
    return _sample() if seconds is None else _sample({"reload": seconds * 1000})


class _Held:
    """Idle connections, held by a load of its own from when all are there until end()."""

    def __init__(self, pair, count):
        command = _command(pair, ["hold", "--connections", str(count), "--seconds", str(_HOLDING)])
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            came = selector.select(_PATIENCE)
        if came and self.process.stdout.readline().startswith("holding"):
            return self
        self.process.kill()
        raise PairError(f"connections could not be held: {self.process.communicate()[1].strip()}")

    def end(self):
        """A sample without figures: did each exchange its last message?"""
        self.process.terminate()
        try:
            output, complaints = self.process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise PairError("held connections did not end") from error
        _, errors, words = _judge(self.process.returncode, output, complaints)
        return _sample(errors=errors, words=words)

    def __exit__(self, *_error):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def _memory_returned(pair, empty, load, profile):
    """Memory when nearly all of it has been given back, or there was time enough for that."""
    deadline = time.monotonic() + profile.returning
    while True:
        now = pair.memory()
        left = deadline - time.monotonic()
        if left <= 0 or now - empty < 1024 * load.held:
            return now
        time.sleep(min(left, 1))


def memory(pair, load, profile):
    empty = pair.memory()
    with _Held(pair, load.held) as held:
        time.sleep(profile.settling)
        full = pair.memory()
        ended = held.end()
    after = _memory_returned(pair, empty, load, profile) if profile.returning else None
    return {**ended, "figures": figures.memory(empty, full, after, load.held)}


def idle(pair, _load, profile):
    """How often a thread is woken by itself, when all that the start took is over."""
    pair.cpu_seconds()
    before = pair.sleeps()
    time.sleep(profile.idling)
    after = pair.sleeps()
    return _sample({"wakeups": max(after[thread] - before.get(thread, 0) for thread in after) / profile.idling})


def _in_turns(pairs, load, profile):
    """For each of two pairs, the samples of slices of the load; who comes first comes second in the next turn."""
    turns = max(round(profile.seconds / _SLICE), 2)
    slices = loads.changed(profile, seconds=profile.seconds / turns)
    taken = ([], [])
    for turn in range(turns):
        for which in (0, 1) if turn % 2 else (1, 0):
            taken[which].append(timed(pairs[which], load, slices))
    return taken


def among(pair, load, profile):
    """Beside held connections and, of the same program, beside none. One after the other would compare two states of the
    machine: after thousands of handshakes it is slower by more than what is looked for."""
    with pair.twin() as alone, _Held(pair, load.held) as held:
        alone.start()
        taken = _in_turns((pair, alone), load, profile)
        alone.check()
        every = [*taken[0], *taken[1], held.end()]
    found = {**figures.medians(taken[0]), **figures.growth(*taken)}
    return _sample(found, figures.errors(every), figures.words(every))


_KINDS = {kind.__name__: kind for kind in (timed, stream, start, memory, idle, among, reload)}


def take(peer, load, profile, generator, identities):
    """Start a pair, put it under the load, end it. What fails is counted as an error, with words."""
    room = load.held + 1000
    with Pair(peer, generator, identities, load.resumption, room, load.remembering) as pair:
        try:
            if load.kind != "reload":
                pair.start()
            sample = _KINDS[load.kind](pair, load, profile)
            pair.check()
            return sample
        except PairError as error:
            return _sample(errors=1, words=str(error))
