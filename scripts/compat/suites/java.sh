#!/usr/bin/env bash
# Apache Kafka's own clients and command-line tools, from Maven.
source "$(dirname "$0")/common.sh"
source "$here/maven.sh"

prepare() { kafka_jars; }

# tool CLASS ARGS… runs one of Kafka's programs; what it logs goes to a file.
tool() {
	local class=$1
	shift
	java -Xmx256m -XX:TieredStopAtLevel=1 -cp "$jars/*" "org.apache.kafka.tools.$class" "$@" 2>>"$COMPAT_OUT/tools.log"
}

# named is a fresh name.
named() { echo "java-$1-$RANDOM$RANDOM"; }

# create TOPIC PARTITIONS
create() { tool TopicCommand --bootstrap-server "$b" --create --topic "$1" --partitions "$2" --replication-factor "$COMPAT_NODES"; }

# has WHAT TEXT fails, and shows the text, when it does not have it.
has() { grep -qE -- "$1" <<<"$2" || { echo "no \"$1\" in: $2" && return 1; }; }

# is WANT GOT
is() { [ "$1" = "$2" ] || { echo "want $1, got $2" && return 1; }; }

case_api_versions() { has '\(id: [0-9]+ .*\) -> \(' "$(tool BrokerApiVersionsCommand --bootstrap-server "$b")"; }

case_topics() {
	local t out
	t=$(named topics)
	has "Created topic $t" "$(create "$t" 2)"
	tool TopicCommand --bootstrap-server "$b" --alter --topic "$t" --partitions 4
	out=$(tool TopicCommand --bootstrap-server "$b" --describe --topic "$t")
	has 'PartitionCount: 4' "$out"
	has 'Isr: [0-9]' "$out"
	has "^$t\$" "$(tool TopicCommand --bootstrap-server "$b" --list)"
	tool TopicCommand --bootstrap-server "$b" --delete --topic "$t"
	! tool TopicCommand --bootstrap-server "$b" --list | grep -qx "$t"
}

case_configs() {
	local t
	t=$(named configs)
	create "$t" 1
	config() { java -Xmx256m -XX:TieredStopAtLevel=1 -cp "$jars/*" kafka.admin.ConfigCommand --bootstrap-server "$b" "$@" 2>>"$COMPAT_OUT/tools.log"; }
	config --alter --entity-type topics --entity-name "$t" --add-config retention.ms=7200000,cleanup.policy=compact
	has 'retention.ms=7200000' "$(config --describe --entity-type topics --entity-name "$t")"
	config --alter --entity-type topics --entity-name "$t" --delete-config retention.ms
	! config --describe --entity-type topics --entity-name "$t" | grep -q 'retention.ms=7200000'
	has 'All configs for broker' "$(config --describe --all --entity-type brokers --entity-name "$(broker_id)")"
}

broker_id() { "$STREAMFLOW" broker list -b "$b" -o json | sed -nE '1s/^\{"id":([0-9]+),.*/\1/p'; }

case_console() {
	local t
	t=$(named console)
	create "$t" 3
	seq 500 | sed 's/^/k&:v/' | tool ConsoleProducer --bootstrap-server "$b" --topic "$t" --reader-property parse.key=true --reader-property key.separator=:
	is 500 "$(tool consumer.ConsoleConsumer --bootstrap-server "$b" --topic "$t" --from-beginning --max-messages 500 --timeout-ms 30000 --formatter-property print.key=true | sort -u | wc -l)"
}

# round_trip CONSUMER-ARGS… acknowledged records are the ones consumed, each once.
round_trip() {
	local t acked seen
	t=$(named verifiable)
	create "$t" 3 >/dev/null
	acked=$(tool VerifiableProducer --bootstrap-server "$b" --topic "$t" --max-messages 5000 --acks -1 --value-prefix 7 | grep -c '"producer_send_success"')
	is 5000 "$acked"
	seen=$(tool VerifiableConsumer --bootstrap-server "$b" --topic "$t" --group-id "$t" --max-messages 5000 --reset-policy earliest --verbose "$@" | grep -c '"name":"record_data"') || true
	is 5000 "$seen"
}

