# SPDX-License-Identifier: MIT
"""What the end-to-end tests are made of: peers, certificates, ports and the program under test."""
