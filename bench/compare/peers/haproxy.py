# SPDX-License-Identifier: MIT
"""HAProxy in TCP mode.

Its manual advises threads rather than processes, to leave the size of buffers alone, and several listening
sockets ("shards") only for very many threads, since they cost CPU."""

from compare.peer import CIPHER, GROUP, WORKERS, Peer


def _bind(end):
    plain = f"    bind 127.0.0.1:{end.accept}"
    if end.encrypting:
        return plain
    return (
        f"{plain} ssl crt {end.identity.both} ca-file {end.identity.ca} verify required"
        f" ssl-min-ver TLSv1.3 ciphersuites {CIPHER} curves {GROUP}"
        + ("" if end.resumption else " no-tls-tickets")
    )


def _server(end):
    plain = f"    server other 127.0.0.1:{end.connect}"
    if not end.encrypting:
        return plain
    return (
        f"{plain} ssl crt {end.identity.both} ca-file {end.identity.ca} verify required"
        f" verifyhost {end.server_name} sni str({end.server_name}) ssl-min-ver TLSv1.3 ciphersuites {CIPHER}"
        + ("" if end.resumption else " no-ssl-reuse")
    )


class HAProxy(Peer):
    name, title, package = "haproxy", "HAProxy", "Debian: haproxy"
    binaries = ("haproxy",)
    version_arguments = ("-vv",)
    remarks = ("The group is pinned by the end that accepts; the end that connects offers its defaults.",)

    def command(self, end):
        path = end.write(
            "haproxy.cfg",
            "global",
            f"    nbthread {WORKERS}",
            f"    maxconn {end.connections}",
            *([] if end.resumption else ["    tune.ssl.cachesize 0"]),
            "defaults",
            "    mode tcp",
            "    timeout connect 10s",
            "    timeout client 1h",
            "    timeout server 1h",
            "listen tunnel",
            _bind(end),
            _server(end),
        )
        return [self.binary, "-db", "-q", "-f", path]
