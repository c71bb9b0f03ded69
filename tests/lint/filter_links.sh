#!/bin/sh
# SPDX-License-Identifier: ISC
# What runs inside a mail server must stay small: whatever goes wrong in the
# filter takes smtpd down, so no DNS, HTTP, TLS or database library may come
# with it, and while it waited for the system's resolver, all mail would wait.
# Exim starts strictmx-exim for each recipient.
set -eu

echo 1..4
if ! command -v readelf >/dev/null 2>&1; then
	for n in 1 2 3 4; do
		echo "not ok $n - readelf is missing (Debian package: binutils)"
	done
	exit 1
fi
status=0

# check NUMBER WHAT FOUND: fails when something was found
check() {
	if [ -z "$3" ]; then
		echo "ok $1 - $2"
	else
		echo "not ok $1 - $2"
		echo "# found: $(echo "$3" | tr '\n' ' ')"
		status=1
	fi
}
# look NUMBER PROGRAM: two checks, from NUMBER on
look() {
	file=${builddir:-.}/filter/$2
	needed=$(LC_ALL=C readelf -d "$file" |
		sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
	bad=$(echo "$needed" | grep -E \
		'^lib(curl|ssl|crypto|getdns|ldns|unbound|sqlite3|jansson)' || :)
	# Only what it wants of others: sanitizers define some themselves.
	asked=$(LC_ALL=C readelf -W --dyn-syms "$file" | grep ' UND ' |
		grep -Eo ' (getaddrinfo|getnameinfo|gethostbyname|res_n?query)' ||
		:)
	[ -n "$needed" ] || bad="no library at all"
	check "$1" "$2 links no library of the engine" "$bad"
	check "$(($1 + 1))" "$2 asks the system's resolver nothing" "$asked"
}
look 1 filter-strictmx
look 3 strictmx-exim
exit $status
