#!/usr/bin/env bash
# What foreign suites ask of Kafka's kafka-topics.sh, done by streamflow topic.
set -eu
streamflow=${STREAMFLOW:-streamflow}
action="" topic="" args=()
while [ $# -gt 0 ]; do
	case $1 in
	--bootstrap-server) export STREAMFLOW_KAFKA=$2 && shift ;;
	--create | --delete | --alter | --describe | --list) action=${1#--} ;;
	--topic) topic=$2 && shift ;;
	--partitions | --replication-factor | --config) args+=("$1" "$2") && shift ;;
	--if-not-exists) args+=("$1") ;;
	--command-config) shift ;;
	*) echo "kafka-topics.sh: $1 is not known here" >&2 && exit 2 ;;
	esac
	shift
done
if [ "$action" = list ]; then
	exec "$streamflow" topic list
fi
exec "$streamflow" topic "$action" ${topic:+"$topic"} ${args[@]+"${args[@]}"}
