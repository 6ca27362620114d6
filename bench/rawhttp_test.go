package bench

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// object is one resource of the limit's loop.
type object struct {
	name, mediaType string
	body            []byte
}

// rawPut writes all objects into a collection, each worker over a connection of its own, and returns how many a second.
// before is called ahead of each object; it may be nil.
func rawPut(tb testing.TB, collection, user string, objects []object, connections int, before func(i int) error) float64 {
	tb.Helper()
	var next atomic.Int64
	start := time.Now()
	var g errgroup.Group
	for range connections {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1, DisableCompression: true}}
		defer client.CloseIdleConnections()
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(objects) {
					return nil
				}
				if before != nil {
					if err := before(i); err != nil {
						return err
					}
				}
				o := objects[i]
				if err := put(client, collection+o.name, user, o.mediaType, bytes.NewReader(o.body)); err != nil {
					return err
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		tb.Fatal(err)
	}
	return float64(len(objects)) / time.Since(start).Seconds()
}

func put(client *http.Client, url, user, mediaType string, body io.Reader) error {
	return send(client, http.MethodPut, url, user, mediaType, body)
}

func send(client *http.Client, method, url, user, mediaType string, body io.Reader) error {
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		return err
	}
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	return answered(client, req, user)
}

// answered sends a request in the name of the user, and expects that it is granted.
func answered(client *http.Client, req *http.Request, user string) error {
	req.SetBasicAuth(user, "secret")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode > 299 {
		return fmt.Errorf("%s %s: %s", req.Method, req.URL, res.Status)
	}
	return nil
}
