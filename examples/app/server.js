/**
 * A guest book. Nothing in here knows of shards: it takes REDIS_URL, as apps do, and uses an
 * ordinary client. Its keys nevertheless live on several servers, since behind that URL stands
 * redis-ambassador.
 *
 *   GET  /               the page
 *   GET  /notes          all notes as JSON, the newest first
 *   POST /notes          the body is the note
 *   DELETE /notes/ID
 */
import { createServer } from 'node:http'
import { Redis } from 'ioredis'

const NOTE_BYTES_MAX = 1000
const NOTES_SHOWN = 20

const { REDIS_URL = 'redis://127.0.0.1:6379', HOST = '127.0.0.1', PORT = '8080' } = process.env

const redis = new Redis(REDIS_URL)
redis.on('error', (error) => process.stderr.write(`redis: ${error.message}\n`))

/** One list of ids, and a key for each note: MGET gathers them from all shards. */
async function newestNotes() {
  const ids = await redis.lrange('notes', 0, NOTES_SHOWN - 1)
  if (ids.length === 0) return []
  const texts = await redis.mget(ids.map((id) => `note:${id}`))
  return ids.map((id, i) => ({ id, text: texts[i] })).filter(({ text }) => text !== null)
}

async function addNote(text) {
  const id = String(await redis.incr('note:last-id'))
  await redis.set(`note:${id}`, text)
  await redis.lpush('notes', id)
  return { id, text }
}

async function deleteNote(id) {
  await redis.lrem('notes', 0, id)
  return (await redis.del(`note:${id}`)) === 1
}

async function page() {
  const visits = await redis.incr('visits')
  const notes = await newestNotes()
  const items = notes.map(({ text }) => `<li>${escapeHtml(text)}</li>`).join('\n')
  return `<!doctype html><title>Guest book</title>
<h1>Guest book</h1><p>Visit number ${visits}.</p>
<form onsubmit="fetch('/notes', {method: 'POST', body: this.note.value}).then(() => location.reload()); return false">
<input name="note" maxlength="${NOTE_BYTES_MAX}" required autofocus> <button>Sign</button></form>
<ul>${items}</ul>`
}

function escapeHtml(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** The request's body, or undefined when it is empty or too long. */
async function readNote(request) {
  const chunks = []
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    if (length > NOTE_BYTES_MAX) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString().trim() || undefined
}

/** Resolves with status, content type and body. */
async function answer(request) {
  const [, collection, id] = new URL(request.url, 'http://app').pathname.split('/')
  const route = `${request.method} /${collection}${id === undefined ? '' : '/ID'}`
  if (route === 'GET /') return [200, 'text/html; charset=utf-8', await page()]
  if (route === 'GET /notes') return json(200, await newestNotes())
  if (route === 'POST /notes') {
    const text = await readNote(request)
    if (text === undefined) return json(400, { error: `a note has 1 to ${NOTE_BYTES_MAX} bytes` })
    return json(201, await addNote(text))
  }
  if (route === 'DELETE /notes/ID' && (await deleteNote(id))) return json(200, { id })
  return json(404, { error: 'not found' })
}

function json(status, value) {
  return [status, 'application/json', `${JSON.stringify(value)}\n`]
}

const server = createServer(async (request, response) => {
  const [status, type, body] = await answer(request).catch((error) =>
    json(503, { error: error.message }),
  )
  response.writeHead(status, { 'content-type': type }).end(body)
})

server.listen(Number(PORT), HOST, () => {
  process.stdout.write(`guest book on http://${HOST}:${server.address().port}\n`)
})

process.once('SIGTERM', stop)
process.once('SIGINT', stop)

function stop() {
  server.close(() => redis.disconnect())
  server.closeIdleConnections()
}
