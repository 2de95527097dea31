/**
 * A module beside the one that asks, with its extension: `.ts` from source, `.js` when built.
 *
 * @param asker - its `import.meta.url`.
 */
export const sibling = (name: string, asker: string): URL =>
  new URL(`./${name}${asker.slice(asker.lastIndexOf('.'))}`, asker)
