#!/bin/sh
# SPDX-License-Identifier: ISC
# The filter must stay small: whatever goes wrong in it takes the whole mail
# server down, so no DNS, HTTP, TLS or database library may come with it.
set -eu
filter=${builddir:-.}/filter/filter-strictmx

echo 1..1
if ! command -v readelf >/dev/null 2>&1; then
	echo "ok 1 # SKIP no readelf"
	exit 0
fi
needed=$(LC_ALL=C readelf -d "$filter" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
bad=$(echo "$needed" |
	grep -E '^lib(curl|ssl|crypto|getdns|ldns|unbound|sqlite3|jansson)' || :)
if [ -n "$needed" ] && [ -z "$bad" ]; then
	echo "ok 1 - the filter links no library of the engine"
else
	echo "not ok 1 - the filter links no library of the engine"
	echo "# needed: $(echo "$needed" | tr '\n' ' ')"
	exit 1
fi
