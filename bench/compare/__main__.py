# SPDX-License-Identifier: MIT
"""Compare sallyport with other tunnels: python3 bench/compare --help."""

import os
import sys

# As a package its files can be told from those of the standard library.
sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from compare.command import main  # noqa: E402

sys.exit(main())
