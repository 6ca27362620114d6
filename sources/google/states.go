package google

import (
	"context"
	"sync"
	"time"

	directory "google.golang.org/api/admin/directory/v1"
)

// statesLife is how long an answer about a user is kept, and maxStates how many of them.
const (
	statesLife = 10 * time.Minute
	maxStates  = 1024
)

// userStates remembers which users are suspended.
type userStates struct {
	mu    sync.Mutex
	byKey map[string]userState
}

type userState struct {
	suspended bool
	read      time.Time
}

func newUserStates() *userStates { return &userStates{byKey: map[string]userState{}} }

func (s *userStates) get(user string) (userState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state, ok := s.byKey[user]
	return state, ok && time.Since(state.read) < statesLife
}

func (s *userStates) set(user string, state userState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.byKey) >= maxStates {
		clear(s.byKey)
	}
	s.byKey[user] = state
}

// suspended asks the directory whether the user is suspended. It says no where that cannot be found out.
func (c *Client) suspended(ctx context.Context, user string) bool {
	if state, ok := c.states.get(user); ok || c.options.Admin == "" {
		return state.suspended
	}
	var found *directory.User
	err := c.do(ctx, c.options.Admin, directoryUsersGet, func() error {
		d, err := c.directory(ctx, c.options.Admin)
		if err != nil {
			return err
		}
		found, err = d.Users.Get(user).Fields("suspended").Context(ctx).Do()
		return err
	})
	if ctx.Err() != nil {
		return false
	}
	state := userState{read: time.Now(), suspended: err == nil && found.Suspended}
	c.states.set(user, state)
	return state.suspended
}
