# SPDX-License-Identifier: MIT
"""The loads: what each sends, what is told of it, and which ratio to the best peer is wanted."""

from dataclasses import dataclass, replace

MIB = 1 << 20
MINUTE = 60  # seconds in which memory must have been given back
ENOUGH = 20  # seconds of two pairs in turns in which a tenth can be told from noise


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
    remembering: bool = True  # of chains that verified, by those who do that
    held: int = 0  # connections; of a reload, services
    stream: int = 0
    shown: tuple = ()
    plot: str = ""
    quick: bool = True
    times: int = 1  # that a round takes a sample of each pair: more where they differ much


@dataclass(frozen=True)
class Profile:
    name: str
    rounds: int
    seconds: float
    settling: float = 3  # seconds that memory gets to come to rest while connections are held
    returning: float = 3  # seconds that it gets to be given back after them, in the first round
    idling: float = 5  # seconds in which nothing is to happen
    pairs: tuple = ()  # all, if empty
    all_loads: bool = True
    most_held: int = 8000
    most_streamed: int = 4096 * MIB  # bytes of one stream
    least_streamed: int = 256 * MIB  # bytes in all, of which CPU per byte is taken


PROFILES = {
    "full": Profile("full", rounds=5, seconds=5, returning=65),
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
        idling=0.2,
        most_held=8,
        most_streamed=MIB,
        least_streamed=MIB,
    ),
}


def _middle(p50=None, p99=None):
    return (("p50", p50, None), ("p99", p99, None))


def _latency(p50=None, p99=None):
    """What is shown of latency, with the wanted ratios."""
    return (*_middle(p50, p99), ("p99_9", None, None), ("max", None, None))


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


def _connect(certificate, title, resumption, rate, cpu, quick=True, times=1):
    return Load(
        f"connect-{'default' if resumption else 'full'}-{certificate}",
        f"connect, {title}, resumption {'as default' if resumption else 'off'}",
        "timed",
        ("connect", "--connections", "16"),
        certificate=certificate,
        resumption=resumption,
        shown=(("per_second", rate, None), ("cpu_each", cpu, None), *_latency()),
        quick=quick,
        times=times,
    )


def _anew(load):
    """The load with chains verified at every connection. Who never remembers them is measured again."""
    shown = tuple((key, None, None) for key, _, _ in load.shown)
    return replace(load, name=f"{load.name}-anew", title=f"{load.title}, chains anew", remembering=False, shown=shown)


def _pingpong(size, connections, rate=None, p50=None, p99=None, times=1):
    return Load(
        f"pingpong-{size}-{connections}",
        f"pingpong {size.replace('K', ' Ki')}{'' if 'K' in size else ' '}B, "
        f"{connections} connection{'s' if connections > 1 else ''}",
        "timed",
        ("pingpong", "--size", size, "--connections", str(connections)),
        shown=(("per_second", rate, None), *_latency(p50, p99), ("cpu_each", None, None)),
        times=times,
    )


def _among(held):
    return Load(
        f"among-{held}",
        "connect, ECDSA, resumption off, beside {held:,} held",
        "among",
        ("connect", "--connections", "16"),
        resumption=False,
        held=held,
        shown=(("cpu_growth", None, 1.1), ("cpu_each", None, None), ("per_second", None, None), *_middle()),
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


def _reload(certificate, title):
    """Of each service the certificate and the key lie in files of its own."""
    return Load(
        f"reload-{certificate}",
        f"reload of {{held:,}} services, {title}",
        "reload",
        certificate=certificate,
        held=1000,
        shown=(("reload", None, 1000),),
    )


_FULL_ECDSA = _connect("ecdsa", "ECDSA", False, None, 0.75)
_FULL_ED25519 = _connect("ed25519", "Ed25519", False, None, 0.75)

ALL = (
    _bulk("up", 1, 1.4, 0.78),
    _bulk("down", 1, 1.4, 0.78),
    _bulk("up", 16, 1.5, 0.68),
    _bulk("down", 16, 1.5, 0.68),
    _bulk("both", 16, None, None, quick=False),
    _connect("ecdsa", "ECDSA", True, 1.8, 0.5, times=3),
    _connect("rsa", "RSA-2048", True, 1.8, 0.5, times=3),
    _connect("ed25519", "Ed25519", True, None, None, quick=False),
    _FULL_ECDSA,
    _anew(_FULL_ECDSA),
    _FULL_ED25519,
    _anew(_FULL_ED25519),
    _connect("rsa", "RSA-2048", False, None, 1.5),
    Load(
        "rate",
        "200 arrivals a second (Poisson), ECDSA, resumption as default",
        "timed",
        ("rate", "--rate", "200"),
        shown=(("per_second", None, None), *_latency(), ("cpu_each", None, None)),
    ),
    _pingpong("64", 1, p50=0.88),
    _pingpong("64", 64, rate=1.2, p99=1.0, times=3),
    _pingpong("16K", 16, rate=1.3, times=3),
    Load(
        "memory",
        "{held:,} held connections",
        "memory",
        held=2000,
        shown=(("memory_each", 0.5, 25), ("memory_kept", None, 2.5), ("memory_empty", None, None)),
    ),
    Load(
        "message",
        "{held:,} held connections, one message a second each",
        "timed",
        ("message", "--connections", "{held}", "--interval", "1"),
        held=8000,
        shown=(("per_second", None, None), *_latency(p99=0.9), ("cpu_each", None, None)),
        times=3,
    ),
    _among(1),
    _among(1000),
    _among(8000),
    _stream(16),
    _stream(64),
    _stream(256),
    _stream(1024),
    _stream(4096),
    Load("idle", "nothing open", "idle", shown=(("wakeups", None, 1),)),
    Load("start", "start of both ends", "start", shown=(("start", None, 100),)),
    _reload("ecdsa", "ECDSA"),
    _reload("rsa", "RSA-2048"),
)


def _limits(load, profile):
    """What is shown; less time than a minute tells nothing of what is kept, nor a few turns of a tenth more or less."""
    untold = {"memory_kept": profile.returning < MINUTE, "cpu_growth": profile.rounds * profile.seconds < ENOUGH}
    for key, wanted, limit in load.shown:
        yield key, wanted, None if untold.get(key) else limit


def _cut(load, profile):
    """The load as small as the profile wants it."""
    held, stream = min(load.held, profile.most_held), min(load.stream, profile.most_streamed)
    return replace(
        load,
        title=load.title.format(held=held, mib=stream // MIB),
        arguments=tuple(word.format(held=held) for word in load.arguments),
        held=held,
        stream=stream,
        shown=tuple(_limits(load, profile)),
        times=load.times if profile.all_loads else 1,
    )


def later(profile):
    """The profile for rounds after the first, in which nothing waits for memory to be given back."""
    return replace(profile, returning=0)


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
