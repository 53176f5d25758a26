package config

import "time"

// Config is a node's configuration.
type Config struct {
	ClusterName       string
	NodeID            int64
	Peer              string
	Voters            []Voter
	Join              []string
	Rack              string
	Secret            string
	PeerCert          string
	PeerKey           string
	PeerCA            string
	ReplicationFactor int64
	MinISR            int64
	SessionTimeout    time.Duration
	RebalanceInterval time.Duration
	ReassignRate      int64

	DataDir        string
	SegmentBytes   int64
	SegmentAge     time.Duration
	SegmentRecords int64
	RetentionHours int64
	RetentionBytes int64
	SyncPolicy     string
	SyncInterval   time.Duration
	Tier           Tier
	StateInterval  time.Duration
	Savepoints     string

	CompactionInterval time.Duration
	CompactionMemory   int64
	ScrubRate          int64
	ScrubInterval      time.Duration
	OpenFiles          int64

	Slots  int64
	Memory int64

	Kafka           string
	AdvertisedKafka string
	Connect         string
	HTTP            string
	Insecure        bool
	MaxRequestBytes int64

	AutoCreateTopics  bool
	DefaultPartitions int64

	Metrics  bool
	LogLevel string

	Security Security
}

// Tier is the cold tier.
type Tier struct {
	Enabled     bool
	URL         string
	Endpoint    string
	Region      string
	AccessKey   string
	SecretKey   string
	PathStyle   bool
	Interval    time.Duration
	CacheMemory int64
	CacheDisk   int64
}

// Setting is one key.
type Setting struct {
	Key     string
	Default string
	Doc     string
	set     func(c *Config, text string) error
}

