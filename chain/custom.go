package chain

// customCode is what Bittensor means by InvalidTransaction::Custom in the
// runtimes from one spec version to another, both included.
type customCode struct {
	code     uint8
	from, to uint32
	name     string
	meaning  string
}

const newestSpec = 1<<32 - 1 // "and later": nothing newer is known to differ

// customCodes comes from subtensor's sources: up to spec 219 the signed
// extension of pallets/subtensor/src/lib.rs, from 233 on the enum
// CustomTransactionError, read at release tags from 149 to 423 and at 425.
// Between 219 and 233, where no release was read, no name is claimed. Spec 218
// of the RAO development net lacks codes 6 and 7 of its generation, which
// therefore never come from it.
func customCodes() []customCode {
	const blocked = "a coldkey swap is scheduled for this account, which blocks the call"
	return []customCode{
		{0, 195, newestSpec, "ColdkeyInSwapSchedule", blocked},

		{1, 195, 219, "NotEnoughStakeToCommitWeights", "the hotkey has too little stake to commit weights"},
		{2, 195, 219, "NotEnoughStakeToRevealWeights", "the hotkey has too little stake to reveal weights"},
		{3, 195, 219, "NotEnoughStakeToSetWeights", "the hotkey has too little stake to set weights"},
		{4, 195, 219, "NotEnoughStakeToSetRootWeights", "the hotkey has too little stake to set root weights"},
		{5, 195, 219, "RegistrationIntervalFull", "the subnet's registrations of this interval are used up"},
		{6, 195, 219, "NotEnoughStakeToRevealWeights", "the hotkey has too little stake to reveal a batch of weights"},
		{7, 195, 219, "NotEnoughStakeToCommitWeights", "the hotkey has too little stake to commit weights"},

		{1, 233, newestSpec, "StakeAmountTooLow", "the amount of stake is too low"},
		{2, 233, newestSpec, "BalanceTooLow", "the account's balance is too low"},
		{3, 233, newestSpec, "SubnetNotExists", "there is no such subnet"},
		{4, 233, newestSpec, "HotkeyAccountDoesntExist", "nobody has ever registered this hotkey"},
		{5, 233, newestSpec, "NotEnoughStakeToWithdraw", "more stake was asked back than there is"},
		{6, 233, newestSpec, "RateLimitExceeded", "too soon after the last such call, or this interval's registrations are used up"},
		{7, 233, newestSpec, "InsufficientLiquidity", "the subnet's pool is too small for the amount"},
		{8, 233, newestSpec, "SlippageTooHigh", "the price would pass the limit"},
		{9, 233, newestSpec, "TransferDisallowed", "the subnet's owner has switched stake transfers off"},
		{10, 238, newestSpec, "HotKeyNotRegisteredInNetwork", "the hotkey is registered on no subnet"},
		{11, 238, newestSpec, "InvalidIpAddress", "the IP address is not a public one"},
		{12, 238, newestSpec, "ServingRateLimitExceeded", "the axon was updated too soon after the last time"},
		{13, 238, newestSpec, "InvalidPort", "the port is not valid"},
		{14, 273, newestSpec, "ZeroMaxAmount", "nothing can be traded within the price limit"},
		{15, 301, newestSpec, "InvalidRevealRound", "the reveal round is not valid"},
		{16, 302, newestSpec, "CommitNotFound", "there is no such commit of weights"},
		{17, 302, newestSpec, "CommitBlockNotInRevealRange", "the commit cannot be revealed at this block"},
		{18, 302, newestSpec, "InputLengthsUnequal", "the lists given differ in length"},
		{19, 323, newestSpec, "UidNotFound", "the hotkey has no uid on the subnet"},
		{20, 323, newestSpec, "EvmKeyAssociateRateLimitExceeded", "an EVM key was associated too soon after the last"},
		{21, 380, newestSpec, "ColdkeySwapDisputed", "the account's coldkey swap is disputed, which blocks everything"},
		{22, 380, newestSpec, "InvalidRealAccount", "the account to act for is not valid"},
		{23, 391, newestSpec, "FailedShieldedTxParsing", "the shielded extrinsic cannot be read"},
		{24, 391, newestSpec, "InvalidShieldedTxPubKeyHash", "the shielded extrinsic was sealed for another key"},
		{25, 411, newestSpec, "NonAssociatedColdKey", "the signer does not own that hotkey"},
		{26, 411, newestSpec, "DelegateTakeTooLow", "the take is too low"},
		{27, 411, newestSpec, "DelegateTakeTooHigh", "the take is too high"},
		{255, 233, newestSpec, "BadRequest", "the runtime gave no closer reason"},
	}
}

// customError finds a code's meaning in a runtime's generation.
func customError(spec uint32, code uint8) (customCode, bool) {
	for _, c := range customCodes() {
		if c.code == code && c.from <= spec && spec <= c.to {
			return c, true
		}
	}
	return customCode{}, false
}
