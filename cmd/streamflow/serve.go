package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow"
	"github.com/streamflow/streamflow/gateway"
	"github.com/streamflow/streamflow/internal/config"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/kafka"
	"github.com/streamflow/streamflow/logstore/tier"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name: "serve", Usage: "run a node until it is told to stop (SIGTERM, Ctrl-C)",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "config", Usage: "configuration `FILE` (YAML); see docs/guide/configuration.md"},
			&cli.StringFlag{Name: "data-dir", Usage: "directory that holds everything the node keeps"},
			&cli.StringFlag{Name: "kafka", Usage: "`HOST:PORT` of the Kafka protocol; port 0 picks one (default 127.0.0.1:9092)"},
			&cli.StringFlag{Name: "connect", Usage: "`HOST:PORT` of Spark Connect (default 127.0.0.1:15002)"},
			&cli.StringFlag{Name: "http", Usage: "`HOST:PORT` of health and metrics (default 127.0.0.1:8080)"},
			&cli.StringFlag{Name: "memory", Usage: "memory of queries before they spill, such as 2GiB (default: half of the machine's)"},
			&cli.BoolFlag{Name: "insecure", Usage: "allow addresses other than loopback although nothing is encrypted or authenticated"},
		}, clusterFlags...),
		Action: serve,
	}
}

func serve(c *cli.Context) error {
	if c.NArg() > 0 {
		return usage("serve takes no arguments, got %q", c.Args().First())
	}
	conf, err := nodeConfig(c)
	if err != nil {
		return err
	}
	logger, err := newLogger(conf.LogLevel)
	if err != nil {
		return err
	}
	slog.SetDefault(logger)
	secure, err := openSecurity(conf, logger)
	if err != nil {
		return err
	}
	ls, err := listen(conf)
	if err != nil {
		return err
	}
	defer ls.close()
	cold, err := tierOptions(conf)
	if err != nil {
		return err
	}
	savepoints, err := tier.OpenStore(conf.Savepoints, filepath.Join(conf.DataDir, "savepoints"), s3Options(conf))
	if err != nil {
		return usererr.New("INVALID_SAVEPOINT_URL", "22023", "The place of savepoints is %q.", conf.Savepoints).In("storage.state.savepoints").WithFix("Write s3://BUCKET/PREFIX, or a directory.")
	}
	cluster, err := clusterOf(conf, ls)
	if err != nil {
		return err
	}
	node, err := streamflow.Start(streamflow.Config{Cluster: cluster, Context: c.Context, Tier: cold, Savepoints: savepoints, Dir: conf.DataDir, Slots: int(conf.Slots), Memory: conf.Memory, Log: logOptions(conf), TopicDefaults: topicDefaults(conf),
		DefaultPartitions: int(conf.DefaultPartitions), StateInterval: conf.StateInterval, Logger: logger})
	if err != nil {
		return err
	}
	err = serveAll(c.Context, conf, node, secure, ls, logger)
	return errors.Join(err, node.Close())
}

// nodeConfig is the file and the environment, with flags before both.
func nodeConfig(c *cli.Context) (*config.Config, error) {
	conf, err := config.Load(c.String("config"), os.Environ())
	if err != nil {
		return nil, err
	}
	for flag, field := range map[string]*string{"data-dir": &conf.DataDir, "kafka": &conf.Kafka, "connect": &conf.Connect, "http": &conf.HTTP} {
		if v := c.String(flag); v != "" {
			*field = v
		}
	}
	if c.IsSet("insecure") {
		conf.Insecure = c.Bool("insecure")
	}
	if m := c.String("memory"); m != "" {
		if conf.Memory, err = config.ParseSize(m); err != nil {
			return nil, usage("--memory %s: %v", m, err)
		}
	}
	return conf, clusterConfig(c, conf)
}

func logOptions(conf *config.Config) logstore.Options {
	scrub := conf.ScrubRate
	if scrub == 0 {
		scrub = -1
	}
	return logstore.Options{Sync: logstore.SyncPolicy(conf.SyncPolicy), SyncInterval: conf.SyncInterval,
		CompactionInterval: conf.CompactionInterval, CompactionMemory: conf.CompactionMemory,
		ScrubRate: scrub, ScrubEvery: conf.ScrubInterval, OpenFiles: int(conf.OpenFiles)}
}

// tierOptions is the cold tier that the configuration asks for; nil for none.
func tierOptions(conf *config.Config) (*tier.Options, error) {
	t := conf.Tier
	if !t.Enabled {
		return nil, nil
	}
	store, err := tier.OpenStore(t.URL, filepath.Join(conf.DataDir, "tier"), s3Options(conf))
	return &tier.Options{Store: store, Interval: t.Interval, CacheMemory: t.CacheMemory, CacheDisk: t.CacheDisk}, err
}

func s3Options(conf *config.Config) tier.S3 {
	t := conf.Tier
	return tier.S3{Endpoint: t.Endpoint, Region: t.Region, AccessKey: t.AccessKey, SecretKey: t.SecretKey, VirtualHost: !t.PathStyle}
}

