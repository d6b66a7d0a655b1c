// An ambassador inside this program. README.md beside this file says how to run it.
import { connect } from 'node:net'
import { ConfigError, createAmbassador } from 'redis-ambassador'

const print = (text) => process.stdout.write(`${text}\n`)
const log = (facts, message) => print(`${message} ${JSON.stringify(facts)}`)
const logger = { debug: () => {}, info: log, warn: log, error: log }

try {
  const ambassador = await createAmbassador(
    { listen: '127.0.0.1:0', shards: process.env.SHARDS ?? '' },
    logger,
  )
  const [{ port }] = ambassador.addresses
  print(`the ambassador is on 127.0.0.1:${port}`)
  print(await ask(port, 'MSET user:1 Ada user:2 Grace user:3 Edsger\r\nDBSIZE\r\nQUIT\r\n'))
  await ambassador.stop()
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  print(error.problems.join('\n'))
  process.exitCode = 1
}

/** Any Redis client would do; this one needs no package. Resolves to all that came back. */
function ask(port, inlineCommands) {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(inlineCommands))
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('end', () => resolve(answer.trimEnd()))
    socket.on('error', reject)
  })
}
