package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	sf "github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/process"
)

// Transaction is a row of the topic of payments.
type Transaction struct {
	ID      int64
	Amount  float64
	Country string
	Ts      time.Time
}

// Alert is what the function puts out.
type Alert struct {
	Account string
	ID      int64
	Amount  float64
	Score   float64
	At      time.Time
}

// Pattern is what is known of an account: how it usually pays.
type Pattern struct {
	Payments int
	Mean     float64
	Spread   float64 // mean distance from the mean
	Country  string
}

// predict is the risk of a payment after what is known of its account, from 0 to 1.
func predict(t Transaction, p Pattern) float64 {
	if p.Payments < 5 {
		return 0
	}
	z := math.Abs(t.Amount-p.Mean) / (p.Spread + 1)
	if t.Country != p.Country {
		z += 2
	}
	return 1 - math.Exp(-z/4)
}

func (p *Pattern) update(t Transaction) {
	p.Payments++
	weight := 1 / math.Min(float64(p.Payments), 20)
	p.Spread += weight * (math.Abs(t.Amount-p.Mean) - p.Spread)
	p.Mean += weight * (t.Amount - p.Mean)
	p.Country = t.Country
}

// fraudDetection scores each payment of an account, learns from it, and forgets accounts that are silent for a month. Payments
// that are only odd go to the side output review. A minute after an alert the account is looked at once more.
type fraudDetection struct {
	pattern process.Value[Pattern]
	alerted process.List[int64]
}

const threshold = 0.8

func (f *fraudDetection) Open(s *process.State) {
	f.pattern = process.NewValue[Pattern](s, "pattern", process.TTL(30*24*time.Hour))
	f.alerted = process.NewList[int64](s, "alerted")
}

func (f *fraudDetection) Row(c *process.Context[string], t Transaction, out process.Collector[Alert]) error {
	pattern, _ := f.pattern.Get()
	score := predict(t, pattern)
	switch {
	case score > threshold:
		f.alerted.Append(t.ID)
		c.SetTimer(process.EventTime, c.Time().Add(time.Minute))
		if err := out(Alert{c.Key(), t.ID, t.Amount, math.Round(score*100) / 100, c.Time()}); err != nil {
			return err
		}
	case score > 0.5:
		if err := c.Side("review", map[string]any{"account": c.Key(), "id": t.ID}); err != nil {
			return err
		}
	}
	pattern.update(t)
	f.pattern.Put(pattern)
	return nil
}

func (f *fraudDetection) Timer(c *process.Context[string], _ process.TimerKind, _ process.Collector[Alert]) error {
	if n := len(f.alerted.Get()); n > 1 {
		if err := c.Side("blocked", map[string]any{"account": c.Key(), "alerts": n}); err != nil {
			return err
		}
	}
	f.alerted.Clear()
	return nil
}

func init() {
	process.Register("fraud_detection", func() process.Function[string, Transaction, Alert] { return &fraudDetection{} })
}

var fraud = &useCase{
	name:  "fraud",
	about: "payments that do not look like their account's",
	input: []topic{{name: "transactions", ddl: "id BIGINT, account STRING, amount DOUBLE, country STRING, ts TIMESTAMP",
		more: ", WATERMARK FOR ts AS ts - INTERVAL 10 SECONDS", rows: transactions()}},
	program: func(s *sf.Session) (*sf.DataFrame, error) {
		return s.Table("transactions").KeyBy("account").OrderBy("ts").Process("fraud_detection").Filter(sf.Col("score").Gt(threshold)), nil
	},
	sides: []string{
		"SELECT 'for review' AS side, count(*) AS n FROM `fraud.review`",
		"SELECT 'blocked' AS side, value FROM `fraud.blocked`",
	},
}

func transactions() (rows [][]any) {
	rng := rand.New(rand.NewPCG(6, 6))
	for i := range 800 {
		n := rng.IntN(10)
		amount, country := float64(20*(n+1))+10*rng.NormFloat64(), "NL"
		if i > 500 && i < 530 && i%5 == 0 { // a card has been stolen
			n, amount, country = 3, 900+100*rng.NormFloat64(), "BR"
		}
		rows = append(rows, []any{int64(i), fmt.Sprintf("acc-%d", n), math.Round(amount*100) / 100, country, seconds(float64(i) - 5*rng.Float64())})
	}
	return rows
}
