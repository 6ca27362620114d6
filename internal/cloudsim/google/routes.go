package google

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// route is one method of an API.
type route struct {
	name    string   // see Front.Counts
	pattern string   // of http.ServeMux, without the verb
	scopes  []string // any of them will do; without https://www.googleapis.com/auth/
	params  string   // query parameters that are simulated: name:type, separated by blanks
	serve   func(*call) error
}

const (
	driveScopes     = "drive drive.readonly"
	driveMeta       = driveScopes + " drive.metadata drive.metadata.readonly"
	gmailScopes     = "gmail.readonly gmail.modify https://mail.google.com/"
	calendarScopes  = "calendar calendar.readonly"
	eventScopes     = calendarScopes + " calendar.events calendar.events.readonly"
	contactScopes   = "contacts contacts.readonly"
	otherScopes     = "contacts.other.readonly"
	taskScopes      = "tasks tasks.readonly"
	directoryScopes = "admin.directory.user admin.directory.user.readonly"
)

func table() []route {
	list := strings.Fields
	return []route{
		{"directory.users.list", "/admin/directory/v1/users", list(directoryScopes), "customer domain maxResults:int pageToken projection showDeleted viewType", usersList},
		{"directory.users.get", "/admin/directory/v1/users/{userKey}", list(directoryScopes), "projection viewType", usersGet},

		{"drive.about.get", "/drive/v3/about", list(driveMeta), "", aboutGet},
		{"drive.changes.getStartPageToken", "/drive/v3/changes/startPageToken", list(driveMeta), "driveId supportsAllDrives:bool", startPageToken},
		{"drive.changes.list", "/drive/v3/changes", list(driveMeta), "driveId includeCorpusRemovals:bool includeItemsFromAllDrives:bool includeRemoved:bool pageSize:int pageToken restrictToMyDrive:bool spaces supportsAllDrives:bool", changesList},
		{"drive.files.list", "/drive/v3/files", list(driveMeta), "corpora driveId includeItemsFromAllDrives:bool pageSize:int pageToken q spaces supportsAllDrives:bool", filesList},
		{"drive.files.get", "/drive/v3/files/{fileId}", list(driveMeta), "acknowledgeAbuse:bool supportsAllDrives:bool", filesGet},
		{"drive.files.export", "/drive/v3/files/{fileId}/export", list(driveScopes), "mimeType", filesExport},
		{"drive.permissions.list", "/drive/v3/files/{fileId}/permissions", list(driveMeta), "pageSize:int pageToken supportsAllDrives:bool useDomainAdminAccess:bool", permissionsList},
		{"drive.drives.list", "/drive/v3/drives", list(driveScopes), "pageSize:int pageToken useDomainAdminAccess:bool", drivesList},
		{"drive.drives.get", "/drive/v3/drives/{driveId}", list(driveScopes), "useDomainAdminAccess:bool", drivesGet},
		{"drive.exportLinks", "/feeds/download/{kind}/Export", list(driveScopes), "id exportFormat", exportLink},

		{"gmail.getProfile", "/gmail/v1/users/{userId}/profile", list(gmailScopes), "", getProfile},
		{"gmail.labels.list", "/gmail/v1/users/{userId}/labels", list(gmailScopes), "", labelsList},
		{"gmail.labels.get", "/gmail/v1/users/{userId}/labels/{id}", list(gmailScopes), "", labelsGet},
		{"gmail.messages.list", "/gmail/v1/users/{userId}/messages", list(gmailScopes), "includeSpamTrash:bool labelIds maxResults:int pageToken q", messagesList},
		{"gmail.messages.get", "/gmail/v1/users/{userId}/messages/{id}", list(gmailScopes), "format metadataHeaders", messagesGet},
		{"gmail.history.list", "/gmail/v1/users/{userId}/history", list(gmailScopes), "historyTypes labelId maxResults:int pageToken startHistoryId:uint", historyList},

		{"calendar.calendarList.list", "/calendar/v3/users/me/calendarList", list(calendarScopes), "maxResults:int minAccessRole pageToken showDeleted:bool showHidden:bool", calendarListList},
		{"calendar.calendarList.get", "/calendar/v3/users/me/calendarList/{calendarId}", list(calendarScopes), "", calendarListGet},
		{"calendar.calendars.get", "/calendar/v3/calendars/{calendarId}", list(calendarScopes), "", calendarsGet},
		{"calendar.colors.get", "/calendar/v3/colors", list(calendarScopes), "", colorsGet},
		{"calendar.events.list", "/calendar/v3/calendars/{calendarId}/events", list(eventScopes), "alwaysIncludeEmail:bool eventTypes iCalUID maxAttendees:int maxResults:int pageToken showDeleted:bool showHiddenInvitations:bool singleEvents:bool syncToken timeZone", eventsList},
		{"calendar.events.get", "/calendar/v3/calendars/{calendarId}/events/{eventId}", list(eventScopes), "alwaysIncludeEmail:bool maxAttendees:int timeZone", eventsGet},

		{"people.connections.list", "/v1/people/me/connections", list(contactScopes), "pageSize:int pageToken personFields requestSyncToken:bool sortOrder sources syncToken", connectionsList},
		{"people.get", "/v1/people/{id}", list(contactScopes), "personFields sources", peopleGet},
		{"people.otherContacts.list", "/v1/otherContacts", list(otherScopes), "pageSize:int pageToken readMask requestSyncToken:bool sources syncToken", otherContactsList},
		{"people.contactGroups.list", "/v1/contactGroups", list(contactScopes), "groupFields pageSize:int pageToken syncToken", contactGroupsList},

		{"tasks.tasklists.list", "/tasks/v1/users/@me/lists", list(taskScopes), "maxResults:int pageToken", taskListsList},
		{"tasks.tasklists.get", "/tasks/v1/users/@me/lists/{tasklist}", list(taskScopes), "", taskListsGet},
		{"tasks.tasks.list", "/tasks/v1/lists/{tasklist}/tasks", list(taskScopes), "completedMax completedMin dueMax dueMin maxResults:int pageToken showAssigned:bool showCompleted:bool showDeleted:bool showHidden:bool updatedMin", tasksList},
		{"tasks.tasks.get", "/tasks/v1/lists/{tasklist}/tasks/{task}", list(taskScopes), "", tasksGet},
	}
}

