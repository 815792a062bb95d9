#!/bin/sh
# SPDX-License-Identifier: MIT
# The real program against real peers. Arguments go to pytest; without any, the long soaks are left out.
. "${srcdir:-.}/tests/style/files.sh"

python=/usr/bin/python3
"$python" -m pytest --version >/dev/null 2>&1 ||
	skip "$python has no pytest (Debian: python3-pytest)"
test $# -gt 0 || set -- -m "not long"
# Most tests mostly wait, so some run beside each other where that can be done.
"$python" -c "import xdist" 2>/dev/null && set -- -n 4 "$@"

alone
SALLYPORT=$builddir/sallyport
LOAD=$builddir/bench/load
# Nothing is left in the sources.
PYTHONDONTWRITEBYTECODE=1
export SALLYPORT LOAD PYTHONDONTWRITEBYTECODE
# The programs that are tested must not hold the lock when a test leaves one behind.
(cd "$srcdir/tests/e2e" && exec "$python" -m pytest -q -p no:cacheprovider --durations=10 "$@" . 9>&-)
status=$?
if test "$status" -eq 5; then
	skip "no test was asked for by \"$*\""
fi
exit "$status"
