package cloudsim

import (
	"fmt"
	"hash/fnv"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault is something that goes wrong with one request.
type Fault struct {
	// Kind is one of: an HTTP status of an error answer (401, 403, 404, 410, 429, 500, 502, 503, 504), reset (the
	// connection is cut before the answer), truncate (it is cut within the body), slow (the body trickles), length (the
	// body is cut short and the Content-Length agrees), corrupt (a byte of the body is changed).
	Kind string
	// Reason is the provider's word for the error: errors[0].reason at Google, error.code at Microsoft; empty: the usual one of
	// that status.
	Reason string
	// RetryAfter is sent with an error answer; 0: no such header.
	RetryAfter time.Duration
}

// Faults is a plan of faults that depends on the seed and on the number of a request among those of its method, and
// on nothing else.
type Faults struct {
	Seed  uint64
	rules []faultRule
}

type faultRule struct {
	pattern string
	fault   Fault
	chance  float64
}

// ParseFaults reads rules method:kind:chance separated by commas, for example
// "gmail.messages.get:429:0.05,drive.files.get*:reset:0.01,drive.*:403:downloadQuotaExceeded:0.1,*:503:0.02". The
// method is a name of Front.Counts, and may have wildcards as path.Match knows them; a method stands for its
// variants too (drive.files.get for drive.files.get.media). A status may be followed by its reason.
func ParseFaults(spec string) (*Faults, error) {
	f := &Faults{}
	for rule := range strings.SplitSeq(spec, ",") {
		if rule = strings.TrimSpace(rule); rule == "" {
			continue
		}
		parsed, err := parseFaultRule(rule)
		if err != nil {
			return nil, fmt.Errorf("fault %q: %w", rule, err)
		}
		f.rules = append(f.rules, parsed)
	}
	return f, nil
}

func parseFaultRule(rule string) (faultRule, error) {
	parts := strings.Split(rule, ":")
	if len(parts) != 3 && len(parts) != 4 {
		return faultRule{}, fmt.Errorf("want method:kind:chance or method:status:reason:chance")
	}
	out := faultRule{pattern: parts[0], fault: Fault{Kind: parts[1]}}
	if len(parts) == 4 {
		out.fault.Reason = parts[2]
	}
	if _, err := path.Match(out.pattern, ""); err != nil {
		return faultRule{}, err
	}
	if !slices.Contains(faultKinds(), out.fault.Kind) {
		return faultRule{}, fmt.Errorf("unknown kind %q, want one of %s", out.fault.Kind, strings.Join(faultKinds(), " "))
	}
	var err error
	if out.chance, err = strconv.ParseFloat(parts[len(parts)-1], 64); err != nil || !(out.chance >= 0 && out.chance <= 1) {
		return faultRule{}, fmt.Errorf("the chance is a number from 0 to 1, not %q", parts[len(parts)-1])
	}
	return out, nil
}

func faultKinds() []string {
	return []string{"401", "403", "404", "410", "429", "500", "502", "503", "504", "reset", "truncate", "slow", "length", "corrupt"}
}

// pick gives the fault of the n-th request of the method. The first rule that strikes wins.
func (f *Faults) pick(name string, n int) (Fault, bool) {
	for i, rule := range f.rules {
		ok, _ := path.Match(rule.pattern, name)
		if (ok || strings.HasPrefix(name, rule.pattern+".")) && dice(f.Seed, i, name, n) < rule.chance {
			return rule.fault, true
		}
	}
	return Fault{}, false
}

// dice gives a number from 0 to below 1 that depends on its arguments alone.
func dice(seed uint64, rule int, name string, n int) float64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %d %s %d", seed, rule, name, n)
	x := h.Sum64()
	x = (x ^ x>>31) * 0x9e3779b97f4a7c15
	x = (x ^ x>>29) * 0xbf58476d1ce4e5b9
	return float64((x^x>>32)>>11) / math.Exp2(53)
}

// Status is the HTTP status of an error answer, and 0 for a fault of another kind.
func (f Fault) Status() int {
	code, err := strconv.Atoi(f.Kind)
	if err != nil {
		return 0
	}
	return code
}

// Seconds writes a duration for Retry-After: in whole seconds, rounded up.
func Seconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}
