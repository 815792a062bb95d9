# SPDX-License-Identifier: MIT
"""The order of a comparison: pairs take turns within each round, so that all see the same moods of a machine."""

import dataclasses
import tempfile

from compare import certificates, figures, loads, machine, samples


def turns(names, number):
    """The order of the pairs in a round: another one begins each time."""
    shift = number % max(len(names), 1)
    return [*names[shift:], *names[:shift]]


def _about(peer):
    version, library = peer.versions()
    about = {"name": peer.name, "title": peer.title, "version": version, "library": library}
    return {**about, "remarks": list(peer.remarks)}


def _samples(load, peers, profile, generator, identities, tell):
    by_name = {peer.name: peer for peer in peers if peer.takes_part(load)}
    taken = {peer.name: [] for peer in peers}
    for number in range(profile.rounds):
        wishes = loads.later(profile) if number else profile
        for name in turns(list(by_name), number):
            sample = samples.take(by_name[name], load, wishes, generator, identities)
            taken[name].append(sample)
            tell(load, name, number, sample)
    return taken


def run(peers, taken, profile, generator, subject, tell=lambda *_: None):
    """The whole comparison, as what --json prints. `tell` is called after each sample."""
    machine.raise_limits()
    with tempfile.TemporaryDirectory(prefix="sallyport-bench-") as directory:
        identities = {kind: certificates.make(directory, kind) for kind in {load.certificate for load in taken}}
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
                    [peer.name for peer in peers if peer.is_floor],
                )
                for load in taken
            ],
        }
