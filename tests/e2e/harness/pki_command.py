# SPDX-License-Identifier: MIT
"""sallyport pki, run to its end, and openssl to judge what it made."""

from . import processes
from .program import SALLYPORT


def pki(*words, **options):
    return processes.run([SALLYPORT, "pki", *words], timeout=60, **options)


def done(*words):
    """What it says on standard output, nothing having gone wrong."""
    result = pki(*words)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def refused(*words, code=1, **options):
    """Its words on standard error, having ended with code."""
    result = pki(*words, **options)
    assert result.returncode == code, result.stdout + result.stderr
    assert result.stderr != ""
    return result.stderr


def openssl(*words, check=True):
    """All that openssl says."""
    result = processes.run(["openssl", *words], timeout=60)
    assert result.returncode == 0 or not check, result.stderr
    return result.stdout + result.stderr
