/** Handles events one at a time, in order. */
export type Mailbox<Event> = {
  /** Queues an own event. There are few of them, and one that is lost does not come again. */
  post(event: Event): void
  /** Queues what others send; false when so much of it waits that the event is dropped. */
  offer(event: Event): boolean
  /** Drops what is queued and takes no more; resolves once the current event is handled. */
  close(): Promise<void>
}

/**
 * @param limit - most offered events that wait; own ones do not count.
 * @param onError - told of an error that the handler threw; the mailbox is closed by then.
 */
export function createMailbox<Event>(
  limit: number,
  handle: (event: Event) => Promise<void>,
  onError: (error: unknown) => void,
): Mailbox<Event> {
  let queue: { readonly event: Event; readonly isOffered: boolean }[] = []
  let offered = 0
  let isOpen = true
  let running: Promise<void> | undefined
  const run = async () => {
    try {
      for (let next = queue.shift(); next; next = queue.shift()) {
        if (next.isOffered) offered--
        await handle(next.event)
      }
    } catch (error) {
      isOpen = false
      queue = []
      onError(error)
    } finally {
      running = undefined
    }
  }
  const add = (event: Event, isOffered: boolean) => {
    queue.push({ event, isOffered })
    running ??= Promise.resolve().then(run)
  }
  return {
    post(event) {
      if (isOpen) add(event, false)
    },
    offer(event) {
      if (!isOpen || offered >= limit) return false
      offered++
      add(event, true)
      return true
    },
    close() {
      isOpen = false
      queue = []
      return running ?? Promise.resolve()
    },
  }
}
