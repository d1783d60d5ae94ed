// Alice gets a hotkey on subnet 1, which the checks of stake build on; and the proof
// of work, in the byte order of this runtime.
import { solve } from '../pow.mjs'

const S = 'subtensorModule'

export default async function registration(w) {
  const { key, alice, bob, tx, step } = w
  const hotkey = key('//Alice//hot')
  const register = (netuid) => tx(`${S}.burned_register`, { netuid, hotkey: hotkey.address })
  const first = await step('burned_register', alice, register(1), { want: [undefined, `${S}.RegistrationDisabled`] })
  if (first?.error) {
    // Early runtimes shut registration in their code; their sudo key may still register.
    for (const [hot, cold] of [[hotkey, alice], [key('//Bob//hot'), bob]]) {
      const call = tx(`${S}.sudo_register`, { netuid: 1, hotkey: hot.address, coldkey: cold.address, stake: 0, balance: 0 })
      await step('sudo_register', alice, tx('sudo.sudo', { call }))
    }
    return delegate(w, hotkey)
  }
  await step('burned_register again', alice, register(1), { want: `${S}.HotKeyAlreadyRegisteredInSubNet` })
  await step('burned_register on no subnet', alice, register(77), { want: [`${S}.SubNetworkDoesNotExist`, `${S}.SubnetNotExists`] })
  await step("burned_register of Bob's second hotkey", bob, tx(`${S}.burned_register`, { netuid: 1, hotkey: key('//Bob//hot2').address }))
  await proofOfWork(w)
  await step('root_register', alice, tx(`${S}.root_register`, { hotkey: hotkey.address }))
  await delegate(w, hotkey)
}

// Others may stake to a delegate only. A registration makes one in later runtimes.
async function delegate({ alice, tx, step }, hotkey) {
  const call = tx(`${S}.become_delegate`, { hotkey: hotkey.address })
  await step('become_delegate', alice, call, { want: [undefined, `${S}.HotKeyAlreadyDelegate`] })
}

async function proofOfWork({ api, key, bob, charlie, tx, step, report, send, head, blocks }) {
  const difficulty = (await api.query[S].difficulty(1)).toBigInt()
  const register = (work, hotkey, coldkey) =>
    tx(`${S}.register`, { netuid: 1, blockNumber: work.block, ...work, hotkey: hotkey.address, coldkey: coldkey.address })
  const search = async (hotkey, endian) => {
    const { number, hash } = await head()
    return { block: number, ...solve(hash, hotkey.publicKey, difficulty, endian) }
  }

  const taken = []
  for (const endian of ['big', 'little']) {
    const hotkey = key(`//Charlie//${endian}`)
    const r = await send(hotkey, register(await search(hotkey, endian), hotkey, charlie))
    if (!r.error) taken.push(endian)
    const pass = !r.error || r.error === `${S}.InvalidDifficulty`
    report(`register, seal good only as ${endian} endian`, pass, r.error ?? 'taken', r.events)
  }
  report('register: one byte order of the seal', taken.length === 1, taken.join())

  const hotkey = key('//Bob//hot')
  const work = await search(hotkey, taken[0])
  await step('register, nonce does not match the seal', hotkey, register({ ...work, nonce: work.nonce + 1n }, hotkey, bob), { want: `${S}.InvalidSeal` })
  await step('register, block in the future', hotkey, register({ ...work, block: work.block + 1000 }, hotkey, bob), { want: `${S}.InvalidWorkBlock` })
  await blocks(2)
  await step('register, block too old', hotkey, register(work, hotkey, bob), { want: `${S}.InvalidWorkBlock` })
  const fresh = await search(hotkey, taken[0])
  await step('register signed by the coldkey', bob, register(fresh, hotkey, bob), { want: `${S}.TransactorAccountShouldBeHotKey` })
  await step('register', hotkey, register(fresh, hotkey, bob))
}