// Settings is the table of all keys, in the order of the reference.
var Settings = append([]Setting{
	{"cluster.name", "streamflow", "Name of the cluster, shown to clients. Nodes of another name are no peers: give each of your clusters its own.", text(func(c *Config) *string { return &c.ClusterName })},
	{"cluster.node_id", "0", "Number of the node in its cluster, another for each.", count(func(c *Config) *int64 { return &c.NodeID }, 0)},
	{"cluster.peer", "", "Address where other nodes reach this one; with it the node is one of several.", text(func(c *Config) *string { return &c.Peer })},
	{"cluster.voters", "", "The nodes that keep the metadata log, one, three or five, as `ID@HOST:PORT` of their peer addresses; the same list on every node.", voters(func(c *Config) *[]Voter { return &c.Voters })},
	{"cluster.join", "", "For a node that is no voter: peer addresses of nodes that it asks to be let in.", list(func(c *Config) *[]string { return &c.Join })},
	{"cluster.rack", "", "Rack or zone of the node. A partition's replicas are in different ones while there are enough.", text(func(c *Config) *string { return &c.Rack })},
	{"cluster.secret", "", "Secret that the nodes of a cluster share, to know each other. Better given as `STREAMFLOW_CLUSTER_SECRET`.", text(func(c *Config) *string { return &c.Secret })},
	{"cluster.tls_cert", "", "Certificate (PEM) of the peer port; with it nodes talk over TLS.", text(func(c *Config) *string { return &c.PeerCert })},
	{"cluster.tls_key", "", "Its private key (PEM).", text(func(c *Config) *string { return &c.PeerKey })},
	{"cluster.tls_ca", "", "Certificates (PEM) that the nodes' certificates are signed by; they are asked of both sides.", text(func(c *Config) *string { return &c.PeerCA })},
	{"cluster.replication_factor", "0", "Replicas of topics created without a number; 0 is three, or as many as there are nodes.", count(func(c *Config) *int64 { return &c.ReplicationFactor }, 0)},
	{"cluster.min_insync_replicas", "0", "Replicas that must have a record before it is acknowledged (acks=all), of topics that do not say; 0 is two, or one for topics of one or two replicas.", count(func(c *Config) *int64 { return &c.MinISR }, 0)},
	{"cluster.session_timeout", "6s", "A node that is silent for so long is left out: others lead its partitions.", duration(func(c *Config) *time.Duration { return &c.SessionTimeout })},
	{"cluster.rebalance_interval", "5m", "How often partitions go back to the node that is to lead them, when it was away.", duration(func(c *Config) *time.Duration { return &c.RebalanceInterval })},
	{"cluster.reassignment_rate", "0", "Bytes a second that a node fetches of partitions that are moved to it; 0 is no limit.", size(func(c *Config) *int64 { return &c.ReassignRate })},
	{"storage.data_dir", "data", "Directory that holds everything the node keeps.", text(func(c *Config) *string { return &c.DataDir })},
	{"storage.segment_size", "1GiB", "A segment is sealed at this size.", size(func(c *Config) *int64 { return &c.SegmentBytes })},
	{"storage.segment_age", "24h", "A segment is sealed at this age.", duration(func(c *Config) *time.Duration { return &c.SegmentAge })},
	{"storage.segment_records", "1000000", "A segment is sealed at this number of records.", count(func(c *Config) *int64 { return &c.SegmentRecords }, 1)},
	{"storage.retention_hours", "168", "Records are kept this long, unless a topic says otherwise; -1 for ever.", count(func(c *Config) *int64 { return &c.RetentionHours }, -1)},
	{"storage.retention_bytes", "-1", "Bytes kept of each partition, unless a topic says otherwise; -1 for all.", count(func(c *Config) *int64 { return &c.RetentionBytes }, -1)},
	{"storage.wal.sync_policy", "fsync_per_batch", "When an append is acknowledged: fsync_per_batch (after the fsync it shares with all that waited), fsync_per_write (after one of its own), async (before it is on disk).",
		oneOf(func(c *Config) *string { return &c.SyncPolicy }, "fsync_per_batch", "fsync_per_write", "async")},
	{"storage.wal.flush_interval", "1s", "Under async, the longest time before an append is on disk.", duration(func(c *Config) *time.Duration { return &c.SyncInterval })},
	{"storage.compaction_interval", "15s", "How often it is looked which compacted topics are due for a compaction.", duration(func(c *Config) *time.Duration { return &c.CompactionInterval })},
	{"storage.compaction_memory", "64MiB", "Memory of a compaction, 24 bytes for a key; what does not fit takes another pass.", size(func(c *Config) *int64 { return &c.CompactionMemory })},
	{"storage.scrub_rate", "8MiB", "Bytes a second that are read in search of damage; 0 reads none.", size(func(c *Config) *int64 { return &c.ScrubRate })},
	{"storage.scrub_interval", "24h", "Pause between two readings of everything.", duration(func(c *Config) *time.Duration { return &c.ScrubInterval })},
	{"storage.open_files", "4096", "Segment files that stay open while nobody reads them.", count(func(c *Config) *int64 { return &c.OpenFiles }, 1)},
	{"storage.state.checkpoint_interval", "30s", "How often the state of streaming queries is written to a snapshot.", duration(func(c *Config) *time.Duration { return &c.StateInterval })},
	{"storage.state.savepoints", "", "Where savepoints of streaming queries are kept: s3://BUCKET/PREFIX (with the settings of storage.tier.s3), or a directory; empty: the directory savepoints in the data directory.", text(func(c *Config) *string { return &c.Savepoints })},
	{"storage.tier.enabled", "false", "Topics may give their sealed segments to a cold tier, by remote.storage.enable.", flag(func(c *Config) *bool { return &c.Tier.Enabled })},
	{"storage.tier.url", "", "Where the cold tier keeps them: s3://BUCKET/PREFIX, or a directory; empty: the directory tier in the data directory.", text(func(c *Config) *string { return &c.Tier.URL })},
	{"storage.tier.s3.endpoint", "https://s3.amazonaws.com", "URL of the S3 service.", text(func(c *Config) *string { return &c.Tier.Endpoint })},
	{"storage.tier.s3.region", "us-east-1", "Its region.", text(func(c *Config) *string { return &c.Tier.Region })},
	{"storage.tier.s3.access_key", "", "Access key; empty: the usual variables of AWS, then ~/.aws/credentials, then the machine's role.", text(func(c *Config) *string { return &c.Tier.AccessKey })},
	{"storage.tier.s3.secret_key", "", "Its secret.", text(func(c *Config) *string { return &c.Tier.SecretKey })},
	{"storage.tier.s3.path_style", "true", "The bucket stands in the path of a request; false: in the host's name.", flag(func(c *Config) *bool { return &c.Tier.PathStyle })},
	{"storage.tier.interval", "10s", "How often sealed segments are looked for.", duration(func(c *Config) *time.Duration { return &c.Tier.Interval })},
	{"storage.tier.cache_memory", "64MiB", "What was read of the tier stays in memory up to this size.", size(func(c *Config) *int64 { return &c.Tier.CacheMemory })},
	{"storage.tier.cache_disk", "0", "And in files of the data directory up to this size.", size(func(c *Config) *int64 { return &c.Tier.CacheDisk })},
	{"processing.parallelism_default", "0", "Tasks that run at once, and partitions after an exchange; 0 is the number of processors.", count(func(c *Config) *int64 { return &c.Slots }, 0)},
	{"processing.memory", "0", "Memory of queries before they spill; 0 is half of the machine's.", size(func(c *Config) *int64 { return &c.Memory })},
	{"network.kafka", "127.0.0.1:9092", "Address of the Kafka protocol.", text(func(c *Config) *string { return &c.Kafka })},
	{"network.advertised_kafka", "", "Address of the Kafka protocol that clients are told; by default, on a node that is alone, where they have connected, and in a cluster `network.kafka`.", text(func(c *Config) *string { return &c.AdvertisedKafka })},
	{"network.connect", "127.0.0.1:15002", "Address of Spark Connect.", text(func(c *Config) *string { return &c.Connect })},
	{"network.http", "127.0.0.1:8080", "Address of health and metrics over HTTP.", text(func(c *Config) *string { return &c.HTTP })},
	{"network.insecure", "false", "Allow addresses other than loopback although nothing is encrypted or authenticated.", flag(func(c *Config) *bool { return &c.Insecure })},
	{"network.max_request_size", "100MiB", "Largest Kafka request.", size(func(c *Config) *int64 { return &c.MaxRequestBytes })},
	{"topics.auto_create", "true", "Create a topic when a Kafka client first names it.", flag(func(c *Config) *bool { return &c.AutoCreateTopics })},
	{"topics.partitions_default", "4", "Partitions of topics created without a count.", count(func(c *Config) *int64 { return &c.DefaultPartitions }, 1)},
	{"monitoring.metrics_enabled", "true", "Serve /metrics.", flag(func(c *Config) *bool { return &c.Metrics })},
	{"monitoring.log_level", "info", "What is logged to standard error: debug, info, warn or error.", oneOf(func(c *Config) *string { return &c.LogLevel }, "debug", "info", "warn", "error")},
}, securitySettings...)

// Default is the configuration of a node without file and environment.
func Default() *Config {
	c := &Config{}
	for _, s := range Settings {
		if err := s.set(c, s.Default); err != nil {
			panic("BUG: the default of " + s.Key + ": " + err.Error())
		}
	}
	return c
}
