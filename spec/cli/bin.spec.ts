/** The command as a user meets it: texts, exit codes, and what never leaves it. */
import { join } from 'node:path'
import { expect } from 'chai'
import { packageVersion } from '../../lib/config/package-directory.ts'
import { OPTION_NAMES, variableName } from '../../lib/config/schema.ts'
import { runBin } from '../support/bin.ts'
import { runChild } from '../support/child.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

const SHARDS = { AMBASSADOR_SHARDS: 'a=10.0.0.1:6379,b=10.0.0.2:6379' }

describe('redis-ambassador', () => {
  it('prints its help: every command and every variable', async () => {
    const { code, stdout, stderr } = await runBin(['--help'])
    expect([code, stderr]).to.deep.equal([0, ''])
    for (const word of [
      'start',
      'demo',
      'check',
      'route',
      'doctor',
      'healthcheck',
      '--listen',
      '78',
    ]) {
      expect(stdout).to.include(word)
    }
    for (const name of OPTION_NAMES) expect(stdout).to.include(variableName(name))
  })

  it('prints its version', async () => {
    const { code, stdout } = await runBin(['-V'])
    expect([code, stdout]).to.deep.equal([0, `redis-ambassador ${packageVersion()}\n`])
  })

  it('ends with 64 on wrong usage', async () => {
    expect(await runBin(['--shrads', 'a:1'])).to.deep.equal({
      code: 64,
      stdout: '',
      stderr:
        'redis-ambassador: there is no flag --shrads; did you mean "--shards"?\n' +
        'Try: redis-ambassador --help\n',
    })
  })

  it('ends with 78 on a wrong configuration, one line for each mistake (row 59)', async () => {
    const { code, stdout, stderr } = await runBin(['check', '--max-clients', '0x10'], {
      AMBASSADOR_SHARDS: 'a=redis://:hunter2@h:0',
    })
    expect([code, stdout]).to.deep.equal([78, ''])
    expect(stderr).to.equal(
      'redis-ambassador: AMBASSADOR_SHARDS: "a=redis://***@h:0" has no port from 1 to 65535\n' +
        'redis-ambassador: --max-clients: "0x10" is not a whole number from 1 to 1000000\n',
    )
  })

  it('does not mind a reader that has seen enough', async () => {
    const script = `"$0" "$1" --help | head -1; echo "\${PIPESTATUS[0]}"`
    const bin = join(process.cwd(), 'dist/bin.js')
    const { stdout, stderr } = await runChild('bash', ['-c', script, process.execPath, bin])
    expect(stderr).to.equal('')
    expect(stdout).to.match(/^redis-ambassador: .*\n0\n$/)
  })
})

