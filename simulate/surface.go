package simulate

import "github.com/taoctl/taoctl/chain"

var currentSlot = chain.Item[uint64]{Pallet: "Aura", Name: "CurrentSlot"}

// Every name of the chain that this package uses.
const (
	codeKey         = ":code"
	initializeBlock = "Core_initialize_block"
	applyExtrinsic  = "BlockBuilder_apply_extrinsic"

	system           = "System"
	number           = "Number"
	parentHash       = "ParentHash"
	blockHash        = "BlockHash"
	executionPhase   = "ExecutionPhase"
	eventCount       = "EventCount"
	events           = "Events"
	extrinsicCount   = "ExtrinsicCount"
	blockWeight      = "BlockWeight"
	allExtrinsicsLen = "AllExtrinsicsLen" // before 2026
	blockSize        = "BlockSize"        // since
)
