/** Load: calls by many clients at once, as fast as they go or due at fixed times. */

import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { message, typeName } from "./errors.mjs";

const now = () => Number(process.hrtime.bigint()) / 1e9;

/**
 * Run `call` with parameters by so many clients, for so many seconds or until the parameters are used up.
 * With a `rate` a second calls are due at fixed times, and their nanoseconds count from then.
 */
export async function load(call, given, { clients, seconds = null, rate = null }) {
  const work = { next: 0, began: now(), ns: [], errors: {}, late: 0 };
  await Promise.all(Array.from({ length: clients }, () => client(work, call, given, seconds, rate)));
  const said = { done: work.ns.length, seconds: now() - work.began, ns: work.ns, errors: work.errors };
  if (rate === null || seconds === null) return said;
  return { ...said, late: work.late, skipped: Math.max(0, Math.trunc(rate * seconds) - work.ns.length) };
}

async function client(work, call, given, seconds, rate) {
  for (;;) {
    const number = work.next++;
    const due = rate ? work.began + number / rate : now();
    const over = seconds !== null && Math.max(due, now()) >= work.began + seconds;
    if (over || (seconds === null && number >= given.length)) return;
    await until(due);
    const began = now();
    try {
      await call(given[number % given.length]);
    } catch (error) {
      const text = `${typeName(error)}: ${message(error).slice(0, 120)}`;
      work.errors[text] = (work.errors[text] ?? 0) + 1;
    }
    if (rate && began - due > 0.001) work.late++;
    work.ns.push(Math.round(1e9 * (now() - (rate ? due : began))));
  }
}

/** Wait until then, and no less: a timer counts whole milliseconds, and may be early. */
async function until(due) {
  for (let wait = due - now(); wait > 0; wait = due - now()) await (wait > 0.002 ? sleep(1000 * wait - 1) : turn());
}
