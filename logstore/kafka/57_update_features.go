package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Kinds of change that a feature update says it is (KIP-778). A safe and an unsafe downgrade are the same here: no feature's
// level loses anything.
const (
	featureUpgrade   = 1
	featureDowngrade = 2
	featureUnsafe    = 3
)

// updateFeatures changes finalized features, all or none (KIP-584).
func (c *call) updateFeatures(req *kmsg.UpdateFeaturesRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.UpdateFeaturesResponse)
	err := c.changeFeatures(req)
	resp.ErrorCode, resp.ErrorMessage = code(err), message(err)
	if req.Version > 1 {
		return resp, nil
	}
	for _, u := range req.FeatureUpdates {
		r := kmsg.NewUpdateFeaturesResponseResult()
		r.Feature, r.ErrorCode, r.ErrorMessage = u.Feature, resp.ErrorCode, resp.ErrorMessage
		resp.Results = append(resp.Results, r)
	}
	return resp, nil
}

func (c *call) changeFeatures(req *kmsg.UpdateFeaturesRequest) error {
	if !c.authorizeCluster(acl.Alter) {
		return kerr.ClusterAuthorizationFailed
	}
	updates := make([]broker.FeatureUpdate, 0, len(req.FeatureUpdates))
	for _, u := range req.FeatureUpdates {
		down := u.AllowDowngrade
		if req.Version >= 1 {
			if u.UpgradeType < featureUpgrade || u.UpgradeType > featureUnsafe {
				return withMessage(kerr.InvalidRequest, "feature %s: upgrade type %d", u.Feature, u.UpgradeType)
			}
			down = u.UpgradeType != featureUpgrade
		}
		updates = append(updates, broker.FeatureUpdate{Name: u.Feature, Level: u.MaxVersionLevel, Downgrade: down})
	}
	return c.broker.UpdateFeatures(c.ctx, updates, req.Version >= 1 && req.ValidateOnly)
}
