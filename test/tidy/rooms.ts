/** What a room may import. Patterns end in `/*` for every room below. */
export type Room = {
  /** Rooms, through their doors. */
  readonly rooms: readonly string[]
  /** Rooms of which it may use the types alone. */
  readonly types?: readonly string[]
  /** npm packages; a pattern ends in `/*` for a whole scope. */
  readonly packages: readonly string[]
  /** Whether it may use what only Node has. Rooms without run in a browser too. */
  readonly builtins: boolean
}

const replicatedBase = ['primitives', 'records']
const below = ['primitives', 'records', 'threshold', 'protocol']

/** Who may import whom, from the ground up. `docs/structure.md` says what each room is for. */
export const rooms: Readonly<Record<string, Room>> = {
  primitives: { rooms: [], packages: ['@noble/*'], builtins: false },
  records: { rooms: ['primitives'], packages: ['@chainsafe/ssz'], builtins: false },
  model: { rooms: ['primitives'], packages: [], builtins: false },
  threshold: { rooms: replicatedBase, packages: ['@noble/*'], builtins: false },
  protocol: { rooms: [...replicatedBase, 'threshold'], packages: [], builtins: false },
  consensus: { rooms: replicatedBase, packages: ['@bufbuild/protobuf'], builtins: true },
  ethereum: { rooms: replicatedBase, packages: ['viem'], builtins: true },
  'services/*': { rooms: [...replicatedBase, 'protocol', 'model'], packages: [], builtins: true },
  'services/sequencer': {
    rooms: [...replicatedBase, 'protocol', 'model'],
    packages: ['@ethereumjs/*'],
    builtins: true,
  },
  api: { rooms: replicatedBase, types: ['protocol'], packages: ['zod'], builtins: false },
  simulation: {
    rooms: [...below, 'model', 'consensus', 'services/*'],
    packages: [],
    builtins: true,
  },
  node: {
    rooms: [...below, 'model', 'consensus', 'ethereum', 'services/*', 'api'],
    packages: [
      ...['fastify', 'prom-client', 'pino', 'zod'],
      ...['secp256k1', 'tiny-secp256k1', 'hash-wasm', 'sodium-native'],
    ],
    builtins: true,
  },
  devnet: {
    rooms: [...below, 'model', 'consensus', 'ethereum', 'services/*', 'api', 'simulation', 'node'],
    packages: ['viem', 'fastify', 'pino', 'zod'],
    builtins: true,
  },
  cli: {
    rooms: ['*'],
    packages: ['commander', 'viem', 'zod'],
    builtins: true,
  },
}

/**
 * Parts of a room that may import nothing else of it: what they stand for holds only when they
 * stand alone.
 */
export const selfContained: readonly RegExp[] = [
  /^consensus\/(core|engine|embedded|cometbft|light)\//,
  /^services\/[^/]+\/state\//,
]

/** What `selfContained` parts may use of their neighbours all the same. */
export const neighbours: readonly (readonly [from: string, to: string])[] = [
  ['consensus/embedded/', 'consensus/core/'],
  ['consensus/cometbft/', 'consensus/core/'],
  ['consensus/cometbft/', 'consensus/light/'],
  ['consensus/embedded/', 'consensus/engine/'],
  ['consensus/cometbft/', 'consensus/engine/'],
  ['consensus/embedded/', 'consensus/ed25519.ts'],
  ['consensus/cometbft/', 'consensus/ed25519.ts'],
]

/** Code that every operator must run to the same bit, or that such code runs. */
export const replicated =
  /^src\/(primitives|records|threshold|protocol|consensus\/core|services\/[^/]+\/state)\//

/** Of a room's door, the one file whose exports a room may use. */
export const judgesOnly = { from: 'protocol', door: 'threshold', file: './judges.ts' } as const

/**
 * The room of a file below `src`: its first folder, or two for services. Undefined for `src/x.ts`.
 */
export function roomOf(path: string): string | undefined {
  const [first, second, ...rest] = path.replace(/^src\//, '').split('/')
  if (second === undefined) return undefined
  return first === 'services' && rest.length > 0 ? `services/${second}` : first
}

/** The rules of a room, its own before those of its pattern. */
export const ruleOf = (room: string): Room | undefined =>
  rooms[room] ?? rooms[`${room.split('/')[0]}/*`]

/** Whether one of the patterns means this name. */
export const matches = (patterns: readonly string[], name: string): boolean =>
  patterns.some(
    (pattern) =>
      pattern === '*' ||
      pattern === name ||
      (pattern.endsWith('/*') && name.startsWith(pattern.slice(0, -1))),
  )
