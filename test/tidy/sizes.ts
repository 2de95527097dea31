import ts from 'typescript-parser'
import { type Problem, problemAt } from './problem.ts'
import { type Source, type Tree, walk } from './tree.ts'

/** Most lines of a file and of a function, and most columns of a line. */
export const limits = { file: 400, function: 70, line: 100 } as const

/** What does not fit a page. */
export function checkSizes(tree: Tree): Problem[] {
  const code = tree.files.filter(({ path }) => /\.(ts|mjs|cjs|sol)$/.test(path))
  return [
    ...code.flatMap(({ path, text }) => {
      const lines = text.replace(/\n$/, '').split('\n')
      const long = lines.flatMap((line, i) => (isTooLong(line) ? [tooLong(path, i, line)] : []))
      if (lines.length <= limits.file) return long
      const message = `${lines.length} lines, limit ${limits.file}`
      return [...long, { rule: 'sizes', at: path, message } as const]
    }),
    ...tree.sources.flatMap(checkFunctions),
  ]
}

/** What cannot be broken may stand out: a hash, an address of the web, a long string. */
const isTooLong = (line: string): boolean =>
  line.length > limits.line &&
  !/(['"`])(?:(?!\1).){60,}\1/.test(line) &&
  !line.split(/\s+/).some((word) => word.length >= 60)

const tooLong = (path: string, index: number, line: string): Problem => ({
  rule: 'sizes',
  at: `${path}:${index + 1}`,
  message: `${line.length} columns, limit ${limits.line}`,
})

function checkFunctions(source: Source): Problem[] {
  const problems: Problem[] = []
  walk(source.tree, (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) return
    const [first, last] = [node.getStart(source.tree), node.getEnd()].map(
      (position) => source.tree.getLineAndCharacterOfPosition(position).line,
    ) as [number, number]
    const lines = last - first + 1
    if (lines <= limits.function) return
    const message = `function of ${lines} lines, limit ${limits.function}`
    problems.push(problemAt('sizes', source, node, message))
  })
  return problems
}