describe('redis-ambassador check', () => {
  it('prints each value, what it comes from, and each shard’s share of the ring', async () => {
    const { code, stdout, stderr } = await runBin(['check', '--hash', 'md5'], {
      AMBASSADOR_SHARDS: 'a=10.0.0.1:6379,b=redis://u:hunter2@10.0.0.2/3?weight=3',
      AMBASSADOR_PASSWORD: 'hunter2',
      AMBASSADOR_ADMIN_LISTEN: 'off',
      AMBASSADOR_HASH_TAG: '',
      AMBASSADOR_REQUEST_TIMEOUT_MS: '0',
      NODE_ENV: 'production',
    })
    expect([code, stderr]).to.deep.equal([0, ''])
    for (const line of [
      /^environment +production +NODE_ENV$/m,
      /^listen +localhost:6379 +config\/default\.yaml:[0-9]+$/m,
      /^adminListen +off +AMBASSADOR_ADMIN_LISTEN$/m,
      /^hash +md5 +--hash$/m,
      /^hashTag +none +AMBASSADOR_HASH_TAG$/m,
      /^requestTimeoutMs +0 \(never\) +AMBASSADOR_REQUEST_TIMEOUT_MS$/m,
      /^maxClients +10000 +built-in default$/m,
      /^password +\*\*\* +AMBASSADOR_PASSWORD$/m,
      /^a +10\.0\.0\.1:6379 +0 +- +none +1 +2[0-9]\.[0-9] %$/m,
      /^b +10\.0\.0\.2:6379 +3 +u +\*\*\* +3 +7[0-9]\.[0-9] %$/m,
      /^\(from AMBASSADOR_SHARDS\)$/m,
    ]) {
      expect(stdout).to.match(line)
    }
    expect(stdout).not.to.include('hunter2').and.not.to.include('note:')
  })

  it('prints notes, the ring’s own among them', async () => {
    const { stdout } = await runBin(['check', '--hash', 'crc32', '--listen', '0.0.0.0:1'], SHARDS)
    expect(stdout).to.include(
      'note: INSECURE: 0.0.0.0:1 is open to the network and no password is asked for; ',
    )
    expect(stdout).to.include('note: crc32 with ketama puts nearly all keys on one shard\n')
    const one = await runBin(['check', '--hash', 'crc32', '--shards', '10.0.0.1:1'])
    expect(one.stdout).not.to.include('note:')
  })

  it('notes a hash that keeps runs of numbers on one shard', async () => {
    const { stdout } = await runBin(['check', '--hash', 'fnv1a_64', '--shards', 'h{0..3}:6379'])
    expect(stdout).to.match(
      /^note: fnv1a_64 with ketama keeps neighbours together: of [a-z:]+\d+ to [a-z:]+\d+ h[0-3]:6379 gets [4-9]\d\.\d %, where its share is [23]\d\.\d %; murmur spreads such keys; a new hash moves keys, which `diff` counts$/m,
    )
    const even = await runBin(['check', '--shards', 'h{0..3}:6379'])
    expect(even.stdout).to.match(/^hash +murmur +config\/default\.yaml:\d+$/m)
    expect(even.stdout).not.to.include('note:')
  })

  it('takes a nutcracker.yml', async () => {
    const text =
      'p:\n  listen: 127.0.0.1:22121\n  redis: true\n  backlog: 9\n  servers:\n   - 10.0.0.1:6379:1 x\n'
    const file = join(temporaryFiles({ 'nutcracker.yml': text }), 'nutcracker.yml')
    const { code, stdout } = await runBin(['check', '--config', file])
    expect(code).to.equal(0)
    expect(stdout).to.include(`${file}:2`).and.to.include("nutcracker's default")
    expect(stdout).to.include(`note: ${file}:4: backlog has no effect`)
    expect(stdout).to.match(/^x +10\.0\.0\.1:6379 +0 +- +none +1 +100\.0 %$/m)
  })
})

describe('redis-ambassador route', () => {
  const shards = '127.0.0.1:638{0..3}'

  it('says which shard owns each key, and why', async () => {
    const { code, stdout } = await runBin([
      'route',
      '--hash',
      'fnv1a_64',
      '--shards',
      shards,
      'apple',
      '{a}b',
      'café',
      '',
    ])
    expect(code).to.equal(0)
    // Hash values from reference/placement.md, 6.6.
    for (const line of [
      /^key +shard +address +hashed +fnv1a_64 +point$/m,
      /^apple +127\.0\.0\.1:638[0-3] +127\.0\.0\.1:638[0-3] +apple +1488911807 +[0-9]+$/m,
      /^\{a\}b .* a +2248273036 +[0-9]+$/m,
      /^café .* café +3472276361 +[0-9]+$/m,
      /^ +127\.0\.0\.1:6383 .* 0 +21667395$/m,
    ]) {
      expect(stdout).to.match(line)
    }
  })

  it('shows modula’s slot', async () => {
    const rules = ['--hash', 'fnv1a_64', '--distribution', 'modula']
    const { stdout } = await runBin(['route', '--shards', shards, ...rules, 'key:0', 'key:1'])
    expect(stdout).to.match(/fnv1a_64 +slot\n/)
    expect(stdout).to.match(/^key:0 +127\.0\.0\.1:6382 .* 2$/m)
    expect(stdout).to.match(/^key:1 +127\.0\.0\.1:6381 .* 1$/m)
  })

  it('says that there is no point when the key decides nothing, but its hash even so', async () => {
    const random = await runBin(['route', '--distribution', 'random', 'k'], SHARDS)
    expect(random.stdout).to.match(/^k +any, for each request another +- +k +\d+ +-$/m)
    const one = await runBin(['route', 'k'], { AMBASSADOR_SHARDS: 'a=10.0.0.1:6379' })
    expect(one.stdout).to.match(/^k +a +10\.0\.0\.1:6379 +k +\d+ +-$/m)
  })
})
