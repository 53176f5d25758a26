"""Short uses of confluent-kafka against the nodes at COMPAT_BOOTSTRAP: python confluent_kafka_cases.py CASE."""

import os
import sys
import time
import uuid

import confluent_kafka as ck
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic

SERVERS = {"bootstrap.servers": os.environ["COMPAT_BOOTSTRAP"]}
REPLICAS = int(os.environ.get("COMPAT_NODES", "1"))


ADMIN = AdminClient(SERVERS)


def topic(partitions=3, **config):
    name = "ck-" + uuid.uuid4().hex[:12]
    ADMIN.create_topics([NewTopic(name, partitions, REPLICAS, config=config)])[name].result(20)
    return name


def produce(name, values, **conf):
    errors = []
    p = ck.Producer({**SERVERS, "enable.idempotence": True, **conf})
    for i, v in enumerate(values):
        p.produce(name, key=str(i), value=v, on_delivery=lambda err, _: errors.append(err) if err else None)
    assert p.flush(20) == 0, "not all records were delivered"
    assert not errors, errors


def consume(name, n, seconds=30, **conf):
    c = ck.Consumer({**SERVERS, "group.id": "g-" + uuid.uuid4().hex[:8], "auto.offset.reset": "earliest", **conf})
    c.subscribe([name])
    got, until = [], time.time() + seconds
    while len(got) < n and time.time() < until:
        m = c.poll(0.5)
        if m is None:
            continue
        assert m.error() is None, m.error()
        got.append(m)
    if n == 0:
        m = c.poll(2)
        assert m is None, m.value()
    c.close()
    return got


def case_admin():
    name = topic(2, **{"retention.ms": "3600000"})
    a = ADMIN
    a.create_partitions([NewPartitions(name, 4)])[name].result(20)
    res = ConfigResource(ConfigResource.Type.TOPIC, name)
    change = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=[ConfigEntry("retention.ms", "7200000", incremental_operation=AlterConfigOpType.SET)])
    a.incremental_alter_configs([change])[change].result(20)
    assert a.describe_configs([res])[res].result(20)["retention.ms"].value == "7200000"
    assert len(a.list_topics(name, timeout=20).topics[name].partitions) == 4
    cluster = a.describe_cluster().result(20)
    assert len(cluster.nodes) == REPLICAS, cluster.nodes
    a.delete_topics([name])[name].result(20)


def case_produce_consume():
    name = topic()
    produce(name, [b"v%d" % i for i in range(5000)])
    assert sorted(m.value() for m in consume(name, 5000)) == sorted(b"v%d" % i for i in range(5000))


def case_compression():
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        name = topic(1)
        produce(name, [b"x" * 1000] * 50, **{"compression.type": codec})
        assert len(consume(name, 50)) == 50, codec


def case_headers():
    name = topic(1)
    p = ck.Producer(SERVERS)
    p.produce(name, value=b"v", headers=[("a", b"1"), ("a", None)], timestamp=1600000000000)
    p.flush(20)
    m = consume(name, 1)[0]
    assert m.headers() == [("a", b"1"), ("a", None)], m.headers()
    assert m.timestamp() == (ck.TIMESTAMP_CREATE_TIME, 1600000000000), m.timestamp()


def share(protocol):
    """Two members share the partitions, one leaves, the other reads on; commits are kept."""
    name, group = topic(4), "g-" + uuid.uuid4().hex[:8]
    conf = {**SERVERS, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False, **protocol}
    a, b = ck.Consumer(conf), ck.Consumer(conf)
    seen = set()

    def poll(until, *consumers, seconds=40):
        end = time.time() + seconds
        while time.time() < end and not until():
            for c in consumers:
                m = c.poll(0.05)
                if m is not None:
                    assert m.error() is None, m.error()
                    seen.add((m.partition(), m.offset()))
        assert until(), (len(seen), [c.assignment() for c in consumers])

    a.subscribe([name])
    b.subscribe([name])
    poll(lambda: len(a.assignment()) == 2 and len(b.assignment()) == 2, a, b)
    produce(name, [b"%d" % i for i in range(400)])
    poll(lambda: len(seen) == 400, a, b)
    a.commit(asynchronous=False)
    b.commit(asynchronous=False)
    a.close()
    poll(lambda: len(b.assignment()) == 4, b)
    committed = b.committed([ck.TopicPartition(name, p) for p in range(4)], timeout=20)
    b.close()
    assert sum(t.offset for t in committed) == 400, committed


