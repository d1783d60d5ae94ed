// The fee asked for beforehand is the fee that is taken.
import { u8aConcat, u8aToHex } from '@polkadot/util'
import { TAO } from '../client.mjs'

export default async function fees({ api, alice, dave, report, rpc, send, free }) {
  const transfer = (api.tx.balances.transferKeepAlive ?? api.tx.balances.transfer)(dave.address, TAO)
  const bytes = (await transfer.signAsync(alice)).toU8a()
  const query = u8aToHex(u8aConcat(bytes, api.createType('u32', bytes.length).toU8a()))
  const info = await rpc('state_call', 'TransactionPaymentApi_query_info', query)
  const fee = asked(info)

  const before = await free(alice)
  const { error } = await send(alice, transfer)
  const paid = before - (await free(alice)) - TAO
  report('state_call of query_info tells the fee to the rao', !error && fee === paid, `asked ${fee}, paid ${paid} rao`)
}

// RuntimeDispatchInfo: a weight (one u64 in old runtimes, two compacts in new ones),
// a class byte, and last the fee as u64.
function asked(hex) {
  const bytes = Buffer.from(hex.slice(2), 'hex')
  return bytes.readBigUInt64LE(bytes.length - 8)
}
