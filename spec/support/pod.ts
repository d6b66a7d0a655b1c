/**
 * A pod's container on this machine: its volumes as the kubelet lays them out, its variables with the
 * paths where they are here. What a node has and we have not (cgroups, probes) is left out.
 */
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Manifest } from './kustomize.ts'
import { temporaryFiles } from './temporary-files.ts'

export interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string }
}

export interface Container {
  readonly name: string
  readonly restartPolicy?: string
  readonly env?: readonly { readonly name: string; readonly value: string }[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly startupProbe?: Probe
  readonly livenessProbe?: Probe
  readonly readinessProbe?: Probe
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: string[] } } }
  readonly resources: {
    readonly requests: { readonly cpu: string; readonly memory: string }
    readonly limits: { readonly memory: string }
  }
  readonly securityContext: object
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
}

export interface Volume {
  readonly name: string
  readonly configMap?: { readonly name: string }
  readonly secret?: { readonly secretName: string; readonly defaultMode?: number }
  readonly downwardAPI?: {
    readonly items: readonly {
      readonly path: string
      readonly fieldRef: { readonly fieldPath: string }
    }[]
  }
  readonly emptyDir?: object
}

export interface PodSpec {
  readonly restartPolicy?: string
  readonly terminationGracePeriodSeconds: number
  readonly automountServiceAccountToken: boolean
  readonly securityContext: { readonly fsGroup: number }
  readonly initContainers?: readonly Container[]
  readonly containers: readonly Container[]
  readonly volumes: readonly Volume[]
}

interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> }
  readonly spec: PodSpec
}

/** The template of a Deployment's or Job's pods. */
export function templateOf(workload: Manifest): PodTemplate {
  return (workload['spec'] as { template: PodTemplate }).template
}

export function containersOf({ spec }: PodTemplate): Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers]
}

/** What the cluster has for a pod, each by name. */
export interface Cluster {
  readonly namespace: string
  readonly configMaps: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/**
 * The container's variables, and its volumes in temporary directories, by their paths inside it.
 * Throws when the cluster lacks something.
 */
export function layOut(template: PodTemplate, container: Container, cluster: Cluster) {
  const mounts = new Map<string, string>()
  for (const { name, mountPath } of container.volumeMounts ?? []) {
    const volume = template.spec.volumes.find((each) => each.name === name)
    if (volume === undefined) throw new Error(`there is no volume ${name}`)
    mounts.set(mountPath, mounted(volume, template, cluster))
  }
  const variables: Record<string, string> = {}
  for (const { name, value } of container.env ?? []) variables[name] = here(value, mounts)
  return { variables, mounts }
}

/** A path, or text with a path at its end, where that is on this machine. */
function here(value: string, mounts: ReadonlyMap<string, string>): string {
  for (const [inside, outside] of mounts) {
    if (value === inside || value.includes(`${inside}/`)) return value.replace(inside, outside)
  }
  return value
}

function mounted(volume: Volume, template: PodTemplate, cluster: Cluster): string {
  const directory = join(temporaryFiles(), 'volume')
  mkdirSync(directory)
  if (volume.emptyDir !== undefined) return directory
  writeVolume(directory, filesOf(volume, template, cluster), volume.secret?.defaultMode)
  return directory
}

function filesOf(
  { configMap, secret, downwardAPI }: Volume,
  template: PodTemplate,
  { namespace, configMaps, secrets }: Cluster,
): Readonly<Record<string, string>> {
  if (configMap !== undefined) return named(configMaps, configMap.name)
  if (secret !== undefined) return named(secrets, secret.secretName)
  if (downwardAPI === undefined) throw new Error('a volume of a kind that we do not know')
  const fields: Readonly<Record<string, string>> = {
    'metadata.labels': Object.entries(template.metadata.labels)
      .map(([key, value]) => `${key}=${JSON.stringify(value)}\n`)
      .join(''),
    'metadata.annotations': '',
    'metadata.namespace': namespace,
  }
  const items = downwardAPI.items.map(({ path, fieldRef }) => {
    return [path, fields[fieldRef.fieldPath] ?? `no field ${fieldRef.fieldPath}`]
  })
  return Object.fromEntries(items)
}

function named<Value>(values: Readonly<Record<string, Value>>, name: string): Value {
  const value = values[name]
  if (value === undefined) throw new Error(`the cluster has no ${name}`)
  return value
}

let version = 0

/**
 * Writes a volume, or replaces all of it at once, as the kubelet does (its AtomicWriter): the files are
 * in a directory of their own, the link `..data` names that directory and is swapped by renaming.
 */
export function writeVolume(
  directory: string,
  files: Readonly<Record<string, string>>,
  mode = 0o644,
): void {
  const name = `..2026_11_24_12_00_00.${++version}`
  for (const [file, text] of Object.entries(files)) {
    const path = join(directory, name, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    chmodSync(path, mode)
  }
  symlinkSync(name, join(directory, '..data_tmp'))
  renameSync(join(directory, '..data_tmp'), join(directory, '..data'))
  for (const file of Object.keys(files)) {
    const link = join(directory, file)
    rmSync(link, { force: true })
    symlinkSync(join('..data', file), link)
  }
}
