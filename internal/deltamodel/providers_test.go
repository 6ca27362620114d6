package deltamodel

import (
	"context"
	"net/http"
	"net/http/httptest"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	gsim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	msim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/sources/google"
	"codeberg.org/repatriate/repatriate/sources/microsoft"
)

// serve starts a simulated provider and returns its address, with a slash at the end.
func (b *bench) serve(h http.Handler, front *cloudsim.Front) string {
	server := httptest.NewServer(h)
	b.problems = append(b.problems, front.Problems)
	b.atEnd(func() {
		_ = front.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL + "/"
}

// googleSim is a simulated Google with the account.
type googleSim struct {
	data *gsim.Data
	root string
	// connect returns a new client.
	connect func() *google.Client
}

// startGoogle starts one with the page size of the bench.
func (b *bench) startGoogle(o gsim.Options) googleSim {
	data := gsim.NewData("example.org")
	data.Now = b.clock()
	must(data.AddUser(gsim.User{Email: admin, Admin: true}))
	must(data.AddUser(gsim.User{Email: user}))
	o.PageSize = b.pageSize
	server := gsim.New(data, o)
	root := b.serve(server, server.Front)
	return googleSim{data, root, func() *google.Client {
		return value(google.New(context.Background(), google.Options{Credentials: server.KeyFile(root), Admin: admin, Endpoint: root,
			Tier: "unlimited", Transport: b.toProvider()}))
	}}
}

// graphSim is a simulated Microsoft 365 with the account.
type graphSim struct {
	data    *msim.Data
	connect func() *microsoft.Client
}

// startMicrosoft starts one with the page size of the bench.
func (b *bench) startMicrosoft() graphSim {
	data := msim.NewData("example.org")
	data.Now = b.clock()
	must(data.AddUser(msim.User{Email: user, GivenName: "Dora", FamilyName: "Example", TimeZone: "W. Europe Standard Time"}))
	server := msim.New(data, msim.Options{PageSize: b.pageSize})
	root := b.serve(server, server.Front)
	return graphSim{data, func() *microsoft.Client {
		return value(microsoft.New(microsoft.Options{Tenant: data.Domain(), ClientID: msim.ClientID, Secret: msim.Secret, Endpoint: root, Login: root,
			Unlimited: true, Transport: b.toProvider()}))
	}}
}
