#!/bin/sh
# SPDX-License-Identifier: ISC
# The layers: proto/ is pure, common/ knows no front end, nothing but tests
# knows the tests.
. "$(dirname "$0")/lint.sh"

# includes DIRECTORY: "file:line:header", the header in its quotes or brackets.
includes() {
	files '*.[ch]' | grep "^$1/" |
	    xargs -r grep -nH '^[[:space:]]*#[[:space:]]*include' |
	    sed 's/:[[:space:]]*#[[:space:]]*include[[:space:]]*/:/'
}

# What a pure function does not call.
impure='time|gettimeofday|clock_gettime|sleep|socket|connect|bind|listen|'
impure="$impure"'accept|send|sendto|recv|recvfrom|getaddrinfo|gethostname|'
impure="$impure"'open|fopen|read|write|getenv|printf|fork|exit'

includes proto | grep -v ':"proto/' |
    grep -vE ':<(assert|ctype|errno|inttypes|limits|std(bool|def|int|io|lib))\.h>' |
    grep -vE ':<(strings?|arpa/inet|netinet/in|idn2|ldns/[a-z]+)\.h>' |
    check "proto/ includes proto/, libc, libidn2 and ldns only"
files '*.[ch]' | grep '^proto/' |
    xargs grep -nHE "(^|[^_[:alnum:]])($impure)\\(" |
    grep -vE '^[^:]*:[0-9]*:[[:space:]]*(/\*|\*)' |
    check "proto/ asks no clock, opens nothing, prints nothing"
includes common | grep -E ':"' | grep -vE ':"(common|proto)/' |
    check "common/ includes common/ and proto/ only"
includes filter | grep -E ':"' | grep -vE ':"(filter|common|proto)/' |
    check "filter/ does not include the tests"
finish
