package oracle

// SparkDiffers says why StreamFlow's answer to a statement is another than Spark's on purpose; "" when it is not.
func SparkDiffers(g Golden) string {
	for _, d := range sparkDifferences {
		if d.of(g) {
			return d.why
		}
	}
	return ""
}

var sparkDifferences = []struct {
	of  func(g Golden) bool
	why string
}{}
