package tpch

// part makes parts.
type part struct {
	columns
	streams
	next                                      int64
	name, maker, brand, kind, size, container stream
	comment                                   comment
	shuffled                                  []string
}

func newPart(Scale) generator {
	g := &part{next: 1, columns: columns{schema: partSchema}, shuffled: make([]string, len(colours)),
		name: newStream(709314158, int64(len(colours))), maker: newStream(1, 1), brand: newStream(46831694, 1), kind: newStream(1841581359, 1),
		size: newStream(1193163244, 1), container: newStream(727633698, 1), comment: newComment(804159733, 14, 1)}
	g.streams = streams{&g.name, &g.maker, &g.brand, &g.kind, &g.size, &g.container, &g.comment.stream}
	return g
}

func (g *part) skip(rows int64) {
	g.next += rows
	g.streams.skip(rows)
}

func (g *part) row() {
	g.long(0, g.next)
	g.text(1, g.names)
	maker := g.maker.between(1, 5)
	g.text(2, func(b []byte) []byte { return number(append(b, "Manufacturer#"...), maker, 1) })
	g.text(3, func(b []byte) []byte { return number(append(b, "Brand#"...), maker*10+g.brand.between(1, 5), 2) })
	g.pick(4, types, &g.kind)
	g.int(5, g.size.between(1, 50))
	g.pick(6, containers, &g.container)
	g.money(7, retailPrice(g.next))
	g.cut(8, &g.comment)
	g.endRow()
	g.next++
}

// names appends five different colours: the first of a random order.
func (g *part) names(dst []byte) []byte {
	copy(g.shuffled, colours)
	for i := range 5 {
		at := g.name.between(int64(i), int64(len(colours))-1)
		g.shuffled[i], g.shuffled[at] = g.shuffled[at], g.shuffled[i]
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, g.shuffled[i]...)
	}
	return dst
}

// retailPrice is a part's price in cents.
func retailPrice(part int64) int64 { return 90000 + part/10%20001 + 100*(part%1000) }

// suppliersOfPart is how many suppliers a part has.
const suppliersOfPart = 4

// supplierOf is the i-th supplier of a part among n suppliers.
func supplierOf(part, i, n int64) int64 { return (part+i*(n/suppliersOfPart+(part-1)/n))%n + 1 }

// partsupp makes the suppliers of parts, four rows a part.
type partsupp struct {
	columns
	streams
	next, suppliers int64
	quantity, cost  stream
	comment         comment
}

func newPartsupp(s Scale) generator {
	g := &partsupp{next: 1, suppliers: s.suppliers(), columns: columns{schema: partsuppSchema},
		quantity: newStream(1671059989, suppliersOfPart), cost: newStream(1051288424, suppliersOfPart), comment: newComment(1961692154, 124, suppliersOfPart)}
	g.streams = streams{&g.quantity, &g.cost, &g.comment.stream}
	return g
}

func (g *partsupp) skip(parts int64) {
	g.next += parts
	g.streams.skip(parts)
}

func (g *partsupp) row() {
	for i := range int64(suppliersOfPart) {
		g.long(0, g.next)
		g.long(1, supplierOf(g.next, i, g.suppliers))
		g.int(2, g.quantity.between(1, 9999))
		g.money(3, g.cost.between(100, 100000))
		g.cut(4, &g.comment)
	}
	g.endRow()
	g.next++
}
