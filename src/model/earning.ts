/**
 * What is told of a row: its tasks that earn enough are `found[from]` to `found[from + count − 1]`.
 */
export type VisitRow = (i: number, found: Int32Array, from: number, count: number) => void

/**
 * Goes through all rows in order and lists the tasks with utility − price > least. Four rows are
 * read side by side: each price is read once for all of them, which halves the time.
 *
 * @param utility - shape [N × M].
 * @param price - shape [M].
 * @param least - shape [N].
 */
export function eachEarning(
  utility: Float64Array,
  price: Float64Array,
  least: Float64Array,
  visit: VisitRow,
): void {
  const m = price.length
  const n = least.length
  const found = new Int32Array(4 * m)
  const counts = new Int32Array(4)
  let i = 0
  for (; i + 4 <= n; i += 4) {
    listFour(utility, price, least, i, found, counts)
    for (let r = 0; r < 4; r++) visit(i + r, found, r * m, counts[r] as number)
  }
  for (; i < n; i++) visit(i, found, 0, listEarning(utility, price, least[i] as number, i, found))
}

/**
 * Lists the tasks of row i with utility − price > least at the start of `found`; returns how many.
 */
export function listEarning(
  utility: Float64Array,
  price: Float64Array,
  least: number,
  i: number,
  found: Int32Array,
): number {
  const m = price.length
  const row = utility.subarray(i * m, (i + 1) * m)
  let count = 0
  for (let t = 0; t < m; t++)
    if ((row[t] as number) - (price[t] as number) > least) found[count++] = t
  return count
}

function listFour(
  utility: Float64Array,
  price: Float64Array,
  least: Float64Array,
  i: number,
  found: Int32Array,
  counts: Int32Array,
): void {
  const m = price.length
  const row = (r: number) => utility.subarray((i + r) * m, (i + r + 1) * m)
  const [a, b, c, d] = [row(0), row(1), row(2), row(3)]
  const leastOf = (r: number) => least[i + r] as number
  const [leastA, leastB, leastC, leastD] = [leastOf(0), leastOf(1), leastOf(2), leastOf(3)]
  let atA = 0
  let atB = m
  let atC = 2 * m
  let atD = 3 * m
  for (let t = 0; t < m; t++) {
    const y = price[t] as number
    if ((a[t] as number) - y > leastA) found[atA++] = t
    if ((b[t] as number) - y > leastB) found[atB++] = t
    if ((c[t] as number) - y > leastC) found[atC++] = t
    if ((d[t] as number) - y > leastD) found[atD++] = t
  }
  counts[0] = atA
  counts[1] = atB - m
  counts[2] = atC - 2 * m
  counts[3] = atD - 3 * m
}
