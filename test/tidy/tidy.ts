import { checkDeterminism } from './determinism.ts'
import { checkDocstrings } from './docstrings.ts'
import { checkCycles, checkImports } from './imports.ts'
import type { Problem } from './problem.ts'
import { checkEnvironment, checkShapes } from './shapes.ts'
import { checkSizes } from './sizes.ts'
import { loadTree } from './tree.ts'
import { checkNames, checkReferences, checkWords } from './words.ts'

const checks = [
  checkImports,
  checkCycles,
  checkDeterminism,
  checkSizes,
  checkShapes,
  checkEnvironment,
  checkDocstrings,
  checkNames,
  checkWords,
  checkReferences,
]

/** Every place of a project that breaks a house rule. @param root - the folder of package.json. */
export function checkTidy(root: string): Problem[] {
  const tree = loadTree(root)
  return checks.flatMap((check) => check(tree))
}

/** One line a problem. */
export const describe = ({ rule, at, message }: Problem): string => `${at} ${rule}: ${message}`
