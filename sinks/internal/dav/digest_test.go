package dav

import "testing"

// TestStamp: what another client writes differs, and both are read as the same; so is the stamp of earlier releases, which had no salt.
func TestStamp(t *testing.T) {
	var stamps []string
	for range 2 {
		c, err := NewClient(Options{URL: "http://127.0.0.1/home/"})
		if err != nil {
			t.Fatal(err)
		}
		stamps = append(stamps, c.stamp("0123abcd"))
	}
	if stamps[0] == stamps[1] {
		t.Errorf("two clients write %s", stamps[0])
	}
	for _, s := range append(stamps, "0123abcd", " 0123abcd\r\n") {
		if got := WrittenDigest(s); got != "0123abcd" {
			t.Errorf("%q holds %q", s, got)
		}
	}
}
