package preflight

// Limits are what a target says of one kind of an account, in bytes.
type Limits struct {
	// Room is what the account may still store; -1 if there is no limit or none is told.
	Room int64
	// Item is how large one item may be; 0 if there is no limit or none is told.
	Item int64
}

// NoLimits are those of a target that tells none.
var NoLimits = Limits{Room: -1}

// Narrow takes the tighter of the room that is known and another one.
func (l *Limits) Narrow(room int64) {
	room = max(room, 0)
	if l.Room < 0 || room < l.Room {
		l.Room = room
	}
}

// NarrowItem takes the tighter of the known size of an item and another one; 0 and below say nothing.
func (l *Limits) NarrowItem(size int64) {
	if size > 0 && (l.Item == 0 || size < l.Item) {
		l.Item = size
	}
}
