package chain

import (
	"fmt"

	"github.com/taoctl/taoctl/scale"
)

// SpecOf reads the runtime's version out of its metadata, where it stands as
// the constant System.Version: bytes and version cannot come apart.
func SpecOf(m *scale.Metadata) (Spec, error) {
	var version struct {
		SpecName           string
		SpecVersion        uint32
		ImplVersion        uint32
		TransactionVersion uint32
	}
	p := m.Pallet("System")
	if p == nil || p.Constant("Version") == nil {
		return Spec{}, fmt.Errorf("the metadata state no version (constant System.Version)")
	}
	k := p.Constant("Version")
	if err := m.Decode(k.Type, k.Value, &version); err != nil {
		return Spec{}, fmt.Errorf("decode constant System.Version: %w", err)
	}
	return Spec{
		Name: version.SpecName, SpecVersion: version.SpecVersion,
		ImplVersion: version.ImplVersion, TxVersion: version.TransactionVersion,
	}, nil
}
