package tpch

// supplier makes suppliers.
type supplier struct {
	columns
	streams
	next                                          int64
	address, nation, phone, balance               stream
	comment                                       comment
	remark, remarkNoise, remarkOffset, remarkKind stream
}

func newSupplier(Scale) generator {
	g := &supplier{next: 1, columns: columns{schema: supplierSchema},
		address: newStream(706178559, addressNumbers), nation: newStream(110356601, 1), phone: newStream(884434366, 3), balance: newStream(962338209, 1),
		comment: newComment(1341315363, 63, 1),
		remark:  newStream(202794285, 1), remarkNoise: newStream(263032577, 1), remarkOffset: newStream(715851524, 1), remarkKind: newStream(753643799, 1)}
	g.streams = streams{&g.address, &g.nation, &g.phone, &g.balance, &g.comment.stream, &g.remark, &g.remarkNoise, &g.remarkOffset, &g.remarkKind}
	return g
}

func (g *supplier) skip(rows int64) {
	g.next += rows
	g.streams.skip(rows)
}

func (g *supplier) row() {
	g.long(0, g.next)
	g.text(1, func(b []byte) []byte { return number(append(b, "Supplier#"...), g.next, 9) })
	g.text(2, func(b []byte) []byte { return address(b, &g.address) })
	nation := g.nation.between(0, 24)
	g.int(3, nation)
	g.text(4, func(b []byte) []byte { return phone(b, nation, &g.phone) })
	g.money(5, g.balance.between(-99999, 999999))
	g.text(6, g.remarks)
	g.endRow()
	g.next++
}

// The remarks of clause 4.3: in five of 10,000 suppliers' comments a customer complains, in five one recommends.
const (
	remarkOf     = "Customer "
	remarkBytes  = int64(len(remarkOf) + len("Complaints"))
	remarksEvery = 10 // of 10,000
)

func (g *supplier) remarks(dst []byte) []byte {
	from, n := g.comment.next()
	at := int64(len(dst))
	dst = append(dst, g.comment.pool[from:from+n]...)
	if g.remark.between(1, 10000) > remarksEvery {
		return dst
	}
	noise := g.remarkNoise.between(0, n-remarkBytes)
	at += g.remarkOffset.between(0, n-remarkBytes-noise)
	copy(dst[at:], remarkOf)
	kind := "Recommends"
	if g.remarkKind.between(0, 100) < 50 {
		kind = "Complaints"
	}
	copy(dst[at+int64(len(remarkOf))+noise:], kind)
	return dst
}

// customer makes customers.
type customer struct {
	columns
	streams
	next                                     int64
	address, nation, phone, balance, segment stream
	comment                                  comment
}

func newCustomer(Scale) generator {
	g := &customer{next: 1, columns: columns{schema: customerSchema},
		address: newStream(881155353, addressNumbers), nation: newStream(1489529863, 1), phone: newStream(1521138112, 3), balance: newStream(298370230, 1),
		segment: newStream(1140279430, 1), comment: newComment(1335826707, 73, 1)}
	g.streams = streams{&g.address, &g.nation, &g.phone, &g.balance, &g.segment, &g.comment.stream}
	return g
}

func (g *customer) skip(rows int64) {
	g.next += rows
	g.streams.skip(rows)
}

func (g *customer) row() {
	g.long(0, g.next)
	g.text(1, func(b []byte) []byte { return number(append(b, "Customer#"...), g.next, 9) })
	g.text(2, func(b []byte) []byte { return address(b, &g.address) })
	nation := g.nation.between(0, 24)
	g.int(3, nation)
	g.text(4, func(b []byte) []byte { return phone(b, nation, &g.phone) })
	g.money(5, g.balance.between(-99999, 999999))
	g.pick(6, segments, &g.segment)
	g.cut(7, &g.comment)
	g.endRow()
	g.next++
}

// nation makes nations, region regions.
type nation struct {
	columns
	streams
	next    int64
	comment comment
}

func newNation(Scale) generator {
	g := &nation{columns: columns{schema: nationSchema}, comment: newComment(606179079, 72, 1)}
	g.streams = streams{&g.comment.stream}
	return g
}

func (g *nation) skip(rows int64) {
	g.next += rows
	g.streams.skip(rows)
}

func (g *nation) row() {
	g.int(0, g.next)
	g.text(1, func(b []byte) []byte { return append(b, nations[g.next].name...) })
	g.int(2, nations[g.next].region)
	g.cut(3, &g.comment)
	g.endRow()
	g.next++
}

type region struct {
	columns
	streams
	next    int64
	comment comment
}

func newRegion(Scale) generator {
	g := &region{columns: columns{schema: regionSchema}, comment: newComment(1500869201, 72, 1)}
	g.streams = streams{&g.comment.stream}
	return g
}

func (g *region) skip(rows int64) {
	g.next += rows
	g.streams.skip(rows)
}

func (g *region) row() {
	g.int(0, g.next)
	g.text(1, func(b []byte) []byte { return append(b, regions[g.next]...) })
	g.cut(2, &g.comment)
	g.endRow()
	g.next++
}
