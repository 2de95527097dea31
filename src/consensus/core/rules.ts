import { isMoreThanOneThird, isMoreThanTwoThirds } from '#primitives'
import type { RoundInput } from './round.ts'
import { hasPolka, powerIn, recordOf } from './rounds.ts'
import type { CoreState } from './state.ts'
import { powerFor } from './votes.ts'

/**
 * The "upon" rules: which event of the algorithm the votes and proposals at hand allow now,
 * the most conclusive first. Undefined when none does.
 */
export function nextEvent(state: CoreState): RoundInput | undefined {
  const { step } = state.machine
  if (step === 'idle' || step === 'decided') return undefined
  for (const rule of rules) {
    const event = rule(state)
    if (event) return event
  }
  return undefined
}

type Rule = (state: CoreState) => RoundInput | undefined

/** L49: a valid proposal of any round, and more than 2/3 precommits for it in that round. */
const decision: Rule = ({ rounds, schedule }) => {
  for (const [round, { proposals, precommits }] of rounds)
    for (const { proposal, validity } of proposals) {
      if (validity !== 'valid' && validity !== 'untimely') continue
      const power = powerFor(precommits, proposal.value)
      if (isMoreThanTwoThirds(power, schedule.current.totalPower))
        return { type: 'precommitValue', round, value: proposal.value }
    }
  return undefined
}

/** L55: more than 1/3 of the power is in a later round. The highest such round. */
const skip: Rule = ({ rounds, schedule, machine }) => {
  let highest = machine.round
  for (const [round, record] of rounds)
    if (
      round > highest &&
      isMoreThanOneThird(powerIn(record, schedule.current), schedule.current.totalPower)
    )
      highest = round
  return highest > machine.round ? { type: 'skipRound', round: highest } : undefined
}

/** L22, L28: the round's proposal, fresh or with the polka that it refers to. */
const prevote: Rule = ({ rounds, schedule, machine }) => {
  if (machine.step !== 'propose') return undefined
  for (const { proposal, validity } of recordOf(rounds, machine.round).proposals) {
    if (validity === 'unknown') continue
    const { value, validRound } = proposal
    if (validRound === -1) return { type: 'proposal', value, valid: validity === 'valid' }
    if (hasPolka(rounds, schedule.current, validRound, value))
      return { type: 'proposalAndPolka', value, validRound, valid: validity !== 'invalid' }
  }
  return undefined
}

/** L36: a valid proposal of this round and a polka for it, for the first time. */
const polkaValue: Rule = ({ rounds, schedule, machine, fired }) => {
  if (fired.polkaValue || machine.step === 'propose') return undefined
  const { proposals } = recordOf(rounds, machine.round)
  const found = proposals.find(
    ({ proposal, validity }) =>
      (validity === 'valid' || validity === 'untimely') &&
      hasPolka(rounds, schedule.current, machine.round, proposal.value),
  )
  return found && { type: 'polkaValue', value: found.proposal.value }
}

/** L44: a polka for nil. */
const polkaNil: Rule = ({ rounds, schedule, machine }) =>
  machine.step === 'prevote' && hasPolka(rounds, schedule.current, machine.round, undefined)
    ? { type: 'polkaNil' }
    : undefined

/** L34: prevotes of more than 2/3, whatever for, for the first time. */
const polkaAny: Rule = ({ rounds, schedule, machine, fired }) => {
  if (fired.polkaAny || machine.step !== 'prevote') return undefined
  const { anyPower } = recordOf(rounds, machine.round).prevotes
  return isMoreThanTwoThirds(anyPower, schedule.current.totalPower)
    ? { type: 'polkaAny' }
    : undefined
}

/** L47: precommits of more than 2/3, whatever for, for the first time. */
const precommitAny: Rule = ({ rounds, schedule, machine, fired }) => {
  if (fired.precommitAny) return undefined
  const { anyPower } = recordOf(rounds, machine.round).precommits
  return isMoreThanTwoThirds(anyPower, schedule.current.totalPower)
    ? { type: 'precommitAny' }
    : undefined
}

const rules: readonly Rule[] = [
  decision,
  skip,
  prevote,
  polkaValue,
  polkaNil,
  polkaAny,
  precommitAny,
]
