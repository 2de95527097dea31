/**
 * A module by its path from the one that asks, with that one's extension: `.ts` from source, `.js`
 * when built.
 *
 * @param path - without the extension.
 * @param asker - its `import.meta.url`.
 */
export const moduleBeside = (path: string, asker: string): URL =>
  new URL(`./${path}${asker.slice(asker.lastIndexOf('.'))}`, asker)
