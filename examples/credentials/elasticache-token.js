#!/usr/bin/env node
// Prints user and token for ElastiCache or MemoryDB with IAM, as `shardAuthCommand` wants them.
// The token is a presigned request (AWS Signature Version 4) without its scheme. It is good for AUTH
// for 15 minutes; a connection is closed after 12 hours unless it logs in again.
//
//   elasticache-token.js CACHE USER [REGION] [elasticache|memorydb] [serverless]
//
// CACHE: the id of the replication group, the name of the serverless cache or of the MemoryDB cluster.
// The keys come from `aws configure export-credentials`, whatever they are: roles, profiles, IRSA.
import { execFileSync } from 'node:child_process'
import { createHash, createHmac } from 'node:crypto'
import { pathToFileURL } from 'node:url'

const LIFE_SECONDS = 900

/** `payload`: its hash, as the service wants it. `date`: `20130524T000000Z`. */
export function presignedUrl({ host, path, query, region, service, keys, date, seconds, payload }) {
  const day = date.slice(0, 8)
  const scope = `${day}/${region}/${service}/aws4_request`
  const all = {
    ...query,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${keys.AccessKeyId}/${scope}`,
    'X-Amz-Date': date,
    'X-Amz-Expires': `${seconds}`,
    ...(keys.SessionToken === undefined ? {} : { 'X-Amz-Security-Token': keys.SessionToken }),
    'X-Amz-SignedHeaders': 'host',
  }
  const text = Object.entries(all)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&')
  const request = ['GET', path, text, `host:${host}`, '', 'host', payload].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(request)].join('\n')
  const key = [day, region, service, 'aws4_request'].reduce(
    (secret, part) => hmac(secret, part),
    `AWS4${keys.SecretAccessKey}`,
  )
  return `${host}${path}?${text}&X-Amz-Signature=${hmac(key, toSign).toString('hex')}`
}

export function sha256(text) {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key, text) {
  return createHmac('sha256', key).update(text).digest()
}

/** RFC 3986: encodeURIComponent leaves five characters as they are that must not stay. */
function encoded(text) {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function main([cache, user, region = process.env.AWS_REGION, service = 'elasticache', kind]) {
  if (cache === undefined || user === undefined || region === undefined) {
    process.stderr.write(
      'usage: elasticache-token.js CACHE USER REGION [elasticache|memorydb] [serverless]\n',
    )
    process.exit(64)
  }
  const command = ['configure', 'export-credentials', '--format', 'process']
  const keys = JSON.parse(execFileSync('aws', command, { encoding: 'utf8' }))
  const password = presignedUrl({
    host: cache,
    path: '/',
    query: {
      Action: 'connect',
      User: user,
      ...(kind === 'serverless' ? { ResourceType: 'ServerlessCache' } : {}),
    },
    region,
    service,
    keys,
    date: new Date().toISOString().replace(/[-:]|\.\d+/g, ''),
    seconds: LIFE_SECONDS,
    payload: sha256(''),
  })
  const printed = { username: user, password, expiresInSeconds: LIFE_SECONDS }
  process.stdout.write(`${JSON.stringify(printed)}\n`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv.slice(2))
