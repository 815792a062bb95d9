# SPDX-License-Identifier: MIT
"""ghostunnel, where somebody has a binary of it: Debian 12 has no package."""

from compare.peer import WORKERS, Peer


class Ghostunnel(Peer):
    name = title = "ghostunnel"
    package = "no Debian package; --binary ghostunnel=PATH"
    binaries = ("ghostunnel",)
    remarks = (
        "Neither cipher nor group can be pinned in TLS 1.3; its library chooses.",
        "It resumes no sessions, so both ways of connecting are the same.",
    )

    def command(self, end):
        common = [
            f"--listen=127.0.0.1:{end.accept}",
            f"--target=127.0.0.1:{end.connect}",
            f"--cert={end.identity.cert}",
            f"--key={end.identity.key}",
            f"--cacert={end.identity.ca}",
            "--quiet=all",
        ]
        environment = ["env", f"GOMAXPROCS={WORKERS}"]
        if end.encrypting:
            return [*environment, self.binary, "client", *common, f"--override-server-name={end.server_name}"]
        return [*environment, self.binary, "server", *common, "--allow-all"]
