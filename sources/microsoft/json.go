package microsoft

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/microsoft/kiota-abstractions-go/serialization"
	kiotajson "github.com/microsoft/kiota-serialization-json-go"

	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// get sends a GET request and decodes its answer into out.
func (c *Client) get(ctx context.Context, k call, out any) error {
	raw, err := c.read(ctx, k)
	if err != nil {
		return err
	}
	if err := decodeJSON(raw, out); err != nil {
		return c.fail(ctx, k, err)
	}
	return nil
}

// errRedirected says that Graph answered a request for JSON with a redirect.
var errRedirected = errors.New("unexpected redirect")

// read returns the body of an answer that is kept in memory.
func (c *Client) read(ctx context.Context, k call) ([]byte, error) {
	res, err := c.do(ctx, k)
	if err != nil {
		return nil, err
	}
	defer httpx.Drain(res.Body)
	if res.StatusCode >= http.StatusMultipleChoices {
		return nil, c.fail(ctx, k, errRedirected)
	}
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, c.fail(ctx, k, err)
	}
	return raw, nil
}

// getModel sends a GET request and returns its answer as one of the official models.
func getModel[M serialization.Parsable](ctx context.Context, c *Client, k call, create serialization.ParsableFactory) (M, error) {
	var none M
	raw, err := c.read(ctx, k)
	if err != nil {
		return none, err
	}
	model, err := parseModel(raw, create)
	if err != nil {
		return none, c.fail(ctx, k, err)
	}
	m, ok := model.(M)
	if !ok {
		return none, c.fail(ctx, k, errNoModel)
	}
	return m, nil
}

var errNoModel = &json.SyntaxError{Offset: 0}

// parseModel reads one of the official models. What is no JSON object is an error and never a nil model.
func parseModel(raw []byte, create serialization.ParsableFactory) (serialization.Parsable, error) {
	// The official reader calls itself for each level, as often as the answer likes; Valid refuses more than 10,000 of them.
	if !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) || !json.Valid(raw) {
		return nil, errNoModel
	}
	node, err := kiotajson.NewJsonParseNode(raw)
	if err != nil {
		return nil, err
	}
	model, err := node.GetObjectValue(create)
	if err == nil && model == nil {
		err = errNoModel
	}
	return model, err
}

// decodeJSON decodes one document.
func decodeJSON(raw []byte, out any) error { return json.Unmarshal(raw, out) }
