/** Handles events one at a time, in order. */
export type Mailbox<Event> = {
  /** Queues an event; false when the queue is full and the event is dropped. */
  post(event: Event): boolean
  /** Drops what is queued and takes no more; resolves once the current event is handled. */
  close(): Promise<void>
}

/** @param onError - told of an error that the handler threw; the mailbox is closed by then. */
export function createMailbox<Event>(
  limit: number,
  handle: (event: Event) => Promise<void>,
  onError: (error: unknown) => void,
): Mailbox<Event> {
  let queue: Event[] = []
  let isOpen = true
  let running: Promise<void> | undefined
  const run = async () => {
    try {
      for (let event = queue.shift(); event !== undefined; event = queue.shift())
        await handle(event)
    } catch (error) {
      isOpen = false
      queue = []
      onError(error)
    } finally {
      running = undefined
    }
  }
  return {
    post(event) {
      if (!isOpen || queue.length >= limit) return false
      queue.push(event)
      running ??= Promise.resolve().then(run)
      return true
    },
    close() {
      isOpen = false
      queue = []
      return running ?? Promise.resolve()
    },
  }
}
