/**
 * Applications that fail when their keys live on several shards, and for each the line of configuration
 * with which it runs there unmodified. docs/applications.md says why each of them needs it.
 */
export type Language = 'node' | 'python' | 'ruby' | 'php'

export interface Application {
  readonly name: string
  readonly language: Language
  /** In the language's folder. */
  readonly script: string
  /** Of npm or Debian, as the language has it. Its version is shown. */
  readonly package: string
  /** In the ambassador's configuration, beside shards named a, b and c. */
  readonly line: string
  /** That the application must SELECT, since the line gives it a server of its own. */
  readonly database?: number
  /** Further variables of the program. */
  readonly env?: Readonly<Record<string, string>>
}

const SPLIT = 'transactions: split'
const DATABASE = { line: 'databases: { 1: { shard: b } }', database: 1 }

function routed(...prefixes: readonly string[]): string {
  return `routes: [${prefixes.map((prefix) => `{ prefix: "${prefix}", shard: b }`).join(', ')}]`
}

function node(name: string, line: string, of = name): Application {
  const script = `${name.replace(/^@/, '').replace('/', '-')}.mjs`
  return { name, language: 'node', script, package: of, line }
}

export const APPLICATIONS: readonly Application[] = [
  {
    name: 'celery',
    language: 'python',
    script: 'celery_app.py',
    package: 'python3-celery',
    line: SPLIT,
  },
  { name: 'rq', language: 'python', script: 'rq_app.py', package: 'python3-rq', line: SPLIT },
  {
    name: 'rq (dependencies)',
    language: 'python',
    script: 'rq_app.py',
    package: 'python3-rq',
    line: routed('rq:'),
    env: { WITH: 'dependencies' },
  },
  {
    name: 'django-rq',
    language: 'python',
    script: 'django_rq_app.py',
    package: 'python3-django-rq',
    line: SPLIT,
  },
  {
    name: 'django-cacheops',
    language: 'python',
    script: 'cacheops_app.py',
    package: 'python3-django-cacheops',
    ...DATABASE,
  },
  {
    name: 'tooz',
    language: 'python',
    script: 'tooz_app.py',
    package: 'python3-tooz',
    line: routed('_tooz'),
  },
  {
    name: 'optuna',
    language: 'python',
    script: 'optuna_app.py',
    package: 'python3-optuna',
    ...DATABASE,
  },
  {
    name: 'sidekiq',
    language: 'ruby',
    script: 'sidekiq_app.rb',
    package: 'ruby-sidekiq',
    line: SPLIT,
  },
  ...[
    { name: 'laravel-queue (phpredis)', env: {} },
    { name: 'laravel-queue (predis)', env: { LARAVEL_CLIENT: 'predis' } },
  ].map(({ name, env }): Application => {
    const line = routed('laravel_database_')
    return {
      name,
      language: 'php',
      script: 'laravel-queue.php',
      package: 'php-illuminate-queue',
      line,
      env,
    }
  }),
  ...[
    { name: 'laravel-cache (phpredis)', env: {} },
    { name: 'laravel-cache (predis)', env: { LARAVEL_CLIENT: 'predis' } },
  ].map(({ name, env }): Application => {
    return {
      name,
      language: 'php',
      script: 'laravel-cache.php',
      package: 'php-illuminate-cache',
      line: SPLIT,
      env,
    }
  }),
  {
    name: 'symfony-tags',
    language: 'php',
    script: 'symfony-tags.php',
    package: 'php-symfony-cache',
    ...DATABASE,
  },
  node('bullmq', routed('bull:')),
  node('bull', routed('bull:')),
  { ...node('bull', ''), name: 'bull (empty)', ...DATABASE, env: { WITH: 'empty' } },
  node('bee-queue', routed('bq:')),
  node('kue', SPLIT),
  node('node-resque', routed('resque:')),
  node('agenda', routed('agenda:'), '@agendajs/redis-backend'),
  node('bottleneck', routed('b_')),
  node('@keyv/valkey', SPLIT),
  node('redis-lru', SPLIT),
  { ...node('rsmq', ''), ...DATABASE },
]
