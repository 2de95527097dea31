import { readdirSync, readFileSync } from 'node:fs'
import { dirname, extname, join, normalize } from 'node:path'
import ts from 'typescript-parser'

/** A text file of the project; paths are relative to its root, with `/`. */
export type TextFile = { readonly path: string; readonly text: string }

/** An import, re-export, `import()` call or `import('…')` type. */
export type Import = {
  /** As written. */
  readonly specifier: string
  /** The file it names, relative to the root; undefined for packages. */
  readonly file: string | undefined
  readonly typeOnly: boolean
  /** What is taken by name; undefined when everything is. */
  readonly names: readonly string[] | undefined
  readonly node: ts.Node
}

/** A parsed TypeScript file. */
export type Source = TextFile & {
  readonly tree: ts.SourceFile
  readonly imports: readonly Import[]
  /** Tests and what only tests use: free of the rules for what ships. */
  readonly isTest: boolean
}

/** Everything that the checks look at. */
export type Tree = { readonly files: readonly TextFile[]; readonly sources: readonly Source[] }

const skippedFolders = new Set(['node_modules', 'dist', 'out', 'cache'])
/** Folders of code that a program has written: free of the rules for what people write. */
export const generated: ReadonlySet<string> = new Set([
  'src/ethereum/artifacts',
  'src/consensus/cometbft/messages',
])
const shownDotEntries = new Set(['.ci', '.npmrc', '.gitignore', '.gitattributes', '.github'])
const textExtensions = new Set(
  '.ts .proto .mjs .cjs .js .json .md .sol .toml .yml .yaml .sh .html .css .txt'.split(' '),
)

/** Reads and parses a project. */
export function loadTree(root: string): Tree {
  const files = listFiles(root, '').map((path) => ({
    path,
    text: readFileSync(join(root, path), 'utf8'),
  }))
  return { files, sources: files.filter(({ path }) => path.endsWith('.ts')).map(parse) }
}

function listFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.name.startsWith('.') && !shownDotEntries.has(entry.name)) return []
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory())
        return skippedFolders.has(entry.name) || generated.has(path) ? [] : listFiles(root, path)
      const extension = extname(entry.name)
      return entry.isFile() && (extension === '' || textExtensions.has(extension)) ? [path] : []
    })
}

function parse(file: TextFile): Source {
  const tree = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true)
  const imports: Import[] = []
  walk(tree, (node) => {
    const found = toImport(file.path, node)
    if (found) imports.push(found)
  })
  return {
    ...file,
    tree,
    imports,
    isTest: /\.test\.ts$|^(test|bench)\/|\/test-support\//.test(file.path),
  }
}

/** Calls `visit` for the node and everything below it, top-down. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node)
  ts.forEachChild(node, (child) => walk(child, visit))
}

function toImport(path: string, node: ts.Node): Import | undefined {
  const found = specifierOf(node)
  if (!found || !ts.isStringLiteralLike(found.literal)) return undefined
  const specifier = found.literal.text
  const { typeOnly, names } = found
  return { specifier, file: fileOf(path, specifier), typeOnly, names, node }
}

type Found = Pick<Import, 'typeOnly' | 'names'> & { readonly literal: ts.Node }

function specifierOf(node: ts.Node): Found | undefined {
  if (ts.isImportDeclaration(node)) return fromImport(node)
  if (ts.isExportDeclaration(node) && node.moduleSpecifier) return fromExport(node)
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
    return { literal: node.argument.literal, typeOnly: true, names: undefined }
  const argument = ts.isCallExpression(node) ? node.arguments[0] : undefined
  if (ts.isCallExpression(node) && argument && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return { literal: argument, typeOnly: false, names: undefined }
  return undefined
}

function fromImport(node: ts.ImportDeclaration): Found {
  const clause = node.importClause
  const bindings = clause?.namedBindings
  const named = bindings && ts.isNamedImports(bindings) ? bindings.elements : undefined
  const values = named?.filter((element) => !element.isTypeOnly)
  const typeOnly = clause?.isTypeOnly === true || (values?.length === 0 && !clause?.name)
  return { literal: node.moduleSpecifier, typeOnly, names: named && namesOf(named) }
}

function fromExport(node: ts.ExportDeclaration): Found {
  const clause = node.exportClause
  const named = clause && ts.isNamedExports(clause) ? clause.elements : undefined
  const typeOnly = node.isTypeOnly || named?.every((element) => element.isTypeOnly) === true
  const literal = node.moduleSpecifier as ts.Expression
  return { literal, typeOnly, names: named && namesOf(named) }
}

const namesOf = (
  elements: ts.NodeArray<ts.ImportSpecifier> | ts.NodeArray<ts.ExportSpecifier>,
): string[] => [...elements].map(({ propertyName, name }) => (propertyName ?? name).text)

function fileOf(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('#')) return `src/${specifier.slice(1)}/index.ts`
  if (specifier.startsWith('.')) return normalize(join(dirname(path), specifier))
  return undefined
}