def case_group():
    share({"partition.assignment.strategy": "range"})


def case_cooperative():
    share({"partition.assignment.strategy": "cooperative-sticky"})


def case_next_group():
    share({"group.protocol": "consumer"})


def case_transactions():
    source, sink, txn = topic(1), topic(2), "t-" + uuid.uuid4().hex[:8]
    produce(source, [b"1"] * 10)
    c = ck.Consumer({**SERVERS, "group.id": txn, "auto.offset.reset": "earliest", "enable.auto.commit": False})
    c.subscribe([source])
    p = ck.Producer({**SERVERS, "transactional.id": txn})
    p.init_transactions(20)
    for commit in (False, True):
        p.begin_transaction()
        n, until = 0, time.time() + 30
        while n < 10 and time.time() < until:
            m = c.poll(0.5)
            if m is not None:
                p.produce(sink, value=b"committed" if commit else b"aborted")
                n += 1
        assert n == 10, n
        assert p.flush(20) == 0  # or an abort takes back what is not under way yet
        p.send_offsets_to_transaction(c.position(c.assignment()), c.consumer_group_metadata(), 20)
        if commit:
            p.commit_transaction(20)
        else:
            p.abort_transaction(20)
            for tp in c.assignment():
                c.seek(ck.TopicPartition(tp.topic, tp.partition, 0))
    c.close()
    assert [m.value() for m in consume(sink, 10, **{"isolation.level": "read_committed"})] == [b"committed"] * 10
    assert len(consume(sink, 20, **{"isolation.level": "read_uncommitted"})) == 20


def case_fenced():
    name, txn = topic(1), "t-" + uuid.uuid4().hex[:8]
    old, new = ck.Producer({**SERVERS, "transactional.id": txn}), ck.Producer({**SERVERS, "transactional.id": txn})
    old.init_transactions(20)
    old.begin_transaction()
    old.produce(name, value=b"lost")
    old.flush(20)
    new.init_transactions(20)
    try:
        old.commit_transaction(20)
    except ck.KafkaException as e:
        assert e.args[0].fatal(), e
    else:
        raise AssertionError("a fenced producer committed")
    new.begin_transaction()
    new.produce(name, value=b"kept")
    new.commit_transaction(20)
    assert [m.value() for m in consume(name, 1, **{"isolation.level": "read_committed"})] == [b"kept"]


def case_offsets_by_time():
    name = topic(1)
    p = ck.Producer(SERVERS)
    for i in range(10):
        p.produce(name, value=b"%d" % i, timestamp=1600000000000 + i * 1000)
        p.flush(20)
    c = ck.Consumer({**SERVERS, "group.id": "none"})
    found = c.offsets_for_times([ck.TopicPartition(name, 0, 1600000004500)], timeout=20)
    assert found[0].offset == 5, found
    assert c.get_watermark_offsets(ck.TopicPartition(name, 0), timeout=20) == (0, 10)
    c.close()


def case_delete_records():
    name = topic(1)
    produce(name, [b"v"] * 10)
    tp = ck.TopicPartition(name, 0, 4)
    assert ADMIN.delete_records([tp])[tp].result(20).low_watermark == 4
    assert [m.offset() for m in consume(name, 6)] == list(range(4, 10))


def case_share_group():
    if not hasattr(ck, "ShareConsumer"):
        print("this binding has no share consumer")
        sys.exit(77)
    name, group = topic(1), "s-" + uuid.uuid4().hex[:8]
    c = ck.ShareConsumer({**SERVERS, "group.id": group})
    c.subscribe([name])
    c.poll(5)
    produce(name, [b"v"] * 10)
    got, until = 0, time.time() + 30
    while got < 10 and time.time() < until:
        batch = c.poll(1)
        got += len(batch) if isinstance(batch, list) else int(batch is not None)
    c.close()
    assert got == 10, got


if __name__ == "__main__":
    globals()["case_" + sys.argv[1]]()
