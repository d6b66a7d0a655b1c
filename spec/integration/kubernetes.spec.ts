/**
 * examples/kubernetes: that the manifests are right in themselves, and that the ambassador, started
 * with the variables and files that a pod of them would have, finds the Redis servers of its
 * environment and no others.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse, stringify } from 'yaml'
import { PAGES } from '../../lib/admin/pages/pages.ts'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { OPTION_NAMES, variableName } from '../../lib/config/schema.ts'
import { runBin, startBin } from '../support/bin.ts'
import type { Child } from '../support/child.ts'
import { http } from '../support/http.ts'
import {
  type Manifest,
  manifestsOf,
  readManifests,
  renderKustomization,
} from '../support/kustomize.ts'
import { placementOver } from '../support/placement.ts'
import { type Container, containersOf, layOut, templateOf, writeVolume } from '../support/pod.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

const DIRECTORY = join(packageDirectory(), 'examples/kubernetes')
const OVERLAYS = { dev: 'development', staging: 'staging', production: 'production' } as const
type Overlay = keyof typeof OVERLAYS
const NAMES = Object.keys(OVERLAYS) as Overlay[]
/** Applied beside an overlay, for its ConfigMap and Secret. */
const MORE = ['classic-sidecar', 'unix-socket', 'job', 'classic-job']

function overlay(name: Overlay): Manifest[] {
  return renderKustomization(join(DIRECTORY, 'overlays', name))
}

function workloadIn(manifests: readonly Manifest[]): Manifest {
  const workload = manifests.find(({ kind }) => kind === 'Deployment' || kind === 'Job')
  if (workload === undefined) throw new Error('no workload')
  return workload
}

function more(name: string): Manifest {
  return workloadIn(readManifests(join(DIRECTORY, `${name}.yaml`)))
}

function ambassadorIn(workload: Manifest): Container {
  const found = containersOf(templateOf(workload)).find(({ name }) => name === 'redis-ambassador')
  if (found === undefined) throw new Error('no ambassador')
  return found
}

function configIn(manifests: readonly Manifest[]): Record<string, string> {
  const map = manifests.find(({ kind }) => kind === 'ConfigMap')
  return map?.['data'] as Record<string, string>
}

interface ShardEntry {
  readonly name: string
  readonly url: string
  readonly weight?: number
}

function shardsIn(manifests: readonly Manifest[], name: Overlay): ShardEntry[] {
  return parse(configIn(manifests)[`${OVERLAYS[name]}.yaml`] ?? '').shards
}

describe('the manifests of examples/kubernetes', () => {
  const workloads = [workloadIn(overlay('production')), ...MORE.map(more)]
  const containers = workloads.flatMap((workload) => containersOf(templateOf(workload)))

  it('are what kubectl makes of them, where there is a kubectl', () => {
    for (const name of NAMES) {
      const text = kubectl('kustomize', join(DIRECTORY, 'overlays', name))
      if (text === undefined) continue
      expect(manifestsOf(text)).to.have.deep.members(overlay(name))
    }
  })

  it('differ between environments by the shards and the namespace only', () => {
    const common = NAMES.map((name) => {
      const manifests = overlay(name)
      for (const { metadata } of manifests) expect(metadata.namespace).to.equal(name)
      const { [`${OVERLAYS[name]}.yaml`]: shards = '', ...others } = configIn(manifests)
      expect(Object.keys(parse(shards))).to.deep.equal(['shards'])
      const rest = manifests.filter(({ kind }) => kind !== 'ConfigMap')
      return JSON.stringify([others, rest]).replaceAll(`"namespace":"${name}"`, '')
    })
    expect(new Set(common).size).to.equal(1)
    const urls = NAMES.flatMap((name) => shardsIn(overlay(name), name).map(({ url }) => url))
    expect(new Set(urls).size).to.equal(urls.length)
  })

  it('let no container be root, write to its image, or gain anything', () => {
    const dockerfile = readFileSync(join(packageDirectory(), 'Dockerfile'), 'utf8')
    const [, user, group] = /^USER (\d+):(\d+)$/m.exec(dockerfile) ?? []
    for (const { name, securityContext } of containers) {
      expect(securityContext, name).to.deep.equal({
        runAsNonRoot: true,
        runAsUser: Number(user),
        runAsGroup: Number(group),
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      })
    }
    for (const workload of workloads) {
      const { spec } = templateOf(workload)
      expect(spec.automountServiceAccountToken).to.equal(false)
      expect(spec.securityContext.fsGroup).to.equal(Number(group))
      const secret = spec.volumes.find((volume) => volume.secret !== undefined)?.secret
      expect(secret?.defaultMode).to.equal(0o440)
    }
  })

  it('probe pages that there are, at the port of the admin endpoint', () => {
    const { adminListen } = parse(configIn(overlay('production'))['default.yaml'] ?? '')
    for (const workload of workloads) {
      const { ports, startupProbe, livenessProbe, readinessProbe } = ambassadorIn(workload)
      expect(adminListen).to.equal(
        `[::]:${ports?.find(({ name }) => name === 'admin')?.containerPort}`,
      )
      expect(livenessProbe?.httpGet).to.deep.equal({ path: '/livez', port: 'admin' })
      for (const probe of [startupProbe, readinessProbe]) {
        if (probe !== undefined) expect(PAGES.has(probe.httpGet?.path ?? '')).to.equal(true)
      }
      expect(startupProbe).not.to.equal(undefined)
      // A Job's pod gets no traffic.
      expect(readinessProbe === undefined).to.equal(workload.kind === 'Job')
    }
  })

  it('leave enough time to drain, and memory for what clients may hold', () => {
    const file = parse(configIn(overlay('production'))['default.yaml'] ?? '')
    const { drainTimeoutMs, maxClientMemoryMb } = file
    for (const workload of workloads) {
      const { lifecycle, resources } = ambassadorIn(workload)
      const preStopSeconds = Number(lifecycle?.preStop.exec.command[1] ?? 0)
      const { terminationGracePeriodSeconds } = templateOf(workload).spec
      expect(preStopSeconds + drainTimeoutMs / 1000).to.be.below(terminationGracePeriodSeconds)
      expect(Number.parseInt(resources.limits.memory, 10)).to.be.at.least(128 + maxClientMemoryMb)
    }
    // A classic sidecar is told to stop at the same time as the application.
    expect(ambassadorIn(more('classic-sidecar')).lifecycle).not.to.equal(undefined)
  })

  it('make a native sidecar an init container that stays, and a classic one a container', () => {
    const native = workloads.filter((workload) => {
      const { initContainers = [] } = templateOf(workload).spec
      return initContainers.some(({ restartPolicy }) => restartPolicy === 'Always')
    })
    const names = native.map(({ metadata }) => metadata.name)
    expect(names).to.deep.equal(['guest-book', 'guest-book-socket', 'nightly'])
    for (const workload of workloads.filter((each) => !native.includes(each))) {
      expect(templateOf(workload).spec.initContainers).to.equal(undefined)
    }
  })

  it('set variables that the ambassador knows', () => {
    const known = OPTION_NAMES.flatMap((name) => [variableName(name), `${variableName(name)}_FILE`])
    for (const workload of workloads) {
      expect(known).to.include.members((ambassadorIn(workload).env ?? []).map(({ name }) => name))
    }
  })
})

