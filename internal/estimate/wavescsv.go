package estimate

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/sheet"
)

// waveColumns are those of the wave plan. The first and the column account are what a run of one wave reads.
var waveColumns = []string{"wave", "begins", "ends", "account", "kinds", "items", "bytes", "estimated", "note"}

// WriteWaves writes waves as CSV (RFC 4180) with a heading: one line for each account of each wave. Times are those of RFC 3339 in the
// zone of the windows. What a spreadsheet would calculate has an apostrophe before it, which sheet.Plain takes away.
func WriteWaves(w io.Writer, waves []Wave) error {
	c := csv.NewWriter(w)
	if err := c.Write(waveColumns); err != nil {
		return err
	}
	for _, wave := range waves {
		for _, a := range wave.Accounts {
			err := c.Write(sheet.Cells(strconv.Itoa(wave.Number), wave.Begin.Format(time.RFC3339), wave.End.Format(time.RFC3339), a.Account,
				strings.Join(a.Kinds, " "), strconv.FormatInt(a.Items, 10), strconv.FormatInt(a.Bytes, 10), Duration(a.Likely), a.note(wave)))
			if err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}

func (a WaveAccount) note(w Wave) string {
	switch {
	case a.Parts > 1:
		return fmt.Sprintf("part %d of %d: too large for one night", a.Part, a.Parts)
	case w.Weekend:
		return "at the weekend"
	}
	return ""
}

// Duration writes a time for people, in no more than two units: "3d 4h", "2h 05m", "12m", "3m 20s", "40s".
func Duration(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	m := int(d.Round(time.Minute).Minutes())
	h := int(d.Round(time.Hour).Hours())
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 600:
		return fmt.Sprintf("%dm %02ds", s/60, s%60)
	case m < 60:
		return fmt.Sprintf("%dm", m)
	case m < 48*60:
		return fmt.Sprintf("%dh %02dm", m/60, m%60)
	}
	return fmt.Sprintf("%dd %dh", h/24, h%24)
}
