/** How a process is told that it is a worker: by its only argument, and a channel to who started it. */
export const WORKER_WORD = 'worker'
