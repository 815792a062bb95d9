# SPDX-License-Identifier: MIT
"""What is measured: the names, units and directions of all figures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    key: str
    title: str
    unit: str
    higher_is_better: bool = False
    digits: int = 0


_ALL = (
    Measure("mib_per_second", "throughput", "MiB/s", True),
    Measure("per_second", "rate", "/s", True),
    Measure("p50", "latency p50", "µs"),
    Measure("p99", "latency p99", "µs"),
    Measure("p99_9", "latency p99.9", "µs"),
    Measure("max", "latency max", "µs"),
    Measure("cpu_per_gib", "CPU per GiB", "s", digits=2),
    Measure("cpu_each", "CPU each", "µs"),
    Measure("cpu_growth", "CPU each, to that beside none", "times", digits=2),
    Measure("memory_empty", "memory, nothing open", "MiB", digits=1),
    Measure("memory_each", "memory per held pair of ends", "KiB", digits=1),
    Measure("memory_kept", "of it kept after close", "KiB", digits=1),
    Measure("wakeups", "wake-ups of the busiest thread", "/s", digits=1),
    Measure("start", "start to first connection", "ms"),
    Measure("reload", "reload of all services", "ms"),
)

BY_KEY = {measure.key: measure for measure in _ALL}
