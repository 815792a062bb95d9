# SPDX-License-Identifier: MIT
"""A network and an /etc of our own, so that names and addresses are what a test says."""

import contextlib
import ctypes
import os
import subprocess
import tempfile

from . import processes

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000

# Neighbours whose link address is nobody's: what is sent to them is neither answered nor refused.
NOWHERE, NOWHERE6 = "192.0.2.99", "2001:db8::99"
SCRIPT = """
set -e
ip link set lo up
ip link add near type veth peer name far
ip link set near up
ip link set far up
ip addr add 192.0.2.1/24 dev near
ip addr add 2001:db8::1/64 dev near nodad
ip neigh add 192.0.2.99 lladdr 02:00:00:00:00:99 dev near nud permanent
ip neigh add 2001:db8::99 lladdr 02:00:00:00:00:99 dev near nud permanent
mount --bind "$1/resolv.conf" /etc/resolv.conf
mount --bind "$1/hosts" /etc/hosts
mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
echo ready
exec sleep infinity
"""


def _setns(descriptor):
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Namespace:
    """Sockets that are made inside `with namespace.entered()` belong to it for good."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="sallyport-netns-")
        self.write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        self.write("hosts", "127.0.0.1 localhost\n127.0.0.1 in-hosts.test\n")
        self.write("nsswitch.conf", "hosts: files dns\n")
        self.holder = processes.start(
            ["unshare", "-mn", "sh", "-c", SCRIPT, "sh", self.directory.name],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if self.holder.stdout.readline().strip() != b"ready":
            self.reason = self.holder.stderr.read().decode(errors="replace").strip()
            self.close()
            raise OSError(self.reason or "unshare failed")
        self.wrapper = ["nsenter", "-t", str(self.holder.pid), "-m", "-n", "--"]

    def write(self, name, text):
        """Change a file in place, since what is bound is the file and not its name."""
        with open(os.path.join(self.directory.name, name), "w", encoding="ascii") as file:
            file.write(text)

    @contextlib.contextmanager
    def entered(self):
        ours = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        theirs = os.open(f"/proc/{self.holder.pid}/ns/net", os.O_RDONLY)
        _setns(theirs)
        try:
            yield self
        finally:
            _setns(ours)
            os.close(ours)
            os.close(theirs)

    def close(self):
        processes.end(self.holder)
        self.directory.cleanup()
