#!/bin/sh
# SPDX-License-Identifier: MIT
# No function is longer than 60 lines or has more than 6 parameters, no file is longer than 600. What is
# called on_<event> has the parameters that its library calls it with; clang-tidy has a limit for those.
. "${srcdir:-.}/tests/style/files.sh"

files=$(c_files | grep -E '^(common|tunnel|bench)/')
cd "$srcdir" || exit 1
# Braces of functions stand alone at the beginning of a line, and those of nothing else.
# shellcheck disable=SC2086 # names of sources have no blanks
awk -v most=60 -v most_of_file=600 -v most_parameters=6 '
	FNR == 1 { begin = 0 }
	FNR == most_of_file + 1 {
		print FILENAME ":" FNR ": the file has more than " most_of_file " lines"
		bad = 1
	}
	/^[A-Za-z_][A-Za-z0-9_]*\(/ { function_name = $0; sub(/\(.*/, "", function_name) }
	/^[A-Za-z_][A-Za-z0-9_]*\(/ { parameters = "" }
	!begin { parameters = parameters $0 }
	/^\{$/ {
		begin = FNR
		count = gsub(/,/, "", parameters) + 1
		if (count > most_parameters && function_name !~ /^on_/) {
			print FILENAME ":" FNR ": " function_name "() has " count \
				" parameters, more than " most_parameters
			bad = 1
		}
	}
	/^\}/ && begin {
		if (FNR - begin + 1 > most) {
			print FILENAME ":" begin ": " function_name "() has " FNR - begin + 1 \
				" lines, more than " most
			bad = 1
		}
		begin = 0
	}
	END { exit bad }' $files || fail "the functions or files above do too much: split them"
