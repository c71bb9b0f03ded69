# SPDX-License-Identifier: ISC
"""The bad days: trials of what must not harm mail, more than every run of the
lab has time for. `make check-long` runs them all under sanitizers."""
import bad_clients
import bad_clock
import bad_engine
import bad_input
import bad_network
import bad_relay
import bad_server
import bad_state
import exim_trials

BAD_DAYS = [*bad_engine.TRIALS, *bad_server.TRIALS, *bad_network.TRIALS,
            *bad_state.TRIALS, *bad_clients.TRIALS, *bad_clock.TRIALS,
            *bad_input.TRIALS, *exim_trials.BAD_TRIALS, *bad_relay.TRIALS]

# These take seconds and are a part of `contrib/quickstart test`.
QUICK = [bad_engine.hangup, *bad_server.TRIALS, *bad_state.TRIALS,
         *bad_clients.TRIALS, *bad_input.TRIALS]
