import ts from 'typescript-parser'
import { generated, loadTree, type Source, type Tree, walk } from './tidy/tree.ts'

/** Where a page of `docs/` and the code disagree, one line each. */
export type Disagreement = string

const structurePage = 'docs/structure.md'
const reasonsPage = 'docs/reasons.md'

/**
 * `docs/structure.md` shows every folder of `src` and every entry of the root that holds code, and
 * nothing that is not there.
 */
export function checkStructure(root: string): Disagreement[] {
  const tree = loadTree(root)
  const listed = new Set(listedPaths(pageOf(tree, structurePage)))
  const files = tree.files.map(({ path }) => path)
  const there = new Set(files.flatMap((path) => [path, ...foldersOf(path)]))
  const due = [...there].filter((path) => path.endsWith('/') && /^(?:src\/|[^/.]+\/$)/.test(path))
  return [
    ...due.filter((path) => !listed.has(path)).map((path) => `${structurePage} lacks ${path}`),
    ...[...listed]
      .filter((path) => !there.has(path) && !generated.has(path.replace(/\/$/, '')))
      .filter((path) => !path.startsWith('.ci/'))
      .map((path) => `${structurePage} shows ${path}, which is not there`),
  ].sort()
}

const foldersOf = (path: string): string[] =>
  [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index + 1))

/** Deeper than any path: such a line goes on with what the one above says. */
const textIndent = 16

/** Paths of the page's first fenced tree: two spaces a level, a name, then what it is. */
function listedPaths(page: string): string[] {
  const fence = /```\n([\s\S]*?)\n```/.exec(page)?.[1] ?? ''
  const open: string[] = []
  return fence.split('\n').flatMap((line) => {
    const [, indent, name] = /^( *)(\S+)/.exec(line) ?? []
    if (indent === undefined || name === undefined || indent.length > textIndent) return []
    const depth = indent.length / 2
    open.length = depth
    open[depth] = name
    return [open.join('')]
  })
}

/** `docs/reasons.md` has a row for every refusal and error code of the code, and for no other. */
export function checkReasons(root: string): Disagreement[] {
  const tree = loadTree(root)
  const rows = pageOf(tree, reasonsPage).match(/^\| `[A-Za-z0-9]+` \|/gm) ?? []
  const explained = rows.map((row) => row.slice(3, -3))
  const used = codesOf(tree)
  return [
    ...[...used.keys()]
      .filter((code) => !explained.includes(code))
      .map((code) => `${reasonsPage} lacks ${code} (${used.get(code)})`),
    ...explained
      .filter((code) => !used.has(code))
      .map((code) => `${reasonsPage} explains ${code}, which nothing says`),
    ...explained
      .filter((code, i) => explained.indexOf(code) !== i)
      .map((code) => `${reasonsPage} explains ${code} twice`),
  ].sort()
}

/** Every code with the file that says it first. */
function codesOf(tree: Tree): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const source of tree.sources.filter(
    ({ path, isTest }) => path.startsWith('src/') && !isTest,
  ))
    walk(source.tree, (node) => {
      for (const code of codesAt(node, source)) if (!found.has(code)) found.set(code, source.path)
    })
  return found
}

/**
 * `reason: 'X'` in values and closed types, `refuse('X')`, `code = 'X'` of an error class, and any
 * other literal shaped like a code that is passed on: tables of faults and functions that name one.
 */
function codesAt(node: ts.Node, source: Source): string[] {
  if (ts.isStringLiteral(node)) return isPassedOn(node) ? [node.text] : []
  const isReason =
    (ts.isPropertyAssignment(node) || ts.isPropertySignature(node)) &&
    node.name.getText(source.tree) === 'reason'
  if (isReason) return literalsOf(ts.isPropertyAssignment(node) ? node.initializer : node.type)
  if (ts.isPropertyDeclaration(node) && node.name.getText(source.tree) === 'code')
    return literalsOf(node.initializer)
  if (ts.isTypeAliasDeclaration(node) && /(Reason|Refusal|Code)$/.test(node.name.text))
    return literalsOf(node.type)
  if (!ts.isCallExpression(node) || !/^refus/.test(node.expression.getText(source.tree))) return []
  return literalsOf(node.arguments[0])
}

/** Names of other things that look like codes. */
const noCodes = new Set(['NodeOP', 'AbortError', 'TimeoutError'])

/** Whether a literal of several capitalised words is a value that goes somewhere. */
function isPassedOn(node: ts.StringLiteral): boolean {
  if (!/^(?:[A-Z][a-z0-9]+){2,}$/.test(node.text) || noCodes.has(node.text)) return false
  const { parent } = node
  if (ts.isLiteralTypeNode(parent) || ts.isCaseClause(parent)) return false
  if (ts.isPropertyAssignment(parent) && parent.name.getText() === 'eventName') return false
  return !ts.isBinaryExpression(parent) || parent.operatorToken.getText() === '??'
}

/** The codes that an expression or a type can be: it, or what it chooses from. */
function literalsOf(node: ts.Node | undefined): string[] {
  if (!node) return []
  if (ts.isStringLiteral(node)) return /^[A-Z][A-Za-z0-9]+$/.test(node.text) ? [node.text] : []
  if (ts.isLiteralTypeNode(node)) return literalsOf(node.literal)
  if (ts.isUnionTypeNode(node)) return node.types.flatMap(literalsOf)
  if (ts.isConditionalExpression(node)) return [node.whenTrue, node.whenFalse].flatMap(literalsOf)
  if (ts.isBinaryExpression(node)) return [node.left, node.right].flatMap(literalsOf)
  if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node))
    return literalsOf(node.expression)
  return []
}

const pageOf = (tree: Tree, path: string): string =>
  tree.files.find((file) => file.path === path)?.text ?? ''
