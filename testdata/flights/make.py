"""Makes flights.parquet and airports.csv from the npm package vega-datasets 3.2.1.

    npm pack vega-datasets@3.2.1 && tar xzf vega-datasets-3.2.1.tgz
    pip install pyarrow
    python make.py package/data [rows]

The rows are put into the order in which the events were known: scheduled departure plus delay. So the event time ts is
out of order in the file as it was in the world, and some rows come hours late.
"""
import shutil
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

source = sys.argv[1]
rows = int(sys.argv[2]) if len(sys.argv) > 2 else 300_000

flights = pq.read_table(f"{source}/flights-3m.parquet").slice(0, rows)
ts = flights["date"].cast(pa.timestamp("us", tz="UTC"))
minutes = pc.multiply(flights["delay"], 60_000_000).cast(pa.duration("us"))
table = pa.table(
    {
        "ts": ts,
        "delay": flights["delay"].cast(pa.int32()),
        "distance": flights["distance"].cast(pa.int32()),
        "origin": flights["origin"].cast(pa.string()),
        "destination": flights["destination"].cast(pa.string()),
        "known": pc.add(ts, minutes),
    }
)
order = pc.sort_indices(table, sort_keys=[("known", "ascending")])
table = table.take(order)
pq.write_table(table, "flights.parquet", compression="zstd", compression_level=15, row_group_size=100_000, version="2.6",
               use_dictionary=["origin", "destination", "delay", "distance"])
shutil.copy(f"{source}/airports.csv", "airports.csv")
