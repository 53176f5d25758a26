package kafka

import "github.com/streamflow/streamflow/logstore/broker"

// coordinatesGroup says why a group is not this node's to answer for; nil when it is.
func (c *call) coordinatesGroup(group string) error {
	_, err := c.broker.Coordinates(broker.GroupCoordinator, group)
	return err
}

// coordinatesTxn says why a transactional id is not this node's to answer for; nil when it is.
func (c *call) coordinatesTxn(id string) error {
	_, err := c.broker.Coordinates(broker.TxnCoordinator, id)
	return err
}
