package embedded

import "github.com/taoctl/taoctl/tao"

// subtensor is the pallet of subnets, neurons and stake. Names, numbers and types
// are those of spec 393's metadata; what came later is as Bittensor's source has it
// at spec 475.
var subtensor = pallet{
	name: subtensorName, index: 7,
	storage: `
		TotalIssuance: u64
		TotalStake: u64
		BlockEmission: u64 = 1000000000
		NetworksAdded: Identity(u16) -> bool
		TotalNetworks: u16
		NetworkRegisteredAt: Identity(u16) -> u64
		SubnetOwner: Identity(u16) -> AccountId
		SubnetOwnerHotkey: Identity(u16) -> AccountId
		SubnetIdentitiesV3: Blake2_128Concat(u16) -> ?SubnetIdentity
		TokenSymbol: Identity(u16) -> Vec<u8> = 0x10f09d9c8f
		SubnetMechanism: Identity(u16) -> u16
		SubtokenEnabled: Identity(u16) -> bool
		TransferToggle: Identity(u16) -> bool = 1
		FirstEmissionBlockNumber: Identity(u16) -> ?u64
		Tempo: Identity(u16) -> u16 = 360
		SubnetTAO: Identity(u16) -> u64
		SubnetAlphaIn: Identity(u16) -> u64
		SubnetAlphaOut: Identity(u16) -> u64
		SubnetTaoInEmission: Identity(u16) -> u64
		SubnetAlphaOutEmission: Identity(u16) -> u64
		Owner: Blake2_128Concat(AccountId) -> AccountId
		OwnedHotkeys: Blake2_128Concat(AccountId) -> Vec<AccountId>
		StakingHotkeys: Blake2_128Concat(AccountId) -> Vec<AccountId>
		AutoStakeDestination: Blake2_128Concat(AccountId) Identity(u16) -> ?AccountId
		IdentitiesV2: Blake2_128Concat(AccountId) -> ?ChainIdentity
		Alpha: Blake2_128Concat(AccountId) Blake2_128Concat(AccountId) Identity(u16) -> U64F64
		TotalHotkeyAlpha: Blake2_128Concat(AccountId) Identity(u16) -> u64
		TotalHotkeyShares: Blake2_128Concat(AccountId) Identity(u16) -> U64F64
		AlphaDividendsPerSubnet: Identity(u16) Blake2_128Concat(AccountId) -> u64
		ChildKeys: Blake2_128Concat(AccountId) Identity(u16) -> Vec<(u64, AccountId)>
		ParentKeys: Blake2_128Concat(AccountId) Identity(u16) -> Vec<(u64, AccountId)>
		PendingChildKeys: Identity(u16) Blake2_128Concat(AccountId) -> (Vec<(u64, AccountId)>, u64)
		PendingChildKeyCooldown: u64 = 7200
		ChildkeyTake: Blake2_128Concat(AccountId) Identity(u16) -> u16
		MinChildkeyTake: u16
		MaxChildkeyTake: u16 = 11796
		TxChildkeyTakeRateLimit: u64 = 216000
		TransactionKeyLastBlock: Blake2_128Concat(AccountId) Identity(u16) Identity(u16) -> u64
		Delegates: Blake2_128Concat(AccountId) -> u16 = 11796
		MinDelegateTake: u16
		MaxDelegateTake: u16 = 11796
		TxDelegateTakeRateLimit: u64 = 216000
		LastTxBlockDelegateTake: Identity(AccountId) -> u64
		TxRateLimit: u64 = 1000
		LastTxBlock: Identity(AccountId) -> u64
		SubnetworkN: Identity(u16) -> u16
		MaxAllowedUids: Identity(u16) -> u16 = 256
		ImmunityPeriod: Identity(u16) -> u16 = 4096
		Uids: Identity(u16) Blake2_128Concat(AccountId) -> ?u16
		Keys: Identity(u16) Identity(u16) -> AccountId
		IsNetworkMember: Blake2_128Concat(AccountId) Identity(u16) -> bool
		BlockAtRegistration: Identity(u16) Identity(u16) -> u64
		Active: Identity(u16) -> Vec<bool>
		Consensus: Identity(u16) -> Vec<u16>
		Incentive: Identity(u16) -> Vec<u16>
		Dividends: Identity(u16) -> Vec<u16>
		Emission: Identity(u16) -> Vec<u64>
		LastUpdate: Identity(u16) -> Vec<u64>
		ValidatorTrust: Identity(u16) -> Vec<u16>
		ValidatorPermit: Identity(u16) -> Vec<bool>
		Axons: Identity(u16) Blake2_128Concat(AccountId) -> ?AxonInfo
		NetworkRegistrationAllowed: Identity(u16) -> bool = 1
		NetworkPowRegistrationAllowed: Identity(u16) -> bool
		Burn: Identity(u16) -> u64 = 100000000
		MinBurn: Identity(u16) -> u64 = 500000
		MaxBurn: Identity(u16) -> u64 = 100000000000
		BurnHalfLife: Identity(u16) -> u16 = 360
		BurnIncreaseMult: Identity(u16) -> U64F64 = 0x295c8fc2f5285c420100000000000000
		Difficulty: Identity(u16) -> u64 = 10000000
		MinDifficulty: Identity(u16) -> u64 = 10000000
		MaxDifficulty: Identity(u16) -> u64 = 4611686018427387903
		MaxRegistrationsPerBlock: Identity(u16) -> u16 = 1
		RegistrationsThisBlock: Identity(u16) -> u16
		RegistrationsThisInterval: Identity(u16) -> u16
		TargetRegistrationsPerInterval: Identity(u16) -> u16 = 2
		AdjustmentInterval: Identity(u16) -> u16 = 100
		AdjustmentAlpha: Identity(u16) -> u64
		LastAdjustmentBlock: Identity(u16) -> u64
		LastPowRegistrationBlock: Blake2_128Concat(AccountId) -> ?u64`,
	constants: `
		InitialMinStake: u64 = 2000000
		InitialDifficulty: u64 = 10000000`,
	calls: []call{
		{"2 add_stake{hotkey: AccountId, netuid: u16, amount_staked: u64}", addStake(false)},
		{"88 add_stake_limit{hotkey: AccountId, netuid: u16, amount_staked: u64, limit_price: u64, allow_partial: bool}", addStake(true)},
		{"3 remove_stake{hotkey: AccountId, netuid: u16, amount_unstaked: u64}", removeStake(false)},
		{"89 remove_stake_limit{hotkey: AccountId, netuid: u16, amount_unstaked: u64, limit_price: u64, allow_partial: bool}", removeStake(true)},
		{"103 remove_stake_full_limit{hotkey: AccountId, netuid: u16, limit_price: Option<u64>}", removeAll},
		{"83 unstake_all{hotkey: AccountId}", unstakeAll(false)},
		{"84 unstake_all_alpha{hotkey: AccountId}", unstakeAll(true)},
		{"85 move_stake{origin_hotkey: AccountId, destination_hotkey: AccountId, origin_netuid: u16, destination_netuid: u16, alpha_amount: u64}", moveStake},
		{"86 transfer_stake{destination_coldkey: AccountId, hotkey: AccountId, origin_netuid: u16, destination_netuid: u16, alpha_amount: u64}", transferStake},
		{"87 swap_stake{hotkey: AccountId, origin_netuid: u16, destination_netuid: u16, alpha_amount: u64}", swapStake(false)},
		{"90 swap_stake_limit{hotkey: AccountId, origin_netuid: u16, destination_netuid: u16, alpha_amount: u64, limit_price: u64, allow_partial: bool}", swapStake(true)},
		{"114 set_coldkey_auto_stake_hotkey{netuid: u16, hotkey: AccountId}", setAutoStake},
		{"67 set_children{hotkey: AccountId, netuid: u16, children: Vec<(u64, AccountId)>}", setChildren},
		{"75 set_childkey_take{hotkey: AccountId, netuid: u16, take: u16}", setChildTake},
		{"68 set_identity{name: Vec<u8>, url: Vec<u8>, github_repo: Vec<u8>, image: Vec<u8>, discord: Vec<u8>, description: Vec<u8>, additional: Vec<u8>}", setIdentity},
		{"59 register_network{hotkey: AccountId}", registerNetwork},
		{"92 start_call{netuid: u16}", startCall},
		{"65 decrease_take{hotkey: AccountId, take: u16}", decreaseTake},
		{"66 increase_take{hotkey: AccountId, take: u16}", increaseTake},
		{"6 register{netuid: u16, block_number: u64, nonce: u64, work: Vec<u8>, hotkey: AccountId, coldkey: AccountId}", registerByBurn(false)},
		{"7 burned_register{netuid: u16, hotkey: AccountId}", registerByBurn(false)},
		{"134 register_limit{netuid: u16, hotkey: AccountId, limit_price: u64}", registerByBurn(true)},
		{"152 pow_register{netuid: u16, work_block: u64, nonce: u64, work: [u8; 32], hotkey: AccountId}", registerByWork},
		{"62 root_register{hotkey: AccountId}", registerOnRoot},
	},
	events: `
		0 NetworkAdded(u16, u16)
		2 StakeAdded(AccountId, AccountId, u64, u64, u16, u64)
		3 StakeRemoved(AccountId, AccountId, u64, u64, u16, u64)
		4 StakeMoved(AccountId, AccountId, u16, AccountId, u16, u64)
		6 NeuronRegistered(u16, u16, AccountId)
		46 ChildKeyTakeSet(AccountId, u16)
		73 SetChildrenScheduled(AccountId, u16, u64, Vec<(u64, AccountId)>)
		74 SetChildren(AccountId, u16, Vec<(u64, AccountId)>)
		75 ChainIdentitySet(AccountId)
		62 TakeDecreased(AccountId, AccountId, u16)
		63 TakeIncreased(AccountId, AccountId, u16)
		89 StakeTransferred(AccountId, AccountId, AccountId, u16, u16, u64)
		90 StakeSwapped(AccountId, AccountId, u16, u16, u64)
		110 AutoStakeDestinationSet{coldkey: AccountId, netuid: u16, hotkey: AccountId}`,
	errors: `
		4 HotKeyNotRegisteredInSubNet -- the hotkey has no neuron on this subnet
		5 HotKeyAccountNotExists -- the hotkey is not known: it was never registered
		6 HotKeyNotRegisteredInNetwork -- the hotkey has no neuron on any subnet
		7 NonAssociatedColdKey -- the hotkey belongs to another coldkey
		9 NotEnoughStakeToWithdraw -- less is staked there
		12 NotEnoughBalanceToStake -- the coldkey has less
		20 TooManyRegistrationsThisBlock -- no more registrations in this block
		21 HotKeyAlreadyRegisteredInSubNet -- the hotkey has a neuron on this subnet already
		23 InvalidWorkBlock -- the work is not of a recent block
		24 InvalidDifficulty -- the work is too easy
		25 InvalidSeal -- the work is no work for this hotkey, coldkey, subnet and block
		33 DelegateTxRateLimitExceeded -- it is too early to raise the take again
		36 SubNetRegistrationDisabled -- this way of registering is off on this subnet
		41 RegistrationNotPermittedOnRootSubnet -- the root takes hotkeys in another way
		42 StakeTooLowForRoot -- all seats on the root are taken
		47 NoNeuronIdAvailable -- the subnet is full, and all its neurons are immune
		48 DelegateTakeTooLow -- the take is too low
		49 DelegateTakeTooHigh -- the take is too high
		59 InvalidChild -- a hotkey cannot be its own child
		60 DuplicateChild -- a child is named twice
		61 ProportionOverflow -- the children's shares are more than all
		62 TooManyChildren -- there are more than five children
		63 TxRateLimitExceeded -- it is too early to do this again
		70 InvalidChildkeyTake -- the take is out of bounds
		71 TxChildkeyTakeRateLimitExceeded -- it is too early to raise the take again
		75 SubnetNotExists -- there is no such subnet
		81 AmountTooLow -- the amount, or what it comes to, is under the least stake
		82 InsufficientLiquidity -- the pool is too small
		83 SlippageTooHigh -- not all of it can be traded within the price limit
		84 TransferDisallowed -- stake of this subnet cannot change hands
		88 NeedWaitingMoreBlocksToStarCall -- it is too early to start the subnet
		87 FirstEmissionBlockNumberAlreadySet -- the subnet was started already
		93 SubtokenDisabled -- the subnet was not started yet
		96 SameNetuid -- from and to are the same
		116 CannotAffordLockCost -- the coldkey has less than a subnet costs
		118 SameAutoStakeHotkeyAlreadySet -- it is so already
		121 ChildParentInconsistency -- a child is a parent of this hotkey
		140 RegistrationPriceLimitExceeded -- a registration costs more than was agreed to`,
}

