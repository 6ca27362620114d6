package e2e

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	graph "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/realserver"
)

// peopleSpec is enough for each kind of contact and task that the generators know.
var peopleSpec = organisation.Spec{Users: 1, Contacts: 120, Tasks: 60, Seed: 11}

// TestPeopleOfGoogle moves contacts and tasks to Radicale and to Cyrus, and finds each text of the provider's own description again.
func TestPeopleOfGoogle(t *testing.T) {
	for name, server := range peopleServers(t) {
		t.Run(name, func(t *testing.T) {
			data := sim.Generate(peopleSpec)
			user := data.Users()[0].Email
			must(t, data.RenameContactGroup(user, "contactGroups/choir", groupsOfGoogle["contactGroups/choir"]))
			w := newWorld(t, data, sim.Options{}, peopleURLs(server), person{source: user, target: server.User(1).User, kinds: "contacts tasks"})
			w.source = strings.Replace(w.source, "tier:", "other_contacts: true, tier:", 1)
			w.writeJob()
			first := w.run(0)
			stored := objectsOf(t, server, server.User(1).User)
			left := map[string]bool{"my contacts": true}
			people, photos := slices.Concat(data.Contacts(user), data.OtherContacts(user)), 0
			for _, c := range people {
				card := wantTexts(t, c, stored.cards, personLeaves, left, factsOfPerson(t, c)...)
				photos += wantLabels(t, c, card)
			}
			wantPhotos(t, stored, photos)
			for _, list := range data.TaskLists(user) {
				found := map[string]string{}
				for _, task := range data.Tasks(user, list) {
					id, facts := factsOfTask(t, task)
					found[id] = wantTexts(t, task, stored.todos, taskLeaves, nil, facts...)
				}
				wantParents(t, data.Tasks(user, list), found)
			}
			wantObjects(t, stored, len(people), first)
			settledInFew(t, w, first)

			var changed struct{ ResourceName string }
			must(t, json.Unmarshal(data.Contacts(user)[0], &changed))
			must(t, data.UpdateContact(user, changed.ResourceName, json.RawMessage(`{"biographies": [{"value": "edited since"}]}`)))
			list := data.TaskLists(user)[0]
			value(data.AddTask(user, list, json.RawMessage(`{"title": "made since"}`)))(t)
			if p := w.run(0).report.Pass; p.Written != 2 || p.SourceRequests > 20 {
				t.Errorf("one contact edited, one task made: %+v", *p)
			}
			after := objectsOf(t, server, server.User(1).User)
			if !strings.Contains(strings.Join(after.cards, ""), "edited since") || !strings.Contains(strings.Join(after.todos, ""), "made since") {
				t.Error("the changes are not on the target")
			}
		})
	}
}

// TestPeopleOfMicrosoft is TestPeopleOfGoogle with contact folders and lists of To Do.
func TestPeopleOfMicrosoft(t *testing.T) {
	for name, server := range peopleServers(t) {
		t.Run(name, func(t *testing.T) {
			data := graph.Generate(peopleSpec)
			user := data.Users()[0].Email
			w, _ := newTenant(t, data, graph.Options{Strict: graphSchema(t)}, peopleURLs(server), person{source: user, target: server.User(2).User, kinds: "contacts tasks"})
			first := w.run(0)
			stored := objectsOf(t, server, server.User(2).User)
			for _, c := range data.Contacts(user) {
				wantTexts(t, c.Body, stored.cards, contactLeaves, nil, factsOfContact(t, c.Body)...)
			}
			for _, list := range data.TaskLists(user) {
				if list.Known == "flaggedEmails" || list.Foreign {
					continue
				}
				for _, task := range data.Tasks(user, list.ID) {
					wantTexts(t, task.Body, stored.todos, todoLeaves, nil, factsOfTodo(t, task.Body)...)
					for _, part := range slices.Concat(task.ChecklistItems, task.LinkedResources) {
						wantTexts(t, part, stored.todos, todoLeaves, nil)
					}
				}
			}
			wantObjects(t, stored, len(data.Contacts(user)), first)
			photos := 0
			for _, c := range data.Contacts(user) {
				if c.Photo != nil {
					photos++
				}
			}
			wantPhotos(t, stored, photos)
			settledInFew(t, w, first)
			must(t, data.ChangeContact(user, data.Contacts(user)[0].ID, json.RawMessage(`{"personalNotes": "edited since"}`)))
			if p := w.run(0).report.Pass; p.Written != 1 || p.SourceRequests > 25 {
				t.Errorf("one contact edited: %+v", *p)
			}
		})
	}
}

