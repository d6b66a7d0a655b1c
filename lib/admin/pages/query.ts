/** A parameter of a query, as bytes: a key need not be UTF-8, and where it lives depends on each byte. */

/**
 * The bytes of the first parameter `name` in `query` (without its `?`), with `%XX` and `+` decoded;
 * undefined when it is not there. A `%` that two hexadecimal digits do not follow stands for itself.
 */
export function parameterBytes(query: string, name: string): Buffer | undefined {
  const prefix = `${name}=`
  const found = query.split('&').find((each) => each.startsWith(prefix))
  if (found === undefined) return undefined
  const text = found.slice(prefix.length).replaceAll('+', ' ')
  // Node takes bytes beyond ASCII in a request's target as latin-1: each character is a byte.
  const decoded = text.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => {
    return String.fromCharCode(Number.parseInt(digits, 16))
  })
  return Buffer.from(decoded, 'latin1')
}

/** Whether the parameter `name` is there, with or without a value. */
export function hasParameter(query: string, name: string): boolean {
  return query.split('&').some((each) => each === name || each.startsWith(`${name}=`))
}
