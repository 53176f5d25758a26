package kafka

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// request frames a request by hand.
func request(r kmsg.Request, version int16, corr int32) []byte {
	r.SetVersion(version)
	b := make([]byte, 4)
	b = binary.BigEndian.AppendUint16(b, uint16(r.Key()))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = binary.BigEndian.AppendUint32(b, uint32(corr))
	b = binary.BigEndian.AppendUint16(b, 2)
	b = append(b, "id"...)
	if r.IsFlexible() {
		b = append(b, 0)
	}
	b = r.AppendTo(b)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

func dial(t *testing.T, n *node) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", n.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	return c
}

func readResponse(t *testing.T, c net.Conn) (corr int32, body []byte) {
	t.Helper()
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(c, b); err != nil {
		t.Fatal(err)
	}
	return int32(binary.BigEndian.Uint32(b)), b[4:]
}

func wantClosed(t *testing.T, c net.Conn, why string) {
	t.Helper()
	if _, err := c.Read(make([]byte, 1)); err == nil || err.Error() == "i/o timeout" {
		t.Errorf("%s: the connection stays open (%v)", why, err)
	}
}

func TestApiVersionsOfTheFuture(t *testing.T) {
	n := startNode(t)
	c := dial(t, n)
	req := request(kmsg.NewPtrApiVersionsRequest(), 3, 7)
	binary.BigEndian.PutUint16(req[6:], 99)
	_, _ = c.Write(req)
	corr, body := readResponse(t, c)
	resp := kmsg.NewPtrApiVersionsResponse()
	if err := resp.ReadFrom(body); err != nil || corr != 7 || resp.ErrorCode != kerr.UnsupportedVersion.Code || len(resp.ApiKeys) != 1 || resp.ApiKeys[0].ApiKey != 18 {
		t.Errorf("corr %d, %+v, %v", corr, resp, err)
	}
	_, _ = c.Write(request(kmsg.NewPtrApiVersionsRequest(), 3, 8)) // the connection goes on
	if corr, _ := readResponse(t, c); corr != 8 {
		t.Errorf("corr %d", corr)
	}
}

func TestClientMeansAnotherNode(t *testing.T) {
	n := startNode(t)
	for what, c := range map[string]struct {
		cluster string
		node    int32
		want    *kerr.Error
	}{
		"this one":        {n.broker.ClusterID(), 0, nil},
		"nobody yet":      {"", -1, nil},
		"another node":    {n.broker.ClusterID(), 7, kerr.RebootstrapRequired},
		"another cluster": {"elsewhere", 0, kerr.RebootstrapRequired},
		"half":            {"", 0, kerr.InvalidRequest},
	} {
		req := kmsg.NewPtrApiVersionsRequest()
		req.ClientSoftwareName, req.ClientSoftwareVersion = "test", "1"
		req.ClusterID, req.NodeID = nullable(c.cluster), c.node
		conn := dial(t, n)
		_, _ = conn.Write(request(req, 5, 1))
		_, body := readResponse(t, conn)
		resp := kmsg.NewPtrApiVersionsResponse()
		resp.SetVersion(5)
		if err := resp.ReadFrom(body); err != nil {
			t.Fatal(err)
		}
		wantCode(t, what, resp.ErrorCode, c.want)
	}
}

func TestAdvertisedVersionsAreServed(t *testing.T) {
	n := startNode(t)
	n.create("t", 1, nil)
	for _, a := range apis {
		if a.key == kmsg.Produce || a.key == kmsg.JoinGroup || a.key == kmsg.SyncGroup {
			continue // they have tests of their own
		}
		for v := a.min; v <= a.max; v++ {
			c := dial(t, n)
			_, _ = c.Write(request(kmsg.RequestForKey(int16(a.key)), v, int32(v)))
			corr, body := readResponse(t, c)
			resp := kmsg.ResponseForKey(int16(a.key))
			resp.SetVersion(v)
			if resp.IsFlexible() {
				body = body[1:]
			}
			if err := resp.ReadFrom(body); err != nil || corr != int32(v) {
				t.Errorf("%s version %d: %v", a.key.Name(), v, err)
			}
			_ = c.Close()
		}
	}
}

func TestBadRequestsCloseTheConnection(t *testing.T) {
	n := startNode(t)
	unknownKey := request(kmsg.NewPtrMetadataRequest(), 1, 1)
	binary.BigEndian.PutUint16(unknownKey[4:], 999)
	oldVersion := request(kmsg.NewPtrFetchRequest(), 3, 1)
	oldProduce := request(kmsg.NewPtrProduceRequest(), 2, 1)
	cut := request(kmsg.NewPtrFetchRequest(), 11, 1)
	cut = cut[:len(cut)-3]
	binary.BigEndian.PutUint32(cut, uint32(len(cut)-4))
	huge := request(kmsg.NewPtrMetadataRequest(), 1, 1)
	binary.BigEndian.PutUint32(huge, 1<<30)
	negative := append([]byte{0xff, 0xff, 0xff, 0xff}, huge[4:]...)
	for name, b := range map[string][]byte{
		"unknown key": unknownKey, "old fetch": oldVersion, "old produce": oldProduce, "cut body": cut, "huge frame": huge,
		"negative size": negative, "http": []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
	} {
		c := dial(t, n)
		_, _ = c.Write(b)
		wantClosed(t, c, name)
	}
}

