/** Number of tests by outcome. */
export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number }

/** Nothing has run. */
export const none: Counts = { passed: 0, failed: 0, skipped: 0 }

/** Both together. */
export const add = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
})

/** The closing line that people and machines read. */
export const lineOf = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`
