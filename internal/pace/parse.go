package pace

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// least is the slowest pace: below it the servers give up waiting for the next byte of many bodies that go side by side.
const least = 64_000

// form is a number with a unit: bytes, or bits where it says so; per second in any case. Mb, which may mean either, is not taken.
var form = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) ?([kKmMgG]?)(?:(B|bytes?|Bytes?)|(bits?|Bits?|bps))?(?:/s)?$`)

// Parse reads a number of bytes per second, such as "50M" and "400Mbit"; K, M and G are thousands, millions and thousands of millions.
func Parse(text string) (bytesPerSecond int64, err error) {
	m := form.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return 0, fmt.Errorf("%q is no speed: write bytes per second as 50M, or bits as 400Mbit", text)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, fmt.Errorf("%q: %w", text, err)
	}
	n *= map[string]float64{"": 1, "k": 1e3, "m": 1e6, "g": 1e9}[strings.ToLower(m[2])]
	if m[4] != "" {
		n /= 8
	}
	if n < least || n > math.MaxInt64/4 {
		return 0, fmt.Errorf("%q is too slow or no speed at all: the least is 64K", text)
	}
	return int64(n), nil
}
