#!/bin/sh
# SPDX-License-Identifier: ISC
# 200 times kill -9 at a random moment: is the store what was answered with?
# Run in the build directory.
make -s tests/unit/test_store_kill && KILLS=200 tests/unit/test_store_kill
