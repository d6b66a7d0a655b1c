/**
 * CONFIG GET: the shards' own settings as far as all agree, and ours where they are about the
 * connection that the client has. Secrets are never told. With CONFIG SET allowed, what would lock
 * us out of the shards is still refused, and so is what CONFIG GET would not tell: our own settings.
 */

import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { type Failure, notSupported } from '../../failures.ts'
import { encodeValue, type Value } from '../../resp/encode.ts'
import { isError } from '../../resp/reply-reader.ts'
import { type Fields, fieldsOf, readReply } from '../../resp/reply-value.ts'
import { argumentText } from '../core/arguments.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import type { Sender } from '../core/sender.ts'

/** Passwords, of clients, of masters and of keys. */
const SECRET = /pass$|auth$/

/** Where it listens and who may come in: the connections we open next would be turned away. */
const LOCKS_OUT = /^(requirepass|port|bind|unixsocket|tls-.*|aclfile)$/

/** By name, as CONFIG GET tells them. */
export type OwnSettings = Readonly<Record<string, string>>

export interface ConfigOptions {
  readonly sender: Sender
  /** Settings that are about us: they stand in for the shards'. */
  readonly own: () => OwnSettings
}

export function configCommands(options: ConfigOptions): Record<string, SpecialCommand> {
  const { sender } = options
  return {
    'config|get': (client, request, row) => {
      const { protocol } = client.lane
      sender.sendToAll(client, request, row, (replies) => {
        return replies.find(isError) ?? mergeSettings(replies, options.own(), protocol)
      })
    },
    'config|set': (client, request, row) => {
      const why = refusedSetting(request, row, options.own())
      if (why === undefined) sender.dispatch(client, request, row)
      else client.session.refuse(why)
    },
  }
}

/** CONFIG SET of what no client may set, outside of a transaction or in one. */
export function refusedSetting(
  request: ScannedRequest,
  row: CommandRow,
  own: OwnSettings,
): Failure | undefined {
  const because = row.name === 'config|set' ? whyNotSet(request, own) : undefined
  return because === undefined ? undefined : notSupported(row.name, because)
}

function whyNotSet(request: ScannedRequest, own: OwnSettings): string | undefined {
  for (let i = 2; i < request.argc; i += 2) {
    const name = argumentText(request, i).toLowerCase()
    if (LOCKS_OUT.test(name)) return 'the ambassador could not connect to the shards any more'
    if (Object.hasOwn(own, name)) return `the ambassador has a ${name} of its own, an option`
  }
  return undefined
}

function mergeSettings(
  replies: readonly Buffer[],
  own: OwnSettings,
  protocol: 2 | 3,
): Buffer | undefined {
  const all = replies.flatMap((reply) => fieldsOf(readReply(reply)) ?? [])
  if (all.length < replies.length) return undefined
  const merged: Fields = new Map()
  for (const name of new Set(all.flatMap((fields) => [...fields.keys()]))) {
    const text = String(name)
    if (SECRET.test(text)) continue
    const value = own[text] ?? mergeSetting(text, all)
    if (value !== undefined) merged.set(name, value)
  }
  return encodeValue(merged, protocol)
}

/** A setting in which the shards differ has no answer; memory is theirs together. */
function mergeSetting(name: string, all: readonly Fields[]): Value | undefined {
  const values = all.map((fields) => String(fields.get(name)))
  if (name === 'maxmemory') {
    const bounds = values.map(BigInt)
    return bounds.includes(0n) ? '0' : `${bounds.reduce((sum, bound) => sum + bound, 0n)}`
  }
  return values.every((value) => value === values[0]) ? all[0]?.get(name) : undefined
}
