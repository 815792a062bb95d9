# SPDX-License-Identifier: MIT
"""The programs that are compared, one file each. The first is the one that the others are compared with."""

from compare.peers.ghostunnel import Ghostunnel
from compare.peers.haproxy import HAProxy
from compare.peers.nginx import Nginx
from compare.peers.relay import Relay
from compare.peers.sallyport import Sallyport
from compare.peers.stunnel import Stunnel

ALL = (Sallyport, HAProxy, Nginx, Stunnel, Ghostunnel, Relay)
SUBJECT = Sallyport.name
