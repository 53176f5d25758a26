# Sourced by the scripts of the suites.
#   COMPAT_CACHE       the suite's directory: what it fetched and built stays there
#   COMPAT_OUT         where results go
#   COMPAT_BOOTSTRAP   HOST:PORT,… of the nodes
#   COMPAT_NODES       how many there are
#   COMPAT_NODES_DIR   their directories, logs, process ids and how to start them again
#   COMPAT_APIS        KEY:MAX of each API that they serve, space separated
#   COMPAT_ONLY        run only these cases, one a line; all without
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
export STREAMFLOW=${COMPAT_PROGRAM:-$root/bin/streamflow}

# skip says why a suite cannot run here, and ends.
skip() {
	echo "skipped: $*"
	exit 77
}

need() {
	command -v "$1" >/dev/null 2>&1 || skip "$1 is not installed"
}

# packages installs Debian packages where it can.
packages() {
	local missing=()
	for p in "$@"; do dpkg -s "$p" >/dev/null 2>&1 || missing+=("$p"); done
	[ ${#missing[@]} = 0 ] && return
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || skip "needs the packages ${missing[*]}"
	{ apt-get update -qq && apt-get install -y -qq "${missing[@]}"; } >"$COMPAT_CACHE/apt.log" 2>&1 || skip "apt-get cannot install ${missing[*]}"
}

# serves tells whether the nodes serve an API.
serves() { [[ " ${COMPAT_APIS:-} " == *" $1:"* ]]; }

# result appends a line for parse_lines: result passed|failed|skipped NAME [why]
result() {
	local why=${3:-}
	why=${why//$'\n'/; }
	echo "$1 $2${why:+: $why}" >>"$COMPAT_OUT/steps.lines"
}

# wanted tells whether a case is to be run.
wanted() { [ -z "${COMPAT_ONLY:-}" ] || grep -qxF -- "$1" <<<"$COMPAT_ONLY"; }

# step NAME SECONDS COMMAND… runs a command as a case: its output is the reason when it fails, or, with code 77, is skipped.
step() {
	local name=$1 limit=$2 out code=0
	shift 2
	wanted "$name" || return 0
	out=$(timeout -k 5 "$limit" "$@" 2>&1) || code=$?
	out=$(tail -c 400 <<<"$out")
	case $code in
	0) result passed "$name" ;;
	77) result skipped "$name" "$out" ;;
	124 | 137) result failed "$name" "not done within $limit s: $out" ;;
	*) result failed "$name" "$out" ;;
	esac
}

cd "$COMPAT_CACHE"