func TestResponsesComeInOrder(t *testing.T) {
	n := startNode(t)
	n.create("t", 1, nil)
	c := dial(t, n)
	var all []byte
	const requests = 30
	for i := range requests {
		switch i % 3 {
		case 0:
			p := kmsg.NewPtrProduceRequest()
			p.Acks, p.TimeoutMillis = -1, 1000
			rt := kmsg.NewProduceRequestTopic()
			rt.Topic = "t"
			rp := kmsg.NewProduceRequestTopicPartition()
			rp.Records = recordBatch(-1, -1, -1, 0, "x")
			rt.Partitions = append(rt.Partitions, rp)
			p.Topics = append(p.Topics, rt)
			all = append(all, request(p, 9, int32(i))...)
		case 1:
			all = append(all, request(kmsg.NewPtrMetadataRequest(), 9, int32(i))...)
		case 2:
			l := kmsg.NewPtrListOffsetsRequest()
			lt := kmsg.NewListOffsetsRequestTopic()
			lt.Topic = "t"
			lp := kmsg.NewListOffsetsRequestTopicPartition()
			lp.Timestamp, lp.CurrentLeaderEpoch = -1, -1
			lt.Partitions = append(lt.Partitions, lp)
			l.Topics = append(l.Topics, lt)
			all = append(all, request(l, 4, int32(i))...)
		}
	}
	_, _ = c.Write(all)
	for i := range requests {
		corr, body := readResponse(t, c)
		if corr != int32(i) {
			t.Fatalf("response %d came as number %d", corr, i)
		}
		if i%3 == 2 { // what was produced before on this connection is there
			resp := kmsg.NewPtrListOffsetsResponse()
			resp.SetVersion(4)
			if err := resp.ReadFrom(body); err != nil || resp.Topics[0].Partitions[0].Offset != int64(i/3+1) {
				t.Errorf("number %d: %+v %v", i, resp.Topics, err)
			}
		}
	}
}

// FuzzFrame feeds bytes to the frame, header and request parsers as the server does, without a server.
func FuzzFrame(f *testing.F) {
	f.Add(request(kmsg.NewPtrMetadataRequest(), 9, 1))
	f.Add(request(kmsg.NewPtrFetchRequest(), 12, 1))
	p := kmsg.NewPtrProduceRequest()
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic = "t"
	rp := kmsg.NewProduceRequestTopicPartition()
	rp.Records = recordBatch(-1, -1, -1, 0, "x")
	rt.Partitions = append(rt.Partitions, rp)
	p.Topics = append(p.Topics, rt)
	f.Add(request(p, 9, 1))
	f.Add(request(p, 3, 1))
	f.Add(request(p, 13, 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		var head [4 + frameHeaderBytes]byte
		r := bytes.NewReader(data)
		size, err := readSize(r, head[:], 1<<20, 1<<16)
		if err != nil || int(size)-frameHeaderBytes > r.Len() {
			return
		}
		fr, err := parseFrame(data[4 : 4+size])
		if err != nil {
			return
		}
		if _, err := lookup(&fr); err != nil {
			return
		}
		req := kmsg.RequestForKey(fr.key)
		req.SetVersion(fr.version)
		if fr.skipHeaderTags(req.IsFlexible()) != nil {
			return
		}
		if fr.key != int16(kmsg.Produce) {
			_ = req.ReadFrom(fr.body)
			return
		}
		checkProduce(t, fr.body, fr.version)
	})
}

// checkProduce wants the hand-written parser to agree with kmsg.
func checkProduce(t *testing.T, body []byte, version int16) {
	ours, err := parseProduce(body, version)
	theirs := kmsg.NewPtrProduceRequest()
	theirs.SetVersion(version)
	theirErr := theirs.ReadFrom(body)
	if err != nil || theirErr != nil {
		if err == nil && theirErr == nil != (err == nil) {
			t.Logf("we read what kmsg does not: %v", theirErr)
		}
		return
	}
	if ours.acks != theirs.Acks || len(ours.topics) != len(theirs.Topics) {
		t.Fatalf("%+v, kmsg %+v", ours, theirs)
	}
	at := 0
	for i, topic := range theirs.Topics {
		if ours.topics[i].name != topic.Topic || ours.topics[i].id != topic.TopicID || ours.topics[i].parts != len(topic.Partitions) {
			t.Fatalf("topic %d: %+v, kmsg %+v", i, ours.topics[i], topic)
		}
		for _, p := range topic.Partitions {
			if ours.records[at].index != p.Partition || !bytes.Equal(ours.records[at].records, p.Records) {
				t.Fatalf("records %d: %+v, kmsg %+v", at, ours.records[at], p)
			}
			at++
		}
	}
}
