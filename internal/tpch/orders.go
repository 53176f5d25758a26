package tpch

// Days since 1970: the first order date, the last one, and the day that clause 4.2.2.12 calls the current one.
const (
	firstDate   = 8035
	lastDate    = firstDate + 2405
	currentDate = firstDate + 1263
)

// orderKey is the key of the n-th order: of 32 keys only the first 8 are used.
func orderKey(n int64) int64 { return n>>3<<5 | n&7 }

// maxLines is the greatest number of lines of an order.
const maxLines = 7

// basket is what orders and their lines have in common: what was bought, when, and for how much.
type basket struct {
	parts                                            int64
	date, count, quantity, discount, tax, part, ship stream
}

func newBasket(s Scale) basket {
	return basket{parts: s.parts(), date: newStream(1066728069, 1), count: newStream(1434868289, 1), quantity: newStream(209208115, maxLines),
		discount: newStream(554590007, maxLines), tax: newStream(721958466, maxLines), part: newStream(1808217256, maxLines),
		ship: newStream(1769349045, maxLines)}
}

func (b *basket) all() streams {
	return streams{&b.date, &b.count, &b.quantity, &b.discount, &b.tax, &b.part, &b.ship}
}

// line is one line; money is in cents, discount and tax in hundredths.
type line struct{ quantity, discount, tax, part, price, shipped int64 }

func (b *basket) line(ordered int64) line {
	l := line{quantity: b.quantity.between(1, 50), discount: b.discount.between(0, 10), tax: b.tax.between(0, 8), part: b.part.between(1, b.parts)}
	l.price = l.quantity * retailPrice(l.part)
	l.shipped = ordered + b.ship.between(1, 121)
	return l
}

// total is what a line adds to its order's price.
func (l line) total() int64 { return l.price * (100 - l.discount) / 100 * (100 + l.tax) / 100 }

// orders makes orders.
type orders struct {
	columns
	streams
	next, customers, clerks   int64
	basket                    basket
	customer, priority, clerk stream
	comment                   comment
}

func newOrders(s Scale) generator {
	g := &orders{next: 1, customers: s.customers(), clerks: s.clerks(), columns: columns{schema: ordersSchema}, basket: newBasket(s),
		customer: newStream(851767375, 1), priority: newStream(591449447, 1), clerk: newStream(1171034773, 1), comment: newComment(276090261, 49, 1)}
	g.streams = append(g.basket.all(), &g.customer, &g.priority, &g.clerk, &g.comment.stream)
	return g
}

func (g *orders) skip(rows int64) {
	g.next += rows
	g.streams.skip(rows)
}

// statuses are the codes of o_orderstatus and l_linestatus.
var statuses = words{"F", "O", "P"}

func (g *orders) row() {
	date := g.basket.date.between(firstDate, lastDate)
	count, shipped, total := g.basket.count.between(1, maxLines), int64(0), int64(0)
	for range count {
		l := g.basket.line(date)
		total += l.total()
		if l.shipped <= currentDate {
			shipped++
		}
	}
	g.long(0, orderKey(g.next))
	g.long(1, g.buyer())
	switch shipped {
	case count:
		g.code(2, statuses, 0)
	case 0:
		g.code(2, statuses, 1)
	default:
		g.code(2, statuses, 2)
	}
	g.money(3, total)
	g.int(4, date)
	g.pick(5, priorities, &g.priority)
	clerk := g.clerk.between(1, g.clerks)
	g.text(6, func(b []byte) []byte { return number(append(b, "Clerk#"...), clerk, 9) })
	g.int(7, 0)
	g.cut(8, &g.comment)
	g.endRow()
	g.next++
}

// buyer is a customer; every third one has no orders.
func (g *orders) buyer() int64 {
	key := g.customer.between(1, g.customers)
	for step := int64(1); key%3 == 0; step = -step {
		key = min(key+step, g.customers)
	}
	return key
}

// lineitem makes the lines of orders.
type lineitem struct {
	columns
	streams
	next, suppliers                                    int64
	basket                                             basket
	supplier, commit, receipt, flag, instruction, mode stream
	comment                                            comment
}

func newLineitem(s Scale) generator {
	g := &lineitem{next: 1, suppliers: s.suppliers(), columns: columns{schema: lineitemSchema}, basket: newBasket(s),
		supplier: newStream(2095021727, maxLines), commit: newStream(904914315, maxLines), receipt: newStream(373135028, maxLines),
		flag: newStream(717419739, maxLines), instruction: newStream(1371272478, maxLines), mode: newStream(675466456, maxLines),
		comment: newComment(1095462486, 27, maxLines)}
	g.streams = append(g.basket.all(), &g.supplier, &g.commit, &g.receipt, &g.flag, &g.instruction, &g.mode, &g.comment.stream)
	return g
}

func (g *lineitem) skip(orders int64) {
	g.next += orders
	g.streams.skip(orders)
}

// flags are the codes of l_returnflag.
var flags = words{"R", "A", "N"}

func (g *lineitem) row() {
	date := g.basket.date.between(firstDate, lastDate)
	count := g.basket.count.between(1, maxLines)
	for i := range count {
		l := g.basket.line(date)
		g.long(0, orderKey(g.next))
		g.long(1, l.part)
		g.long(2, supplierOf(l.part, g.supplier.between(0, suppliersOfPart-1), g.suppliers))
		g.int(3, i+1)
		g.money(4, l.quantity*100)
		g.money(5, l.price)
		g.money(6, l.discount)
		g.money(7, l.tax)
		commit, receipt := date+g.commit.between(30, 90), l.shipped+g.receipt.between(1, 30)
		if receipt <= currentDate {
			g.code(8, flags, g.flag.between(0, 1))
		} else {
			g.code(8, flags, 2)
		}
		status := int64(0)
		if l.shipped > currentDate {
			status = 1
		}
		g.code(9, statuses, status)
		g.int(10, l.shipped)
		g.int(11, commit)
		g.int(12, receipt)
		g.pick(13, instructions, &g.instruction)
		g.pick(14, modes, &g.mode)
		g.cut(15, &g.comment)
	}
	g.endRow()
	g.next++
}
