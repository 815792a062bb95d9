#!/bin/sh
# SPDX-License-Identifier: MIT
# Every C file has the form of .clang-format.
. "${srcdir:-.}/tests/style/files.sh"
need clang-format clang-format

files=$(c_files)
cd "$srcdir" || exit 1
# shellcheck disable=SC2086 # names of sources have no blanks
clang-format --dry-run -Werror $files ||
	fail "the lines above are not in the form of .clang-format; clang-format -i FILE puts them so"
