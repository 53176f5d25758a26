#!/usr/bin/env bash
# Installs the clients that nobody here wrote and that some tests use: kcat (librdkafka). It never fails a build: what cannot
# be installed is left out, with the reason, and the tests that need it say that they were skipped.
set -uo pipefail

have() { command -v "$1" >/dev/null 2>&1; }

install_kcat() {
	have kcat && { echo "kcat: $(command -v kcat)"; return; }
	have apt-get || { echo "kcat skipped: there is no apt-get; install kcat by hand"; return; }
	local sudo=
	if [ "$(id -u)" != 0 ]; then
		sudo -n true 2>/dev/null || { echo "kcat skipped: apt-get needs root"; return; }
		sudo="sudo -n"
	fi
	local log
	log=$(export DEBIAN_FRONTEND=noninteractive; { $sudo timeout 60 apt-get update -qq && $sudo timeout 120 apt-get install -y -qq --no-install-recommends kcat; } 2>&1)
	if have kcat; then
		echo "kcat: $(command -v kcat)"
	else
		echo "kcat skipped: apt-get install failed: $(tail -1 <<<"$log")"
	fi
}

install_kcat
exit 0
