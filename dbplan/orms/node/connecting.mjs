/** How contestants reach their database, and how long they wait for it. */

/** Milliseconds that a connection to SQLite waits for the lock of another one. */
export const TIMEOUT = 5_000;

/** What pg connects with. */
export function connection({ url }) {
  return {
    host: url.host,
    port: url.port,
    user: url.user,
    password: url.password ?? undefined,
    database: url.database,
  };
}