// common are the parameters of all methods.
const common = "alt fields prettyPrint:bool quotaUser key"

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", s.serveToken)
	mux.HandleFunc("HEAD /{$}", http.NotFound) // who asks whether somebody is there, and what time it is
	mux.HandleFunc("GET "+photoRoot+"{id}", s.servePhoto)
	for _, rt := range table() {
		known := parameters(common + " " + rt.params)
		mux.HandleFunc("GET "+rt.pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, rt, known) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.Count("unknown")
		s.Report(fmt.Sprintf("unknown: %s %s", r.Method, r.URL.Path))
		writeError(w, &apiError{code: 404, reason: "notFound", message: "Not simulated: " + r.Method + " " + r.URL.Path})
	})
	return mux
}

func parameters(list string) map[string]string {
	known := map[string]string{}
	for _, p := range strings.Fields(list) {
		name, kind, _ := strings.Cut(p, ":")
		known[name] = kind
	}
	return known
}

// checkQuery gives what is wrong with the query parameters.
func checkQuery(known map[string]string, q url.Values) *apiError {
	for name, values := range q {
		kind, ok := known[name]
		if !ok {
			return &apiError{code: 400, reason: "badRequest", location: name, message: "Not simulated: parameter " + name}
		}
		for _, v := range values {
			if !validParameter(kind, v) {
				return &apiError{code: 400, reason: "invalidParameter", location: name, message: fmt.Sprintf("Invalid value %q for parameter %s: not of type %s", v, name, kind)}
			}
		}
		if len(values) > 1 && !slices.Contains([]string{"labelIds", "metadataHeaders", "historyTypes", "eventTypes", "sources"}, name) {
			return &apiError{code: 400, reason: "badRequest", location: name, message: "Parameter " + name + " is repeated"}
		}
	}
	return nil
}

func validParameter(kind, v string) bool {
	var err error
	switch kind {
	case "int":
		_, err = strconv.ParseInt(v, 10, 32)
	case "uint":
		_, err = strconv.ParseUint(v, 10, 64)
	case "bool":
		return v == "true" || v == "false"
	}
	return err == nil
}
