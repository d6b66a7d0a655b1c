/** What clients are told of keys that have several places. */

/** Redis's own sentence comes first: there are programs that look for it. */
export const CROSSSLOT_LINE =
  "-CROSSSLOT Keys in request don't hash to the same slot. What helps: a hash tag, " +
  'or a route or a database that leads to one server\r\n'
