/**
 * As much of kustomize as examples/kubernetes uses: `resources`, `namespace`, and `patches` that are
 * files and merge maps. Anything else is refused, so that nothing is passed over in silence. The spec
 * compares it with `kubectl kustomize` where there is one.
 */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { parseAllDocuments } from 'yaml'

export interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly [key: string]: unknown
}

interface Kustomization {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly resources: readonly string[]
  readonly patches?: readonly { readonly path: string }[]
}

const KNOWN = ['apiVersion', 'kind', 'namespace', 'resources', 'patches']

/** The documents of a file as the API server reads them, which takes 0440 for octal (YAML 1.1). */
export function readManifests(file: string): Manifest[] {
  return manifestsOf(readFileSync(file, 'utf8'))
}

export function manifestsOf(text: string): Manifest[] {
  const documents = parseAllDocuments(text, { version: '1.1' })
  if (!Array.isArray(documents)) throw new Error('no documents')
  return documents.map((document) => {
    const [error] = document.errors
    if (error !== undefined) throw error
    return document.toJS() as Manifest
  })
}

/** What `kubectl kustomize` prints for this directory, as objects. */
export function renderKustomization(directory: string): Manifest[] {
  const [read] = readManifests(join(directory, 'kustomization.yaml'))
  const kustomization = read as unknown as Kustomization
  const unknown = Object.keys(kustomization).filter((key) => !KNOWN.includes(key))
  if (unknown.length > 0) throw new Error(`${directory}: ${unknown} is more than we know`)
  const { resources, namespace, patches = [] } = kustomization
  let manifests = resources.flatMap((name) => {
    const path = join(directory, name)
    return statSync(path).isDirectory() ? renderKustomization(path) : readManifests(path)
  })
  for (const { path, ...others } of patches) {
    if (Object.keys(others).length > 0) throw new Error(`${directory}: a patch by path only`)
    for (const patch of readManifests(join(directory, path))) manifests = patched(manifests, patch)
  }
  if (namespace === undefined) return manifests
  return manifests.map((manifest) => {
    return { ...manifest, metadata: { ...manifest.metadata, namespace } }
  })
}

function patched(manifests: readonly Manifest[], patch: Manifest): Manifest[] {
  const isTarget = ({ kind, metadata }: Manifest) => {
    return kind === patch.kind && metadata.name === patch.metadata.name
  }
  if (!manifests.some(isTarget)) throw new Error(`nothing to patch for ${patch.metadata.name}`)
  return manifests.map((each) => (isTarget(each) ? (merged(each, patch) as Manifest) : each))
}

/** `over` laid over `under`: maps are merged, scalars replaced, lists must be the same. */
function merged(under: unknown, over: unknown): unknown {
  if (isMap(under) && isMap(over)) {
    const entries = Object.entries(over).map(([key, value]) => {
      return [key, key in under ? merged(under[key], value) : value]
    })
    return { ...under, ...Object.fromEntries(entries) }
  }
  if (Array.isArray(under) && !isDeepStrictEqual(under, over)) {
    throw new Error('merging lists is more than we know')
  }
  return over
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
