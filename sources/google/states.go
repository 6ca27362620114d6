package google

type userStates struct{}

func newUserStates() *userStates { return &userStates{} }
