/** Where the Redis is that an application is tried with, by the variables that the runner sets. */
export const host = '127.0.0.1'
export const port = Number(process.env.REDIS_PORT)
export const database = Number(process.env.REDIS_DATABASE)
export const url = `redis://${host}:${port}/${database}`

/** Applications keep connections and timers: what was to be shown has been shown. */
export function done() {
  process.exit(0)
}
