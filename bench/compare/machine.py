# SPDX-License-Identifier: MIT
"""On what sort of machine figures were taken, without its name."""

import os
import platform
import resource


def _first(path, key):
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name.strip() == key:
                return value.strip()
    return "unknown"


def _line(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().strip()


def describe():
    """Facts for the report."""
    return {
        "processor": _first("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory": f"{int(_first('/proc/meminfo', 'MemTotal').split()[0]) >> 20} GiB",
        "kernel": f"Linux {platform.release().split('-')[0]}",
        "congestion": _line("/proc/sys/net/ipv4/tcp_congestion_control"),
    }


def raise_limits():
    """Let the programs that are started have as many descriptors as is allowed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
