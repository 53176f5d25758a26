#!/usr/bin/env bash
# What foreign suites ask of Kafka's kafka-acls.sh, done by streamflow acl.
set -eu
streamflow=${STREAMFLOW:-streamflow}
action="" args=()
while [ $# -gt 0 ]; do
	case $1 in
	--bootstrap-server) export STREAMFLOW_KAFKA=$2 && shift ;;
	--add) action=add ;;
	--remove) action=remove ;;
	--list) action=list ;;
	--force) ;;
	--allow-principal | --deny-principal)
		flag=${1%-principal}
		[ "$action" = add ] || flag=--principal
		args+=("$flag" "$2") && shift
		;;
	--allow-host | --deny-host) args+=(--host "$2") && shift ;;
	--operation) args+=(--operation "$(sed 's/\([a-z]\)\([A-Z]\)/\1-\2/g' <<<"$2" | tr '[:upper:]' '[:lower:]')") && shift ;;
	--topic | --group | --transactional-id) args+=("$1" "$2") && shift ;;
	*) echo "kafka-acls.sh: $1 is not known here" >&2 && exit 2 ;;
	esac
	shift
done
exec "$streamflow" acl "$action" ${args[@]+"${args[@]}"}
