package chain

import (
	"slices"
	"strings"

	"github.com/taoctl/taoctl/scale"
)

// DispatchError says why the chain failed a call that it had accepted.
type DispatchError struct {
	// Kind is the variant of the chain's DispatchError: Module for a pallet's
	// own error, else Token, Arithmetic, BadOrigin and so on.
	Kind   string
	Pallet string // for Module
	// Name is the error: "AmountTooLow" of a pallet, "FundsUnavailable" of
	// Token; the kind itself where there is nothing more.
	Name string
	Doc  string // what the runtime says of it; may be empty
}

func (e *DispatchError) Error() string {
	where := e.Pallet
	if e.Pallet == "" && e.Name != e.Kind {
		where = e.Kind
	}
	text := e.Name
	if where != "" {
		text = where + "." + e.Name
	}
	if e.Doc != "" {
		text += ": " + strings.Join(strings.Fields(e.Doc), " ")
	}
	return "refused by the chain: " + text
}

// DispatchError reads a decoded DispatchError, or the Err of a decoded Result.
// A form that is not known gives an error of kind Unknown, never nil: whoever
// asks has found a failure. Names come from this runtime's metadata: a pallet
// by its index, not its place, and its error by the first of the four bytes.
func (r *Runtime) DispatchError(v any) *DispatchError {
	kind, ok := v.(*scale.Variant)
	if !ok || kind == nil {
		return &DispatchError{Kind: "Unknown", Name: "Unknown", Doc: "an error of a form that is not known: " + text(v)}
	}
	switch {
	case kind.Name == "Err":
		return r.DispatchError(kind.Value)
	case kind.Name == "Module":
		return r.moduleError(kind.Value)
	}
	e := &DispatchError{Kind: kind.Name, Name: kind.Name}
	switch inner := kind.Value.(type) {
	case *scale.Variant:
		e.Name = inner.Name
	case *scale.Record: // DispatchErrorWithPostInfo and its like
		if err, ok := inner.Get("error"); ok {
			return r.DispatchError(err)
		}
	}
	return e
}

// moduleError resolves {index: u8, error: [u8; 4]}; error is a plain u8 in
// runtimes older than Substrate's of March 2022.
func (r *Runtime) moduleError(v any) *DispatchError {
	e := &DispatchError{Kind: "Module", Name: "Unknown", Doc: "an error that metadata does not name: " + text(v)}
	record, _ := v.(*scale.Record)
	index, _ := record.Get("index")
	pallet, ok := index.(uint8)
	if !ok {
		return e
	}
	p := r.metadata.PalletByIndex(pallet)
	if p == nil {
		return e
	}
	e.Pallet = p.Name
	code, ok := errorCode(record)
	if !ok || p.ErrorByIndex(code) == nil {
		return e
	}
	def := p.ErrorByIndex(code)
	e.Name, e.Doc = def.Name, def.Docs.String()
	return e
}

func errorCode(record *scale.Record) (uint8, bool) {
	code, _ := record.Get("error")
	switch code := code.(type) {
	case uint8:
		return code, true
	case []byte:
		if len(code) > 0 {
			return code[0], true
		}
	}
	return 0, false
}

// Failures lists the failures that an event reports: the Err of every
// Result<_, DispatchError> among its fields, and every bare DispatchError.
// That covers System.ExtrinsicFailed, and those events that tell of a failed
// call inside an extrinsic that succeeded: Proxy.ProxyExecuted,
// Multisig.MultisigExecuted, Sudo.Sudid, Utility.BatchInterrupted,
// Utility.ItemFailed, Utility.DispatchedAs, Scheduler.Dispatched. Fields are
// found by type, so a runtime may add more of them.
func (r *Runtime) Failures(e Event) []*DispatchError {
	def := r.eventDef(e)
	if def == nil || e.Fields == nil {
		return nil
	}
	var found []*DispatchError
	for i := range min(len(def.Fields), len(e.Fields.Fields)) {
		found = append(found, r.failures(def.Fields[i].Type, e.Fields.Fields[i].Value)...)
	}
	return found
}

// failures looks into one field.
func (r *Runtime) failures(id scale.TypeID, v any) []*DispatchError {
	t := r.metadata.Type(id)
	if t == nil {
		return nil
	}
	if isDispatchError(t) {
		return []*DispatchError{r.DispatchError(v)}
	}
	result, ok := v.(*scale.Variant)
	if !ok || result == nil || result.Name != "Err" || len(t.Path) != 1 || t.Path[0] != "Result" {
		return nil
	}
	failed := t.Variant("Err")
	if failed == nil || len(failed.Fields) != 1 || !isDispatchError(r.metadata.Type(failed.Fields[0].Type)) {
		return nil
	}
	return []*DispatchError{r.DispatchError(result.Value)}
}

func isDispatchError(t *scale.Type) bool {
	return t != nil && len(t.Path) > 1 && t.Path[0] == "sp_runtime" &&
		slices.Contains([]string{"DispatchError", "DispatchErrorWithPostInfo"}, t.Path[len(t.Path)-1])
}
