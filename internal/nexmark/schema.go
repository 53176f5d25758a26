package nexmark

import (
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/column"
)

// columns of the tables, as DDL. dateTime is the event time.
var columns = [...]string{
	Person:  "id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING, dateTime TIMESTAMP, extra STRING",
	Auction: "id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT, dateTime TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra STRING",
	Bid:     "auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, dateTime TIMESTAMP, extra STRING",
}

var schemas = func() (out [len(columns)]*column.Schema) {
	for k, ddl := range columns {
		s, err := column.ParseDDL(ddl)
		if err != nil {
			panic("BUG: nexmark: " + err.Error())
		}
		out[k] = s
	}
	return out
}()

// Schema is the schema of the kind's table.
func (k Kind) Schema() *column.Schema { return schemas[k] }

// DDL declares the kind's table with the benchmark's watermark, four seconds behind. provider is what stands after USING,
// and options are written as they are given, "format 'arrow'".
func (k Kind) DDL(provider string, options ...string) string {
	return fmt.Sprintf("CREATE TABLE %s (%s, WATERMARK FOR dateTime AS dateTime - INTERVAL 4 SECONDS) USING %s OPTIONS (%s)",
		k, columns[k], provider, strings.Join(options, ", "))
}

// SideInput declares the bounded table that q13 looks up: numbers below 10,000 and their text.
const SideInput = "CREATE VIEW side_input AS SELECT id AS key, CAST(id AS STRING) AS value FROM range(10000)"
