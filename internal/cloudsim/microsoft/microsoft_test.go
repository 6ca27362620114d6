package microsoft

import (
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/examples"
	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

func TestLoadOrganisation(t *testing.T) {
	data, err := LoadFS(examples.Organisation())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(data.Users()); n != 6 { // Gina was deleted
		t.Errorf("%d users, want 6", n)
	}
	again, err := Load("../../../examples/organisation")
	if err != nil {
		t.Fatal(err)
	}
	const anna = "anna.keller@example.org"
	ids := func(d *Data) (list []string) {
		for _, f := range d.Files(d.DriveID(anna)) {
			list = append(list, f.ID+" "+f.Path)
		}
		for _, m := range d.Messages(anna) {
			list = append(list, m.ID+" "+strings.Join(m.Folder, "/"))
		}
		for _, e := range d.Events(anna, "") {
			list = append(list, e.ID)
		}
		return list
	}
	if a, b := ids(data), ids(again); !slices.Equal(a, b) || len(a) < 50 {
		t.Errorf("%d ids, then %d others", len(a), len(b))
	}
	var series EventInfo
	for _, e := range data.Events(anna, "") {
		if strings.Contains(string(e.Body), `"Stand-up"`) {
			series = e
		}
	}
	if len(series.Exceptions) != 1 || !slices.Equal(series.Cancelled, []string{"2024-04-01", "2024-04-03"}) || !strings.Contains(string(series.Body), `"W. Europe Standard Time"`) {
		t.Errorf("the stand-up is %s with %s without %q", series.Body, series.Exceptions, series.Cancelled)
	}
}

func TestNamesAreOneDrives(t *testing.T) {
	data := NewData("example.org")
	if err := data.AddUser(User{Email: "a@example.org"}); err != nil {
		t.Fatal(err)
	}
	drive := data.DriveID("a@example.org")
	for _, name := range []string{"", " x", "x.", "a/b", "a:b", "a|b", "COPY", "copy"} {
		_, err := data.AddFile(drive, File{Name: name})
		if ok := name == "COPY"; (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestSchemaFindsMistakes(t *testing.T) {
	const document = "../../../../shared/data/specs/oas-graph.json"
	if _, err := os.Stat(document); err != nil && os.Getenv("CI") == "" {
		t.Skip("the document is not at hand")
	}
	schema, err := LoadSchema(document)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		path, answer, want string
		status             int
	}{
		"good":           {"/v1.0/users/a", `{"id":"1","@odata.context":"x"}`, "", 200},
		"unknown member": {"/v1.0/users/a", `{"id":"1","colour":"red"}`, "unknown member colour", 200},
		"type":           {"/v1.0/drives/d/items/i", `{"size":"5"}`, "where integer", 200},
		"deep":           {"/v1.0/users/a/messages/m", `{"flag":{"flagStatus":1}}`, "flagStatus", 200},
		"time":           {"/v1.0/users/a/messages/m", `{"receivedDateTime":"yesterday"}`, "does not match", 200},
		"list":           {"/v1.0/users/a/mailFolders", `{"values":[]}`, "lacks value", 200},
		"within a list":  {"/v1.0/users/a/mailFolders", `{"value":[{"odd":1}]}`, "value[0]: unknown member odd", 200},
		"error":          {"/v1.0/users/a", `{"error":{"code":"x"}}`, "lacks message", 404},
		"no method":      {"/v1.0/nothing", `{}`, "no schema", 200},
		"no JSON":        {"/v1.0/users/a", `{`, "unexpected", 200},
	} {
		w := &cloudsim.Recorder{ResponseWriter: httptest.NewRecorder()}
		writeJSON(w, row.status, []byte(row.answer))
		got := strings.Join(schema.check(httptest.NewRequest("GET", row.path, nil), w), "; ")
		if (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}
