# SPDX-License-Identifier: MIT
"""The order of a comparison: pairs take turns within each round, so that all see the same moods of a machine."""

import dataclasses
import tempfile

from compare import certificates, figures, machine, samples


def turns(names, number):
    """The order of the pairs in a round: another one begins each time."""
    shift = number % len(names)
    return [*names[shift:], *names[:shift]]


def _about(peer):
    return {"name": peer.name, "title": peer.title, "version": peer.version(), "remarks": list(peer.remarks)}


def _samples(load, peers, profile, generator, identities, tell):
    by_name = {peer.name: peer for peer in peers}
    taken = {name: [] for name in by_name}
    for number in range(profile.rounds):
        for name in turns(list(by_name), number):
            sample = samples.take(by_name[name], load, profile, generator, identities)
            taken[name].append(sample)
            tell(load, name, number, sample)
    return taken


def run(peers, loads, profile, generator, subject, tell=lambda *_: None):
    """The whole comparison, as what --json prints. `tell` is called after each sample."""
    machine.raise_limits()
    with tempfile.TemporaryDirectory(prefix="sallyport-bench-") as directory:
        identities = {kind: certificates.make(directory, kind) for kind in {load.certificate for load in loads}}
        return {
            "profile": dataclasses.asdict(profile),
            "subject": subject,
            "machine": machine.describe(),
            "pairs": [_about(peer) for peer in peers],
            "loads": [
                figures.judge(
                    load,
                    _samples(load, peers, profile, generator, identities[load.certificate], tell),
                    subject,
                )
                for load in loads
            ],
        }
