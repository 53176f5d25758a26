package kafka

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) apiVersions(req *kmsg.ApiVersionsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ApiVersionsResponse)
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
	return resp, nil
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
