package connect

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/internal/usererr"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// DefaultPort is where Spark Connect servers listen.
const DefaultPort = "15002"

// address is a connection string taken apart.
type address struct {
	hostPort   string
	token      string
	userID     string
	userAgent  string
	sessionID  string
	tls        bool
	maxMessage int
	headers    map[string]string // parameters that are for the server
}

// parseAddress reads sc://host[:port]/[;key=value]…
func parseAddress(target string) (address, error) {
	a := address{maxMessage: MaxMessage, userAgent: "streamflow-go", headers: map[string]string{}, token: os.Getenv("SPARK_CONNECT_AUTHENTICATE_TOKEN")}
	rest, ok := strings.CutPrefix(target, "sc://")
	if !ok {
		return a, badURL(target, "it must begin with sc://")
	}
	hostPort, params, _ := strings.Cut(rest, "/")
	if hostPort == "" || strings.Contains(hostPort, ";") {
		return a, badURL(target, "it has no host before the parameters")
	}
	if _, _, err := net.SplitHostPort(hostPort); err != nil {
		hostPort = net.JoinHostPort(strings.Trim(hostPort, "[]"), DefaultPort)
	}
	a.hostPort = hostPort
	for _, p := range strings.Split(params, ";") {
		if p == "" {
			continue
		}
		key, value, ok := strings.Cut(p, "=")
		value, err := url.PathUnescape(value)
		if !ok || err != nil || key == "" {
			return a, badURL(target, "the parameter "+p+" is not key=value")
		}
		if err := a.set(target, key, value); err != nil {
			return a, err
		}
	}
	return a, nil
}

func (a *address) set(target, key, value string) error {
	switch key {
	case "token":
		a.token = value
	case "user_id":
		a.userID = value
	case "user_agent":
		a.userAgent = value
	case "session_id":
		if _, err := uuid.Parse(value); err != nil {
			return badURL(target, "the session id "+value+" is not a UUID")
		}
		a.sessionID = value
	case "use_ssl":
		on, err := strconv.ParseBool(value)
		if err != nil {
			return badURL(target, "use_ssl must be true or false")
		}
		a.tls = on
	case "grpc_max_message_size":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			return badURL(target, "grpc_max_message_size must be a positive number")
		}
		a.maxMessage = n
	default:
		a.headers[strings.ToLower(key)] = value
	}
	return nil
}

func badURL(target, why string) error {
	return usererr.New("CONNECT_URL_INVALID", "08001", "The connection string %q cannot be used: %s.", target, why).
		WithFix("Write sc://host:port/;token=…;user_id=…")
}

// dialOptions sets up transport security and headers. A token makes TLS the default except on this machine.
func (a address) dialOptions() []grpc.DialOption {
	host, _, _ := net.SplitHostPort(a.hostPort)
	secure := a.tls || a.token != "" && !isLocal(host)
	var opts []grpc.DialOption
	if secure {
		opts = append(opts, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12})))
	} else {
		opts = append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
	headers := map[string]string{}
	for k, v := range a.headers {
		headers[k] = v
	}
	if a.token != "" {
		headers["authorization"] = "Bearer " + a.token
	}
	if len(headers) > 0 {
		opts = append(opts, grpc.WithPerRPCCredentials(rpcHeaders{headers, secure}))
	}
	return append(opts, grpc.WithUserAgent(a.userAgent))
}

func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// rpcHeaders sends headers with every call.
type rpcHeaders struct {
	headers map[string]string
	secure  bool
}

func (h rpcHeaders) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return h.headers, nil
}

func (h rpcHeaders) RequireTransportSecurity() bool { return h.secure }
