package expr

// Deterministic reports whether e gives the same value for the same row whenever and however often it is evaluated, so
// that rules may copy, move or drop it.
func Deterministic(e Expr) bool {
	ok := true
	Walk(e, func(x Expr) bool {
		if c, is := x.(*Call); is {
			if f := functionOf(c.Fn); f != nil && f.flags&volatile != 0 {
				ok = false
			}
		}
		return ok
	})
	return ok
}

// ReadsClock reports whether e reads the time at which the query or micro-batch started, so that the same row may have
// another value in a later micro-batch.
func ReadsClock(e Expr) bool {
	found := false
	Walk(e, func(x Expr) bool {
		if c, ok := x.(*Call); ok {
			switch c.Fn {
			case "current_date", "current_timestamp", "localtimestamp":
				found = true
			}
		}
		return !found
	})
	return found
}
