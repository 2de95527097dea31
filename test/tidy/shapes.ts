import ts from 'typescript-parser'
import { type Problem, problemAt } from './problem.ts'
import { roomOf } from './rooms.ts'
import { type Tree, walk } from './tree.ts'

/** Shapes of code that this project does without. */
export const checkShapes = (tree: Tree): Problem[] =>
  tree.sources.flatMap((source) => {
    const problems: Problem[] = []
    walk(source.tree, (node) => {
      const message = faultOf(node)
      if (message) problems.push(problemAt('shapes', source, node, message))
    })
    return problems
  })

function faultOf(node: ts.Node): string | undefined {
  if (ts.isExportAssignment(node)) return 'default export'
  if (ts.isExportSpecifier(node) && node.name.text === 'default') return 'default export'
  if (ts.isEnumDeclaration(node)) return 'enum: use a union'
  if (ts.isModuleDeclaration(node) && !ts.isStringLiteral(node.name)) return 'namespace'
  if (ts.isDecorator(node)) return 'decorator'
  if (ts.isNonNullExpression(node)) return '! hides an undefined: check it'
  if (node.kind === ts.SyntaxKind.AnyKeyword) return 'any: say what it is, or unknown'
  if (ts.isParameter(node) && ts.isParameterPropertyDeclaration(node, node.parent))
    return 'parameter property'
  const modifiers = ts.canHaveModifiers(node) ? ts.getModifiers(node) : undefined
  const isDefault = modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)
  return isDefault ? 'default export' : undefined
}

/** `process.env` is read where the program starts; below, what it said is passed as a value. */
export const checkEnvironment = (tree: Tree): Problem[] =>
  tree.sources
    .filter(({ path, isTest }) => path.startsWith('src/') && !isTest)
    .filter(({ path }) => !['node', 'devnet', 'cli'].includes(roomOf(path) ?? ''))
    .flatMap((source) => {
      const problems: Problem[] = []
      walk(source.tree, (node) => {
        const reads = ts.isPropertyAccessExpression(node) && node.getText() === 'process.env'
        if (reads) problems.push(problemAt('environment', source, node, 'reads process.env'))
      })
      return problems
    })
