// Calls that carry calls: the extrinsic succeeds while what is inside may fail.
import { createKeyMulti, encodeAddress, sortAddresses } from '@polkadot/util-crypto'
import { TAO } from '../client.mjs'

const TOO_MUCH = 1_500_000n * TAO
const NO_FUNDS = '{"token":"FundsUnavailable"}'

export default async function wrappers(w) {
  const { api, alice, bob, tx, step } = w
  await step('sudo(remark)', alice, api.tx.sudo.sudo(api.tx.system.remark('0x00')))
  await step('sudo by another', bob, api.tx.sudo.sudo(api.tx.system.remark('0x00')), { want: ['sudo.RequireSudo', 'Invalid signing address'] })
  if (api.tx.utility) await batches(w)
  if (api.tx.proxy) await proxies(w)
  if (tx('multisig.as_multi_threshold_1', { otherSignatories: [], call: api.tx.system.remark('0x00') })) await multisigs(w)
}

async function batches({ api, alice, dave, step }) {
  const transfer = (value) => api.tx.balances.transferKeepAlive(dave.address, value)
  const good = transfer(TAO)
  const bad = transfer(TOO_MUCH)
  await step('batch_all', alice, api.tx.utility.batchAll([good, good]))
  await step('batch_all with a failing call', alice, api.tx.utility.batchAll([good, bad]), { want: NO_FUNDS })
  await step('batch with a failing call', alice, api.tx.utility.batch([good, bad]), { inner: NO_FUNDS })
  await step('force_batch with a failing call', alice, api.tx.utility.forceBatch([bad, good]), { inner: NO_FUNDS })
}

async function proxies({ api, alice, eve, tx, step }) {
  const as = (call) => tx('proxy.proxy', { real: alice.address, forceProxyType: null, call })
  const staking = { delegate: eve.address, proxyType: 'Staking', delay: 0 }
  const transfer = api.tx.balances.transferKeepAlive(eve.address, TAO)
  await step('proxy without a right', eve, as(transfer), { want: 'proxy.NotProxy' })
  await step('add_proxy', alice, tx('proxy.add_proxy', staking))
  await step('proxy(transfer) by a Staking proxy', eve, as(transfer), { inner: 'system.CallFiltered' })
  await step('create_pure', alice, tx('proxy.create_pure', { proxyType: 'Any', delay: 0, index: 0 }))
  await step('remove_proxy', alice, tx('proxy.remove_proxy', staking))
}

async function multisigs({ api, alice, bob, charlie, dave, tx, step }) {
  const members = sortAddresses([alice.address, bob.address, charlie.address], 42)
  const account = encodeAddress(createKeyMulti(members, 2), 42)
  await step('funding a multisig', alice, api.tx.balances.transferKeepAlive(account, 100n * TAO))
  const call = api.tx.balances.transferKeepAlive(dave.address, 7n * TAO)
  const as = (who, maybeTimepoint) =>
    tx('multisig.as_multi', {
      threshold: 2,
      otherSignatories: members.filter((a) => a !== who.address),
      maybeTimepoint,
      call,
      maxWeight: { refTime: 10n ** 10n, proofSize: 100_000 },
    })
  await step('as_multi, first', alice, as(alice, null))
  const { when } = (await api.query.multisig.multisigs(account, call.method.hash)).unwrap()
  await step('as_multi, second without the timepoint', bob, as(bob, null), { want: 'multisig.NoTimepoint' })
  await step('as_multi, second', bob, as(bob, when))
}