// settledInFew demands that a pass without changes writes nothing, and takes few requests.
func settledInFew(t *testing.T, w *world, first result) {
	t.Helper()
	again := w.run(0)
	settledButListed(t, again, first)
	collections := len(again.report.Tasks)
	if p := again.report.Pass; int(p.SourceRequests+p.TargetRequests) > 5*collections+10 {
		t.Errorf("a pass without changes over %d collections took %d requests to the source and %d to the target", collections, p.SourceRequests, p.TargetRequests)
	}
}

func peopleServers(t *testing.T) map[string]*realserver.Server {
	who := realserver.Accounts{Count: 3, Password: password}
	return map[string]*realserver.Server{
		"Radicale": realserver.Radicale(t, realserver.RadicaleOptions{Accounts: who}),
		"Cyrus":    realserver.Cyrus(t, realserver.CyrusOptions{Accounts: who}),
	}
}

func peopleURLs(s *realserver.Server) urls {
	return urls{contacts: s.AddressBooksURL("{user}"), tasks: s.CalendarsURL("{user}")}
}

// stored are the objects of an account, unfolded and without escapes.
type stored struct{ cards, todos []string }

// objectsOf reads all cards and to-dos of an account with a client of its own.
func objectsOf(t *testing.T, s *realserver.Server, user string) (out stored) {
	t.Helper()
	homes := []string{s.AddressBooksURL(user), s.CalendarsURL(user)} // Radicale has one for both
	for _, home := range slices.Compact(homes) {
		for _, collection := range hrefs(t, home, user) {
			if strings.Contains(collection, "/Inbox") || strings.Contains(collection, "/Outbox") || strings.Contains(collection, "/Attachments") {
				continue
			}
			for _, object := range hrefs(t, collection, user) {
				raw := fetch(t, http.MethodGet, object, user, "")
				text := icalendar.UnescapeText(strings.ReplaceAll(strings.ReplaceAll(raw, "\r\n ", ""), "\r\n", "\n"))
				switch {
				case strings.HasPrefix(raw, "BEGIN:VCARD"):
					out.cards = append(out.cards, text)
				case strings.Contains(raw, "BEGIN:VTODO"):
					out.todos = append(out.todos, text)
				}
			}
		}
	}
	return out
}

// hrefs returns the addresses in a collection, without its own.
func hrefs(t *testing.T, collection, user string) (list []string) {
	t.Helper()
	var answer struct {
		Href []string `xml:"response>href"`
	}
	body := fetch(t, "PROPFIND", collection, user, `<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>`)
	if err := xml.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%s: %v in %s", collection, err, body)
	}
	base := value(url.Parse(collection))(t)
	for _, h := range answer.Href {
		if u := value(base.Parse(h))(t); strings.TrimSuffix(u.Path, "/") != strings.TrimSuffix(base.Path, "/") {
			list = append(list, u.String())
		}
	}
	return list
}

func fetch(t *testing.T, method, at, user, body string) string {
	t.Helper()
	req := value(http.NewRequest(method, at, strings.NewReader(body)))(t)
	req.SetBasicAuth(user, password)
	req.Header.Set("Depth", "1")
	req.Header.Set("Content-Type", "application/xml")
	res := value(http.DefaultClient.Do(req))(t)
	defer func() { _ = res.Body.Close() }()
	return string(value(io.ReadAll(res.Body))(t))
}

// leaves are the names of fields that hold no text of the user's own: ids, kinds and what follows from other fields.
type leaves []string