var swapPallet = pallet{
	name: "Swap", index: 28,
	storage: `FeeRate: Twox64Concat(u16) -> u16 = 33`,
	errors: `
		3 PriceLimitExceeded -- the price is beyond the limit
		10 ReservesTooLow -- the trade would empty the pool`,
}

var adminUtils = pallet{
	name: "AdminUtils", index: 19,
	calls: []call{
		{"30 sudo_set_tempo{netuid: u16, tempo: u16}", setTempo},
		{"19 sudo_set_network_registration_allowed{netuid: u16, registration_allowed: bool}", allow(burnOpen)},
		{"20 sudo_set_network_pow_registration_allowed{netuid: u16, registration_allowed: bool}", allow(workOpen)},
		{"24 sudo_set_difficulty{netuid: u16, difficulty: u64}", setDifficulty},
	},
}

// allow switches a way of registering on or off; root may, and a subnet's owner.
func allow(way item[bool]) func(*exec, origin, args) error {
	return func(x *exec, from origin, a args) error {
		netuid := a.netuid("netuid")
		if err := x.mayRule(from, netuid); err != nil {
			return err
		}
		way.set(x, a.flag("registration_allowed"), netuid)
		return nil
	}
}

func setTempo(x *exec, from origin, a args) error {
	netuid := a.netuid("netuid")
	if err := x.mayRule(origin{root: from.root}, netuid); err != nil {
		return err
	}
	item[uint16]{subtensorName, "Tempo"}.set(x, arg[uint16](a, "tempo"), netuid)
	return nil
}

