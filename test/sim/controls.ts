import type { Hex, Wei } from '#primitives'
import type { Property } from './checker.ts'
import type { Tamper } from './ledger.ts'
import { allProtections, calm, mostFaulty, type Plan, type Protections } from './plan.ts'

/** A world in which one property must break: what shows that its check bites. */
export type Control = {
  readonly breaks: Property
  readonly about: string
  plan(seed: number, size: number): Plan
  /** What is spoiled in the ledger, for controls that need one. */
  readonly tamper?: Tamper
}

const without = (name: keyof Protections): Protections => ({ ...allProtections, [name]: false })

const all = <T>(length: number, item: T): readonly T[] => Array.from({ length }, () => item)

/** Long enough for an equivocator to propose often, in time enough for a sound core. */
const long = { goal: 30, patienceMs: 20_000 }

const withLedger = (seed: number, size: number): Plan => ({
  ...calm(seed, size),
  ...{ blockIntervalMs: 500, healMs: 10_000 },
})

const spoiled = (breaks: Property, about: string, tamper: Tamper): Control => ({
  ...{ breaks, about, tamper, plan: withLedger },
})

/** By the name that `--control` takes. */
export const controls: Readonly<Record<string, Control>> = {
  equivocators: {
    breaks: 'agreement',
    about: 'one more equivocator than the algorithm bears',
    plan: (seed, size) => ({
      ...calm(seed, size),
      faults: all(mostFaulty(size) + 1, 'equivocator'),
      ...{ partitions: 'halves', healMs: 60_000 },
    }),
  },
  amnesia: {
    breaks: 'agreement',
    about: 'one more validator that forgets its locks than the algorithm bears',
    plan: (seed, size) => ({
      ...calm(seed, size),
      faults: all(mostFaulty(size) + 1, 'amnesiac'),
      ...{ partitions: 'halves', healMs: 60_000 },
    }),
  },
  'no-locks': {
    breaks: 'agreement',
    about: 'nobody keeps its lock from one round to the next',
    plan: (seed, size) => ({
      ...calm(seed, size),
      ...{ partitions: 'leader', healMs: 60_000, protections: without('locks') },
    }),
  },
  'no-validation': {
    breaks: 'validity',
    about: 'every block passes for valid, and one validator proposes bad ones',
    plan: (seed, size) => ({
      ...calm(seed, size),
      ...{ faults: ['invalid'], goal: 6 * size, protections: without('validates') },
    }),
  },
  'no-verification': {
    breaks: 'certificate',
    about: 'no signature is checked, and one validator signs in the name of others',
    plan: (seed, size) => ({
      ...calm(seed, size),
      ...{ faults: ['forger'], goal: 2 * size, protections: without('verifies') },
    }),
  },
  'no-commits': {
    breaks: 'certificate',
    about: 'only the first to decide a block keeps the precommits that did',
    plan: (seed, size) => ({ ...calm(seed, size), protections: without('keepsCommits') }),
  },
  framing: {
    breaks: 'accountability',
    about: 'the same, and it makes correct validators look like double voters',
    plan: (seed, size) => ({
      ...calm(seed, size),
      ...{ faults: ['forger'], goal: 2 * size, protections: without('verifies') },
    }),
  },
  'no-sync': {
    breaks: 'signed-once',
    about: 'nothing that a validator writes survives its crash',
    plan: (seed, size) => ({
      ...calm(seed, size),
      ...{ crashPermille: 10, delayMs: 60, healMs: 20_000, protections: without('syncs') },
    }),
  },
  'late-sync': {
    breaks: 'liveness',
    about: 'votes are signed before the log holds what led to them, under a silent third',
    plan: (seed, size) => ({
      ...calm(seed, size),
      ...{
        crashPermille: 120,
        dropPermille: 100,
        healMs: 200_000,
        delayMs: 400,
        patienceMs: 20_000,
      },
      ...{ faults: all(mostFaulty(size), 'silent'), protections: without('syncsFirst') },
    }),
  },
  'no-checksums': {
    breaks: 'intact',
    about: 'what a disk gives back is taken for what was written, and a bit of it changes',
    plan: (seed, size) => ({
      ...calm(seed, size),
      ...{ faults: all(size, 'flipped'), crashPermille: 20, healMs: 30_000 },
      protections: without('checksums'),
    }),
  },
  'first-votes': {
    breaks: 'liveness',
    about: 'of conflicting votes only the first is kept, under one equivocator',
    plan: (seed, size) => ({
      ...calm(seed, size),
      ...{ ...long, faults: all(mostFaulty(size), 'equivocator') },
      protections: without('keepsConflicts'),
    }),
  },
  'no-relay': {
    breaks: 'liveness',
    about: 'nobody passes on the votes of others, under one equivocator',
    plan: (seed, size) => ({
      ...calm(seed, size),
      ...{ ...long, faults: all(mostFaulty(size), 'equivocator') },
      protections: without('relays'),
    }),
  },
  silence: {
    breaks: 'liveness',
    about: 'one more silent validator than the algorithm bears',
    plan: (seed, size) => ({
      ...calm(seed, size),
      ...{ patienceMs: 20_000, faults: all(mostFaulty(size) + 1, 'silent') },
    }),
  },
  minting: spoiled('conservation', 'every block makes a wei of nothing', {
    spoil: (ledger) => {
      const [account] = ledger.accounts.keys()
      const balance = ledger.accounts.get(account ?? '') ?? 0n
      return account === undefined
        ? ledger
        : { ...ledger, accounts: ledger.accounts.set(account, (balance + 1n) as Wei) }
    },
  }),
  lenient: {
    ...spoiled('accountability', 'double votes that a block proves cost nothing', {
      spoil: (ledger, before) => ({ ...ledger, operators: before.operators }),
    }),
    plan: (seed, size) => ({ ...withLedger(seed, size), faults: ['equivocator'] }),
  },
  forgery: spoiled('checkpoints', 'certificates are replaced by others', {
    spoil: (ledger) => {
      const entries = [...ledger.checkpoints.entries()]
      const [name, entry] = entries.find((one) => one[1].signature) ?? []
      if (name === undefined || !entry) return ledger
      const signature: Hex = `0x${'11'.repeat(65)}`
      return { ...ledger, checkpoints: ledger.checkpoints.set(name, { ...entry, signature }) }
    },
  }),
  forgetting: spoiled('tasks', 'accepted tasks get lost', {
    spoil: (ledger) => {
      const [id] = ledger.tasks.keys()
      return id === undefined ? ledger : { ...ledger, tasks: ledger.tasks.delete(id) }
    },
  }),
  'stale-nonces': spoiled('signed-once', 'nonces that a session used are not used up', {
    spoil: (ledger, before) =>
      ledger.sessions.size > 0 && before.sessions.size === 0
        ? { ...ledger, nonces: before.nonces }
        : ledger,
  }),
}
