# SPDX-License-Identifier: MIT
"""sallyport, as it is by default but for what all are told."""

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
        )
        return [self.binary, "run", "-c", path]
