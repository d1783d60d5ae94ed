// Proposals and votes of the runtimes that have a Triumvirate and a Senate.
const S = 'subtensorModule'

// A motion's least duration, 12 hours of slots, is not in the metadata: the first
// that is taken will do.
const DURATIONS = [3600, 14400, 50400, 216000]

export default async function governance(w) {
  const { api, alice, bob, charlie, dave, key, tx, step, report, send, head, rpc } = w
  if (!api.tx.triumvirate) return report('governance', undefined, 'no Triumvirate in this runtime')

  const outsider = tx('triumvirate.propose', { threshold: 2, proposal: api.tx.system.remark('0x01'), lengthBound: 10, duration: 1_000_000 })
  await step('propose by an outsider', dave, outsider, { want: 'triumvirate.NotMember' })

  const senate = (await api.query.senateMembers.members()).map(String)
  const motion = await propose(w, api.tx.system.remark('0x' + '01'.repeat(8)))
  await step('vote by a hotkey outside the senate', bob, motion.vote(key('//Bob//hot')), { want: `${S}.NotSenateMember` })
  await step("vote of another's hotkey", dave, motion.vote(charlie), { want: `${S}.NonAssociatedColdKey` })
  await step('vote Alice', alice, motion.vote(alice))
  await step('vote Alice again', alice, motion.vote(alice), { want: 'triumvirate.DuplicateVote' })

  // From spec 233 on only root may close.
  const early = await send(alice, motion.close())
  const close = (m) => (early.error === 'BadOrigin' ? tx('sudo.sudo', { call: m.close() }) : m.close())
  report('close too early', ['BadOrigin', 'triumvirate.TooEarlyToCloseProposal'].includes(early.error), early.error)

  await step('vote Bob', bob, motion.vote(bob))
  if (senate.length > 3) await step('vote Charlie', charlie, motion.vote(charlie))
  await step('close, approved', alice, close(motion))
  report('the motion is gone', !(await motion.voting()))

  const rejected = await propose(w, api.tx.system.remark('0x02'))
  await step('vote Alice, no', alice, rejected.vote(alice, false))
  const end = (await rejected.voting()).end.toNumber()
  await rpc('dev_newBlock', { unsafeBlockHeight: end })
  report('jumped to the end of the vote', (await head()).number === end, `block ${end}`)
  await step('close, disapproved', alice, close(rejected))

  const adjust = tx(`${S}.adjust_senate`, { hotkey: key('//Alice//hot').address })
  await step('adjust_senate of a senator', alice, adjust, { want: `${S}.HotKeyAlreadyRegisteredInSubNet` })
}

async function propose({ api, alice, tx, report, send }, proposal) {
  const lengthBound = proposal.method.encodedLength
  for (const duration of DURATIONS) {
    const r = await send(alice, tx('triumvirate.propose', { threshold: 2, proposal, lengthBound, duration }))
    if (r.error === 'triumvirate.DurationLowerThanConfiguredMotionDuration') continue
    report('propose', !r.error, r.error ?? `duration ${duration}`, r.events)
    break
  }
  const hash = proposal.method.hash.toHex()
  const voting = async () => (await api.query.triumvirate.voting(hash)).unwrapOr(undefined)
  const { index } = await voting()
  const proposalWeightBound = { refTime: 10n ** 10n, proofSize: 100_000 }
  return {
    voting,
    vote: (hotkey, approve = true) => tx(`${S}.vote`, { hotkey: hotkey.address, proposal: hash, index, approve }),
    close: () => tx('triumvirate.close', { proposalHash: hash, index, proposalWeightBound, lengthBound }),
  }
}
