# SPDX-License-Identifier: MIT
"""stunnel, as it is by default but for what all are told: it sets TCP_NODELAY by itself, and has little to tune."""

from compare.peer import CIPHER, GROUP, Peer


class Stunnel(Peer):
    name, title, package = "stunnel", "stunnel", "Debian: stunnel4"
    binaries = ("stunnel4", "stunnel")
    version_arguments = ("-version",)
    remarks = ("A thread for each connection: it has no number of workers.",)

    def command(self, end):
        judged = [f"checkHost = {end.server_name}", f"sni = {end.server_name}"] if end.encrypting else []
        path = end.write(
            "stunnel.conf",
            "foreground = yes",
            "pid =",
            "syslog = no",
            "debug = 0",
            "[tunnel]",
            f"client = {'yes' if end.encrypting else 'no'}",
            f"accept = 127.0.0.1:{end.accept}",
            f"connect = 127.0.0.1:{end.connect}",
            f"cert = {end.identity.cert}",
            f"key = {end.identity.key}",
            f"CAfile = {end.identity.ca}",
            "verifyChain = yes",
            *judged,
            "sslVersionMin = TLSv1.3",
            f"ciphersuites = {CIPHER}",
            f"curves = {GROUP}",
            *([] if end.resumption else ["sessionResume = no"]),
        )
        return [self.binary, path]