case_verifiable() { round_trip --assignment-strategy org.apache.kafka.clients.consumer.RangeAssignor; }
case_verifiable_cooperative() { round_trip --assignment-strategy org.apache.kafka.clients.consumer.CooperativeStickyAssignor; }
case_verifiable_static() { round_trip --group-instance-id "$(named member)"; }
case_next_group_range() { round_trip --group-protocol consumer --group-remote-assignor range; }
case_next_group_uniform() { round_trip --group-protocol consumer --group-remote-assignor uniform; }

case_share_group() {
	local t
	t=$(named share)
	create "$t" 2 >/dev/null
	java -Xmx256m -XX:TieredStopAtLevel=1 -cp "$jars/*" kafka.admin.ConfigCommand --bootstrap-server "$b" --alter --entity-type groups --entity-name "$t" --add-config share.auto.offset.reset=earliest 2>>"$COMPAT_OUT/tools.log"
	seq 300 | tool ConsoleProducer --bootstrap-server "$b" --topic "$t"
	is 300 "$(tool consumer.ConsoleShareConsumer --bootstrap-server "$b" --topic "$t" --group "$t" --max-messages 300 --timeout-ms 30000 | sort -u | wc -l)"
}

# case_copier moves records from one topic to another in transactions, some of which it aborts: each arrives once.
case_copier() {
	local from to
	from=$(named in) to=$(named out)
	create "$from" 1 && create "$to" 1
	tool VerifiableProducer --bootstrap-server "$b" --topic "$from" --max-messages 2000 --acks -1 | has 2000 "$(cat)"
	tool TransactionalMessageCopier --broker-list "$b" --input-topic "$from" --input-partition 0 --output-topic "$to" --consumer-group "$from" --transactional-id "$from" \
		--transaction-size 100 --max-messages 2000 --enable-random-aborts | tail -n 1
	is 2000 "$(tool consumer.ConsoleConsumer --bootstrap-server "$b" --topic "$to" --from-beginning --isolation-level read_committed --timeout-ms 8000 | sort -u | wc -l)"
}

case_producer_perf() {
	local t
	t=$(named perf)
	create "$t" 3
	has '20000 records sent' "$(tool ProducerPerformance --bootstrap-server "$b" --topic "$t" --num-records 20000 --record-size 100 --throughput -1 --command-property acks=all --command-property enable.idempotence=true --command-property compression.type=lz4)"
	has '[0-9]' "$(tool ConsumerPerformance --bootstrap-server "$b" --topic "$t" --num-records 20000 --timeout 30000 --hide-header)"
}

case_transactional_producer() {
	local t
	t=$(named txn)
	create "$t" 3
	has '5000 records sent' "$(tool ProducerPerformance --bootstrap-server "$b" --topic "$t" --num-records 5000 --record-size 100 --throughput -1 --transactional-id "$t" --transaction-duration-ms 200)"
	is 5000 "$(tool consumer.ConsoleConsumer --bootstrap-server "$b" --topic "$t" --from-beginning --isolation-level read_committed --timeout-ms 8000 | wc -l)"
	has "$t" "$(tool TransactionsCommand --bootstrap-server "$b" list)"
	has 'CompleteCommit|Empty' "$(tool TransactionsCommand --bootstrap-server "$b" describe --transactional-id "$t")"
	has 'ProducerId' "$(tool TransactionsCommand --bootstrap-server "$b" describe-producers --topic "$t" --partition 0)"
	tool TransactionsCommand --bootstrap-server "$b" find-hanging --broker-id "$(broker_id)"
}