var (
	personLeaves = leaves{"resourceName", "etag", "metadata", "type", "formattedType", "formattedValue", "canonicalForm", "countryCode", "displayNameLastFirst",
		"displayName", "contactGroupId", "contactGroupResourceName", "contentType", "protocol", "formattedProtocol", "url", "phoneticFullName", "unstructuredName", "clientData"}
	taskLeaves    = leaves{"kind", "id", "etag", "selfLink", "status", "updated", "due", "completed", "parent", "position", "type", "webViewLink", "surfaceType", "linkToTask", "assignmentInfo"}
	contactLeaves = leaves{"id", "@odata.etag", "changeKey", "createdDateTime", "lastModifiedDateTime", "parentFolderId", "birthday"}
	todoLeaves    = leaves{"id", "@odata.etag", "importance", "status", "createdDateTime", "lastModifiedDateTime", "bodyLastModifiedDateTime", "dateTime", "timeZone",
		"contentType", "recurrence", "checkedDateTime", "externalId"}
)

// wantTexts demands that each text of a provider's object, and the facts beside them, stand in one of the objects on the target. It returns that.
func wantTexts(t *testing.T, object json.RawMessage, targets []string, skip leaves, also map[string]bool, facts ...string) string {
	t.Helper()
	var v any
	must(t, json.Unmarshal(object, &v))
	var texts []string
	collect(v, skip, &texts)
	texts = append(slices.DeleteFunc(texts, func(s string) bool { return also[strings.ToLower(s)] }), facts...)
	i := slices.IndexFunc(targets, func(target string) bool {
		return !slices.ContainsFunc(texts, func(s string) bool { return !holds(target, s) })
	})
	switch {
	case i >= 0:
		return targets[i]
	case len(texts) == 0:
		return ""
	}
	best, missing := "", texts
	for _, target := range targets {
		m := slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return holds(target, s) })
		if len(m) < len(missing) {
			best, missing = target, m
		}
	}
	t.Errorf("%.300s\nis not on the target as a whole: %q is missing in\n%.2000s", object, missing, best)
	return ""
}

// holds compares without regard to space, which formats cannot keep everywhere.
func holds(target, text string) bool {
	pressed := func(s string) string { return strings.Join(strings.Fields(s), "") }
	text = strings.TrimSuffix(text, "</body></html>") // steps and links of a task follow its HTML
	joined := strings.ReplaceAll(text, ",", "‚")      // where Cyrus would part the name of a category
	return slices.ContainsFunc([]string{text, joined, url.PathEscape(text), strings.NewReplacer(",", "%2C", ";", "%3B").Replace(text)}, func(s string) bool {
		return strings.Contains(pressed(target), pressed(s))
	})
}

// collect gathers the texts of a JSON value.
func collect(v any, skip leaves, texts *[]string) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if !slices.Contains(skip, k) && v["default"] != true {
				collect(inner, skip, texts)
			}
		}
	case []any:
		for _, inner := range v {
			collect(inner, skip, texts)
		}
	case string:
		if strings.TrimSpace(v) != "" {
			*texts = append(*texts, v)
		}
	}
}

func wantPhotos(t *testing.T, s stored, photos int) {
	t.Helper()
	if got := strings.Count(strings.Join(s.cards, ""), "\nPHOTO"); got != photos || photos == 0 {
		t.Errorf("%d cards have a photo, want %d", got, photos)
	}
}

// wantObjects compares numbers: the contacts, and what the report says was copied.
func wantObjects(t *testing.T, s stored, contacts int, r result) {
	t.Helper()
	if len(s.cards) != contacts {
		t.Errorf("%d cards on the target, want %d", len(s.cards), contacts)
	}
	if copied := int(r.report.Totals.Copied + r.report.Totals.CopiedWithLosses); copied != len(s.cards)+len(s.todos) || len(s.todos) == 0 {
		t.Errorf("%d copied, but %d cards and %d to-dos are on the target (%s)", copied, len(s.cards), len(s.todos), fmt.Sprint(r.report.Totals))
	}
}
