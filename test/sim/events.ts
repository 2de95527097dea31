/** Something that happens at a virtual time. */
export type Event = { readonly atMs: number; readonly order: number; readonly run: () => void }

/** All that is to happen, earliest first; at one time, in the order in which it was planned. */
export type Events = { push(atMs: number, run: () => void): void; pop(): Event | undefined }

/** A binary heap by (time, order of arrival). */
export function createEvents(): Events {
  const heap: Event[] = []
  let order = 0
  const at = (i: number) => heap[i] as Event
  return {
    push(atMs, run) {
      const event = { atMs, order: order++, run }
      let i = heap.length
      heap.push(event)
      while (i > 0) {
        const parent = (i - 1) >> 1
        if (!isBefore(event, at(parent))) break
        heap[i] = at(parent)
        i = parent
      }
      heap[i] = event
    },
    pop() {
      const top = heap[0]
      const last = heap.pop()
      if (heap.length === 0 || !last) return top
      let i = 0
      for (;;) {
        let child = 2 * i + 1
        if (child >= heap.length) break
        if (child + 1 < heap.length && isBefore(at(child + 1), at(child))) child++
        if (!isBefore(at(child), last)) break
        heap[i] = at(child)
        i = child
      }
      heap[i] = last
      return top
    },
  }
}

const isBefore = (a: Event, b: Event) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
