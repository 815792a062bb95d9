# SPDX-License-Identifier: MIT
"""nginx with its stream module.

Its manual advises a listening socket for each worker ("reuseport"), and proxy_half_close for protocols that
close one way, without which it would lose what comes late."""

import os
import subprocess

from compare.peer import CIPHER, GROUP, WORKERS, Peer

_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


def _offload(end):
    return [
        f"        listen 127.0.0.1:{end.accept} ssl reuseport;",
        "        ssl_protocols TLSv1.3;",
        f"        ssl_conf_command Ciphersuites {CIPHER};",
        f"        ssl_ecdh_curve {GROUP};",
        f"        ssl_certificate {end.identity.cert};",
        f"        ssl_certificate_key {end.identity.key};",
        f"        ssl_client_certificate {end.identity.ca};",
        "        ssl_verify_client on;",
        *([] if end.resumption else ["        ssl_session_tickets off;", "        ssl_session_cache off;"]),
    ]


def _encrypt(end):
    return [
        f"        listen 127.0.0.1:{end.accept} reuseport;",
        "        proxy_ssl on;",
        "        proxy_ssl_protocols TLSv1.3;",
        f"        proxy_ssl_conf_command Ciphersuites {CIPHER};",
        f"        proxy_ssl_conf_command Groups {GROUP};",
        f"        proxy_ssl_certificate {end.identity.cert};",
        f"        proxy_ssl_certificate_key {end.identity.key};",
        f"        proxy_ssl_trusted_certificate {end.identity.ca};",
        "        proxy_ssl_verify on;",
        "        proxy_ssl_server_name on;",
        f"        proxy_ssl_name {end.server_name};",
        *([] if end.resumption else ["        proxy_ssl_session_reuse off;"]),
    ]


class Nginx(Peer):
    name, title, package = "nginx", "nginx stream", "Debian: nginx, libnginx-mod-stream"
    binaries = ("nginx",)
    version_arguments = ("-V",)

    def _is_built_in(self):
        told = subprocess.run([self.binary, "-V"], capture_output=True, text=True, check=False)
        return "--with-stream" in told.stderr.split()

    def missing(self):
        words = super().missing()
        if not words and not os.path.exists(_MODULE) and not self._is_built_in():
            words = f"has no stream module ({self.package})"
        return words

    def command(self, end):
        path = end.write(
            "nginx.conf",
            *([f"load_module {_MODULE};"] if os.path.exists(_MODULE) else []),
            *(["user root;"] if os.geteuid() == 0 else []),
            "daemon off;",
            f"pid {end.directory}/nginx.pid;",
            "error_log /dev/null crit;",
            f"worker_processes {WORKERS};",
            "events {",
            # A connection of the stream module is two of the worker's, and one worker may get nearly all.
            f"    worker_connections {2 * end.connections};",
            "}",
            "stream {",
            "    server {",
            *(_encrypt(end) if end.encrypting else _offload(end)),
            f"        proxy_pass 127.0.0.1:{end.connect};",
            "        proxy_half_close on;",
            "        proxy_connect_timeout 10s;",
            "        proxy_timeout 1h;",
            "    }",
            "}",
        )
        return [self.binary, "-p", end.directory, "-e", "/dev/null", "-c", path]
