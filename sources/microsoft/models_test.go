package microsoft

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/microsoft/kiota-abstractions-go/serialization"
	"github.com/microsoft/kiota-abstractions-go/store"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"codeberg.org/repatriate/repatriate/examples"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
)

// leftovers returns the members of a model, and of those within, that the official models do not know. Annotations are no members.
func leftovers(at string, v any) (list []string) {
	if holder, ok := v.(serialization.AdditionalDataHolder); ok {
		for name := range holder.GetAdditionalData() {
			if !strings.Contains(name, "@") {
				list = append(list, at+"."+name)
			}
		}
	}
	if backed, ok := v.(store.BackedModel); ok && backed.GetBackingStore() != nil {
		for name, inner := range backed.GetBackingStore().Enumerate() {
			list = append(list, leftovers(at+"."+name, inner)...)
		}
	}
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice {
		for i := range r.Len() {
			list = append(list, leftovers(fmt.Sprintf("%s[%d]", at, i), r.Index(i).Interface())...)
		}
	}
	return list
}

// TestAnswersAreTheModelsAnswers reads the simulated provider's answers with the official models.
func TestAnswersAreTheModelsAnswers(t *testing.T) {
	data, err := sim.LoadFS(examples.Organisation())
	must(t, err)
	p := &provider{data: data}
	p.serve(t, sim.Options{Strict: graphSchema(t)})
	c := p.client(t)
	const anna = "anna.keller@example.org"
	user, drive := "users/"+anna+"/", "drives/"+data.DriveID(anna)+"/"
	calendar := user + "calendars/" + data.Calendars(anna)[0] + "/events"
	event := data.Events(anna, "")[0].ID
	for _, e := range data.Events(anna, "") {
		if len(e.Exceptions) > 0 {
			event = e.ID
		}
	}
	mail := data.Messages(anna)[0].ID
	for _, row := range []struct {
		path   string
		create serialization.ParsableFactory
	}{
		{"users?$select=" + userFields, models.CreateUserFromDiscriminatorValue},
		{user[:len(user)-1], models.CreateUserFromDiscriminatorValue},
		{user + "mailboxSettings", models.CreateMailboxSettingsFromDiscriminatorValue},
		{user + "drive", models.CreateDriveFromDiscriminatorValue},
		{drive + "root/delta", models.CreateDriveItemFromDiscriminatorValue},
		{drive + "root", models.CreateDriveItemFromDiscriminatorValue},
		{"sites/getAllSites", models.CreateSiteFromDiscriminatorValue},
		{user + "mailFolders?includeHiddenFolders=true", models.CreateMailFolderFromDiscriminatorValue},
		{user + "mailFolders?" + sizedFolders().Encode(), models.CreateMailFolderFromDiscriminatorValue},
		{user + "mailFolders/inbox/messages/delta", models.CreateMessageFromDiscriminatorValue},
		{user + "messages/" + mail, models.CreateMessageFromDiscriminatorValue},
		{user + "calendars", models.CreateCalendarFromDiscriminatorValue},
		{calendar, models.CreateEventFromDiscriminatorValue},
		{user + "events/" + event + "?$select=subject,start,exceptionOccurrences,cancelledOccurrences&$expand=exceptionOccurrences", models.CreateEventFromDiscriminatorValue},
	} {
		raw := rawAnswer(t, c, row.path)
		var page struct{ Value []json.RawMessage }
		must(t, json.Unmarshal(raw, &page))
		if page.Value == nil {
			page.Value = []json.RawMessage{raw}
		}
		if len(page.Value) == 0 {
			t.Errorf("%s is empty", row.path)
		}
		for _, one := range page.Value {
			m, err := parseModel(one, row.create)
			must(t, err)
			if left := leftovers("", m); len(left) > 0 {
				t.Errorf("%s: the models do not know %q", row.path, left)
			}
		}
	}
}

func rawAnswer(t *testing.T, c *Client, path string) []byte {
	t.Helper()
	token, err := c.tokens.get(t.Context())
	must(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.root.String()+strings.ReplaceAll(path, " ", "%20"), nil)
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Prefer", `IdType="ImmutableId"`)
	res, err := c.plain.Do(r)
	must(t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	must(t, err)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s", path, res.StatusCode, raw)
	}
	return raw
}

func TestLeftoversAreFound(t *testing.T) {
	m, err := parseModel([]byte(`{"id":"x","odd":1,"body":{"content":"","strange":true},"@odata.etag":"e"}`), models.CreateEventFromDiscriminatorValue)
	must(t, err)
	if left := leftovers("", m); len(left) != 2 {
		t.Errorf("got %q", left)
	}
}
