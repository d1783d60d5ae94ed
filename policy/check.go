package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/taoctl/taoctl/tao"
)

// Spending is what one extrinsic takes, as it is held against a policy.
type Spending struct {
	Parts []Part
	Fee   tao.Amount // tip included; the tip alone where the fee is not known

	FeeKnown bool

	Holds tao.Amount  // what the signer has free: what a part that takes all takes
	Known *tao.Amount // what the plan knows to be taken, where the call does not say it
}

// DeniedError says which rule does not allow what was to be signed.
type DeniedError struct {
	Rule   string // "per_day", "calls: Balances.transfer_all"
	Reason string
}

func (e *DeniedError) Error() string {
	return fmt.Sprintf("the spend policy forbids it (%s): %s", e.Rule, e.Reason)
}

// Day is how long a day is: always the last 24 hours.
const Day = 24 * time.Hour

// Check holds what is to be signed against the policy and against what was
// signed in the last 24 hours. Errors: *DeniedError.
func (p *Policy) Check(s Spending, past []Record, now time.Time) error {
	past = recent(past, now)
	if p.Fee != nil && !s.FeeKnown {
		return &DeniedError{"fee", "nobody can tell the fee without a network"}
	}
	if p.Fee != nil && s.Fee > *p.Fee {
		return &DeniedError{"fee", fmt.Sprintf("the fee is %s TAO, and %s are allowed", s.Fee, *p.Fee)}
	}
	for _, part := range s.Parts {
		if err := p.allowed(part); err != nil {
			return err
		}
	}
	r := s.record()
	if err := p.limits("", p.PerTransaction, p.PerDay, r.total(), sum(past, Record.total)); err != nil {
		return err
	}
	for _, rule := range p.Calls {
		of := func(r Record) tao.Amount { return r.Calls[rule.Call] }
		if err := p.limits("calls: "+rule.Call+": ", rule.PerTransaction, rule.PerDay, of(r), sum(past, of)); err != nil {
			return err
		}
	}
	for _, rule := range p.Subnets {
		of := func(r Record) tao.Amount { return r.Subnets[rule.NetUID] }
		if err := p.limits(fmt.Sprintf("subnets: %d: ", rule.NetUID), rule.PerTransaction, rule.PerDay, of(r), sum(past, of)); err != nil {
			return err
		}
	}
	return nil
}

// allowed checks the lists.
func (p *Policy) allowed(part Part) error {
	_, named := p.rule(part.Call)
	switch {
	case len(p.Calls) > 0 && !named:
		return &DeniedError{"calls", part.Call + " is not listed"}
	case part.Unknown && !named:
		return &DeniedError{"calls", "nobody can tell what " + part.Call + " takes: to allow it, list it by name"}
	case part.Dest != nil && len(p.Destinations) > 0 && !slices.Contains(p.Destinations, *part.Dest):
		return &DeniedError{"destinations", part.Dest.String() + " is not listed"}
	case part.Hotkey != nil && len(p.Hotkeys) > 0 && !slices.Contains(p.Hotkeys, *part.Hotkey):
		return &DeniedError{"hotkeys", part.Hotkey.String() + " is not listed"}
	case part.NetUID != nil && len(p.Subnets) > 0 && !slices.ContainsFunc(p.Subnets, func(r SubnetRule) bool { return r.NetUID == *part.NetUID }):
		return &DeniedError{"subnets", fmt.Sprintf("subnet %d is not listed", *part.NetUID)}
	}
	return nil
}

func (p *Policy) limits(where string, once, daily *tao.Amount, takes, before tao.Amount) error {
	if once != nil && takes > *once {
		return &DeniedError{where + "per_transaction", fmt.Sprintf("it takes up to %s TAO, and %s are allowed at once", takes, *once)}
	}
	if daily == nil || takes == 0 {
		return nil
	}
	if all, ok := before.Add(takes); !ok || all > *daily {
		return &DeniedError{where + "per_day", fmt.Sprintf("it takes up to %s TAO; %s of %s are spent in the last 24 hours", takes, before, *daily)}
	}
	return nil
}

// record is what the ledger will say of it. A part that takes everything takes
// what is there.
func (s Spending) record() Record {
	r := Record{Fee: s.Fee, Calls: map[string]tao.Amount{}, Subnets: map[tao.NetUID]tao.Amount{}}
	for _, part := range s.Parts {
		takes := part.TAO
		switch {
		case part.All:
			takes = s.Holds
		case part.Unknown && s.Known != nil:
			takes = *s.Known
		}
		r.Calls[part.Call] = more(r.Calls[part.Call], takes)
		if part.NetUID != nil {
			r.Subnets[*part.NetUID] = more(r.Subnets[*part.NetUID], takes)
		}
	}
	return r
}

// total is all that leaves, fee included.
func (r Record) total() tao.Amount {
	all := r.Fee
	for _, a := range r.Calls {
		all = more(all, a)
	}
	return all
}

// more adds, and stays at the largest amount.
func more(a, b tao.Amount) tao.Amount {
	if all, ok := a.Add(b); ok {
		return all
	}
	return ^tao.Amount(0)
}

func sum(list []Record, of func(Record) tao.Amount) (all tao.Amount) {
	for _, r := range list {
		all = more(all, of(r))
	}
	return all
}

func recent(past []Record, now time.Time) []Record {
	var list []Record
	for _, r := range past {
		// A clock that was set back must not make spending forgotten.
		if now.Sub(r.Time) < Day {
			list = append(list, r)
		}
	}
	return list
}
