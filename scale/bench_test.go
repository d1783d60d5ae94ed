package scale

import (
	"testing"

	"github.com/taoctl/taoctl/internal/fixture"
)

func BenchmarkParseMetadata(b *testing.B) {
	for _, name := range fixture.Names(b) {
		b.Run(name, func(b *testing.B) {
			blob := fixture.Metadata(b, name)
			b.SetBytes(int64(len(blob)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseMetadata(blob); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncodeCall(b *testing.B) {
	m := load(b, "finney-393-v16")
	transfer := map[string]any{"dest": &Variant{"Id", make([]byte, 32)}, "value": uint64(1e9)}
	calls := make([]any, 1000)
	for i := range calls {
		calls[i] = &Variant{"Balances", &Variant{"transfer_keep_alive", transfer}}
	}
	for _, c := range []struct {
		name, pallet, call string
		args               map[string]any
	}{
		{"single", "Balances", "transfer_keep_alive", transfer},
		{"batch_all of 1000", "Utility", "batch_all", map[string]any{"calls": calls}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var out []byte
			for b.Loop() {
				var err error
				if out, err = m.EncodeCall(out[:0], c.pallet, c.call, c.args); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(len(out)))
		})
	}
}

// neuronInfoLite declares all of the runtime's NeuronInfoLite.
type neuronInfoLite struct {
	Hotkey, Coldkey [32]byte
	UID             uint16
	Netuid          uint16
	Active          bool
	AxonInfo        struct {
		Block        uint64
		Version      uint32
		IP           uint64
		Port         uint16
		IPType       uint8
		Protocol     uint8
		Placeholder1 uint8
		Placeholder2 uint8
	}
	PrometheusInfo struct {
		Block   uint64
		Version uint32
		IP      uint64
		Port    uint16
		IPType  uint8
	}
	Stake []struct {
		Account [32]byte
		Amount  uint64
	}
	Rank, Emission, Incentive, Consensus, Trust, ValidatorTrust, Dividends uint64
	LastUpdate                                                             uint64
	ValidatorPermit                                                        bool
	PruningScore                                                           uint16
}

func neurons(tb testing.TB, m *Metadata) (TypeID, []byte) {
	list := m.API("NeuronInfoRuntimeApi", "get_neurons_lite").Output
	record := m.Type(list).Elem
	g := newGenerator(m)
	b := EncodeCompact(nil, 256)
	for range 256 {
		for { // the first of few neurons whose numbers fit 64 bits
			one, ok := g.value(nil, record, 0)
			if ok && m.Decode(record, one, new(neuronInfoLite)) == nil {
				b = append(b, one...)
				break
			}
		}
	}
	return list, b
}

func TestNeuronInfoLite(t *testing.T) {
	m := load(t, "finney-393-v16")
	id, b := neurons(t, m)
	var list []neuronInfoLite
	if err := m.Decode(id, b, &list); err != nil || len(list) != 256 {
		t.Fatalf("%d neurons, %v", len(list), err)
	}
	mustEncode(t, m, id, list, b)
}

func BenchmarkDecodeNeurons(b *testing.B) {
	m := load(b, "finney-393-v16")
	id, data := neurons(b, m)
	for name, into := range map[string]any{"typed": new([]neuronInfoLite), "dynamic": new(any)} {
		b.Run(name, func(b *testing.B) { benchmarkDecode(b, m, id, data, into) })
	}
}

func benchmarkDecode(b *testing.B, m *Metadata, id TypeID, data []byte, into any) {
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Decode(id, data, into); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeAccounts(b *testing.B) {
	m := load(b, "finney-393-v16")
	e := m.Pallet("System").Entry("Account")
	b.SetBytes(int64(10_000 * len(e.Default)))
	b.ReportAllocs()
	for b.Loop() {
		for range 10_000 {
			var info accountInfo
			if err := m.Decode(e.Value, e.Default, &info); err != nil {
				b.Fatal(err)
			}
		}
	}
}
