package kafka

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) apiVersions(req *kmsg.ApiVersionsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ApiVersionsResponse)
	if resp.ErrorCode = code(c.meant(req)); resp.ErrorCode != 0 {
		return resp, nil
	}
	add := func(key kmsg.Key, lo, hi int16) {
		k := kmsg.NewApiVersionsResponseApiKey()
		k.ApiKey, k.MinVersion, k.MaxVersion = int16(key), lo, hi
		resp.ApiKeys = append(resp.ApiKeys, k)
	}
	for _, a := range apis {
		lo := a.min
		if a.key == kmsg.Produce {
			lo = 0 // librdkafka derives what a broker can do from the range of Produce 0 to 2, as Kafka 4 knows
		}
		add(a.key, lo, a.max)
	}
	add(kmsg.ApiVersions, apiVersionsMin, apiVersionsMax)
	c.addFeatures(resp)
	return resp, nil
}

// meant says that the client means another node: one of another cluster, or whose address this one has now (KIP-1242).
func (c *call) meant(req *kmsg.ApiVersionsRequest) error {
	switch {
	case req.Version < 5 || req.ClusterID == nil && req.NodeID < 0:
		return nil
	case req.ClusterID == nil || req.NodeID < 0:
		return kerr.InvalidRequest
	case *req.ClusterID != c.broker.ClusterID() || req.NodeID != c.opts.NodeID:
		return kerr.RebootstrapRequired
	}
	return nil
}

// addFeatures says what the cluster can do, and what it does: clients go by what is finalized.
func (c *call) addFeatures(resp *kmsg.ApiVersionsResponse) {
	features, epoch := c.broker.Features()
	resp.FinalizedFeaturesEpoch = epoch
	for _, f := range features {
		s := kmsg.NewApiVersionsResponseSupportedFeature()
		s.Name, s.MinVersion, s.MaxVersion = f.Name, f.Min, f.Max
		resp.SupportedFeatures = append(resp.SupportedFeatures, s)
		if f.Level == 0 { // a feature that is switched off is not finalized
			continue
		}
		l := kmsg.NewApiVersionsResponseFinalizedFeature()
		l.Name, l.MinVersionLevel, l.MaxVersionLevel = f.Name, f.Level, f.Level
		resp.FinalizedFeatures = append(resp.FinalizedFeatures, l)
	}
}

// unsupportedApiVersions answers a version that is too new, in the form that every client reads: version 0, with the range
// of this key only.
func unsupportedApiVersions() kmsg.Response {
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.ErrorCode = kerr.UnsupportedVersion.Code
	k := kmsg.NewApiVersionsResponseApiKey()
	k.ApiKey, k.MinVersion, k.MaxVersion = int16(kmsg.ApiVersions), apiVersionsMin, apiVersionsMax
	resp.ApiKeys = append(resp.ApiKeys, k)
	return resp
}
