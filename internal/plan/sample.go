package plan

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Sample is how many of the accounts are looked at: a number, or a share of all. The zero Sample is all of them.
type Sample struct {
	count   int
	percent float64
}

// ParseSample reads "40" or "10%"; empty is all.
func ParseSample(text string) (Sample, error) {
	share, isShare := strings.CutSuffix(text, "%")
	switch {
	case text == "":
		return Sample{}, nil
	case isShare:
		if p, err := strconv.ParseFloat(share, 64); err == nil && p > 0 && p <= 100 {
			return Sample{percent: p}, nil
		}
	default:
		if n, err := strconv.Atoi(text); err == nil && n > 0 {
			return Sample{count: n}, nil
		}
	}
	return Sample{}, fmt.Errorf("--sample %q is no number of accounts, such as 40, and no share, such as 10%%", text)
}

// of returns how many of n accounts are looked at: at least one.
func (s Sample) of(n int) int {
	switch {
	case s.count > 0:
		return min(n, s.count)
	case s.percent > 0:
		return min(n, max(1, int(math.Ceil(s.percent*float64(n)/100))))
	}
	return n
}

// Pick returns those of the names that are looked at, in their order. Which they are depends on the names alone, so that every call picks
// the same, and a larger sample holds each smaller one.
func (s Sample) Pick(names []string) []string {
	n := s.of(len(names))
	if n == len(names) {
		return names
	}
	type hashed struct {
		name string
		hash [sha256.Size]byte
	}
	all := make([]hashed, len(names))
	for i, name := range names {
		all[i] = hashed{name, sha256.Sum256([]byte(name))}
	}
	slices.SortFunc(all, func(a, b hashed) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	picked := make(map[string]bool, n)
	for _, h := range all[:n] {
		picked[h.name] = true
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !picked[name] })
}
