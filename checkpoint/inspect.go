package checkpoint

// Place is where a node lies or shall lie on the target; see Node.
type Place struct {
	ParentID, Name, Wanted string
}

// Placement is a node of a Tree with its places.
type Placement struct {
	ID     string
	Folder bool
	// Lies is where it lies, and Reserved the place that is reserved for it; nil if there is none.
	Lies, Reserved *Place
}

// Rule names something that holds of every state, at every moment.
type Rule string

// The rules of a state.
const (
	// RuleIntact: the store's own structure is whole.
	RuleIntact Rule = "intact"
	// RuleReadable: every record can be read.
	RuleReadable Rule = "readable"
	// RuleBalanced: the number of items listed is the sum of the records in all states.
	RuleBalanced Rule = "balanced"
	// RuleListing: no cursor and no record stand in a listing that was never begun.
	RuleListing Rule = "listing"
	// RuleReason: what was skipped or failed has a reason.
	RuleReason Rule = "reason"
	// RuleLocation: what was copied has a location, and no two records have the same one. Nodes of a Tree have their
	// places instead.
	RuleLocation Rule = "location"
	// RulePlace: each node holds the places at which it lies and that it has reserved, and no other place is held.
	RulePlace Rule = "place"
	// RuleParent: a node lies at the top or in a folder that has a place, and no folders lie in one another.
	RuleParent Rule = "parent"
)

// Finding is one way in which a state breaks a rule.
type Finding struct {
	// Task is where; zero if it concerns the state as a whole.
	Task Task
	Rule Rule
	// Detail says what was found: ids, numbers, the store's own words.
	Detail string
}
