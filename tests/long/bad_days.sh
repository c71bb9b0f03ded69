#!/bin/sh
# SPDX-License-Identifier: ISC
# The bad days of the laboratory, under sanitizers; as root.
exec "$1/contrib/quickstart" bad-days
