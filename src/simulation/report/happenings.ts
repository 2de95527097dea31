import type { Scenario, ScenarioEvent } from '../scenario.ts'

/** What happens in an epoch, in words. */
export type Happening = { readonly epoch: number; readonly words: string }

/** Everything that happens, by epoch. */
export function happenings({ events, operators, services }: Scenario): readonly Happening[] {
  const joins = operators
    .filter(({ joins: epoch }) => epoch > 0)
    .map(({ name, joins: epoch }) => ({ epoch, words: `${name} joins` }))
  const said = events.map((event) => ({
    epoch: event.epoch,
    words: describe(event, operators, services),
  }))
  const all = [...joins, ...said]
  const epochs = [...new Set(all.map(({ epoch }) => epoch))].sort((a, b) => a - b)
  return epochs.map((epoch) => ({
    epoch,
    words: all
      .filter((one) => one.epoch === epoch)
      .map(({ words }) => words)
      .join('; '),
  }))
}

type Named = readonly { readonly name: string }[]

function describe(event: ScenarioEvent, operators: Named, services: Named): string {
  if (event.kind === 'demand')
    return `${event.demand} tasks of ${services[event.service]?.name} an epoch`
  const who = event.operators.map((place) => operators[place]?.name).join(', ')
  const isOne = event.operators.length === 1
  const changes = Object.entries(event.changes).map(([trait, value]) => `${trait} ${value}`)
  const does = event.does === 'change' ? [] : [isOne ? `${verbs[event.does]}s` : verbs[event.does]]
  return `${who} ${[...does, ...(changes.length > 0 ? ['now with', changes.join(', ')] : [])].join(' ')}`
}

const verbs = { join: 'join', leave: 'leave', stop: 'stop', start: 'start' } as const
