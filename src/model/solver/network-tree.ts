/** A network with a spanning tree of basic arcs. Nodes: operators, then tasks, then the root. */
export type Network = Tree & {
  readonly rows: number
  readonly columns: number
  /** Arcs that are pairs; after them spare capacity row by row, then shortfall column by column. */
  readonly edges: number
  readonly tail: Int32Array
  readonly head: Int32Array
  readonly cost: Float64Array
  readonly most: Float64Array
  readonly flow: Float64Array
  /** 0 in the tree, 1 at the lower bound, −1 at the upper. */
  readonly state: Int8Array
  /** Reduced costs below this are none. */
  readonly zero: number
  /** Where the search for an entering arc goes on. */
  readonly cursor: { at: number }
  /** Cost of reaching each node from the root. */
  readonly potential: Float64Array
}

/** A rooted tree with lists of children. */
export type Tree = {
  readonly parent: Int32Array
  /** The arc to the parent. */
  readonly via: Int32Array
  readonly depth: Int32Array
  readonly child: Int32Array
  readonly next: Int32Array
  readonly previous: Int32Array
}

/** Nodes without any arcs. */
export const createTree = (nodes: number): Tree => ({
  parent: new Int32Array(nodes).fill(-1),
  via: new Int32Array(nodes).fill(-1),
  depth: new Int32Array(nodes),
  child: new Int32Array(nodes).fill(-1),
  next: new Int32Array(nodes).fill(-1),
  previous: new Int32Array(nodes).fill(-1),
})

/** Hangs a node below another by an arc. */
export function attach(tree: Tree, node: number, parent: number, arc: number): void {
  const sibling = tree.child[parent] as number
  tree.parent[node] = parent
  tree.via[node] = arc
  tree.next[node] = sibling
  tree.previous[node] = -1
  if (sibling >= 0) tree.previous[sibling] = node
  tree.child[parent] = node
}

function detach(tree: Tree, node: number): void {
  const before = tree.previous[node] as number
  const after = tree.next[node] as number
  if (before >= 0) tree.next[before] = after
  else tree.child[tree.parent[node] as number] = after
  if (after >= 0) tree.previous[after] = before
}

/**
 * Cuts the tree above `cut`, turns the part that was cut off so that `inside` is its top, and hangs
 * it below `outside` by `arc`.
 */
export function cutAndHang(
  network: Network,
  cut: number,
  inside: number,
  outside: number,
  arc: number,
): void {
  let node = inside
  let above = outside
  let link = arc
  for (;;) {
    const [oldParent, oldLink] = [network.parent[node] as number, network.via[node] as number]
    detach(network, node)
    attach(network, node, above, link)
    if (node === cut) break
    above = node
    node = oldParent
    link = oldLink
  }
  place(network, inside)
  potentialsBelow(network, inside)
}

/** Depth and potential of a node from its parent. */
function place(network: Network, node: number): void {
  const { parent, via, depth, potential, tail, cost } = network
  const up = parent[node] as number
  const arc = via[node] as number
  const price = cost[arc] as number
  depth[node] = (depth[up] as number) + 1
  potential[node] = (potential[up] as number) + (tail[arc] === node ? -price : price)
}

/** Sets depth and potential of all nodes below one. */
export function potentialsBelow(network: Network, top: number): void {
  const { child, next, parent } = network
  let node = top
  for (;;) {
    if ((child[node] as number) >= 0) node = child[node] as number
    else {
      while (node !== top && (next[node] as number) < 0) node = parent[node] as number
      if (node === top) return
      node = next[node] as number
    }
    place(network, node)
  }
}
