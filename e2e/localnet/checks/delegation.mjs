// Needs the hotkeys of registration.mjs.
const S = 'subtensorModule'

export default async function delegation({ key, alice, bob, charlie, tx, step }) {
  const hotkey = key('//Alice//hot').address
  await step('become_delegate of a hotkey that is only owned', alice, tx(`${S}.become_delegate`, { hotkey: alice.address }))
  await step('decrease_take', alice, tx(`${S}.decrease_take`, { hotkey, take: 6000 }))
  await step('increase_take', alice, tx(`${S}.increase_take`, { hotkey, take: 9000 }))
  await step('increase_take over the maximum', alice, tx(`${S}.increase_take`, { hotkey, take: 60000 }), { want: `${S}.DelegateTakeTooHigh` })
  await step('set_childkey_take', alice, tx(`${S}.set_childkey_take`, { hotkey, netuid: 1, take: 1000 }))
  const children = [[2n ** 63n, key('//Bob//hot').address]]
  await step('set_children', alice, tx(`${S}.set_children`, { hotkey, netuid: 1, children }))
  const identity = { name: 'A', url: 'https://a.example', githubRepo: '', image: '', discord: '', description: 'd', additional: '' }
  await step('set_identity', alice, tx(`${S}.set_identity`, identity))
  const swap = { hotkey: key('//Bob//hot2').address, newHotkey: key('//Bob//hot3').address, netuid: null }
  await step('swap_hotkey', bob, tx(`${S}.swap_hotkey`, swap))
  await step('register_network', charlie, tx(`${S}.register_network`, { hotkey: key('//Charlie//hot').address, mechid: 1 }))
}
