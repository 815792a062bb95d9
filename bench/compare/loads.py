# SPDX-License-Identifier: MIT
"""The loads: what each sends, what is told of it, and which ratio to the best peer is wanted."""

from dataclasses import dataclass, replace

MIB = 1 << 20


@dataclass(frozen=True)
class Load:
    """The title and the arguments may name {held} and {mib}, since a profile may want less of them.

    `shown` has (measure, wanted ratio or None, absolute limit or None); `plot` names the field
    that is the x of a plot."""

    name: str
    title: str
    kind: str  # which function of samples.py
    arguments: tuple = ()
    certificate: str = "ecdsa"
    resumption: bool = True
    held: int = 0
    stream: int = 0
    shown: tuple = ()
    plot: str = ""
    quick: bool = True


@dataclass(frozen=True)
class Profile:
    name: str
    rounds: int
    seconds: float
    settling: float = 3  # seconds that memory gets to come to rest while connections are held
    returning: float = 3  # seconds that it gets to be given back after them
    pairs: tuple = ()  # all, if empty
    all_loads: bool = True
    most_held: int = 8000
    most_streamed: int = 4096 * MIB  # bytes of one stream
    least_streamed: int = 256 * MIB  # bytes in all, of which CPU per byte is taken


PROFILES = {
    "full": Profile("full", rounds=3, seconds=5, returning=65),
    "quick": Profile(
        "quick",
        rounds=1,
        seconds=2,
        pairs=("sallyport", "haproxy", "nginx"),
        all_loads=False,
        most_streamed=1024 * MIB,
    ),
    "smoke": Profile(
        "smoke",
        rounds=1,
        seconds=0.2,
        settling=0.2,
        returning=0.2,
        most_held=8,
        most_streamed=MIB,
        least_streamed=MIB,
    ),
}


def _bulk(direction, connections, rate, cpu, quick=True):
    ways = {"up": "to the backend", "down": "from the backend", "both": "both ways at once"}
    return Load(
        f"bulk-{direction}-{connections}",
        f"bulk {ways[direction]}, {connections} connection{'s' if connections > 1 else ''}",
        "timed",
        ("bulk", "--direction", direction, "--connections", str(connections)),
        shown=(("mib_per_second", rate, None), ("cpu_per_gib", cpu, None)),
        quick=quick,
    )


def _connect(certificate, title, resumption, rate, cpu, quick=True):
    return Load(
        f"connect-{'default' if resumption else 'full'}-{certificate}",
        f"connect, {title}, resumption {'as default' if resumption else 'off'}",
        "timed",
        ("connect", "--connections", "16"),
        certificate=certificate,
        resumption=resumption,
        shown=(("per_second", rate, None), ("cpu_each", cpu, None), ("p50", None, None), ("p99", None, None)),
        quick=quick,
    )


def _pingpong(size, connections, shown):
    return Load(
        f"pingpong-{size}-{connections}",
        f"pingpong {size} B, {connections} connection{'s' if connections > 1 else ''}",
        "timed",
        ("pingpong", "--size", size, "--connections", str(connections)),
        shown=shown,
    )


def _among(held):
    return Load(
        f"among-{held}",
        "connect, resumption off, while {held:,} are held",
        "among",
        ("connect", "--connections", "16"),
        resumption=False,
        held=held,
        shown=(("cpu_each", None, None), ("p50", None, None)),
        plot="held",
    )


def _stream(mib):
    return Load(
        f"stream-{mib}",
        "a stream of {mib:,} MiB",
        "stream",
        ("bulk", "--direction", "up"),
        stream=mib * MIB,
        shown=(("cpu_per_gib", None, None),),
        plot="stream",
        quick=mib <= 1024,
    )


ALL = (
    _bulk("up", 1, 1.4, 0.78),
    _bulk("down", 1, 1.4, 0.78),
    _bulk("up", 16, 1.5, 0.68),
    _bulk("down", 16, 1.5, 0.68),
    _bulk("both", 16, None, None, quick=False),
    _connect("ecdsa", "ECDSA", True, 1.8, 0.5),
    _connect("rsa", "RSA-2048", True, 1.8, 0.5),
    _connect("ed25519", "Ed25519", True, None, None, quick=False),
    _connect("ecdsa", "ECDSA", False, None, 0.75),
    _connect("ed25519", "Ed25519", False, None, 0.75),
    _connect("rsa", "RSA-2048", False, None, 1.5),
    Load(
        "rate",
        "200 arrivals a second (Poisson), ECDSA, resumption as default",
        "timed",
        ("rate", "--rate", "200"),
        shown=(("p50", None, None), ("p99", None, None), ("p99_9", None, None), ("cpu_each", None, None)),
    ),
    _pingpong("64", 1, (("p50", 0.88, None), ("p99", None, None), ("cpu_each", None, None))),
    _pingpong("64", 64, (("per_second", 1.2, None), ("p99", 1.0, None), ("cpu_each", None, None))),
    _pingpong("16K", 16, (("per_second", 1.3, None), ("p99", None, None), ("cpu_each", None, None))),
    Load(
        "memory",
        "{held:,} held connections",
        "memory",
        held=2000,
        shown=(("memory_each", 0.5, 25), ("memory_kept", None, None), ("memory_empty", None, None)),
    ),
    Load(
        "message",
        "{held:,} held connections, one message a second each",
        "timed",
        ("message", "--connections", "{held}", "--interval", "1"),
        held=8000,
        shown=(("p50", None, None), ("p99", 0.9, None), ("p99_9", None, None), ("max", None, None)),
    ),
    _among(1),
    _among(1000),
    _among(8000),
    _stream(16),
    _stream(64),
    _stream(256),
    _stream(1024),
    _stream(4096),
    Load("start", "start of both ends", "start", shown=(("start", None, 100),)),
)


def _cut(load, profile):
    """The load as small as the profile wants it."""
    held, stream = min(load.held, profile.most_held), min(load.stream, profile.most_streamed)
    return replace(
        load,
        title=load.title.format(held=held, mib=stream // MIB),
        arguments=tuple(word.format(held=held) for word in load.arguments),
        held=held,
        stream=stream,
    )


def changed(profile, **fields):
    """The profile with other rounds or seconds."""
    return replace(profile, **fields)


def chosen(profile, names=()):
    """The loads of a profile, or those that are named. Fails with ValueError for an unknown name."""
    unknown = set(names) - {load.name for load in ALL}
    if unknown:
        raise ValueError(f"unknown loads: {', '.join(sorted(unknown))}")
    if names:
        taken = [load for load in ALL if load.name in names]
    else:
        taken = [load for load in ALL if load.quick or profile.all_loads]
    return [_cut(load, profile) for load in taken]
