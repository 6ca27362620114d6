package microsoft

import (
	"net/http"
	"strings"
)

// service is a part of Microsoft 365 with quotas of its own.
type service uint8

const (
	directory service = iota
	exchange
	sharePoint
)

// route is one method of Graph.
type route struct {
	name        string // see Front.Counts
	service     service
	cost        int
	pattern     string // of http.ServeMux, below the root
	permissions string // any of them will do, separated by blanks
	params      string // query parameters that are simulated, separated by blanks; those of Graph with a $
	serve       func(*call) error
}

func table() []route {
	const list = "$select $top $skiptoken "
	const delta = "$select $skiptoken $deltatoken"
	const files, mail, calendars = "Files.Read.All Sites.Read.All", "Mail.Read", "Calendars.Read"
	const people, tasks = "Contacts.Read", "Tasks.Read.All"
	return []route{
		{"users.list", directory, 2, "users", "User.Read.All", list, usersList},
		{"users.get", directory, 1, "users/{user}", "User.Read.All", "$select", usersGet},
		{"mailboxSettings.get", exchange, 1, "users/{user}/mailboxSettings", "MailboxSettings.Read", "$select", mailboxSettings},
		{"mailboxSettings.userPurpose", exchange, 1, "users/{user}/mailboxSettings/userPurpose", "MailboxSettings.Read", "", userPurpose},

		{"sites.getAllSites", sharePoint, 2, "sites/getAllSites", "Sites.Read.All", list, sitesAll},
		{"site.get", sharePoint, 1, "sites/{site}", "Sites.Read.All", "$select", siteGet},
		{"site.getByPath", sharePoint, 1, "sites/{host}/{path...}", "Sites.Read.All", "$select", siteByPath},
		{"site.drives.list", sharePoint, 2, "sites/{site}/drives", files, list, siteDrives},
		{"drive.get", sharePoint, 1, "users/{user}/drive", files, "$select", userDrive},
		{"drive.getById", sharePoint, 1, "drives/{drive}", files, "$select", driveGet},
		{"driveItem.root", sharePoint, 1, "drives/{drive}/root", files, "$select", driveRoot},
		{"driveItem.delta", sharePoint, 1, "drives/{drive}/root/delta", files, "$select $top token", driveDelta},
		{"driveItem.get", sharePoint, 1, "drives/{drive}/items/{item}", files, "$select", driveItemGet},
		{"driveItem.content", sharePoint, 1, "drives/{drive}/items/{item}/content", files, "", driveContent},

		{"mailFolders.list", exchange, 1, "users/{user}/mailFolders", mail, "$expand " + list + "includeHiddenFolders", mailFolders},
		{"mailFolders.childFolders", exchange, 1, "users/{user}/mailFolders/{folder}/childFolders", mail, "$expand " + list + "includeHiddenFolders", mailFolders},
		{"mailFolders.get", exchange, 1, "users/{user}/mailFolders/{folder}", mail, "$select", mailFolderGet},
		{"message.delta", exchange, 1, "users/{user}/mailFolders/{folder}/messages/delta", mail, "$expand " + delta, messageDelta},
		{"message.get", exchange, 1, "users/{user}/messages/{message}", mail, "$select $expand", messageGet},
		{"message.attachments", exchange, 1, "users/{user}/messages/{message}/attachments", mail, list, messageAttachments},
		{"message.attachment.value", exchange, 1, "users/{user}/messages/{message}/attachments/{attachment}/$value", mail, "", attachmentValue},
		{"message.value", exchange, 1, "users/{user}/messages/{message}/$value", mail, "", messageValue},

		{"calendars.list", exchange, 1, "users/{user}/calendars", calendars, list, calendarsList},
		{"events.list", exchange, 1, "users/{user}/calendars/{calendar}/events", calendars, list, eventsList},
		{"event.get", exchange, 1, "users/{user}/events/{event}", calendars, "$select $expand", eventGet},
		{"event.get", exchange, 1, "users/{user}/calendars/{calendar}/events/{event}", calendars, "$select $expand", eventGet},
		{"event.attachments", exchange, 1, "users/{user}/events/{event}/attachments", calendars, list, eventAttachments},
		{"event.attachment", exchange, 1, "users/{user}/events/{event}/attachments/{attachment}", calendars, "$select", eventAttachment},

		{"contactFolders.list", exchange, 1, "users/{user}/contactFolders", people, list, contactFolders},
		{"contactFolders.childFolders", exchange, 1, "users/{user}/contactFolders/{folder}/childFolders", people, list, contactFolders},
		{"contactFolders.get", exchange, 1, "users/{user}/contactFolders/{folder}", people, "$select", contactFolderGet},
		{"contact.delta", exchange, 1, "users/{user}/contactFolders/{folder}/contacts/delta", people, delta, contactDelta},
		{"contact.get", exchange, 1, "users/{user}/contacts/{contact}", people, "$select", contactGet},
		{"contact.get", exchange, 1, "users/{user}/contactFolders/{folder}/contacts/{contact}", people, "$select", contactGet},
		{"contact.photo.value", exchange, 1, "users/{user}/contacts/{contact}/photo/$value", people, "", contactPhoto},
		{"contact.photo.value", exchange, 1, "users/{user}/contactFolders/{folder}/contacts/{contact}/photo/$value", people, "", contactPhoto},

		{"todoLists.list", exchange, 1, "users/{user}/todo/lists", tasks, list, todoLists},
		{"todoTask.delta", exchange, 1, "users/{user}/todo/lists/{list}/tasks/delta", tasks, "$expand " + delta, todoTaskDelta},
		{"todoTask.get", exchange, 1, "users/{user}/todo/lists/{list}/tasks/{task}", tasks, "$select $expand", todoTaskGet},
		{"todoTask.checklistItems", exchange, 1, "users/{user}/todo/lists/{list}/tasks/{task}/checklistItems", tasks, list, checklistItems},
		{"todoTask.attachments", exchange, 1, "users/{user}/todo/lists/{list}/tasks/{task}/attachments", tasks, "$top $skiptoken", taskFiles},
		{"todoTask.attachment", exchange, 1, "users/{user}/todo/lists/{list}/tasks/{task}/attachments/{attachment}", tasks, "", taskFile},
		{"todoTask.linkedResources", exchange, 1, "users/{user}/todo/lists/{list}/tasks/{task}/linkedResources", tasks, list, linkedResources},
	}
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", s.serveOpenID)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", s.serveToken)
	mux.HandleFunc("HEAD /{$}", http.NotFound) // who asks whether somebody is there, and what time it is
	mux.HandleFunc("GET /_download/{link}", s.serveDownload)
	mux.HandleFunc("POST /v1.0/$batch", s.serveBatch)
	for _, rt := range table() {
		known := strings.Fields(rt.params)
		mux.HandleFunc("GET /v1.0/"+rt.pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, rt, known) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.Count("unknown")
		s.Report("unknown: " + r.Method + " " + r.URL.Path)
		writeError(w, errNotSimulated(r.Method+" "+r.URL.Path))
	})
	return mux
}
