import { TAO } from '../client.mjs'

export default async function balances({ api, key, alice, bob, dave, tx, step, report, free }) {
  const amount = 12n * TAO + 345n
  const before = await free(dave)
  await step('transfer_keep_alive', alice, tx('balances.transfer_keep_alive', { dest: dave.address, value: amount }))
  const after = await free(dave)
  report('the balance moved', after - before === amount, `${before} -> ${after}`)

  // Runtime 103 has transfer instead.
  const plain = { dest: dave.address, value: TAO }
  await step('transfer_allow_death', alice, tx('balances.transfer_allow_death', plain) ?? tx('balances.transfer', plain))

  const fresh = key('//fresh')
  await step('funding a new account', alice, tx('balances.transfer_keep_alive', { dest: fresh.address, value: TAO }))
  await step('transfer_all', fresh, tx('balances.transfer_all', { dest: dave.address, keepAlive: false }))
  report('transfer_all leaves nothing', (await free(fresh)) === 0n)

  const tooMuch = tx('balances.transfer_keep_alive', { dest: dave.address, value: 1_500_000n * TAO })
  const early = api.runtimeVersion.specVersion.toNumber() < 120
  await step('more than the balance', bob, tooMuch, { want: early ? 'balances.InsufficientBalance' : '{"token":"FundsUnavailable"}' })
}
