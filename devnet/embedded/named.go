package embedded

import (
	"fmt"
	"strings"
)

// named are the types that have a name of their own, by the word that declarations
// here use: the path that the chain's metadata give, and what the type is. They are
// those of finney's metadata (spec 393 and later).
var named = map[string]string{
	"AccountId":       "sp_core::crypto::AccountId32([u8; 32])",
	"H256":            "primitive_types::H256([u8; 32])",
	"Address":         "sp_runtime::multiaddress::MultiAddress<AccountId: AccountId, AccountIndex: ()> = Id(AccountId) | Index(Compact<()>) | Raw(Vec<u8>) | Address32([u8; 32]) | Address20([u8; 20])",
	"MultiSignature":  "sp_runtime::MultiSignature = Ed25519([u8; 64]) | Sr25519([u8; 64]) | Ecdsa([u8; 65])",
	"Weight":          "sp_weights::weight_v2::Weight{ref_time: Compact<u64>, proof_size: Compact<u64>}",
	"DispatchClass":   "frame_support::dispatch::DispatchClass = Normal | Operational | Mandatory",
	"Pays":            "frame_support::dispatch::Pays = Yes | No",
	"DispatchInfo":    "frame_system::DispatchEventInfo{weight: Weight, class: DispatchClass, pays_fee: Pays}",
	"ModuleError":     "sp_runtime::ModuleError{index: u8, error: [u8; 4]}",
	"TokenError":      "sp_runtime::TokenError = FundsUnavailable | OnlyProvider | BelowMinimum | CannotCreate | UnknownAsset | Frozen | Unsupported | CannotCreateHold | NotExpendable | Blocked",
	"ArithmeticError": "sp_arithmetic::ArithmeticError = Underflow | Overflow | DivisionByZero",
	"Transactional":   "sp_runtime::TransactionalError = LimitReached | NoLayer",
	"TrieError":       "sp_runtime::proving_trie::TrieError = InvalidStateRoot | IncompleteDatabase | ValueAtIncompleteKey | DecoderError | InvalidHash | DuplicateKey | ExtraneousNode | ExtraneousValue | ExtraneousHashReference | InvalidChildReference | ValueMismatch | IncompleteProof | RootMismatch | DecodeError",
	"DispatchError": "sp_runtime::DispatchError = Other | CannotLookup | BadOrigin | Module(ModuleError) | ConsumerRemaining | NoProviders | TooManyConsumers | " +
		"Token(TokenError) | Arithmetic(ArithmeticError) | Transactional(Transactional) | Exhausted | Corruption | Unavailable | RootNotAllowed | Trie(TrieError)",

	"Phase":          "frame_system::Phase = ApplyExtrinsic(u32) | Finalization | Initialization",
	"EventRecord":    "frame_system::EventRecord<E: Event, T: H256>{phase: Phase, event: Event, topics: Vec<H256>}",
	"ExtraFlags":     "pallet_balances::types::ExtraFlags(u128)",
	"AccountData":    "pallet_balances::types::AccountData{free: u64, reserved: u64, frozen: u64, flags: ExtraFlags}",
	"AccountInfo":    "frame_system::AccountInfo{nonce: u32, consumers: u32, providers: u32, sufficients: u32, data: AccountData}",
	"DigestItem":     "sp_runtime::generic::digest::DigestItem = 6 PreRuntime([u8; 4], Vec<u8>) | 4 Consensus([u8; 4], Vec<u8>) | 5 Seal([u8; 4], Vec<u8>) | 0 Other(Vec<u8>) | 8 RuntimeEnvironmentUpdated",
	"Digest":         "sp_runtime::generic::digest::Digest{logs: Vec<DigestItem>}",
	"BalanceLock":    "pallet_balances::types::BalanceLock{id: [u8; 8], amount: u64, reasons: Reasons}",
	"Reasons":        "pallet_balances::types::Reasons = Fee | Misc | All",
	"ReserveData":    "pallet_balances::types::ReserveData{id: [u8; 8], amount: u64}",
	"LastUpgrade":    "frame_system::LastRuntimeUpgradeInfo{spec_version: Compact<u32>, spec_name: str}",
	"FeeInfo":        "pallet_transaction_payment::types::RuntimeDispatchInfo{weight: Weight, class: DispatchClass, partial_fee: u64}",
	"InclusionFee":   "pallet_transaction_payment::types::InclusionFee{base_fee: u64, len_fee: u64, adjusted_weight_fee: u64}",
	"FeeDetails":     "pallet_transaction_payment::types::FeeDetails{inclusion_fee: Option<InclusionFee>}",
	"RuntimeVersion": "sp_version::RuntimeVersion{spec_name: str, impl_name: str, authoring_version: u32, spec_version: u32, impl_version: u32, apis: Vec<([u8; 8], u32)>, transaction_version: u32, system_version: u8}",

	"ProxyType":         "subtensor_runtime_common::ProxyType = Any | Owner | NonCritical | NonTransfer | Senate | NonFungible | Triumvirate | Governance | Staking | Registration | Transfer | SmallTransfer | RootWeights | ChildKeys | SudoUncheckedSetCode | SwapHotkey | SubnetLeaseBeneficiary | RootClaim",
	"ProxyDefinition":   "pallet_subtensor_proxy::ProxyDefinition{delegate: AccountId, proxy_type: ProxyType, delay: u32}",
	"ProxyAnnouncement": "pallet_subtensor_proxy::Announcement{real: AccountId, call_hash: H256, height: u32}",
	"Timepoint":         "pallet_multisig::Timepoint{height: u32, index: u32}",
	"Multisig":          "pallet_multisig::Multisig{when: Timepoint, deposit: u64, depositor: AccountId, approvals: Vec<AccountId>}",

	"RawOrigin":        "frame_support::dispatch::RawOrigin = Root | Signed(AccountId) | None | Authorized",
	"OriginCaller":     "node_subtensor_runtime::OriginCaller = system(RawOrigin)",
	"BoundedCall":      "frame_support::traits::preimages::Bounded = Legacy{hash: H256} | Inline(Vec<u8>) | Lookup{hash: H256, len: u32}",
	"ScheduledCall":    "pallet_scheduler::Scheduled{maybe_id: Option<[u8; 32]>, priority: u8, call: BoundedCall, maybe_periodic: Option<(u32, u32)>, origin: OriginCaller}",
	"PreimageStatus":   "pallet_preimage::RequestStatus = Unrequested{ticket: (AccountId, u64), len: u32} | Requested{maybe_ticket: Option<(AccountId, u64)>, count: u32, maybe_len: Option<u32>}",
	"Perbill":          "sp_arithmetic::per_things::Perbill(u32)",
	"CollectiveId":     "node_subtensor_runtime::governance::collectives::CollectiveId = Proposers | Triumvirate | Economic | Building | EconomicEligible",
	"SignedVoteTally":  "pallet_signed_voting::SignedVoteTally{ayes: u32, nays: u32, total: u32}",
	"VoteTally":        "subtensor_runtime_common::VoteTally{approval: Perbill, rejection: Perbill, abstention: Perbill}",
	"Proposal":         "pallet_referenda::types::Proposal = Action(BoundedCall) | Review",
	"ApprovalAction":   "pallet_referenda::types::ApprovalAction = Execute | Review{track: u8}",
	"DecisionStrategy": "pallet_referenda::types::DecisionStrategy = PassOrFail{decision_period: u32, approve_threshold: Perbill, reject_threshold: Perbill, on_approval: ApprovalAction} | Adjustable{initial_delay: u32, max_delay: u32, fast_track_threshold: Perbill, cancel_threshold: Perbill}",
	"ReferendumInfo":   "pallet_referenda::types::ReferendumInfo{track: u8, proposal: Proposal, proposer: AccountId, submitted: u32, tally: VoteTally, decision_strategy: DecisionStrategy}",
	"ReferendumStatus": "pallet_referenda::types::ReferendumStatus = Ongoing(ReferendumInfo) | Approved(u32) | Delegated(u32) | Rejected(u32) | Expired(u32) | FastTracked(u32) | Cancelled(u32) | Enacted(u32) | Killed(u32)",

	"Era":                      "sp_runtime::generic::era::Era = " + eras(),
	"CheckNonZeroSender":       "frame_system::extensions::check_non_zero_sender::CheckNonZeroSender",
	"CheckSpecVersion":         "frame_system::extensions::check_spec_version::CheckSpecVersion",
	"CheckTxVersion":           "frame_system::extensions::check_tx_version::CheckTxVersion",
	"CheckGenesis":             "frame_system::extensions::check_genesis::CheckGenesis",
	"CheckMortality":           "frame_system::extensions::check_mortality::CheckMortality(Era)",
	"CheckNonce":               "frame_system::extensions::check_nonce::CheckNonce(Compact<u32>)",
	"CheckWeight":              "frame_system::extensions::check_weight::CheckWeight",
	"ChargeTransactionPayment": "pallet_transaction_payment::ChargeTransactionPayment(Compact<u64>)",
	"SubtensorExtension":       "pallet_subtensor::SubtensorTransactionExtension",
	"CheckMetadataHash":        "frame_metadata_hash_extension::CheckMetadataHash{mode: MetadataHashMode}",
	"MetadataHashMode":         "frame_metadata_hash_extension::Mode = Disabled | Enabled",
	"U64F64":                   "substrate_fixed::FixedU128{bits: u128}",
	"Perquintill":              "sp_arithmetic::per_things::Perquintill(u64)",
	"AxonInfo":                 "pallet_subtensor::pallet::AxonInfo{block: u64, version: u32, ip: u128, port: u16, ip_type: u8, protocol: u8, placeholder1: u8, placeholder2: u8}",
	"ChainIdentity":            "pallet_subtensor::pallet::ChainIdentityV2{name: Vec<u8>, url: Vec<u8>, github_repo: Vec<u8>, image: Vec<u8>, discord: Vec<u8>, description: Vec<u8>, additional: Vec<u8>}",
	"SubnetIdentity":           "pallet_subtensor::pallet::SubnetIdentityV3{subnet_name: Vec<u8>, github_repo: Vec<u8>, subnet_contact: Vec<u8>, subnet_url: Vec<u8>, discord: Vec<u8>, description: Vec<u8>, logo_url: Vec<u8>, additional: Vec<u8>}",
	"StakeInfo":                "pallet_subtensor::rpc_info::stake_info::StakeInfo{hotkey: AccountId, coldkey: AccountId, netuid: Compact<u16>, stake: Compact<u64>, locked: Compact<u64>, emission: Compact<u64>, tao_emission: Compact<u64>, drain: Compact<u64>, is_registered: bool}",
	"DelegateInfo":             "pallet_subtensor::rpc_info::delegate_info::DelegateInfo{delegate_ss58: AccountId, take: Compact<u16>, nominators: Vec<(AccountId, Vec<(Compact<u16>, Compact<u64>)>)>, owner_ss58: AccountId, registrations: Vec<Compact<u16>>, validator_permits: Vec<Compact<u16>>, return_per_1000: Compact<u64>, total_daily_return: Compact<u64>}",
	"StakeAvailability":        "pallet_subtensor::rpc_info::stake_info::StakeAvailability{total: Compact<u64>, locked: Compact<u64>, available: Compact<u64>}",
	"SimSwapResult":            "pallet_subtensor_swap_runtime_api::SimSwapResult{tao_amount: u64, alpha_amount: u64, tao_fee: u64, alpha_fee: u64, tao_slippage: u64, alpha_slippage: u64}",
	"SubnetPrice":              "pallet_subtensor_swap_runtime_api::SubnetPrice{netuid: u16, price: u64}",
}

// eras are the variants of an era, one for each first byte (Substrate, primitives/
// runtime/src/generic/era.rs).
func eras() string {
	var b strings.Builder
	b.WriteString("Immortal")
	for i := 1; i < 256; i++ {
		fmt.Fprintf(&b, " | Mortal%d(u8)", i)
	}
	return b.String()
}

// extensions are what a transaction carries beside its call, in the order in which
// it is signed. The real chain has three more, which put nothing into a transaction.
var extensions = []struct{ name, extra, implicit string }{
	{"CheckNonZeroSender", "CheckNonZeroSender", "()"},
	{"CheckSpecVersion", "CheckSpecVersion", "u32"},
	{"CheckTxVersion", "CheckTxVersion", "u32"},
	{"CheckGenesis", "CheckGenesis", "H256"},
	{"CheckMortality", "CheckMortality", "H256"},
	{"CheckNonce", "CheckNonce", "()"},
	{"CheckWeight", "CheckWeight", "()"},
	{"ChargeTransactionPayment", "ChargeTransactionPayment", "()"},
	{"SubtensorTransactionExtension", "SubtensorExtension", "()"},
	{"CheckMetadataHash", "CheckMetadataHash", "Option<[u8; 32]>"},
}