// topicDefaults are the topic configs that the node's configuration decides for topics that do not say.
func topicDefaults(conf *config.Config) map[string]string {
	d := map[string]string{
		"segment.bytes": strconv.FormatInt(conf.SegmentBytes, 10), "segment.ms": strconv.FormatInt(conf.SegmentAge.Milliseconds(), 10),
		"streamflow.segment.records": strconv.FormatInt(conf.SegmentRecords, 10), "retention.bytes": strconv.FormatInt(conf.RetentionBytes, 10), "retention.ms": "-1",
	}
	if conf.RetentionHours >= 0 {
		d["retention.ms"] = strconv.FormatInt(conf.RetentionHours*3600_000, 10)
	}
	return d
}

func newLogger(level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, err
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: l})), nil
}

// listeners are the node's addresses.
type listeners struct{ kafka, connect, http, peer net.Listener }

func (l *listeners) close() {
	for _, x := range []net.Listener{l.kafka, l.connect, l.http, l.peer} {
		if x != nil {
			x.Close()
		}
	}
}

func listen(conf *config.Config) (*listeners, error) {
	l := &listeners{}
	for _, a := range []struct {
		key, addr string
		to        *net.Listener
	}{{"network.kafka", conf.Kafka, &l.kafka}, {"network.connect", conf.Connect, &l.connect}, {"network.http", conf.HTTP, &l.http}} {
		if err := checkLoopback(a.key, a.addr, conf.Insecure || guarded(conf, a.key)); err != nil {
			l.close()
			return nil, err
		}
		x, err := net.Listen("tcp", a.addr)
		if err != nil && a.to != &l.kafka && conf.Peer != "" && isDefault(a.key, a.addr) {
			x, err = net.Listen("tcp", "127.0.0.1:0") // several nodes on one machine: the first has the usual port
		}
		if err != nil {
			l.close()
			return nil, listenError(a.key, a.addr, err)
		}
		*a.to = x
	}
	if err := l.listenPeers(conf); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *listeners) listenPeers(conf *config.Config) (err error) {
	if conf.Peer == "" {
		return nil
	}
	if err := checkPeer(conf); err != nil {
		return err
	}
	if l.peer, err = net.Listen("tcp", conf.Peer); err != nil {
		return listenError("cluster.peer", conf.Peer, err)
	}
	return nil
}

// isDefault is whether nobody chose an address.
func isDefault(key, addr string) bool {
	for _, s := range config.Settings {
		if s.Key == key {
			return s.Default == addr
		}
	}
	return false
}

// checkLoopback refuses to be reachable from elsewhere unless that is spelt out.
func checkLoopback(key, addr string, insecure bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return usererr.New("INVALID_ADDRESS", "22023", "%s is %q, which is not HOST:PORT.", key, addr).In(key)
	}
	ip := net.ParseIP(host)
	if insecure || host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return usererr.New("INSECURE_ADDRESS", "08001", "%s %s is reachable from elsewhere, and its clients are not both encrypted and asked who they are.", key, addr).In(key).
		WithFix("Listen on 127.0.0.1, set up TLS and logins (docs/guide/security.md), or spell out --insecure.")
}

func listenError(key, addr string, err error) error {
	if strings.Contains(err.Error(), "address already in use") {
		_, port, _ := net.SplitHostPort(addr)
		return usererr.New("PORT_IN_USE", "08001", "Port %s of %s is in use by another process.", port, addr).In(key).
			WithFix("Stop that process, or take another port with --%s HOST:PORT (port 0 picks a free one).", key[strings.LastIndexByte(key, '.')+1:])
	}
	return usererr.New("INVALID_ADDRESS", "08001", "%s: %v.", addr, err).In(key)
}

// readyLine says where the node is found.
func readyLine(ls *listeners) string {
	line := fmt.Sprintf("ready kafka=%s connect=%s http=%s", ls.kafka.Addr(), ls.connect.Addr(), ls.http.Addr())
	if ls.peer != nil {
		line += fmt.Sprintf(" peer=%s", ls.peer.Addr())
	}
	return line
}

// serveAll serves until ctx ends or a listener fails.
func serveAll(ctx context.Context, conf *config.Config, node *streamflow.Node, secure *security, ls *listeners, logger *slog.Logger) error {
	k := kafka.New(secure.kafka(node, kafka.Options{Broker: node.Broker(), NodeID: node.Broker().NodeID(), Addr: conf.AdvertisedKafka, DisableAutoCreate: !conf.AutoCreateTopics, Rows: &streamflow.ArrowRows{}, MaxRequestBytes: int32(min(conf.MaxRequestBytes, 1<<30)), Logger: logger}))
	go secure.follow(ctx)
	web := &http.Server{Handler: gateway.New(gateway.Options{Broker: node.Broker(), Queries: node.Queries(), Engine: node.Engine(), Metrics: conf.Metrics}), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 4)
	if peers := node.PeerKafka(); peers != nil {
		go func() { failed <- k.ServePeers(peers) }()
	}
	go func() { failed <- k.Serve(ls.kafka) }()
	go func() { failed <- node.ServeConnect(secure.encrypted(ls.connect, "h2")) }()
	go func() { failed <- web.Serve(secure.encrypted(ls.http, "http/1.1")) }()
	fmt.Println(readyLine(ls))
	var err error
	select {
	case <-ctx.Done():
		logger.Info("node stops")
		node.Broker().HandOver()
	case err = <-failed:
	}
	return errors.Join(err, web.Close(), k.Close())
}
