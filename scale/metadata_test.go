package scale

import (
	"slices"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/internal/fixture"
)

// load parses a real blob.
func load(tb testing.TB, name string) *Metadata {
	tb.Helper()
	m, err := ParseMetadata(fixture.Metadata(tb, name))
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// made parses metadata made by hand.
func made(tb testing.TB, types ...Type) *Metadata {
	tb.Helper()
	m, err := ParseMetadata(blobOf(types...))
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// What these runtimes are known to hold (the counts are polkadot-js's).
func TestParseMetadata(t *testing.T) {
	for _, c := range []struct {
		name                                          string
		version, types, pallets, calls, apis, methods int
		extensions                                    string
	}{
		{"testfinney-103-v14", 14, 140, 9, 74, 0, 0,
			"CheckNonZeroSender CheckSpecVersion CheckTxVersion CheckGenesis CheckMortality CheckNonce CheckWeight ChargeTransactionPayment"},
		{"raonet-218-v14", 14, 436, 26, 186, 0, 0,
			"CheckNonZeroSender CheckSpecVersion CheckTxVersion CheckGenesis CheckMortality CheckNonce CheckWeight ChargeTransactionPayment SubtensorSignedExtension CommitmentsSignedExtension CheckMetadataHash"},
		{"devnet-240-v15", 15, 570, 26, 204, 19, 71,
			"CheckNonZeroSender CheckSpecVersion CheckTxVersion CheckGenesis CheckMortality CheckNonce CheckWeight ChargeTransactionPayment SubtensorSignedExtension CommitmentsSignedExtension CheckMetadataHash"},
		{"finney-393-v16", 16, 727, 27, 263, 23, 96,
			"CheckNonZeroSender CheckSpecVersion CheckTxVersion CheckGenesis CheckMortality CheckNonce CheckWeight ChargeTransactionPayment SudoTransactionExtension CheckShieldedTxValidity SubtensorTransactionExtension DrandPriority CheckMetadataHash"},
		{"localnet-461-v15", 15, 802, 28, 305, 25, 122,
			"CheckNonZeroSender CheckSpecVersion CheckTxVersion CheckGenesis CheckMortality CheckNonce CheckWeight ChargeTransactionPayment SudoTransactionExtension CheckShieldedTxValidity SubtensorTransactionExtension DrandPriority CheckMetadataHash"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := load(t, c.name)
			calls, methods := 0, 0
			for _, p := range m.Pallets() {
				if p.Calls != nil {
					calls += len(p.Calls.Variants)
				}
			}
			for _, a := range m.APIs() {
				methods += len(a.Methods)
			}
			got := []int{m.Version(), m.Types(), len(m.Pallets()), calls, len(m.APIs()), methods}
			if want := []int{c.version, c.types, c.pallets, c.calls, c.apis, c.methods}; !slices.Equal(got, want) {
				t.Errorf("version, types, pallets, calls, APIs, methods: %v, want %v", got, want)
			}
			var names []string
			for _, x := range m.Extrinsic().Extensions {
				names = append(names, x.Name)
			}
			if got := strings.Join(names, " "); got != c.extensions {
				t.Errorf("extensions %s", got)
			}
			for want, id := range map[string]TypeID{
				"sp_runtime::MultiAddress<sp_core::AccountId32, ()>": m.Extrinsic().Address,
				"sp_runtime::MultiSignature":                         m.Extrinsic().Signature,
			} {
				if got := m.TypeName(id); got != want {
					t.Errorf("extrinsic holds %s, want %s", got, want)
				}
			}
		})
	}
}

func TestLookups(t *testing.T) {
	m := load(t, "finney-393-v16")
	p := m.Pallet("SubtensorModule")
	if p == nil || p.Index != 7 || m.PalletByIndex(7) != p {
		t.Fatal("SubtensorModule is not pallet 7")
	}
	call := p.Call("add_stake")
	if call == nil || call.Index != 2 || p.CallByIndex(2) != call {
		t.Fatalf("add_stake is %+v", call)
	}
	if got, want := m.DescribeFields(call.Fields), "{hotkey: sp_core::AccountId32, netuid: u16, amount_staked: u64}"; got != want {
		t.Errorf("add_stake takes %s", got)
	}
	if e := p.Error("NotEnoughBalanceToStake"); e == nil || p.ErrorByIndex(e.Index) != e || e.Docs.String() == "" {
		t.Errorf("NotEnoughBalanceToStake is %+v", e)
	}
	if e := p.Event("StakeAdded"); e == nil || p.EventByIndex(e.Index) != e {
		t.Errorf("StakeAdded is %+v", e)
	}
	if f := m.API("StakeInfoRuntimeApi", "get_stake_info_for_coldkey"); f == nil || len(f.Inputs) != 1 || f.Inputs[0].Name != "coldkey_account" {
		t.Errorf("get_stake_info_for_coldkey is %+v", f)
	}
	if c := m.Pallet("Balances").Constant("ExistentialDeposit"); c == nil || m.TypeName(c.Type) != "u64" {
		t.Errorf("ExistentialDeposit is %+v", c)
	}
	if id := m.EventRecords(); !strings.HasPrefix(m.TypeName(id), "Vec<frame_system::EventRecord<") {
		t.Errorf("events are %s", m.TypeName(id))
	}
}

func TestAbsent(t *testing.T) {
	m := load(t, "testfinney-103-v14")
	p := m.Pallet("RandomnessCollectiveFlip") // has no calls, events or errors
	for what, found := range map[string]bool{
		"pallet":         m.Pallet("Swap") != nil,
		"pallet by byte": m.PalletByIndex(200) != nil,
		"call":           p.Call("x") != nil || p.CallByIndex(0) != nil,
		"event":          p.Event("x") != nil || p.EventByIndex(0) != nil,
		"error":          p.Error("x") != nil || p.ErrorByIndex(0) != nil,
		"entry":          p.Entry("x") != nil,
		"constant":       p.Constant("x") != nil,
		"API":            m.API("Core", "version") != nil,
		"type":           m.Type(TypeID(m.Types())) != nil || m.Type(NoType) != nil,
	} {
		if found {
			t.Errorf("%s is found where there is none", what)
		}
	}
}

func TestDocs(t *testing.T) {
	m := load(t, "finney-393-v16")
	call := m.Pallet("Balances").Call("transfer_keep_alive")
	lines := call.Docs.Lines()
	if len(lines) < 2 || lines[0] != "Same as the [`transfer_allow_death`] call, but with a check that the transfer will not" {
		t.Errorf("docs of transfer_keep_alive: %q", lines)
	}
	if got := (Docs{}).Lines(); got != nil {
		t.Errorf("no docs are %q", got)
	}
	for _, p := range m.Pallets() {
		for _, e := range p.Storage {
			if e.Name == "Account" && p.Name == "System" && e.Docs.String() != "The full account information for a particular account ID." {
				t.Errorf("docs of System.Account: %q", e.Docs)
			}
		}
	}
}

func TestDeprecated(t *testing.T) {
	p := load(t, "finney-393-v16").Pallet("SubtensorModule")
	for _, name := range []string{"swap_hotkey", "schedule_swap_coldkey"} {
		if d := p.Call(name).Deprecated; d == nil || d.Note == "" {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if d := p.Call("add_stake").Deprecated; d != nil {
		t.Errorf("add_stake: %+v", d)
	}
}

func TestIsEmpty(t *testing.T) {
	m := load(t, "finney-393-v16")
	carry := map[string]string{ // by facts of the chain: all others carry nothing
		"CheckMortality": "extra implicit", "CheckNonce": "extra", "ChargeTransactionPayment": "extra",
		"CheckMetadataHash": "extra implicit", "CheckSpecVersion": "implicit", "CheckTxVersion": "implicit", "CheckGenesis": "implicit",
	}
	for _, x := range m.Extrinsic().Extensions {
		var got []string
		if !m.IsEmpty(x.Extra) {
			got = append(got, "extra")
		}
		if !m.IsEmpty(x.Implicit) {
			got = append(got, "implicit")
		}
		if strings.Join(got, " ") != carry[x.Name] {
			t.Errorf("%s carries %v, want %s", x.Name, got, carry[x.Name])
		}
	}
	loop := made(t, Type{Kind: KindTuple, Fields: []FieldDef{{Type: 0}}})
	if loop.IsEmpty(0) || loop.IsEmpty(9) {
		t.Error("a type within itself, or none, counts as empty")
	}
}

func TestDescribe(t *testing.T) {
	m := load(t, "finney-393-v16")
	for _, c := range []struct {
		id   TypeID
		want string
	}{
		{m.Extrinsic().Address, "Id(sp_core::AccountId32) | Index(Compact<()>) | Raw(Vec<u8>) | Address32([u8; 32]) | Address20([u8; 20])"},
		{m.Pallet("System").Entry("Account").Keys[0], "[u8; 32]"},
		{m.Pallet("System").Entry("Account").Value, "{nonce: u32, consumers: u32, providers: u32, sufficients: u32, data: pallet_balances::AccountData<u64>}"},
		{NoType, "?"},
	} {
		if got := m.Describe(c.id); got != c.want {
			t.Errorf("Describe(%d) = %s, want %s", c.id, got, c.want)
		}
	}
}

func TestTypeNameIsBounded(t *testing.T) {
	m := made(t, Type{Kind: KindTuple, Fields: slices.Repeat([]FieldDef{{Type: 0}}, 500)})
	if got := m.TypeName(0); len(got) > 1000 || !strings.Contains(got, "…") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}

func TestMetadataRefused(t *testing.T) {
	u8 := Type{Kind: KindPrimitive, Primitive: U8}
	field := func(name string, id TypeID) FieldDef { return FieldDef{Name: name, Type: id} }
	good := blobOf(u8)
	for name, c := range map[string]struct {
		blob []byte
		want string
	}{
		"nothing":                {nil, "do not begin"},
		"no version":             {[]byte("meta"), "do not begin"},
		"another magic":          {[]byte("metb\x0e"), "do not begin"},
		"version 13":             {[]byte("meta\x0d"), "version 13"},
		"version 17":             {[]byte("meta\x11"), "version 17"},
		"cut":                    {good[:len(good)-1], "is left"},
		"followed":               {append(slices.Clone(good), 0), "1 bytes follow"},
		"type out of range":      {blobOf(Type{Kind: KindSequence, Elem: 1}), "type 1 of 1"},
		"kind":                   {blobOf(Type{Kind: 8}), "kind of type 8"},
		"primitive":              {blobOf(Type{Kind: KindPrimitive, Primitive: I256 + 1}), "primitive 15"},
		"length beyond the blob": {[]byte("meta\x0e\xfe\xff\xff\xff"), "exceeds"},
		"field twice":            {blobOf(Type{Fields: []FieldDef{field("a", 0), field("a", 0)}}), `"a" occurs twice`},
		"fields half named":      {blobOf(Type{Fields: []FieldDef{field("a", 0), field("", 0)}}), "1 of 2 fields"},
		"variant twice":          {blobOf(Type{Kind: KindVariant, Variants: []VariantDef{{Name: "A"}, {Name: "A", Index: 1}}}), `"A" occurs twice`},
		"variant index twice":    {blobOf(Type{Kind: KindVariant, Variants: []VariantDef{{Name: "A"}, {Name: "B"}}}), "the index 0 occurs twice"},
	} {
		_, err := ParseMetadata(c.blob)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
	}
}

// No blob cut short is accepted, none panics.
func TestMetadataCut(t *testing.T) {
	blob := fixture.Metadata(t, "testfinney-103-v14")
	for n := 0; n < len(blob); n += 97 {
		if _, err := ParseMetadata(blob[:n]); err == nil {
			t.Fatalf("%d of %d bytes are accepted", n, len(blob))
		}
	}
}

// The caller's buffer is not kept.
func TestMetadataCopies(t *testing.T) {
	blob := fixture.Metadata(t, "testfinney-103-v14")
	m, err := ParseMetadata(blob)
	if err != nil {
		t.Fatal(err)
	}
	clear(blob)
	if e := m.Pallet("System").Entry("Account"); e == nil || e.Docs.String() == "" {
		t.Error("metadata changes with the caller's buffer")
	}
}
