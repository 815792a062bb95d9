# SPDX-License-Identifier: MIT
"""What the kernel knows about a process."""

import os

TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


def children(pid):
    """The process ids whose parent is pid, but for those that are dead and not yet waited for."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            state, parent = _stat(entry)[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(entry))
    return found


def arguments(pid):
    """Its command line; empty when it is gone."""
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read().split("\0")[:-1]
    except OSError:
        return []


def memory_holds(pid, secret):
    """Do the bytes stand anywhere in what the process has in memory?"""
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps:
        ranges = [line.split()[:2] for line in maps]
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for addresses, permissions in ranges:
            start, end = (int(number, 16) for number in addresses.split("-"))
            if not permissions.startswith("r") or start >= 1 << 63:
                continue
            try:
                memory.seek(start)
                if secret in memory.read(end - start):
                    return True
            except OSError:
                continue  # such as [vvar], which nobody may read
    return False


def is_running(pid):
    try:
        return _stat(pid)[0] not in "ZX"
    except OSError:
        return False


def cpu_seconds(pid):
    """User and system time that the process has used."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS


def status(pid, key):
    """A line of /proc/PID/status, split into words."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        for line in file:
            name, _, rest = line.partition(":")
            if name == key:
                return rest.split()
    raise KeyError(key)


def resident_bytes(pid):
    return int(status(pid, "VmRSS")[0]) * 1024


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def is_listening(port):
    """Does anybody in this network namespace listen on the TCP port?"""
    for table in ("tcp", "tcp6"):
        try:
            with open(f"/proc/thread-self/net/{table}", encoding="ascii") as file:
                rows = [line.split() for line in file][1:]
        except FileNotFoundError:
            continue
        if any(row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port for row in rows):
            return True
    return False
