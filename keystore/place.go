package keystore

import "path/filepath"

// Path is the file that holds, or would hold, a key's secret.
func (s *Store) Path(ref Ref) string { return filepath.Join(s.dir, ref.secretFile()) }

// CheckFree says whether Save could keep a new key under a name, so that this
// can be known before a mnemonic is shown or a passphrase asked for. Errors are
// *NameError and *ExistsError. An account that is only watched is free.
func (s *Store) CheckFree(ref Ref) error {
	if err := ref.checkNew(); err != nil {
		return err
	}
	if path := s.Path(ref); exists(path) {
		return &ExistsError{What: ref.what(), Path: path}
	}
	return nil
}
