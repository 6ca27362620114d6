package google

import (
	"net/http/httptest"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

func TestSchemaFindsMistakes(t *testing.T) {
	schema, err := ModuleSchema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		path, answer, want string
		status             int
	}{
		"good":              {"/drive/v3/files/1?fields=id,size", `{"id":"1","size":"5"}`, "", 200},
		"unknown member":    {"/drive/v3/files/1", `{"id":"1","colour":"red"}`, "unknown member colour", 200},
		"number for string": {"/drive/v3/files/1", `{"size":5}`, "where a string belongs", 200},
		"bad int64":         {"/drive/v3/files/1", `{"size":"many"}`, "not of format int64", 200},
		"bad time":          {"/drive/v3/files/1", `{"createdTime":"yesterday"}`, "not of format date-time", 200},
		"deep":              {"/drive/v3/files/1", `{"owners":[{"me":"yes"}]}`, "answer.owners[0].me: string where a boolean belongs", 200},
		"list":              {"/drive/v3/files/1", `{"parents":"1"}`, "where a list belongs", 200},
		"twice":             {"/drive/v3/files/1", `{"id":"1","id":"2"}`, "repeated member id", 200},
		"unknown parameter": {"/drive/v3/files/1?colour=red", `{}`, "no parameter colour", 200},
		"parameter type":    {"/drive/v3/files/1?supportsAllDrives=maybe", `{}`, "where a boolean belongs", 200},
		"parameter range":   {"/drive/v3/files?pageSize=2000", `{}`, "is no integer int32", 200},
		"parameter enum":    {"/gmail/v1/users/me/messages/1?format=odd", `{}`, "is none of", 200},
		"parameter missing": {"/drive/v3/changes", `{}`, "parameter pageToken is missing", 200},
		"fields":            {"/drive/v3/files?fields=files(id,owners/colour)", `{}`, "fields.files.owners: no field colour", 200},
		"map":               {"/calendar/v3/colors", `{"calendar":{"1":{"background":"#fff"}}}`, "", 200},
		"no method":         {"/drive/v3/nothing/here", `{}`, "no method", 200},
		"error":             {"/drive/v3/files/1", `{"error":{"code":404,"message":"x"}}`, "an error without", 404},
		"no JSON":           {"/drive/v3/files/1", `{"id":`, "the answer is no JSON", 200},
	} {
		t.Run(name, func(t *testing.T) {
			w := &cloudsim.Recorder{ResponseWriter: httptest.NewRecorder()}
			writeJSON(w, test.status, []byte(test.answer))
			got := strings.Join(schema.check(httptest.NewRequest("GET", test.path, nil), w), "; ")
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("problems %q, want %q", got, test.want)
			}
		})
	}
}
