import { builtinModules } from 'node:module'
import ts from 'typescript-parser'
import { type Problem, problemAt } from './problem.ts'
import {
  judgesOnly,
  matches,
  neighbours,
  replicated,
  roomOf,
  ruleOf,
  selfContained,
} from './rooms.ts'
import type { Import, Source, Tree } from './tree.ts'

/** Who imports what it may not: rooms, doors, packages, and what a part must do without. */
export function checkImports(tree: Tree): Problem[] {
  const judges = namesBehind(tree, judgesOnly.door, judgesOnly.file)
  return tree.sources.flatMap((source) =>
    source.imports.flatMap((one) => {
      if (one.file === undefined) return checkPackage(source, one)
      return [...checkDoor(source, one), ...checkLayer(source, one, judges)]
    }),
  )
}

/** Names that a room's door passes on from one of its files. */
function namesBehind(tree: Tree, room: string, file: string): ReadonlySet<string> {
  const door = tree.sources.find(({ path }) => path === `src/${room}/index.ts`)
  const passed = door?.imports.filter(({ specifier }) => specifier === file) ?? []
  return new Set(passed.flatMap(({ names }) => names ?? []))
}

/** Other rooms only by `#room`, one's own only by relative path. */
function checkDoor(source: Source, one: Import): Problem[] {
  const file = one.file as string
  if (!file.startsWith('src/')) {
    if (!source.path.startsWith('src/') || source.isTest) return []
    return [problemAt('doors', source, one.node, `${one.specifier} leaves src`)]
  }
  const [own, other] = [roomOf(source.path), roomOf(file)]
  const inside = source.path.startsWith('src/') && own === other
  if (one.specifier.startsWith('#')) {
    const isDoor = other !== undefined && file === `src/${other}/index.ts`
    if (isDoor && (!inside || source.isTest)) return []
    const why = isDoor ? 'is its own door: import the file' : 'is no door of a room'
    return [problemAt('doors', source, one.node, `${one.specifier} ${why}`)]
  }
  if (inside || own === undefined) return []
  return [
    problemAt('doors', source, one.node, `${one.specifier} goes around a door: use #${other}`),
  ]
}

function checkLayer(source: Source, one: Import, judges: ReadonlySet<string>): Problem[] {
  const [own, other] = [roomOf(source.path), roomOf(one.file as string)]
  if (!source.path.startsWith('src/') || source.isTest || own === undefined) return []
  if (other === undefined || !one.file?.startsWith('src/')) return []
  if (own === other) return checkSelfContained(source, one)
  const refuse = (why: string): Problem[] => [
    problemAt('layers', source, one.node, `${own} may not import ${why}`),
  ]
  const rule = ruleOf(own)
  if (!rule) return refuse(`${other}: it is no room of test/tidy/rooms.ts`)
  const typesOfIt = one.typeOnly && matches(rule.types ?? [], other)
  if (!matches(rule.rooms, other) && !typesOfIt) return refuse(other)
  if (own !== judgesOnly.from || other !== judgesOnly.door || one.typeOnly) return []
  const foreign = one.names?.filter((name) => !judges.has(name)) ?? ['everything']
  return foreign.length === 0 ? [] : refuse(`${foreign.join(', ')} of ${other}: only its judges`)
}

function checkSelfContained(source: Source, one: Import): Problem[] {
  const [from, to] = [source.path, one.file as string].map((path) => path.replace(/^src\//, ''))
  const part = selfContained.map((pattern) => pattern.exec(from as string)?.[0]).find(Boolean)
  if (!part || to?.startsWith(part)) return []
  if (neighbours.some(([a, b]) => from?.startsWith(a) && to?.startsWith(b))) return []
  return [problemAt('layers', source, one.node, `${part} may not import ${to}: it stands alone`)]
}

const builtins = new Set(builtinModules)

function checkPackage(source: Source, one: Import): Problem[] {
  if (!source.path.startsWith('src/') || source.isTest) return []
  const room = roomOf(source.path)
  const rule = room === undefined ? undefined : ruleOf(room)
  if (!rule) return []
  if (one.specifier.startsWith('node:') || builtins.has(one.specifier)) {
    if (rule.builtins && !replicated.test(source.path)) return []
    const message = `${one.specifier}: ${source.path} must do without Node`
    return [problemAt('packages', source, one.node, message)]
  }
  const name = one.specifier.split('/', one.specifier.startsWith('@') ? 2 : 1).join('/')
  if (matches(rule.packages, name)) return []
  return [problemAt('packages', source, one.node, `${room} may not import ${name}`)]
}

/** Files that need themselves to load. Types are gone by then and do not count. */
export function checkCycles(tree: Tree): Problem[] {
  const sources = new Map(tree.sources.map((source) => [source.path, source]))
  const state = new Map<string, 'open' | 'done'>()
  const problems: Problem[] = []
  const visit = (source: Source, trail: readonly string[]): void => {
    state.set(source.path, 'open')
    const here = [...trail, source.path]
    for (const one of source.imports) {
      const next = one.typeOnly || isDynamic(one) ? undefined : sources.get(one.file ?? '')
      if (!next) continue
      const seen = state.get(next.path)
      if (seen === undefined) visit(next, here)
      if (seen !== 'open') continue
      const circle = [...here.slice(here.indexOf(next.path)), next.path].join(' → ')
      problems.push(problemAt('cycles', source, one.node, circle))
    }
    state.set(source.path, 'done')
  }
  for (const source of tree.sources) if (!state.has(source.path)) visit(source, [])
  return problems
}

const isDynamic = (one: Import): boolean => ts.isCallExpression(one.node)
