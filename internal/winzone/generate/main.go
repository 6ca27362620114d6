// Command generate renews zones.txt from Unicode CLDR's windowsZones.json:
//
//	npm pack cldr-core && tar xzf cldr-core-*.tgz package/supplemental/windowsZones.json
//	go run ./internal/winzone/generate package/supplemental/windowsZones.json > internal/winzone/zones.txt
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// file is the part of windowsZones.json that is read.
type file struct {
	Supplemental struct {
		Version struct {
			CLDR string `json:"_cldrVersion"`
		} `json:"version"`
		WindowsZones struct {
			MapTimezones []struct {
				MapZone struct {
					Windows   string `json:"_other"`
					IANA      string `json:"_type"`
					Territory string `json:"_territory"`
				} `json:"mapZone"`
			} `json:"mapTimezones"`
		} `json:"windowsZones"`
	} `json:"supplemental"`
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// run writes the zone of each Windows name in the territory 001, the world, which CLDR takes where the territory is not known.
func run(args []string, w io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("give the path of windowsZones.json")
	}
	raw, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var f file
	if err := json.Unmarshal(raw, &f); err != nil {
		return err
	}
	var lines []string
	for _, z := range f.Supplemental.WindowsZones.MapTimezones {
		if z.MapZone.Territory == "001" {
			lines = append(lines, z.MapZone.Windows+"\t"+z.MapZone.IANA)
		}
	}
	slices.Sort(lines)
	_, err = fmt.Fprintf(w, "# Unicode CLDR %s, windowsZones, territory 001 (Unicode License V3). Made by ./generate; do not edit.\n%s\n",
		f.Supplemental.Version.CLDR, strings.Join(lines, "\n"))
	return err
}
