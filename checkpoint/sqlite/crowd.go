package sqlite

import "iter"

// crowd is what is known of one sequence of candidates in one folder: its beginning, and that the first ones are all
// taken. Without it the ten-thousandth sibling of one name would ask for all the others' names again.
type crowd struct {
	names []string
	taken map[string]int // the folded names of which somebody lies there or has it reserved, with their place in names
	next  int            // all names before it are taken
}

// crowds are known while nobody gives a place in the folder back and no operation fails.
type crowds map[folder]map[[2]string]*crowd

// folder is one folder of one task.
type folder struct {
	task int64
	id   string
}

// manyCrowds bounds how much is remembered.
const manyCrowds = 10_000

// of returns the crowd of a sequence, which its first two names tell from others; nil if it has fewer.
func (c crowds) of(f folder, names iter.Seq[string]) *crowd {
	first := beginning(names, 2)
	if len(first) < 2 {
		return nil
	}
	key := [2]string(first)
	if known := c[f][key]; known != nil {
		return known
	}
	if len(c) >= manyCrowds || len(c[f]) >= manyCrowds {
		clear(c)
	}
	if c[f] == nil {
		c[f] = make(map[[2]string]*crowd)
	}
	c[f][key] = &crowd{names: first, taken: make(map[string]int)}
	return c[f][key]
}

// at returns a candidate; ok is false if there are not so many.
func (c *crowd) at(i int, names iter.Seq[string]) (name string, ok bool) {
	if i >= len(c.names) {
		c.names = beginning(names, max(16, 2*i))
	}
	if i >= len(c.names) {
		return "", false
	}
	return c.names[i], true
}

// take notes that the next candidate is taken.
func (c *crowd) take(folded string) {
	if _, twice := c.taken[folded]; !twice {
		c.taken[folded] = c.next
	}
	c.next++
}

func beginning(names iter.Seq[string], n int) []string {
	out := make([]string, 0, n)
	for name := range names {
		if out = append(out, name); len(out) == n {
			break
		}
	}
	return out
}
