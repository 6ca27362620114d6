package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/simulation"
)

// clock is how many times as fast the provider's minutes pass.
const clock = 30

// BenchmarkMicrosoftQuotas reads a mailbox and a OneDrive under the quotas of a small tenant, and tells how much longer that took than
// the shortest time that the quotas allow for the requests that were made.
func BenchmarkMicrosoftQuotas(b *testing.B) {
	n := items(b, 20_000)
	quotas := microsoft.SmallTenant()
	for _, c := range []struct {
		kind      string
		perMinute float64 // requests that the narrowest quota allows
		spec      organisation.Spec
	}{
		{"mail", float64(quotas.MailboxRequests) / 10, organisation.Spec{Users: 1, Mail: n, MailMin: 500, MailMax: 1000}},
		{"files", min(float64(quotas.SharePointMinute), float64(quotas.DriveRequests)/5), organisation.Spec{Users: 1, Files: n, FileMin: 100, FileMax: 500}},
	} {
		b.Run(c.kind, func(b *testing.B) {
			for b.Loop() {
				q := quotas
				q.Speed = clock
				source := simulation.Microsoft(microsoft.Generate(c.spec), microsoft.Options{Quotas: q}, clock)
				s, err := simulation.Start(tempDir(b), simulation.Options{Source: source})
				if err != nil {
					b.Fatal(err)
				}
				took := runJob(b, s.Job, c.kind)
				requests := 0
				for name, count := range s.Provider.Counts() {
					if name != "token" && name != "batch" && name != "download" {
						requests += count
					}
				}
				ideal := float64(requests) / c.perMinute * 60 / clock
				b.ReportMetric(took/ideal*100, "%ofshortest")
				b.ReportMetric(took*clock/60, "min")
				b.ReportMetric(float64(requests), "requests")
				b.ReportMetric(float64(s.Provider.Refused()), "refused")
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// runJob runs a job in a process of its own and returns its seconds.
func runJob(b *testing.B, path, kind string) float64 {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), binary(b), "run", path, "--json", "--kind", kind)
	cmd.Stderr = os.Stderr
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		b.Fatal(err)
	}
	var report struct {
		Pass struct{ Seconds float64 }
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		b.Fatal(fmt.Errorf("the report: %w", err))
	}
	return report.Pass.Seconds
}