func setDifficulty(x *exec, from origin, a args) error {
	netuid := a.netuid("netuid")
	if err := x.mayRule(origin{root: from.root}, netuid); err != nil {
		return err
	}
	difficulty.set(x, a.amount("difficulty"), netuid)
	return nil
}

func (x *exec) mayRule(from origin, netuid uint16) error {
	switch {
	case !from.root && (from.account == nil || subnetOwner.get(x, netuid) != *from.account):
		return errBadOrigin
	case !networks.get(x, netuid):
		return fail("SubnetNotExists")
	}
	return nil
}

var (
	takes     = item[uint16]{subtensorName, "Delegates"}
	leastTake = item[uint16]{subtensorName, "MinDelegateTake"}
	mostTake  = item[uint16]{subtensorName, "MaxDelegateTake"}
	takeWait  = item[uint64]{subtensorName, "TxDelegateTakeRateLimit"} // blocks
	lastTake  = item[uint64]{subtensorName, "LastTxBlockDelegateTake"}
)

// ownHotkey is the hotkey of a call about it, which its owner alone makes.
func (x *exec) ownHotkey(from origin, a args) (coldkey, hotkey tao.Account, err error) {
	who, err := from.signed()
	hotkey = a.account("hotkey")
	switch {
	case err != nil:
		return who, hotkey, err
	case !owner.has(x, hotkey):
		return who, hotkey, fail("HotKeyAccountNotExists")
	case owner.get(x, hotkey) != who:
		return who, hotkey, fail("NonAssociatedColdKey")
	}
	return who, hotkey, nil
}

