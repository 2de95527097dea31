import ts from 'typescript-parser'
import { type Problem, problemAt } from './problem.ts'
import type { Source, Tree } from './tree.ts'

/** Every export of the shipped code says what it means. */
export const checkDocstrings = (tree: Tree): Problem[] =>
  tree.sources
    .filter(({ path, isTest }) => path.startsWith('src/') && !isTest)
    .flatMap((source) =>
      source.tree.statements
        .filter((node, i) => isExported(node) && !isExplained(source, i))
        .map((node) => problemAt('docstrings', source, node, `${nameOf(node)} has no docstring`)),
    )

function isExported(node: ts.Node): boolean {
  const modifiers = ts.canHaveModifiers(node) ? ts.getModifiers(node) : undefined
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true
}

const isDocumented = (node: ts.Node): boolean => ts.getJSDocCommentsAndTags(node).length > 0

/**
 * One docstring may speak for several: for the exports right below it without an empty line, for a
 * value and its type of one name, for a type taken from a value, and for a record and its codec.
 */
function isExplained(source: Source, index: number): boolean {
  const { statements } = source.tree
  const node = statements[index] as ts.Statement
  if (isDocumented(node) || nameOf(node).endsWith('Codec')) return true
  if (ts.isTypeAliasDeclaration(node) && /\btypeof \w/.test(node.type.getText())) return true
  const before = statements[index - 1]
  const follows = before && /^\n\S/.test(source.text.slice(before.getEnd()))
  if (follows && isExported(before) && isExplained(source, index - 1)) return true
  return statements.some(
    (other) => other !== node && isDocumented(other) && nameOf(other) === nameOf(node),
  )
}

function nameOf(node: ts.Statement): string {
  if (ts.isVariableStatement(node))
    return node.declarationList.declarations.map(({ name }) => name.getText()).join(', ')
  return (node as ts.DeclarationStatement).name?.getText() ?? 'this'
}
