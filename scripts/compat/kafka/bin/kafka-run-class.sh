#!/usr/bin/env bash
# What foreign suites ask of Kafka's kafka-run-class.sh: a Java class with Kafka's jars, if Maven serves them.
exec java -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "${CLASSPATH:-.}:$KAFKA_PATH/libs/*" "$@"
