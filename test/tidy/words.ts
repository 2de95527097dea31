import { dirname, join, normalize } from 'node:path'
import type { Problem } from './problem.ts'
import type { TextFile, Tree } from './tree.ts'

/** What tells where somebody worked, and nothing about the project. */
const strayWords: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['a path of one machine', /(?<![\w.$}~-])\/(?:home|root|Users|work)\/\w/],
  ['the host of a registry', /\bregistry\.[\w.-]+\.(?:com|org|net|io|dev)\b|"resolved": "http/],
  ['a task without an issue', /\b(?:TODO|FIXME|XXX)\b(?!\s?\(#\d+\))/],
]

/** Words that must not appear in any file. */
export const checkWords = (tree: Tree): Problem[] =>
  tree.files
    .filter(({ path }) => path !== 'LICENSE' && path !== 'test/tidy/words.ts')
    .flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, i) =>
          strayWords
            .filter(([, pattern]) => pattern.test(line))
            .map(([what]) => ({ rule: 'words', at: `${path}:${i + 1}`, message: what }) as const),
        ),
    )

/** File names that say nothing about what is inside. */
const emptyNames = /^(utils?|helpers?|misc|common|shared|stuff)$/

/** Every file is named for its one idea, in lower case with hyphens. */
export const checkNames = (tree: Tree): Problem[] =>
  tree.files
    .filter(({ path }) => /^(src|test|bench|tools|examples)\//.test(path))
    .flatMap(({ path }): Problem[] => {
      const words = path.replace(/\.[\w.]+$/, '').split('/')
      const empty = words.find((word) => emptyNames.test(word))
      if (empty) return [{ rule: 'names', at: path, message: `"${empty}" says nothing` }]
      const isPlain = !path.endsWith('.ts') || words.every((word) => /^[a-z0-9-]+$/.test(word))
      return isPlain ? [] : [{ rule: 'names', at: path, message: 'not lower-case-hyphen' }]
    })

/** Pages that are mentioned must exist: from the root, or from beside who mentions them. */
export function checkReferences(tree: Tree): Problem[] {
  const paths = new Set(tree.files.map(({ path }) => path))
  return tree.files
    .filter(({ path }) => path !== 'LICENSE' && path !== 'test/tidy/tidy.test.ts')
    .flatMap((file) =>
      file.text.split('\n').flatMap((line, i) =>
        [...line.matchAll(/(?<![\w/.:@*-])((?:\.{1,2}\/)*[\w-][\w.-]*(?:\/[\w.-]+)*\.md)\b/g)]
          .map(([, page]) => page as string)
          .filter((page) => !isThere(page, file, paths))
          .map((page) => ({
            rule: 'references' as const,
            at: `${file.path}:${i + 1}`,
            message: `${page} does not exist`,
          })),
      ),
    )
}

const isThere = (page: string, file: TextFile, paths: ReadonlySet<string>): boolean =>
  paths.has(page) || paths.has(normalize(join(dirname(file.path), page)))
