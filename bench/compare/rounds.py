# SPDX-License-Identifier: MIT
"""
The order of a comparison, in which a mood of the machine should meet all alike: a round has every load, so that one
of some minutes meets one sample in each rather than all of some; for a load, the pairs take turns.
"""

import dataclasses
import tempfile

from compare import certificates, figures, loads, machine, samples


def turns(names, number):
    """The order in which the pairs take their turns: another one begins each time."""
    shift = number % max(len(names), 1)
    return [*names[shift:], *names[:shift]]


def _about(peer):
    version, library = peer.versions()
    about = {"name": peer.name, "title": peer.title, "version": version, "library": library}
    return {**about, "remarks": list(peer.remarks)}


def _take_all(peers, taken, profile, take):
    """For each load, the samples of each pair: what `take` returns for both, the number of the round and wishes."""
    by_name = {peer.name: peer for peer in peers}
    all_samples = {load.name: {name: [] for name in by_name} for load in taken}
    for number in range(profile.rounds):
        wishes = loads.later(profile) if number else profile
        for load in taken:
            partners = [peer.name for peer in peers if peer.takes_part(load)]
            for turn in range(number * load.times, (number + 1) * load.times):
                for name in turns(partners, turn):
                    all_samples[load.name][name].append(take(by_name[name], load, number, wishes))
    return all_samples


def run(peers, taken, profile, generator, subject, tell=lambda *_: None):
    """The whole comparison, as what --json prints. `tell` is called after each sample."""
    machine.raise_limits()
    with tempfile.TemporaryDirectory(prefix="sallyport-bench-") as directory:
        identities = {kind: certificates.make(directory, kind) for kind in {load.certificate for load in taken}}

        def take(peer, load, number, wishes):
            sample = samples.take(peer, load, wishes, generator, identities[load.certificate])
            tell(load, peer.name, number, sample)
            return sample

        all_samples = _take_all(peers, taken, profile, take)
        floors = [peer.name for peer in peers if peer.is_floor]
        return {
            "profile": dataclasses.asdict(profile),
            "subject": subject,
            "machine": machine.describe(),
            "pairs": [_about(peer) for peer in peers],
            "loads": [figures.judge(load, all_samples[load.name], subject, floors) for load in taken],
        }