describe('a pod of examples/kubernetes', () => {
  const redises = new Map<string, RedisServer>()
  const started: Child[] = []
  let port: number
  let adminPort: number

  before(async () => {
    for (const name of NAMES) {
      for (const { url } of shardsIn(overlay(name), name)) {
        redises.set(url, await startRedis({ args: ['--requirepass', passwordOf(name)] }))
      }
    }
  })

  after(async () => {
    for (const redis of redises.values()) await redis.stop()
  })

  afterEach(async () => {
    for (const child of started.splice(0)) await child.kill()
    for (const name of NAMES) {
      for (const { url } of shardsIn(overlay(name), name)) await ask(url, name, 'FLUSHALL')
    }
  })

  function passwordOf(name: Overlay): string {
    return `secret-of-${name}`
  }

  /** Asks a Redis directly. */
  async function ask(url: string, name: Overlay, ...command: string[]): Promise<string> {
    const client = await connectRaw(redises.get(url)?.port ?? 0)
    await client.request('AUTH', passwordOf(name))
    const reply = await client.request(...command)
    await client.close()
    return String(reply)
  }

  /** The overlay's ConfigMap with its Redis servers where they are here; their names stay. */
  function configHere(name: Overlay): Record<string, string> {
    const manifests = overlay(name)
    const shards = shardsIn(manifests, name).map((shard) => {
      return { ...shard, url: `redis://127.0.0.1:${redises.get(shard.url)?.port}` }
    })
    return { ...configIn(manifests), [`${OVERLAYS[name]}.yaml`]: stringify({ shards }) }
  }

  /** `namespace`: where the overlay's objects are; its own unless somebody makes a mistake. */
  async function container(workload: Manifest, name: Overlay, namespace: string = name) {
    port = await freePort()
    adminPort = await freePort()
    const { variables, mounts } = layOut(templateOf(workload), ambassadorIn(workload), {
      namespace,
      configMaps: { 'redis-ambassador': configHere(name) },
      secrets: { 'redis-shards': { password: passwordOf(name) } },
    })
    return {
      mounts,
      variables: {
        // As the image has it.
        NODE_ENV: 'production',
        AMBASSADOR_LISTEN: `127.0.0.1:${port}`,
        ...variables,
        AMBASSADOR_ADMIN_LISTEN: `0.0.0.0:${adminPort}`,
        AMBASSADOR_ENVIRONMENT_DIRECTORY: mounts.get('/etc/podinfo') ?? '/nonexistent',
      },
    }
  }

  async function start(workload: Manifest, name: Overlay) {
    const laidOut = await container(workload, name)
    const child = await startBin([], laidOut.variables)
    started.push(child)
    return { child, ...laidOut }
  }

  for (const name of NAMES) {
    it(`in ${name} has its keys where the ring of ${name} says, and nowhere else`, async () => {
      const manifests = overlay(name)
      const { child, mounts } = await start(workloadIn(manifests), name)
      const client = await connectRaw(port)
      const keys = Array.from({ length: 200 }, (_, i) => `user:${i}:name`)
      for (const key of keys) {
        expect(String(await client.request('SET', key, name))).to.equal('+OK\r\n')
        expect(String(await client.request('GET', key))).to.include(name)
      }
      await client.close()
      const shards = shardsIn(manifests, name)
      const placed = keysByShard(keys, shards)
      for (const [at, { url }] of shards.entries()) {
        const own = placed[at] ?? []
        expect(own, url).not.to.deep.equal([])
        expect(await ask(url, name, 'EXISTS', ...own)).to.equal(`:${own.length}\r\n`)
        expect(await ask(url, name, 'DBSIZE')).to.equal(`:${own.length}\r\n`)
      }
      for (const other of NAMES.filter((each) => each !== name)) {
        for (const { url } of shardsIn(overlay(other), other)) {
          expect(await ask(url, other, 'DBSIZE')).to.equal(':0\r\n')
        }
      }
      const environment = {
        name: OVERLAYS[name],
        source: `namespace ${name} in ${mounts.get('/etc/podinfo')}/namespace`,
      }
      const config = await http({ port: adminPort, path: '/config' })
      expect(JSON.parse(config.body).environment).to.deep.equal(environment)
      expect(child.output).to.include(`"environmentSource":"${environment.source}"`)
      expect(child.output).to.include(`"environment":"${environment.name}"`)
      expect(child.output).not.to.match(/"level":"(?:warn|error)"|secret-of/)
      expect(config.body).not.to.include('secret-of')
    })
  }

  for (const file of MORE) {
    it(`of ${file}.yaml serves, is ready, and ends with 0 when the pod ends`, async () => {
      const { child, mounts } = await start(more(file), 'staging')
      const socket = mounts.get('/run/redis')
      const address = socket === undefined ? port : { path: join(socket, 'redis.sock') }
      const client = await connectRaw(address)
      expect(String(await client.request('MSET', 'a', '1', 'b', '2', 'c', '3'))).to.equal('+OK\r\n')
      await client.close()
      for (const path of ['/livez', '/readyz']) {
        let status = 0
        // Up for one request is not yet up for all shards, which the Jobs ask for.
        while (status !== 200) status = (await http({ port: adminPort, path })).status
      }
      await child.kill('SIGTERM')
      expect(await child.exited).to.equal(0)
    })
  }

  it('of classic-job.yaml ends with 0 when its work says so', async () => {
    const { child } = await start(more('classic-job'), 'staging')
    const script = (containersOf(templateOf(more('classic-job')))[1] as { args?: string[] })
      .args?.[0]
    expect(script).to.include('http://127.0.0.1:9380/drain')
    expect(script).to.include('Content-Type:application/json --post-data {}')
    const headers = { 'content-type': 'application/json', 'content-length': '2' }
    const order = { port: adminPort, path: '/drain', method: 'POST', headers }
    expect((await http(order, '{}')).status).to.equal(202)
    expect(await child.exited).to.equal(0)
  })

  it('finds no shards in a namespace that is not that of its ConfigMap, and does not start', async () => {
    const workload = workloadIn(overlay('production'))
    const { variables } = await container(workload, 'production', 'staging')
    const { code, stderr } = await runBin([], variables)
    expect(code).to.equal(78)
    expect(stderr).to.include('there are no shards')
  })

  it('takes up a changed ConfigMap without a restart', async () => {
    const { child, mounts } = await start(workloadIn(overlay('staging')), 'staging')
    const config = configHere('staging')
    const { 'default.yaml': common = '' } = config
    const reloaded = child.ready({ log: 'configuration reloaded' })
    writeVolume(mounts.get('/etc/redis-ambassador') ?? '', {
      ...config,
      'default.yaml': common.replace('maxClients: 1000', 'maxClients: 77'),
    })
    await reloaded
    const { body } = await http({ port: adminPort, path: '/stats' })
    expect(JSON.parse(body).clientsMax).to.equal(77)
  })
})

/** undefined: not installed. */
function kubectl(...args: string[]): string | undefined {
  try {
    return String(execFileSync('kubectl', args, { stdio: ['ignore', 'pipe', 'inherit'] }))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function keysByShard(keys: readonly string[], shards: readonly ShardEntry[]): string[][] {
  const placement = placementOver(shards.map(({ name, weight = 1 }) => ({ name, weight })))
  const placed: string[][] = shards.map(() => [])
  for (const key of keys) placed[placement.shardOf(Buffer.from(key), 0, key.length)]?.push(key)
  return placed
}
