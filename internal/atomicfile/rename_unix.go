//go:build unix && !linux

package atomicfile

// renameNew renames and refuses a name that is taken.
func renameNew(from, to string) error { return linkNew(from, to) }
