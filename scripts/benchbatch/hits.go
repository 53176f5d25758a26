package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/column/parquet"
)

// hitsSchema is a table in the manner of ClickBench's: visits to pages, one wide row each, most of them from few users and to few
// pages, most without a search.
const hitsSchema = "WatchID BIGINT NOT NULL, UserID BIGINT NOT NULL, CounterID INT NOT NULL, RegionID INT NOT NULL, EventDate DATE NOT NULL, EventHour SMALLINT NOT NULL, " +
	"URL STRING NOT NULL, Title STRING NOT NULL, Referer STRING NOT NULL, SearchPhrase STRING NOT NULL, SearchEngineID SMALLINT NOT NULL, AdvEngineID SMALLINT NOT NULL, " +
	"MobilePhone SMALLINT NOT NULL, MobilePhoneModel STRING NOT NULL, ResolutionWidth SMALLINT NOT NULL, IsRefresh SMALLINT NOT NULL, DontCountHits SMALLINT NOT NULL, " +
	"TraficSourceID SMALLINT NOT NULL, URLHash BIGINT NOT NULL, Cost DECIMAL(9,2) NOT NULL"

// hitsQueries are scans and groupings in the manner of ClickBench's, in words that both programs know. Each has one order of its
// rows.
var hitsQueries = []string{
	`SELECT count(*) FROM hits`,
	`SELECT count(*) FROM hits WHERE AdvEngineID <> 0`,
	`SELECT sum(AdvEngineID), count(*), avg(ResolutionWidth) FROM hits`,
	`SELECT count(DISTINCT UserID) FROM hits`,
	`SELECT count(DISTINCT SearchPhrase) FROM hits`,
	`SELECT min(EventDate), max(EventDate), sum(Cost) FROM hits`,
	`SELECT AdvEngineID, count(*) AS c FROM hits WHERE AdvEngineID <> 0 GROUP BY AdvEngineID ORDER BY c DESC, AdvEngineID`,
	`SELECT RegionID, count(DISTINCT UserID) AS u FROM hits GROUP BY RegionID ORDER BY u DESC, RegionID LIMIT 10`,
	`SELECT RegionID, sum(AdvEngineID), count(*) AS c, avg(ResolutionWidth), count(DISTINCT UserID) FROM hits GROUP BY RegionID ORDER BY c DESC, RegionID LIMIT 10`,
	`SELECT MobilePhoneModel, count(DISTINCT UserID) AS u FROM hits WHERE MobilePhoneModel <> '' GROUP BY MobilePhoneModel ORDER BY u DESC, MobilePhoneModel LIMIT 10`,
	`SELECT SearchPhrase, count(*) AS c FROM hits WHERE SearchPhrase <> '' GROUP BY SearchPhrase ORDER BY c DESC, SearchPhrase LIMIT 10`,
	`SELECT SearchEngineID, SearchPhrase, count(*) AS c FROM hits WHERE SearchPhrase <> '' GROUP BY SearchEngineID, SearchPhrase ORDER BY c DESC, SearchEngineID, SearchPhrase LIMIT 10`,
	`SELECT UserID, count(*) AS c FROM hits GROUP BY UserID ORDER BY c DESC, UserID LIMIT 10`,
	`SELECT UserID, SearchPhrase, count(*) AS c FROM hits GROUP BY UserID, SearchPhrase ORDER BY c DESC, UserID, SearchPhrase LIMIT 10`,
	`SELECT UserID, EventHour, SearchPhrase, count(*) AS c FROM hits GROUP BY UserID, EventHour, SearchPhrase ORDER BY c DESC, UserID, EventHour, SearchPhrase LIMIT 10`,
	`SELECT WatchID, URLHash FROM hits WHERE UserID = 17 ORDER BY WatchID`,
	`SELECT count(*) FROM hits WHERE URL LIKE '%goods%'`,
	`SELECT SearchPhrase, min(URL), count(*) AS c FROM hits WHERE URL LIKE '%goods%' AND SearchPhrase <> '' GROUP BY SearchPhrase ORDER BY c DESC, SearchPhrase LIMIT 10`,
	`SELECT SearchPhrase, min(URL), min(Title), count(*) AS c, count(DISTINCT UserID) FROM hits WHERE Title LIKE '%Shop%' AND URL NOT LIKE '%/news/%' AND SearchPhrase <> '' GROUP BY SearchPhrase ORDER BY c DESC, SearchPhrase LIMIT 10`,
	`SELECT * FROM hits WHERE URL LIKE '%goods/77%' ORDER BY EventDate, WatchID LIMIT 10`,
	`SELECT SearchPhrase FROM hits WHERE SearchPhrase <> '' ORDER BY SearchPhrase, WatchID LIMIT 10`,
	`SELECT CounterID, avg(length(URL)) AS l, count(*) AS c FROM hits WHERE URL <> '' GROUP BY CounterID HAVING count(*) > 1000 ORDER BY l DESC, CounterID LIMIT 25`,
	`SELECT sum(ResolutionWidth), sum(ResolutionWidth + 1), sum(ResolutionWidth + 2), sum(ResolutionWidth + 3), sum(ResolutionWidth + 4), sum(ResolutionWidth + 5) FROM hits`,
	`SELECT URL, count(*) AS c FROM hits GROUP BY URL ORDER BY c DESC, URL LIMIT 10`,
	`SELECT URL, count(*) AS views FROM hits WHERE CounterID = 3 AND EventDate >= DATE '2024-03-10' AND EventDate <= DATE '2024-03-20' AND DontCountHits = 0 AND IsRefresh = 0 GROUP BY URL ORDER BY views DESC, URL LIMIT 10`,
	`SELECT TraficSourceID, SearchEngineID, AdvEngineID, CASE WHEN SearchEngineID = 0 AND AdvEngineID = 0 THEN Referer ELSE '' END AS src, count(*) AS views FROM hits WHERE CounterID = 3 GROUP BY 1, 2, 3, 4 ORDER BY views DESC, 1, 2, 3, 4 LIMIT 10`,
}

