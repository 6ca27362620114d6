package report

import "strings"

// DrivePrefix begins the account of a shared drive or document library: its id follows, where people have an address.
const DrivePrefix = "drive:"

// Bounds of names, in characters: ids of document libraries have about seventy.
const (
	maxCalled  = 40
	maxAccount = 100
)

// DriveName returns what the drive of an account is called, given the name of its task; empty for people's accounts, and if it is not
// known.
func DriveName(account, task string) string {
	switch {
	case !strings.HasPrefix(account, DrivePrefix), task == "Shared drive", task == "Library": // what a state has of a drive that nobody could ask
		return ""
	}
	return Clean(task, maxCalled)
}

// Called names an account to people: a drive by its name, with the account as it is typed.
func Called(account, task string) string {
	if name := DriveName(account, task); name != "" {
		return name + " (" + Clean(account, maxAccount) + ")"
	}
	return Clean(account, maxAccount)
}

// CalledShortly is Called for where nothing has to be typed.
func CalledShortly(account, task string) string {
	if name := DriveName(account, task); name != "" {
		return name + " (drive)"
	}
	return Clean(account, 60)
}

// called is CalledShortly with the name that the report's tasks have.
func (r *Report) called(account string) string { return CalledShortly(account, r.drives[account]) }
