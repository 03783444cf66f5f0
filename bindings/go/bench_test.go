package chatblock_test

import (
	"context"
	"fmt"
	"testing"
)

func BenchmarkOne(b *testing.B) {
	client := open(b, nil)
	if _, err := client.Add(context.Background(), "ann", "bob"); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		if _, err := client.IsBlocked("ann", "bob"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMany(b *testing.B) {
	client := open(b, nil)
	owners := make([]string, 64)
	for i := range owners {
		owners[i] = fmt.Sprint("owner ", i)
		if _, err := client.Add(context.Background(), owners[i], "bob"); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		if _, err := client.IsBlockedMany(owners, "bob"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(owners)), "ns/pair")
}
