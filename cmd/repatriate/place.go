package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os/user"
	"syscall"

	"codeberg.org/repatriate/repatriate/internal/config"
)

// placed makes an error of the configuration of one that says that the state, or what is kept beside it, cannot lie where the job file
// has it, and says what to do. Other errors stay as they are.
func placed(err error) error {
	var do string
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		do = "what is to hold it is no folder: set state in the job file"
	case errors.Is(err, fs.ErrNotExist):
		do = "make the folder, or set state in the job file"
	case errors.Is(err, syscall.EROFS):
		do = "nothing can be written there: set state in the job file"
	case errors.Is(err, fs.ErrPermission):
		do = "let the user " + userName() + " write there, or set state in the job file"
	default:
		return err
	}
	return usage(fmt.Errorf("%w: %s", err, do))
}

// userName is the name of the user as whom this process runs.
func userName() string {
	u, err := user.Current()
	if err != nil {
		return "of this process"
	}
	return u.Username
}

// checkKeeping refuses a place in which the plan cannot be kept, before anything is read.
func checkKeeping(job *config.Job) error {
	if err := planFiles(job).Check(); err != nil {
		return placed(fmt.Errorf("the plan cannot be kept beside the state: %w", err))
	}
	return nil
}
