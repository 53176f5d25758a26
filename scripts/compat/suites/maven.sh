# Sourced: Apache Kafka's jars with what they need, from Maven, in the cache.
kafka_version=4.3.1
jars=${COMPAT_CACHE:?}/../kafka-jars-$kafka_version

# kafka_jars fetches them.
kafka_jars() {
	[ -f "$jars/.done" ] && return
	need java && need mvn
	mkdir -p "$jars"
	local artifacts="" a
	for a in kafka_2.13 kafka-tools kafka-clients; do
		artifacts+="<dependency><groupId>org.apache.kafka</groupId><artifactId>$a</artifactId><version>$kafka_version</version></dependency>"
	done
	# The logger of Kafka's distribution, without which it says nothing.
	artifacts+="<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>"
	echo "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion><groupId>compat</groupId><artifactId>compat</artifactId><version>1</version><packaging>pom</packaging><dependencies>$artifacts</dependencies></project>" >"$jars/pom.xml"
	mvn -q -B -f "$jars/pom.xml" dependency:copy-dependencies -DoutputDirectory="$jars" || skip "Maven does not serve Apache Kafka $kafka_version"
	touch "$jars/.done"
}
