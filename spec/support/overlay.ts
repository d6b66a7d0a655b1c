/** An overlay of examples/kubernetes: its manifests, and its ambassador as a process on this machine. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { startBin } from './bin.ts'
import { type Manifest, manifestsOf, renderKustomization } from './kustomize.ts'
import { containersOf, layOut, templateOf } from './pod.ts'
import { freePort } from './ports.ts'

export class Overlay {
  readonly manifests: readonly Manifest[]
  /** The files of its ConfigMap, by name. */
  readonly config: Readonly<Record<string, string>>
  readonly workload: Manifest
  readonly #name: string

  /** Throws without a Deployment. */
  constructor(name: string) {
    this.#name = name
    this.manifests = renderKustomization(this.#directory)
    const kinds = new Map(this.manifests.map((manifest) => [manifest.kind, manifest]))
    this.config = (kinds.get('ConfigMap')?.['data'] ?? {}) as Record<string, string>
    const workload = kinds.get('Deployment')
    if (workload === undefined) throw new Error('no workload')
    this.workload = workload
  }

  /** Expects the manifests that kubectl makes, if kubectl is installed. */
  expectAsKubectl(): void {
    try {
      const args = ['kustomize', this.#directory]
      const text = String(execFileSync('kubectl', args, { stdio: 'pipe' }))
      expect(manifestsOf(text)).to.have.deep.members(this.manifests)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  /** Starts the ambassador as in its pod, on a free port. `files` replace files of the ConfigMap. */
  async start(files: Readonly<Record<string, string>>, password: string) {
    const template = templateOf(this.workload)
    const container = containersOf(template).find(({ name }) => name === 'redis-ambassador')
    if (container === undefined) throw new Error('no ambassador')
    const { variables, mounts } = layOut(template, container, {
      namespace: this.#name,
      configMaps: { 'redis-ambassador': { ...this.config, ...files } },
      secrets: { 'redis-shards': { password } },
    })
    const port = await freePort()
    const bin = await startBin([], {
      NODE_ENV: 'production',
      ...variables,
      AMBASSADOR_LISTEN: `127.0.0.1:${port}`,
      AMBASSADOR_ADMIN_LISTEN: 'off',
      AMBASSADOR_ENVIRONMENT_DIRECTORY: mounts.get('/etc/podinfo') ?? '/nonexistent',
    })
    return { bin, port }
  }

  get #directory(): string {
    return join(packageDirectory(), 'examples/kubernetes/overlays', this.#name)
  }
}
