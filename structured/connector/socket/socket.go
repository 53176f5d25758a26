package socket

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/memory"
	"github.com/streamflow/streamflow/structured/logical"
)

// longestLine bounds a line, in bytes.
const longestLine = 16 << 20

// Table is the lines of one server, for one query.
type Table struct {
	*memory.Table
	name, addr string
	times      bool // lines have the time at which they came
	options    map[string]string

	once sync.Once
	stop context.CancelFunc
	mu   sync.Mutex
	err  error // why no more lines come
}

var (
	_ connector.StreamReader = (*Table)(nil)
	_ connector.Anchored     = (*Table)(nil)
)

// Provider opens sockets: host, port, includeTimestamp (false).
type Provider struct{}

// Open reads the options; it connects when a query reads.
func (Provider) Open(_ context.Context, def catalog.TableDef) (logical.Table, error) {
	t := &Table{name: def.Name, options: maps.Clone(def.Options)}
	o := map[string]string{}
	for k, v := range def.Options {
		o[strings.ToLower(k)] = v
	}
	if o["host"] == "" || o["port"] == "" {
		return nil, usererr.New("INVALID_SOURCE_OPTION", "22023", "A socket needs the options host and port.").WithFix("USING socket OPTIONS (host 'localhost', port '9999').")
	}
	t.addr, t.times = net.JoinHostPort(o["host"], o["port"]), strings.EqualFold(o["includetimestamp"], "true")
	schema := column.NewSchema(column.Field{Name: "value", Type: column.Of(column.String), Nullable: true})
	if t.times {
		schema.Fields = append(schema.Fields, column.Field{Name: "timestamp", Type: column.Of(column.Timestamp), Nullable: true})
	}
	if def.Schema != nil && !def.Schema.Equal(schema) {
		return nil, usererr.New("INVALID_SCHEMA", "42K07", "A table of socket has the columns %s, not %s.", schema, def.Schema).WithFix("Leave the columns out.")
	}
	t.Table = memory.New(def.Name, schema, 1)
	return t, nil
}

func (t *Table) Name() string               { return t.name }
func (t *Table) Provider() string           { return "socket" }
func (t *Table) Options() map[string]string { return t.options }

// PlanScan refuses: lines come once.
func (t *Table) PlanScan(context.Context, connector.ScanRequest) (*connector.Scan, error) {
	return nil, usererr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "The source socket can only be read as a stream.").WithFix("Read it with spark.readStream, FROM STREAM, or --live.")
}

// Anchor connects. Lines are counted from where the query is.
func (t *Table) Anchor(_, at connector.Offsets) {
	t.once.Do(func() {
		t.Drop(0, at[0])
		ctx, cancel := context.WithCancel(context.Background())
		t.stop = cancel
		go t.read(ctx)
	})
}

// Bind forgets what earlier batches have committed: the range begins there.
func (t *Table) Bind(from, to connector.Offsets) [][]rdd.Split {
	t.Drop(0, from[0])
	return t.Table.Bind(from, to)
}

// Available is what has come; it fails when the connection has.
func (t *Table) Available(ctx context.Context) (connector.Availability, error) {
	t.mu.Lock()
	err := t.err
	t.mu.Unlock()
	if err != nil {
		return connector.Availability{}, err
	}
	return t.Table.Available(ctx)
}

// Close ends the connection.
func (t *Table) Close() error {
	t.once.Do(func() {}) // it will not be opened any more
	if t.stop != nil {
		t.stop()
	}
	return nil
}

// read takes lines until the server ends the connection, which ends the table.
func (t *Table) read(ctx context.Context) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", t.addr)
	if err == nil {
		context.AfterFunc(ctx, func() { conn.Close() })
		err = t.lines(conn)
		conn.Close()
	}
	if err != nil && ctx.Err() == nil {
		t.mu.Lock()
		t.err = usererr.New("SOCKET_FAILED", "08006", "Lines from %s cannot be read: %v.", t.addr, err).WithFix("Start the server first: nc -lk 9999.")
		t.mu.Unlock()
	}
	t.Seal()
}

func (t *Table) lines(conn net.Conn) error {
	scanner := bufio.NewScanner(conn)
	scanner.Buffer(nil, longestLine)
	schema := &column.Schema{Fields: t.Schema().Fields[:t.Schema().Len()-t.Hidden()]}
	for scanner.Scan() {
		b := column.NewBatchBuilder(schema)
		row := []any{scanner.Text()}
		if t.times {
			row = append(row, time.Now().UnixMicro())
		}
		if err := b.AppendRow(row...); err != nil {
			return fmt.Errorf("socket: %w", err)
		}
		if err := t.Append(0, b.Finish()); err != nil {
			return err
		}
	}
	return scanner.Err()
}
