import ts from 'typescript-parser'
import { type Problem, problemAt } from './problem.ts'
import { replicated } from './rooms.ts'
import { type Source, type Tree, walk } from './tree.ts'

/** Globals that differ between two runs, two hosts or two versions of Node, or reach outside. */
const forbiddenGlobals = new Set(
  `Date performance setTimeout setInterval setImmediate queueMicrotask fetch process crypto
  navigator console parseFloat Intl globalThis global eval Function require Worker WeakRef Temporal
  FinalizationRegistry Atomics SharedArrayBuffer Float16Array Float32Array Float64Array`.split(
    /\s+/,
  ),
)

/** Methods and constants whose result depends on locale, Unicode version or floating point. */
const forbiddenMembers = new Set(
  `localeCompare toLocaleString toLocaleUpperCase toLocaleLowerCase toLocaleDateString normalize
  toFixed toPrecision toExponential parseFloat EPSILON getFloat16 setFloat16 getFloat32 setFloat32
  getFloat64 setFloat64`.split(/\s+/),
)

const allowedMath = new Set(['min', 'max', 'abs', 'floor', 'trunc', 'imul', 'clz32'])

/** Members of Object that list keys in the order they were written. */
const keyOrder = new Set(['keys', 'entries', 'values'])

/** What may differ between two operators that run the same committed input. */
export const checkDeterminism = (tree: Tree): Problem[] =>
  tree.sources
    .filter(({ path, isTest }) => replicated.test(path) && !isTest)
    .flatMap((source) => {
      const problems: Problem[] = []
      walk(source.tree, (node) => {
        const message = faultOf(node, source)
        if (message) problems.push(problemAt('determinism', source, node, message))
      })
      return problems
    })

function faultOf(node: ts.Node, source: Source): string | undefined {
  if (ts.isIdentifier(node)) return identifierFault(node)
  if (ts.isPropertyAccessExpression(node)) return memberFault(node.name.text, node, source)
  if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression))
    return memberFault(node.argumentExpression.text, node, source)
  if (ts.isNumericLiteral(node)) return literalFault(node.getText(source.tree))
  if (ts.isForInStatement(node)) return 'for…in depends on the order of keys'
  if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword)
    return 'import.meta names the host'
  if (ts.isBinaryExpression(node)) return powerFault(node)
  return undefined
}

function identifierFault(node: ts.Identifier): string | undefined {
  if (isMemberName(node)) return undefined
  if (forbiddenGlobals.has(node.text)) return `uses ${node.text}`
  const parent = node.parent
  const isMath =
    node.text === 'Math' && !(ts.isPropertyAccessExpression(parent) && parent.expression === node)
  return isMath ? 'uses Math other than by one of its functions' : undefined
}

/** The name after a dot, or of a field that is declared or given: not a global of that name. */
function isMemberName(node: ts.Identifier): boolean {
  const parent = node.parent
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node
  if (ts.isQualifiedName(parent)) return parent.right === node
  if (ts.isBindingElement(parent)) return parent.propertyName === node
  return (
    (ts.isPropertyAssignment(parent) ||
      ts.isPropertySignature(parent) ||
      ts.isMethodSignature(parent) ||
      ts.isMethodDeclaration(parent)) &&
    parent.name === node
  )
}

function memberFault(
  name: string,
  node: ts.PropertyAccessExpression | ts.ElementAccessExpression,
  source: Source,
): string | undefined {
  const owner = ts.isIdentifier(node.expression) ? node.expression.text : ''
  if (forbiddenMembers.has(name)) return `uses ${name}`
  if (owner === 'Math' && !allowedMath.has(name)) return `uses Math.${name}`
  if (owner === 'Object' && keyOrder.has(name) && !isOrdered(node, source))
    return `Object.${name} depends on the order of keys: sort, or say why in "// Order: …"`
  return undefined
}

/** Whether the keys are sorted, or the line (or the one above) says why their order is fixed. */
function isOrdered(node: ts.Node, source: Source): boolean {
  for (let at = node; isLink(at.parent, at); at = at.parent)
    if (ts.isPropertyAccessExpression(at) && /^(sort|toSorted)$/.test(at.name.text)) return true
  const lines = source.text.split('\n')
  const { line } = source.tree.getLineAndCharacterOfPosition(node.getStart(source.tree))
  return [lines[line], lines[line - 1]].some((text) => text?.includes('// Order: '))
}

/** Whether `parent` calls `node` or takes a member of it: the next link of a chain. */
const isLink = (parent: ts.Node, node: ts.Node): boolean =>
  (ts.isCallExpression(parent) || ts.isPropertyAccessExpression(parent)) &&
  parent.expression === node

function literalFault(text: string): string | undefined {
  return /[.eE]/.test(text) && !/^0x/i.test(text) ? `float literal ${text}` : undefined
}

/** `**` on numbers is Math.pow, not the same in every Node; bigints and powers of 2 are exact. */
function powerFault(node: ts.BinaryExpression): string | undefined {
  const { kind } = node.operatorToken
  const isPower =
    kind === ts.SyntaxKind.AsteriskAsteriskToken ||
    kind === ts.SyntaxKind.AsteriskAsteriskEqualsToken
  if (!isPower || [node.left, node.right].some(isBigint)) return undefined
  if (node.left.getText() === '2') return undefined
  return '** without a bigint beside it is Math.pow'
}

function isBigint(node: ts.Expression): boolean {
  if (ts.isParenthesizedExpression(node)) return isBigint(node.expression)
  const call = ts.isCallExpression(node) ? node.expression : undefined
  return ts.isBigIntLiteral(node) || (call !== undefined && call.getText() === 'BigInt')
}
