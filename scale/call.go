package scale

import "fmt"

// EncodeCall appends a call, by names, to dst. Paths of errors begin at the
// arguments.
func (m *Metadata) EncodeCall(dst []byte, pallet, name string, args map[string]any) ([]byte, error) {
	if args == nil {
		args = map[string]any{}
	}
	out, err := m.Encode(dst, m.extrinsic.Call, &Variant{pallet, &Variant{name, args}})
	if err != nil {
		return nil, fmt.Errorf("encode call %s.%s: %w", pallet, name, err)
	}
	return out, nil
}

// DecodeCall reads a call from the front of b and gives what follows it.
func (m *Metadata) DecodeCall(b []byte) (pallet, name string, args *Record, rest []byte, err error) {
	var v any
	if rest, err = m.DecodePrefix(m.extrinsic.Call, b, &v); err != nil {
		return "", "", nil, nil, fmt.Errorf("decode call: %w", err)
	}
	outer, _ := v.(*Variant)
	if outer == nil {
		return "", "", nil, nil, fmt.Errorf("decode call: %s is no enum of pallets", m.TypeName(m.extrinsic.Call))
	}
	inner, _ := outer.Value.(*Variant)
	if inner == nil {
		return "", "", nil, nil, fmt.Errorf("decode call: %s is no enum of calls", outer.Name)
	}
	args, ok := inner.Value.(*Record)
	if !ok && inner.Value != nil {
		return "", "", nil, nil, fmt.Errorf("decode call: the arguments of %s.%s have no names", outer.Name, inner.Name)
	}
	if args == nil {
		args = &Record{}
	}
	return outer.Name, inner.Name, args, rest, nil
}
