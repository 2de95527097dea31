/** Most columns of a line. */
const width = 100

/**
 * The text with every comment paragraph that is too wide broken anew; all else stays as it is.
 * Lists, tags, tables and code are paragraphs of their own, comments behind code are left alone.
 */
export function wrapComments(text: string): string {
  const lines = text.split('\n').flatMap(openBlock)
  const out: string[] = []
  for (let at = 0; at < lines.length; ) {
    const paragraph = paragraphAt(lines, at)
    out.push(...(paragraph.some(({ length }) => length > width) ? wrap(paragraph) : paragraph))
    at += paragraph.length
  }
  return out.join('\n')
}

/** A one-line docstring that is too wide, as a block. */
function openBlock(line: string): string[] {
  const [, indent, text] = /^( *)\/\*\* (.*) \*\/$/.exec(line) ?? []
  if (line.length <= width || indent === undefined) return [line]
  return [`${indent}/**`, `${indent} * ${text}`, `${indent} */`]
}

/** Starts a paragraph inside a comment: a tag, a list item, a row, code, or an indented line. */
const start = /^(?:@|- |\d+\. |\||`{3}| )/

/** The line, and the comment lines below it that go on with its sentence. */
function paragraphAt(lines: readonly string[], at: number): string[] {
  const first = lines[at] as string
  const prefix = prefixOf(first)
  if (prefix === undefined) return [first]
  let end = at + 1
  const goesOn = (line: string | undefined): boolean =>
    line !== undefined && prefixOf(line) === prefix && !start.test(line.slice(prefix.length))
  while (goesOn(lines[end])) end++
  return lines.slice(at, end)
}

/** What stands before the words of a comment line; undefined when it has none. */
const prefixOf = (line: string): string | undefined => /^ *(?:\/\/|\*) (?=\S| )/.exec(line)?.[0]

function wrap(paragraph: readonly string[]): string[] {
  const prefix = prefixOf(paragraph[0] as string)
  if (prefix === undefined) return [...paragraph]
  const words = paragraph.flatMap((line) => line.slice(prefix.length).split(' '))
  const lines: string[] = []
  let line = prefix + words[0]
  for (const word of words.slice(1)) {
    if (line.length + 1 + word.length <= width) line += ` ${word}`
    else {
      lines.push(line)
      line = prefix + word
    }
  }
  return [...lines, line]
}
