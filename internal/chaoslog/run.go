package chaoslog

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// RunOptions is one run.
type RunOptions struct {
	Seed     uint64
	Cluster  ClusterOptions
	Duration time.Duration // of the faults
	Faults   []string      // names; nothing: all that the cluster can have
}

// Result is what a run found.
type Result struct {
	Seed      uint64
	Counts    Counts
	Anomalies []Anomaly
	History   *History
	Took      time.Duration
}

// Run runs clients and faults against a new cluster and checks what they saw. An error is a run that could not be done: a node
// that did not come back, a cluster that did not settle after everything was healed.
func Run(ctx context.Context, o RunOptions) (*Result, error) {
	c, err := NewCluster(o.Cluster)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	w := &workload{h: NewHistory(), seeds: c.Seeds(), partitions: 3}
	r := &Result{Seed: o.Seed, History: w.h}
	if err := w.begin(ctx, c); err != nil {
		return r, err
	}
	err = w.storm(ctx, c, o)
	if err == nil {
		err = w.finish(ctx, c)
	}
	r.Counts, r.Took = w.h.Counts(), w.h.Now()
	if err != nil {
		return r, err
	}
	r.Anomalies = Check(w.h)
	return r, nil
}

// begin starts the nodes and makes the topics.
func (w *workload) begin(ctx context.Context, c *Cluster) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	if err := c.Start(ctx); err != nil {
		return err
	}
	cl, err := w.client()
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	replicas := min(3, len(c.Nodes))
	minISR := fmt.Sprint(max(1, replicas-1))
	err = until(ctx, "topics made", func() (bool, error) {
		for _, t := range []string{topicInput, topicOutput, topicLedger} {
			_, err := adm.CreateTopic(ctx, w.partitions, int16(replicas), map[string]*string{"min.insync.replicas": &minISR}, t)
			if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
				return false, err
			}
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	return w.settled(ctx, adm, replicas)
}

// storm runs producers, writers, movers, readers and watchers, and faults among them. Faults end first; movers go on until finish
// has seen them at the end.
func (w *workload) storm(ctx context.Context, c *Cluster, o RunOptions) error {
	faulty, stopFaults := context.WithTimeout(ctx, o.Duration)
	defer stopFaults()
	clients, stopClients := context.WithCancel(ctx)
	defer stopClients()
	moving, stopMovers := context.WithCancel(ctx)
	defer stopMovers()
	var wg, movers sync.WaitGroup
	errs := make(chan error, 32)
	start := func(wg *sync.WaitGroup, ctx context.Context, stream uint64, f func(context.Context, *rand.Rand) error) {
		rng := rand.New(rand.NewPCG(o.Seed, stream))
		wg.Go(func() {
			if err := f(ctx, rng); err != nil {
				errs <- err
			}
		})
	}
	for i := range 3 {
		start(&wg, clients, uint64(10+i), func(ctx context.Context, rng *rand.Rand) error { return w.produce(ctx, fmt.Sprintf("p%d", i), rng) })
	}
	for i := range 2 {
		start(&wg, clients, uint64(20+i), func(ctx context.Context, rng *rand.Rand) error { return w.write(ctx, fmt.Sprintf("w%d", i), rng) })
		start(&movers, moving, uint64(30+i), func(ctx context.Context, rng *rand.Rand) error { return w.move(ctx, fmt.Sprintf("m%d", i), rng) })
	}
	for i, topic := range []string{topicInput, topicOutput, topicLedger} {
		for j, committed := range []bool{true, false} {
			start(&wg, clients, uint64(40+2*i+j), func(ctx context.Context, rng *rand.Rand) error { return w.read(ctx, topic, committed, rng) })
		}
	}
	start(&wg, clients, 60, func(ctx context.Context, _ *rand.Rand) error { return w.watch(ctx) })
	world := &world{c: c, h: w.h, rng: rand.New(rand.NewPCG(o.Seed, 1))}
	err := torment(faulty, world, pick(Faults(), o.Faults, c, o.Cluster.DiskMB > 0))
	w.h.AddNote("all is healed")
	sleep(ctx, time.Second) // of peace, with all clients
	stopClients()
	wg.Wait()
	w.h.AddNote("clients have ended")
	if err == nil {
		err = w.drain(ctx, c)
	}
	stopMovers()
	movers.Wait()
	close(errs)
	for e := range errs {
		err = errors.Join(err, e)
	}
	return err
}

// drain starts what does not run and lets the movers come to the end.
func (w *workload) drain(ctx context.Context, c *Cluster) error {
	ctx, cancel := context.WithTimeout(ctx, 120*time.Second)
	defer cancel()
	return w.admin(ctx, c, func(adm *kadm.Client) error {
		if err := w.settled(ctx, adm, min(3, len(c.Nodes))); err != nil {
			return err
		}
		w.h.AddNote("all replicas are in sync")
		if err := w.drained(ctx, adm); err != nil {
			return err
		}
		w.h.AddNote("movers are at the end")
		return nil
	})
}

func (w *workload) admin(ctx context.Context, c *Cluster, do func(*kadm.Client) error) error {
	if err := c.Start(ctx); err != nil {
		return err
	}
	cl, err := w.client(kgo.RetryTimeout(30 * time.Second))
	if err != nil {
		return err
	}
	defer cl.Close()
	return do(kadm.NewClient(cl))
}

// finish reads everything, from each replica in turn.
func (w *workload) finish(ctx context.Context, c *Cluster) error {
	ctx, cancel := context.WithTimeout(ctx, 180*time.Second)
	defer cancel()
	return w.admin(ctx, c, func(adm *kadm.Client) error {
		for range min(3, len(c.Nodes)) {
			if err := w.readAll(ctx, adm); err != nil {
				return err
			}
			more, err := w.rotate(ctx, adm)
			if err != nil || !more {
				return err
			}
			if err := w.settled(ctx, adm, min(3, len(c.Nodes))); err != nil {
				return err
			}
		}
		return nil
	})
}
