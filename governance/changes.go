package governance

import (
	"context"
	"fmt"
	"strings"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
	"golang.org/x/crypto/blake2b"
)

// Change is a setting that a call would change.
type Change struct {
	Setting string `json:"setting"` // "SubtensorModule.Tempo of subnet 1"
	Old     string `json:"old"`
	New     string `json:"new"`
}

// settings say which storage of SubtensorModule a call of AdminUtils writes, and
// by which argument. Source: subtensor, pallets/admin-utils/src/lib.rs, where
// sudo_set_X calls pallet_subtensor's set_X, and
// pallets/subtensor/src/utils/misc.rs, where set_X inserts into that entry.
var settings = map[string]setting{
	"sudo_set_tempo":                             {"Tempo", "tempo"},
	"sudo_set_kappa":                             {"Kappa", "kappa"},
	"sudo_set_rho":                               {"Rho", "rho"},
	"sudo_set_difficulty":                        {"Difficulty", "difficulty"},
	"sudo_set_min_difficulty":                    {"MinDifficulty", "min_difficulty"},
	"sudo_set_max_difficulty":                    {"MaxDifficulty", "max_difficulty"},
	"sudo_set_min_burn":                          {"MinBurn", "min_burn"},
	"sudo_set_max_burn":                          {"MaxBurn", "max_burn"},
	"sudo_set_immunity_period":                   {"ImmunityPeriod", "immunity_period"},
	"sudo_set_activity_cutoff":                   {"ActivityCutoff", "activity_cutoff"},
	"sudo_set_max_allowed_validators":            {"MaxAllowedValidators", "max_allowed_validators"},
	"sudo_set_max_allowed_uids":                  {"MaxAllowedUids", "max_allowed_uids"},
	"sudo_set_min_allowed_weights":               {"MinAllowedWeights", "min_allowed_weights"},
	"sudo_set_adjustment_interval":               {"AdjustmentInterval", "adjustment_interval"},
	"sudo_set_adjustment_alpha":                  {"AdjustmentAlpha", "adjustment_alpha"},
	"sudo_set_weights_version_key":               {"WeightsVersionKey", "weights_version_key"},
	"sudo_set_weights_set_rate_limit":            {"WeightsSetRateLimit", "weights_set_rate_limit"},
	"sudo_set_serving_rate_limit":                {"ServingRateLimit", "serving_rate_limit"},
	"sudo_set_bonds_moving_average":              {"BondsMovingAverage", "bonds_moving_average"},
	"sudo_set_max_registrations_per_block":       {"MaxRegistrationsPerBlock", "max_registrations_per_block"},
	"sudo_set_target_registrations_per_interval": {"TargetRegistrationsPerInterval", "target_registrations_per_interval"},
	"sudo_set_tx_rate_limit":                     {"TxRateLimit", "tx_rate_limit"},
	"sudo_set_network_rate_limit":                {"NetworkRateLimit", "rate_limit"},
	"sudo_set_subnet_owner_cut":                  {"SubnetOwnerCut", "subnet_owner_cut"},
}

// setting is a storage entry and the argument that becomes its value. Where the
// call has a netuid, that is the entry's key.
type setting struct{ item, arg string }

// rao lists the settings that are amounts of TAO.
var rao = map[string]bool{"MinBurn": true, "MaxBurn": true}

// changesOf tells what a call and those inside it change, where that can be
// told. No answer does not mean no change.
func changesOf(ctx context.Context, v *chain.View, call chain.Call) (list []Change, err error) {
	for _, c := range append([]chain.Call{call}, call.Inner()...) {
		change, err := changeOf(ctx, v, c)
		if err != nil {
			return nil, fmt.Errorf("read what %s.%s would change: %w", c.Pallet, c.Name, err)
		}
		if change != nil {
			list = append(list, *change)
		}
	}
	return list, nil
}

func changeOf(ctx context.Context, v *chain.View, c chain.Call) (*Change, error) {
	s, known := settings[c.Name]
	switch {
	case c.Pallet == adminPallet && known:
		return s.change(ctx, v, c)
	case c.Pallet == systemPallet && (c.Name == setCode || c.Name == setCodeBlind):
		return codeChange(v.Runtime(), c), nil
	case c.Pallet == sudoPallet && c.Name == setKey:
		return keyChange(ctx, v, c)
	}
	return nil, nil
}

// change is nil where this runtime's entry is not of the form that is known.
func (s setting) change(ctx context.Context, v *chain.View, c chain.Call) (*Change, error) {
	if !has(v.Runtime(), subtensor, s.item) || c.Args[s.arg] == nil {
		return nil, nil
	}
	item := chain.Item[any]{Pallet: subtensor, Name: s.item}
	name, keys := item.String(), []any(nil)
	if netuid, ok := c.Args["netuid"]; ok {
		keys = []any{netuid}
		name += fmt.Sprintf(" of subnet %v", netuid)
	}
	if len(keys) != len(v.Runtime().Metadata().Pallet(subtensor).Entry(s.item).Keys) {
		return nil, nil
	}
	old, _, err := item.Get(ctx, v, keys...)
	if err != nil {
		return nil, err
	}
	return &Change{Setting: name, Old: s.text(old), New: s.text(c.Args[s.arg])}, nil
}

func (s setting) text(value any) string {
	if n, ok := value.(uint64); ok && rao[s.item] {
		return tao.Amount(n).String() + " TAO"
	}
	return fmt.Sprint(value)
}

func codeChange(rt *chain.Runtime, c chain.Call) *Change {
	code, ok := c.Args["code"].([]byte)
	if !ok {
		return nil
	}
	return &Change{
		Setting: "the chain's code", Old: fmt.Sprintf("%s, blake2-256 %s", rt.Spec(), rt.Spec().Code),
		New: fmt.Sprintf("%d bytes, blake2-256 %s", len(code), tao.Hash(blake2b.Sum256(code))),
	}
}

func keyChange(ctx context.Context, v *chain.View, c chain.Call) (*Change, error) {
	old, _, err := sudoKey.Get(ctx, v)
	return &Change{Setting: sudoKey.String(), Old: old.String(), New: fmt.Sprint(c.Args["new"])}, err
}

// String is the change on one line.
func (c Change) String() string {
	return strings.Join([]string{c.Setting + ":", c.Old, "→", c.New}, " ")
}
