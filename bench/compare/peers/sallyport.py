# SPDX-License-Identifier: MIT
"""sallyport, as it is by default but for what all are told."""

import os
import re
import shutil

from compare.peer import GROUP, WORKERS, Peer

# Its own default with one version, one cipher and one group.
_PRIORITY = (
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:+AES-128-GCM"
    f":-MAC-ALL:+AEAD:-GROUP-ALL:+GROUP-{GROUP}:%SERVER_PRECEDENCE:%PROFILE_MEDIUM"
)


class Sallyport(Peer):
    name = title = "sallyport"
    package = "run make"
    version_arguments = ("version",)
    remarks = (
        'It remembers for five minutes that a chain verified, which is its default; with "chains anew" it verifies'
        " every one at every connection, as the others always do.",
    )

    def read_versions(self, told):
        version, library = super().read_versions(told)
        faster = re.search(r"ipsec-mb +(\S+).*AES-GCM by ipsec-mb .*yes$", told, re.DOTALL | re.MULTILINE)
        return version, f"{library} and, for AES-GCM, ipsec-mb {faster[1]}" if faster else library

    def command(self, end):
        path = end.write(
            "sallyport.conf",
            f"workers = {WORKERS}",
            "log-level = error",
            "[tunnel]",
            f"mode = {'encrypt' if end.encrypting else 'offload'}",
            f"accept = 127.0.0.1:{end.accept}",
            f"connect = 127.0.0.1:{end.connect}",
            f"cert = {end.identity.cert}",
            f"key = {end.identity.key}",
            f"ca = {end.identity.ca}",
            *([f"peer-name = {end.server_name}"] if end.encrypting else []),
            "tls-min-version = 1.3",
            f"priority = {_PRIORITY}",
            f"tickets = {'yes' if end.resumption else 'no'}",
            f"remember-chains = {'yes' if end.remembering else 'no'}",
        )
        return [self.binary, "run", "-c", path]

    def many_command(self, end, count):
        """Each service has an address of its own, and files with a copy of the certificate and the key."""
        lines = [f"workers = {WORKERS}", "log-level = notice", f"ca = {end.identity.ca}"]
        for number in range(count):
            cert, key = (os.path.join(end.directory, f"{number}.{suffix}") for suffix in ("crt", "key"))
            shutil.copy2(end.identity.cert, cert)
            shutil.copy2(end.identity.key, key)
            address = f"127.1.{number // 250}.{number % 250 + 1}:{end.accept}"
            lines += [f"[s{number}]", "mode = offload", f"accept = {address}", f"connect = 127.0.0.1:{end.connect}"]
            lines += [f"cert = {cert}", f"key = {key}"]
        return [self.binary, "run", "-c", end.write("sallyport.conf", *lines)]
