/**
 * A program as an identity service would give one: each run makes up a token, lets the servers take it
 * for the user `app`, and no other any more, and prints both. What it does instead, a file next to it
 * says; another has a line for each token.
 */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFiles } from './temporary-files.ts'

const SCRIPT = `#!${process.execPath}
const fs = require('node:fs'), net = require('node:net')
const [life, ...ports] = process.argv.slice(2)
const instead = __dirname + '/instead'
if (fs.existsSync(instead)) { eval(fs.readFileSync(instead, 'utf8')) } else {
  const token = 'token-' + require('node:crypto').randomBytes(12).toString('hex')
  const order = 'ACL SETUSER app on resetpass >' + token + ' ~* &* +@all\\r\\n'
  let left = ports.length
  const done = () => {
    fs.appendFileSync(__dirname + '/tokens', token + '\\n')
    console.log(JSON.stringify({ username: 'app', password: token, expiresInSeconds: Number(life) }))
  }
  for (const port of ports) {
    const socket = net.connect(Number(port), '127.0.0.1', () => socket.write(order))
    socket.on('data', () => { socket.destroy(); if (--left === 0) done() })
  }
  if (left === 0) done()
}
`

export class TokenProgram {
  readonly #directory = temporaryFiles({ 'token.js': SCRIPT })
  readonly #words: readonly string[]

  /** Its tokens live for so many seconds, and the servers on these ports know them. */
  constructor(lifeSeconds: number, ports: readonly number[] = []) {
    chmodSync(this.path, 0o755)
    this.#words = [this.path, `${lifeSeconds}`, ...ports.map(String)]
  }

  get path(): string {
    return join(this.#directory, 'token.js')
  }

  /** For `shardAuthCommand`. */
  get command(): string {
    return this.#words.join(' ')
  }

  /** All so far. */
  get tokens(): string[] {
    const path = join(this.#directory, 'tokens')
    return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : []
  }

  /** From now on it does this instead; undefined: what it is for. */
  instead(code: string | undefined): void {
    const path = join(this.#directory, 'instead')
    if (code === undefined) rmSync(path)
    else writeFileSync(path, code)
  }
}
