package governance

import (
	"testing"

	"github.com/taoctl/taoctl/scale"
)

// No runtime with referenda is at hand: these values are made up after
// subtensor d0910bde9, pallets/referenda/src/types.rs.
func TestOngoingOf(t *testing.T) {
	record := func(pairs ...any) *scale.Record {
		r := &scale.Record{}
		for i := 0; i < len(pairs); i += 2 {
			r.Fields = append(r.Fields, scale.Field{Name: pairs[i].(string), Value: pairs[i+1]})
		}
		return r
	}
	call := &scale.Variant{Name: "Action", Value: &scale.Variant{Name: "Inline", Value: []byte{1, 2}}}
	status := &scale.Variant{Name: "Ongoing", Value: record(
		"track", uint8(0), "proposal", call, "submitted", uint32(100),
		"decision_strategy", &scale.Variant{Name: "PassOrFail", Value: record("decision_period", uint32(50_400))})}
	r, ok := ongoingOf(status)
	if !ok || r.submitted != 100 || r.period != 50_400 || r.kind != "PassOrFail" || len(r.call) != 2 || r.review {
		t.Errorf("%+v, %v", r, ok)
	}
	status.Value = record("track", uint8(1), "proposal", &scale.Variant{Name: "Review"}, "submitted", uint32(7),
		"decision_strategy", &scale.Variant{Name: "Adjustable", Value: record("initial_delay", uint32(7_200))})
	if r, ok := ongoingOf(status); !ok || r.track != 1 || !r.review || r.call != nil || r.period != 7_200 {
		t.Errorf("%+v, %v", r, ok)
	}
	for _, over := range []any{nil, 7, &scale.Variant{Name: "Enacted", Value: uint32(9)}, &scale.Variant{Name: "Ongoing"}} {
		if _, ok := ongoingOf(over); ok {
			t.Errorf("%v is taken for an ongoing referendum", over)
		}
	}
}
