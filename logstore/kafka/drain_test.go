package kafka

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestDrainConfig sets the one config of a broker that can be set. A node that is alone has nowhere to move its partitions.
func TestDrainConfig(t *testing.T) {
	n := startNode(t)
	if c := describeConfig(t, n, kmsg.ConfigResourceTypeBroker, "0", drainingConfig); *c.Value != "false" || c.ReadOnly || c.Source != kmsg.ConfigSourceDefaultConfig {
		t.Errorf("described as %v", c)
	}
	for _, tc := range []struct {
		broker, config, value string
		want                  *kerr.Error
	}{
		{"0", drainingConfig, "false", nil},
		{"7", drainingConfig, "true", kerr.InvalidRequest},
		{"0", drainingConfig, "perhaps", kerr.InvalidConfig},
		{"0", "message.max.bytes", "9", kerr.InvalidConfig},
	} {
		req := kmsg.NewPtrIncrementalAlterConfigsRequest()
		req.ValidateOnly = true
		r := kmsg.NewIncrementalAlterConfigsRequestResource()
		r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeBroker, tc.broker
		cfg := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		cfg.Name, cfg.Value = tc.config, &tc.value
		r.Configs = append(r.Configs, cfg)
		req.Resources = append(req.Resources, r)
		res, err := req.RequestWith(timeout(t, 10*time.Second), n.client().Broker(0))
		if err != nil {
			t.Fatal(err)
		}
		want := int16(0)
		if tc.want != nil {
			want = tc.want.Code
		}
		if got := res.Resources[0].ErrorCode; got != want {
			t.Errorf("broker %s, %s=%s: %v, want %v", tc.broker, tc.config, tc.value, kerr.ErrorForCode(got), tc.want)
		}
	}
}
