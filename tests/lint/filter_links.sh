#!/bin/sh
# SPDX-License-Identifier: ISC
# The filter must stay small: whatever goes wrong in it takes the whole mail
# server down, so no DNS, HTTP, TLS or database library may come with it; and
# while it waited for the system's resolver, all mail would wait.
set -eu
filter=${builddir:-.}/filter/filter-strictmx

echo 1..2
if ! command -v readelf >/dev/null 2>&1; then
	echo "not ok 1 - readelf is missing (Debian package: binutils)"
	echo "not ok 2 - readelf is missing (Debian package: binutils)"
	exit 1
fi
needed=$(LC_ALL=C readelf -d "$filter" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
bad=$(echo "$needed" |
	grep -E '^lib(curl|ssl|crypto|getdns|ldns|unbound|sqlite3|jansson)' || :)
# Only what it wants of others: sanitizers define some of these themselves.
asked=$(LC_ALL=C readelf -W --dyn-syms "$filter" | grep ' UND ' |
	grep -Eo ' (getaddrinfo|getnameinfo|gethostbyname|res_n?query)' || :)
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
[ -n "$needed" ] || bad="no library at all"
check 1 "the filter links no library of the engine" "$bad"
check 2 "the filter asks the system's resolver nothing" "$asked"
exit $status
