// Needs the hotkeys of registration.mjs.
import { TAO } from '../client.mjs'

const S = 'subtensorModule'

export default async function stake({ key, alice, bob, charlie, tx, method, step }) {
  const hotkey = key('//Alice//hot').address
  // Runtimes before dynamic TAO stake without a netuid.
  const netuids = method(`${S}.add_stake`).meta.args.length > 2 ? [0, 1] : [undefined]
  for (const netuid of netuids) {
    const at = netuid === undefined ? '' : ` netuid ${netuid}`
    await step(`add_stake${at}`, alice, tx(`${S}.add_stake`, { hotkey, netuid, amountStaked: 100n * TAO }))
    await step(`add_stake by a nominator${at}`, bob, tx(`${S}.add_stake`, { hotkey, netuid, amountStaked: 40n * TAO }))
    await step(`remove_stake${at}`, alice, tx(`${S}.remove_stake`, { hotkey, netuid, amountUnstaked: 10n * TAO }))
  }

  // Runtime 293 refuses these in the pool, with a custom code; earlier ones in the block.
  await step('add_stake, unknown hotkey', alice, tx(`${S}.add_stake`, { hotkey: key('//nobody').address, netuid: 1, amountStaked: TAO }), {
    want: [`${S}.HotKeyAccountNotExists`, `${S}.NotRegistered`, '"custom":4', 'Custom error: 4'],
  })
  await step('add_stake, more than the balance', charlie, tx(`${S}.add_stake`, { hotkey, netuid: 1, amountStaked: 9_000_000n * TAO }), {
    want: [`${S}.NotEnoughBalanceToStake`, '"custom":2', 'Custom error: 2'],
  })
  await step('remove_stake, more than staked', charlie, tx(`${S}.remove_stake`, { hotkey, netuid: 1, amountUnstaked: TAO }), {
    want: [`${S}.NotEnoughStakeToWithdraw`, `${S}.NotEnoughStaketoWithdraw`, '"custom":5', 'Custom error: 5'],
  })

  const limit = { hotkey, netuid: 1, allowPartial: false }
  await step('add_stake_limit', alice, tx(`${S}.add_stake_limit`, { ...limit, limitPrice: 2n * TAO, amountStaked: TAO }))
  await step('remove_stake_limit', alice, tx(`${S}.remove_stake_limit`, { ...limit, limitPrice: TAO / 2n, amountUnstaked: TAO }))

  const move = { originNetuid: 1, destinationNetuid: 1, alphaAmount: TAO }
  await step('move_stake', alice, tx(`${S}.move_stake`, { ...move, originHotkey: hotkey, destinationHotkey: key('//Bob//hot').address }))
  await step('transfer_stake', alice, tx(`${S}.transfer_stake`, { ...move, destinationColdkey: charlie.address, hotkey }))
  const swap = { hotkey, originNetuid: 1, destinationNetuid: 0, alphaAmount: TAO }
  await step('swap_stake', alice, tx(`${S}.swap_stake`, swap))
  await step('swap_stake_limit', alice, tx(`${S}.swap_stake_limit`, { ...swap, limitPrice: TAO / 2n, allowPartial: false }))
  await step('unstake_all_alpha', bob, tx(`${S}.unstake_all_alpha`, { hotkey }))
  await step('unstake_all', charlie, tx(`${S}.unstake_all`, { hotkey }))
}
