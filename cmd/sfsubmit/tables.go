package main

import (
	"context"
	"time"
)

// tableNames are the node's tables, for completion; none when it does not answer at once.
func tableNames(s *opened) []string {
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	df, err := s.SQL(ctx, "SHOW TABLES")
	if err != nil {
		return nil
	}
	rows, err := df.Collect(ctx)
	if err != nil {
		return nil
	}
	var names []string
	for _, r := range rows {
		if name, ok := r.Get("tableName").(string); ok {
			names = append(names, name)
		}
	}
	return names
}