case_groups() {
	local t out
	t=$(named groups)
	create "$t" 2
	seq 100 | tool ConsoleProducer --bootstrap-server "$b" --topic "$t"
	tool consumer.ConsoleConsumer --bootstrap-server "$b" --topic "$t" --group "$t" --from-beginning --max-messages 100 --timeout-ms 30000 | wc -l
	group() { tool consumer.group.ConsumerGroupCommand --bootstrap-server "$b" "$@"; }
	has "^$t\$" "$(group --list)"
	has "$t" "$(tool GroupsCommand --bootstrap-server "$b" --list)"
	has "$t +$t +0 +[0-9]+ +[0-9]+ +0" "$(group --describe --group "$t")"
	has 'Empty' "$(group --describe --group "$t" --state)"
	group --reset-offsets --group "$t" --topic "$t" --to-earliest --execute
	out=$(group --describe --group "$t")
	has "$t +$t +0 +0 " "$out"
	group --delete-offsets --group "$t" --topic "$t:0"
	has 'successful' "$(group --delete --group "$t")"
}

case_get_offsets() {
	local t
	t=$(named offsets)
	create "$t" 1
	seq 10 | tool ConsoleProducer --bootstrap-server "$b" --topic "$t"
	has "^$t:0:10\$" "$(tool GetOffsetShell --bootstrap-server "$b" --topic "$t")"
	has "^$t:0:0\$" "$(tool GetOffsetShell --bootstrap-server "$b" --topic "$t" --time earliest)"
	has "^$t:0:[0-9]\$" "$(tool GetOffsetShell --bootstrap-server "$b" --topic "$t" --time max-timestamp)"
	has "^$t:0:0\$" "$(tool GetOffsetShell --bootstrap-server "$b" --topic "$t" --time earliest-local)"
}

case_delete_records() {
	local t
	t=$(named delete)
	create "$t" 1
	seq 10 | tool ConsoleProducer --bootstrap-server "$b" --topic "$t"
	echo "{\"partitions\":[{\"topic\":\"$t\",\"partition\":0,\"offset\":4}],\"version\":1}" >"$COMPAT_OUT/$t.json"
	has 'low_watermark: 4' "$(tool DeleteRecordsCommand --bootstrap-server "$b" --offset-json-file "$COMPAT_OUT/$t.json")"
	has "^$t:0:4\$" "$(tool GetOffsetShell --bootstrap-server "$b" --topic "$t" --time earliest)"
}

case_acls() {
	local t
	t=$(named acl)
	has 'Adding ACLs' "$(tool AclCommand --bootstrap-server "$b" --add --allow-principal User:ann --operation Read --operation Describe --topic "$t")"
	has 'User:ann' "$(tool AclCommand --bootstrap-server "$b" --list --topic "$t")"
	tool AclCommand --bootstrap-server "$b" --remove --force --allow-principal User:ann --operation Read --operation Describe --topic "$t"
	! tool AclCommand --bootstrap-server "$b" --list --topic "$t" | grep -q 'User:ann'
}

case_log_dirs() { has '"partition"|"logDirs"' "$(tool LogDirsCommand --bootstrap-server "$b" --describe)"; }
case_elect_leaders() { tool LeaderElectionCommand --bootstrap-server "$b" --election-type preferred --all-topic-partitions; }
case_reassignments() { has 'No partition reassignments found|Current partition reassignments' "$(tool reassign.ReassignPartitionsCommand --bootstrap-server "$b" --list)"; }
case_features() { has 'Feature: ' "$(tool FeatureCommand --bootstrap-server "$b" describe)"; }
case_quorum() { has 'LeaderId' "$(tool MetadataQuorumCommand --bootstrap-server "$b" describe --status)"; }

run() {
	local c cases
	cases=$(declare -F | sed -n 's/^declare -f case_//p')
	for c in $cases; do
		case $c in
		next_group_*) serves 68 || { result skipped "$c" "the nodes do not serve ConsumerGroupHeartbeat" && continue; } ;;
		share_group) serves 78 || { result skipped "$c" "the nodes do not serve ShareFetch" && continue; } ;;
		esac
		step "$c" 90 bash "$here/java.sh" "$c"
	done
}

b=${COMPAT_BOOTSTRAP:-}
b=${b%%,*} # of a cluster, one node: the others are found
case $1 in
prepare | run) "$1" ;;
*) "case_$1" ;;
esac
