/** One HTTP request on a connection of its own, and all of its answer. */
import { type IncomingHttpHeaders, type RequestOptions, request } from 'node:http'

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** `where`: as for node:http, for example `{ port: 9380, path: '/livez' }`; the host is this machine. */
export function http(where: RequestOptions, body?: string): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', agent: false, ...where }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode = 0, headers } = response
        resolve({ status: statusCode, headers, body: Buffer.concat(parts).toString() })
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}
