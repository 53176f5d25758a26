package main

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// dashboard: activity of each user over the last five minutes, each minute.
var dashboard = &useCase{
	name:  "dashboard",
	about: "activity of each user over five minutes, each minute",
	input: []topic{{name: "user_events", ddl: "user STRING, action STRING, ts TIMESTAMP", more: ", WATERMARK FOR ts AS ts - INTERVAL 5 SECONDS", rows: userEvents()}},
	program: query(`SELECT window(ts, '5 minutes', '1 minute').end AS minute, user, count(*) AS events,
		sum(CASE WHEN action = 'buy' THEN 1 ELSE 0 END) AS bought, max(ts) AS last
		FROM user_events GROUP BY window(ts, '5 minutes', '1 minute'), user`),
}

func userEvents() (rows [][]any) {
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 600 {
		user := []string{"ann", "bob", "eve"}[min(int(rng.ExpFloat64()), 2)]
		action := []string{"view", "view", "view", "search", "buy"}[rng.IntN(5)]
		rows = append(rows, []any{user, action, seconds(float64(i) - 4*rng.Float64())})
	}
	return rows
}

// iot: readings with what is known of the device, and windows in which a device leaves its usual range.
var iot = &useCase{
	name:  "iot",
	about: "readings of a device that leave its usual range, with the device's room, over ten minutes, each two",
	input: []topic{{name: "sensors", ddl: "device STRING, celsius DOUBLE, ts TIMESTAMP", more: ", WATERMARK FOR ts AS ts - INTERVAL 10 SECONDS", rows: readings()}},
	setup: []string{"CREATE VIEW devices AS SELECT * FROM VALUES ('d1', 'hall', 4.0), ('d2', 'lab', 4.0), ('d3', 'roof', 9.0) AS t(device, room, spread)"},
	program: query(`SELECT window(s.ts, '10 minutes', '2 minutes').start AS since, s.device, d.room, count(*) AS readings,
		round(avg(celsius), 1) AS mean, max(celsius) AS highest
		FROM sensors s JOIN devices d ON s.device = d.device WHERE celsius BETWEEN -50 AND 150
		GROUP BY window(s.ts, '10 minutes', '2 minutes'), s.device, d.room
		HAVING max(celsius) - avg(celsius) > max(d.spread)`),
}

func readings() (rows [][]any) {
	rng := rand.New(rand.NewPCG(2, 2))
	for i := range 900 {
		device, celsius := fmt.Sprintf("d%d", 1+i%3), 20+rng.NormFloat64()
		switch {
		case i%3 == 2:
			celsius += 5 * math.Sin(float64(i)/50)
		case i >= 400 && i < 406 && i%3 == 1:
			celsius += 15 // something is burning in the lab
		case rng.IntN(100) == 0:
			celsius = -999 // the sensor has failed
		}
		rows = append(rows, []any{device, math.Round(celsius*10) / 10, seconds(2*float64(i) - 5*rng.Float64())})
	}
	return rows
}

// logs: lines of text, parsed, and an alert for each minute in which a service has too many errors.
var logs = &useCase{
	name:  "logs",
	about: "services with more than three errors in a minute, and how slow they were",
	input: []topic{{name: "app_logs", ddl: "line STRING, ts TIMESTAMP", more: ", WATERMARK FOR ts AS ts - INTERVAL 5 SECONDS", rows: logLines()}},
	program: query(`SELECT window(ts, '1 minute').start AS minute, service, count(*) AS lines,
		sum(CASE WHEN level = 'ERROR' THEN 1 ELSE 0 END) AS errors, max(ms) AS slowest
		FROM (SELECT ts, regexp_extract(line, '^([A-Z]+) ([a-z]+)', 1) AS level, regexp_extract(line, '^([A-Z]+) ([a-z]+)', 2) AS service,
			CAST(regexp_extract(line, 'took (\\d+) ms', 1) AS INT) AS ms FROM app_logs WHERE line RLIKE '^[A-Z]+ [a-z]+ took \\d+ ms')
		GROUP BY window(ts, '1 minute'), service HAVING sum(CASE WHEN level = 'ERROR' THEN 1 ELSE 0 END) > 3`),
}

func logLines() (rows [][]any) {
	rng := rand.New(rand.NewPCG(3, 3))
	for i := range 600 {
		service := []string{"web", "cart", "mail"}[rng.IntN(3)]
		level, ms := "INFO", 5+rng.IntN(40)
		if rng.IntN(40) == 0 || service == "cart" && i/60 == 4 && rng.IntN(2) == 0 {
			level, ms = "ERROR", 900+rng.IntN(500)
		}
		line := fmt.Sprintf("%s %s took %d ms", level, service, ms)
		if rng.IntN(50) == 0 {
			line = "   at Stack.trace(Unknown Source)"
		}
		rows = append(rows, []any{line, seconds(float64(i) - 3*rng.Float64())})
	}
	return rows
}

// payments: each payment that is large or from a country that the account was not in today.
var payments = &useCase{
	name:  "payments",
	about: "payments over a threshold, or marked as suspicious, as they come",
	input: []topic{{name: "transfers", ddl: "id BIGINT, account STRING, amount DECIMAL(12,2), suspicious BOOLEAN, ts TIMESTAMP", rows: transfers()}},
	program: query(`SELECT id, account, amount, CASE WHEN amount > 10000 THEN 'amount' ELSE 'suspicious' END AS reason
		FROM transfers WHERE amount > 10000 OR suspicious`),
}

func transfers() (rows [][]any) {
	rng := rand.New(rand.NewPCG(4, 4))
	for i := range 500 {
		amount := math.Round(math.Exp(5+1.6*rng.NormFloat64())*100) / 100
		rows = append(rows, []any{int64(i), fmt.Sprintf("acc-%d", rng.IntN(20)), fmt.Sprintf("%.2f", amount), rng.IntN(120) == 0, seconds(float64(i))})
	}
	return rows
}

// sessions: visits of a site, ended by half an hour of silence.
var sessions = &useCase{
	name:  "sessions",
	about: "visits: clicks of a user with less than thirty minutes between them",
	input: []topic{{name: "clicks", ddl: "user STRING, page STRING, ts TIMESTAMP", more: ", WATERMARK FOR ts AS ts - INTERVAL 1 MINUTE", rows: clicks()}},
	program: query(`SELECT user, session_window(ts, '30 minutes').start AS since, count(*) AS clicks, min(page) AS first_page, max(ts) AS last
		FROM clicks GROUP BY session_window(ts, '30 minutes'), user`),
}

func clicks() (rows [][]any) {
	rng := rand.New(rand.NewPCG(5, 5))
	at := 0.0
	for i := range 300 {
		if at += rng.ExpFloat64() * 30; i%40 == 39 {
			at += 3600
		}
		user := []string{"ann", "bob", "cid", "dan", "eve"}[rng.IntN(5)]
		rows = append(rows, []any{user, fmt.Sprintf("/page/%d", rng.IntN(9)), seconds(at)})
	}
	return rows
}
