package column

// Bytes is about the memory that the batch takes, shared string buffers counted in full.
func (b *Batch) Bytes() int64 {
	n := int64(0)
	for _, c := range b.Cols {
		n += c.Size()
	}
	return n
}

// Size is about the memory that the vector takes, shared string buffers counted in full.
func (v *Vector) Size() int64 {
	if v == nil {
		return 0
	}
	n := len(v.Valid)*8 + len(v.Bools) + len(v.I8) + len(v.I16)*2 + (len(v.I32)+len(v.F32)+len(v.Codes)+len(v.Offs))*4 +
		(len(v.I64)+len(v.F64))*8 + (len(v.Dec)+len(v.Views))*16
	for _, b := range v.Bufs {
		n += len(b)
	}
	size := int64(n) + v.Dict.Size()
	for _, k := range v.Kids {
		size += k.Size()
	}
	return size
}

// Size is about the memory that the builder's rows take.
func (b *Builder) Size() int64 {
	size := b.v.Size()
	for _, k := range b.kids {
		size += k.Size()
	}
	return size
}

// Bytes is about the memory that the builder's rows take.
func (b *BatchBuilder) Bytes() int64 {
	n := int64(0)
	for _, c := range b.Cols {
		n += c.Size()
	}
	return n
}
