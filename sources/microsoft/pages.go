package microsoft

import (
	"context"
	"iter"
)

// pages yields the values of a collection, page after page. It ends after the first error.
func pages[T any](ctx context.Context, c *Client, k call) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for more := true; more; {
			var page struct {
				Value []T    `json:"value"`
				Next  string `json:"@odata.nextLink"`
			}
			err := c.get(ctx, k, &page)
			if more = err == nil && page.Next != ""; more {
				k.url, err = c.link(page.Next)
			}
			for _, v := range page.Value {
				if !yield(v, nil) {
					return
				}
			}
			if err != nil {
				var none T
				yield(none, err)
				return
			}
		}
	}
}
