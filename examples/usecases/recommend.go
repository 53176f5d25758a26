package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	sf "github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/process"
)

// Interaction is a row of two topics: what a user looked at or bought.
type Interaction struct {
	Kind     string // "view" or "buy"
	Category string
	Ts       time.Time
}

// Recommendation is a category that a user should be shown.
type Recommendation struct {
	User     string
	Category string
	Score    float64
	At       time.Time
}

// recommender keeps a profile of each user: how much each category is liked, fading by half each ten minutes. After each
// interaction it recommends the category that has become the favourite.
type recommender struct {
	liking process.Map[string, float64]
	seen   process.Value[time.Time]
	shown  process.Value[string]
}

func (r *recommender) Open(s *process.State) {
	r.liking = process.NewMap[string, float64](s, "liking", process.TTL(24*time.Hour))
	r.seen = process.NewValue[time.Time](s, "seen")
	r.shown = process.NewValue[string](s, "shown")
}

func (r *recommender) Row(c *process.Context[string], i Interaction, out process.Collector[Recommendation]) error {
	if last, ok := r.seen.Get(); ok {
		fade := math.Exp2(-c.Time().Sub(last).Minutes() / 10)
		for k, v := range r.liking.All() {
			r.liking.Put(k, v*fade)
		}
	}
	r.seen.Put(c.Time())
	v, _ := r.liking.Get(i.Category)
	if v++; i.Kind == "buy" {
		v += 3
	}
	r.liking.Put(i.Category, v)
	best, most, sum := "", 0.0, 0.0
	for _, k := range []string{"books", "games", "garden", "music"} { // in a fixed order: sums of fractions depend on it
		v, _ := r.liking.Get(k)
		if sum += v; v > most {
			best, most = k, v
		}
	}
	if shown, _ := r.shown.Get(); best == shown {
		return nil
	}
	r.shown.Put(best)
	return out(Recommendation{c.Key(), best, math.Round(100*most/sum) / 100, c.Time()})
}

func init() {
	process.Register("recommender", func() process.Function[string, Interaction, Recommendation] { return &recommender{} })
}

// recommend connects two streams, views and purchases, in one function.
var recommend = &useCase{
	name:  "recommend",
	about: "the category that a user likes most, each time it changes",
	input: []topic{
		{name: "views", ddl: "user STRING, category STRING, ts TIMESTAMP", more: ", WATERMARK FOR ts AS ts - INTERVAL 5 SECONDS", rows: interactions(7, 500, 1)},
		{name: "purchases", ddl: "user STRING, category STRING, ts TIMESTAMP", more: ", WATERMARK FOR ts AS ts - INTERVAL 5 SECONDS", rows: interactions(8, 50, 10)},
	},
	program: func(s *sf.Session) (*sf.DataFrame, error) {
		views := s.Table("views").Select(sf.Lit("view").Alias("kind"), sf.Col("user"), sf.Col("category"), sf.Col("ts"))
		bought := s.Table("purchases").Select(sf.Lit("buy").Alias("kind"), sf.Col("user"), sf.Col("category"), sf.Col("ts"))
		return views.Union(bought).KeyBy("user").OrderBy("ts").Process("recommender").Filter(sf.Col("score").Gt(0.4)), nil
	},
}

func interactions(seed uint64, n int, every float64) (rows [][]any) {
	rng := rand.New(rand.NewPCG(seed, seed))
	for i := range n {
		user := rng.IntN(4)
		category := []string{"books", "games", "garden", "music"}[(user+min(int(rng.ExpFloat64()*1.2), 3)+i*4/n)%4]
		rows = append(rows, []any{fmt.Sprintf("user-%d", user), category, seconds(every*float64(i) - 3*rng.Float64())})
	}
	return rows
}
