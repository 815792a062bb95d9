# SPDX-License-Identifier: MIT
"""One way of being wrong, played: somebody is let in, what makes him wrong changes, and he is refused."""

import contextlib
import itertools
import os
import tempfile
import time
from dataclasses import dataclass, field

import pytest

from . import doors, wait
from .peers import Peer
from .pki import Identity, pin
from .program import configuration
from .worlds import VERSIONS

# How long what expires while the program runs is good: the first for which the machine is fast enough.
LIVES = (3, 6, 12)
# Who judges whom, and with which certificate of ours: with RSA the steps of a handshake are lent.
PLACES = {
    "offload": ("offload", doors.FrontDoor, "server"),
    "encrypt": ("encrypt", doors.BackDoor, "server"),
    "bridge-front": ("bridge", doors.FrontDoor, "server"),
    "bridge-back": ("bridge", doors.BackDoor, "server"),
    "offload-lent": ("offload", doors.FrontDoor, "server-rsa"),
    "encrypt-lent": ("encrypt", doors.BackDoor, "server-rsa"),
}
OFFLOAD, ENCRYPT, BOTH = ("offload",), ("encrypt",), ("offload", "encrypt")
CLIENTS, SERVERS = ("offload", "bridge-front", "offload-lent"), ("encrypt", "bridge-back", "encrypt-lent")
EVERYWHERE = (*CLIENTS, *SERVERS)

RICH, PLAIN = Peer("rich"), Peer("plain")


@dataclass(frozen=True)
class Row:
    """A way of being wrong. Values of options may be functions of the world."""

    name: str
    alert: object  # or what it is in each version; None: the peer ends it
    words: tuple
    good: dict = field(default_factory=dict)  # options by which the peer passes
    bad: dict = None  # options by which he does not; None: only time passes
    peer: Peer = RICH
    other: Peer = None  # who passes by the bad options; None: the peer himself does by the good ones again
    places: tuple = BOTH
    kept: tuple = ()  # the places where tickets outlive the change, so that a resumed session is judged
    resumes: tuple = VERSIONS  # in which a good session is resumed
    by_openssl: bool = False  # whoever the peer is


class World:
    """A program with a door for each version, all of them of one place, where a row is played."""

    def __init__(self, row, place, life, run, pki, closing, directory):
        self.pki, self.keep, self.directory = pki, closing, tempfile.mkdtemp(dir=directory)
        self.row, self.place, self.numbers = row, place, itertools.count()
        self.deadline = time.time() + life * wait.SLOWNESS
        mode, door, self.ours = PLACES[place]
        by_openssl = row.by_openssl or row.peer.needs_openssl()
        self.doors = [door(self, mode, version, by_openssl) for version in VERSIONS]
        self.program = run(self.text(row.good))

    def path(self, name):
        """A path that was not given out before."""
        return os.path.join(self.directory, f"{next(self.numbers)}.{name}")

    def file(self, name, data):
        path = self.path(name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(data)
        return path

    def identity(self, peer):
        wanted = peer.identity(self) if callable(peer.identity) else peer.identity
        return wanted if wanted is None or isinstance(wanted, Identity) else self.pki.get(wanted)

    def _value(self, value):
        if isinstance(value, list):
            return [self._value(each) for each in value]
        return value(self) if callable(value) else value

    def text(self, options):
        told = {name: self._value(value) for name, value in options.items()}
        sections = [door.section(told) for door in self.doors]
        # One worker, since each has tickets of its own.
        return configuration(*sections, workers=1)

    def reload(self, options):
        line = self.program.reload(self.text(options))
        assert line["message"] == "reloaded", self.program.output()

    def change(self):
        if self.row.bad is not None:
            self.reload(self.row.bad)
        else:
            time.sleep(max(self.deadline + 1.2 - time.time(), 0))


@contextlib.contextmanager
def said(*words):
    """Say in a failure which of all the cases it was."""
    try:
        yield
    except Exception as error:
        raise AssertionError(f"{' '.join(words)}: {error}") from error


def check_resumed(resumed, expected):
    assert resumed == expected, f"the session was {'' if resumed else 'not '}resumed"


def let_in(world):
    """The peer passes, and passes again by the session that he got."""
    for door in world.doors:
        with said("TLS", door.version, "before the change, fresh"):
            check_resumed(door.passes(world.row.peer), False)
        with said("TLS", door.version, "before the change, resumed"):
            check_resumed(door.passes(world.row.peer, resume=True), door.version in world.row.resumes)


def refuse(world):
    """What was good is not any more."""
    row = world.row
    survivors = row.resumes if world.place in row.kept else ()
    world.change()
    for door in world.doors:
        with said("TLS", door.version, "resumed"):
            check_resumed(door.refuses(row.peer, row, resume=True), door.version in survivors)
        with said("TLS", door.version, "fresh"):
            check_resumed(door.refuses(row.peer, row), False)


def let_the_right_one_in(world):
    row = world.row
    if row.other is None:
        world.reload(row.good)
    for door in world.doors:
        with said("TLS", door.version, "the right one"):
            door.passes(row.other or row.peer)


def play(row, place, *means):
    """Fails with words about the first thing that was not as the row has it."""
    for life in LIVES:
        world = World(row, place, life, *means)
        try:
            let_in(world)
        except AssertionError:
            # What ends at the deadline is written in whole seconds, so it may be over before.
            if row.bad is not None or time.time() < world.deadline - 1 or life == LIVES[-1]:
                raise
        else:
            break
    refuse(world)
    let_the_right_one_in(world)


def cases(rows):
    """Have a test called with each row at each of its places."""
    made = [(row, place) for row in rows for place in row.places]
    return pytest.mark.parametrize("row, place", made, ids=[f"{row.name}-{place}" for row, place in made])


def pin_of(name):
    return lambda world: pin(world.pki.get(name))
