import type ts from 'typescript-parser'
import type { Source } from './tree.ts'

/** A place that breaks a house rule. */
export type Problem = {
  /** Which rule, as `docs/structure.md` and the tests name it. */
  readonly rule: Rule
  /** `path:line`, or the path alone when it is about the whole file. */
  readonly at: string
  readonly message: string
}

/** The house rules that neither the compiler nor the linter knows. */
export const rules = [
  'layers',
  'doors',
  'packages',
  'cycles',
  'determinism',
  'sizes',
  'shapes',
  'names',
  'environment',
  'docstrings',
  'words',
  'references',
] as const

/** The name of a house rule. */
export type Rule = (typeof rules)[number]

/** A problem at a node of a parsed file. */
export function problemAt(rule: Rule, source: Source, node: ts.Node, message: string): Problem {
  const { line } = source.tree.getLineAndCharacterOfPosition(node.getStart(source.tree))
  return { rule, at: `${source.path}:${line + 1}`, message }
}
