# SPDX-License-Identifier: MIT
"""What the kernel knows of programs together with all processes that they have started."""

import os

_TICKS = os.sysconf("SC_CLK_TCK")


def parse_stat(text):
    """From /proc/PID/stat: the parent, and the CPU seconds of the process and of its children that are gone."""
    fields = text.rpartition(")")[2].split()
    return int(fields[1]), sum(int(field) for field in fields[11:15]) / _TICKS


def parse_pss(text):
    """From /proc/PID/smaps_rollup: bytes in memory, shared ones in equal parts."""
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError("there is no line Pss")


def _read(pid, name):
    with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as file:
        return file.read()


def _stats():
    """(parent, seconds) of every process."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                found[int(entry)] = parse_stat(_read(entry, "stat"))
            except OSError:
                continue  # it has just ended
    return found


def descendants(roots, parents):
    """The roots and all below them; parents tells the parent of each process."""
    family, grown = set(roots) & set(parents), True
    while grown:
        below = {pid for pid, parent in parents.items() if parent in family}
        grown = not below <= family
        family |= below
    return family


def cpu_seconds(roots):
    """User and system time of the programs since they started."""
    stats = _stats()
    family = descendants(roots, {pid: parent for pid, (parent, _) in stats.items()})
    return sum(stats[pid][1] for pid in family)


def parse_sleeps(text):
    """From /proc/PID/task/TID/status: how often the thread has waited for something."""
    for line in text.splitlines():
        if line.startswith("voluntary_ctxt_switches:"):
            return int(line.split()[1])
    raise ValueError("there is no line voluntary_ctxt_switches")


def sleeps(roots):
    """How often each thread of the programs has waited, by its number. Fails with OSError if a program ends."""
    stats, found = _stats(), {}
    for pid in descendants(roots, {pid: parent for pid, (parent, _) in stats.items()}):
        for thread in os.listdir(f"/proc/{pid}/task"):
            try:
                found[int(thread)] = parse_sleeps(_read(pid, f"task/{thread}/status"))
            except OSError:
                continue  # it has just ended
    return found


def memory(roots):
    """Bytes in memory (PSS) of the programs. Fails with OSError where that may not be read."""
    stats = _stats()
    family = descendants(roots, {pid: parent for pid, (parent, _) in stats.items()})
    return sum(parse_pss(_read(pid, "smaps_rollup")) for pid in family)