func decreaseTake(x *exec, from origin, a args) error {
	who, hotkey, err := x.ownHotkey(from, a)
	take := arg[uint16](a, "take")
	switch {
	case err != nil:
		return err
	case take >= takes.get(x, hotkey):
		return fail("DelegateTakeTooLow")
	case take < leastTake.get(x):
		return fail("DelegateTakeTooLow")
	}
	takes.set(x, take, hotkey)
	x.emit(subtensorName, "TakeDecreased", []any{who, hotkey, take})
	return nil
}

func increaseTake(x *exec, from origin, a args) error {
	who, hotkey, err := x.ownHotkey(from, a)
	take, now := arg[uint16](a, "take"), uint64(number.get(x))
	switch {
	case err != nil:
		return err
	case take <= takes.get(x, hotkey):
		return fail("DelegateTakeTooLow")
	case take > mostTake.get(x):
		return fail("DelegateTakeTooHigh")
	case lastTake.has(x, hotkey) && now-lastTake.get(x, hotkey) <= takeWait.get(x):
		return fail("DelegateTxRateLimitExceeded")
	}
	takes.set(x, take, hotkey)
	lastTake.set(x, now, hotkey)
	x.emit(subtensorName, "TakeIncreased", []any{who, hotkey, take})
	return nil
}

// admits is what the pool finds out of a transaction beside its fee: work that is no
// good is refused before any block, and so is sudo by anybody else.
func (x *exec) admits(t transaction) invalid {
	_, a := parts(t.call)
	switch {
	case t.pallet == "Sudo" && (!sudoKey.has(x) || sudoKey.get(x) != t.signer):
		return invalidSigner
	case t.pallet == subtensorName && t.name == "pow_register":
		if err := x.checkWork(t.signer, a); err != nil {
			return invalid{0, 7, customError(err)}
		}
	}
	return nil
}

// customError is the code by which the pool tells an error of this pallet.
func customError(err error) byte {
	codes := map[error]byte{fail("SubnetNotExists"): 3, fail("NonAssociatedColdKey"): 25}
	if code, ok := codes[err]; ok {
		return code
	}
	return 255 // BadRequest
}
