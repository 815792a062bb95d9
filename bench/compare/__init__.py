# SPDX-License-Identifier: MIT
"""The comparison: complete pairs, plaintext to TLS to plaintext, under the same loads."""