// hitsTables makes the files of so many rows, unless they are there. Rows follow from the seed alone.
func hitsTables(ctx context.Context, o options) (string, error) {
	dir, err := filepath.Abs(filepath.Join(o.cache, fmt.Sprintf("hits%d", o.hits)))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	fmt.Fprintf(os.Stderr, "making %d hits in %s\n", o.hits, dir)
	if err := os.MkdirAll(dir+".part", 0o777); err != nil {
		return "", err
	}
	const files = 2
	for part := range files {
		from, to := o.hits*part/files, o.hits*(part+1)/files
		if err := writeHits(ctx, filepath.Join(dir+".part", fmt.Sprintf("part-%d.parquet", part)), o.hits, from, to); err != nil {
			return "", err
		}
	}
	return dir, os.Rename(dir+".part", dir)
}

func writeHits(ctx context.Context, path string, all, from, to int) (err error) {
	schema, err := column.ParseDDL(hitsSchema)
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buf := bufio.NewWriterSize(f, 1<<20)
	w, err := parquet.NewWriter(buf, schema, parquet.Options{Compression: "snappy", RowGroupRows: 128 << 10})
	if err != nil {
		return err
	}
	g := newHits(all, uint64(from))
	rows := column.NewBatchBuilder(schema)
	for row := from; row < to && err == nil; row++ {
		g.append(rows, int64(row))
		if rows.Len() == column.ExchangeRows || row == to-1 {
			err = errors.Join(w.Write(rows.Finish()), ctx.Err())
			rows.Reset()
		}
	}
	return errors.Join(err, w.Close(), buf.Flush())
}

// hits makes rows.
type hits struct {
	r                           *rand.Rand
	users, pages, words, region *rand.Zipf
}

func newHits(rows int, seed uint64) *hits {
	r := rand.New(rand.NewPCG(2024, seed))
	n := uint64(rows)
	return &hits{r, rand.NewZipf(r, 1.05, 20, n/5+10), rand.NewZipf(r, 1.1, 50, n/3+10), rand.NewZipf(r, 1.1, 20, n/20+10), rand.NewZipf(r, 1.2, 5, 5000)}
}

var (
	hitsModels = []string{"iPad", "iPhone 2", "A500", "N8-00", "GT-I9300", "Lumia"}
	hitsKinds  = []string{"news", "goods", "video", "forum", "search", "maps"}
	hitsWords  = []string{"cheap", "car", "weather", "moscow", "recipe", "film", "online", "buy", "photo", "how", "game", "map"}
)

func (h *hits) append(b *column.BatchBuilder, row int64) {
	r, page, user := h.r, h.pages.Uint64(), h.users.Uint64()
	kind := hitsKinds[page%uint64(len(hitsKinds))]
	host := []string{"example.ru", "www.shop.example", "site.example.com"}[page%3]
	phrase, engine := "", 0
	if r.IntN(5) == 0 {
		at := h.words.Uint64()
		phrase = fmt.Sprintf("%s %s %d", hitsWords[at%12], hitsWords[at/12%12], at/144)
		engine = 1 + int(at%4)
	}
	adv, phone, model := 0, 0, ""
	if r.IntN(30) == 0 {
		adv = 1 + r.IntN(20)
	}
	if r.IntN(10) == 0 {
		phone = 1 + r.IntN(len(hitsModels))
		model = hitsModels[phone-1]
	}
	ints := func(col int, v int64) { b.Cols[col].AppendI64(v) }
	text := func(col int, s string) { b.Cols[col].AppendString(s) }
	ints(0, row*2654435761%(1<<40)+row)
	ints(1, int64(user))
	ints(2, int64(h.region.Uint64()%100))
	ints(3, int64(h.region.Uint64()))
	ints(4, 19783+row*31/max(row+1, 5_000_000)+int64(r.IntN(31))) // March 2024 and a little more
	ints(5, int64(r.IntN(24)))
	text(6, fmt.Sprintf("http://%s/%s/%d?from=%d", host, kind, page, page%17))
	text(7, fmt.Sprintf("%s%s - page %d of the catalogue", strings.ToUpper(kind[:1]), kind[1:], page%5000)+[]string{"", " | Shop", " | Portal"}[page%3])
	text(8, []string{"", "http://search.example/", "http://" + host + "/"}[r.IntN(3)])
	text(9, phrase)
	ints(10, int64(engine))
	ints(11, int64(adv))
	ints(12, int64(phone))
	text(13, model)
	ints(14, []int64{0, 1024, 1280, 1366, 1440, 1600, 1920}[r.IntN(7)])
	ints(15, int64(r.IntN(8)/7))
	ints(16, int64(r.IntN(20)/19))
	ints(17, int64(r.IntN(11)-1))
	ints(18, int64(page*0x9E3779B97F4A7C15>>1))
	b.Cols[19].AppendDec(column.DecFromInt(int64(r.IntN(100_000))))
}
