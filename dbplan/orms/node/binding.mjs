/** What a raw driver holds ready for a scenario: its statements, in the form that `make` gives them. */

import { sides } from "./statements.mjs";

/**
 * Return the scenario with its statements; `make` turns a fragment into what the driver runs,
 * `among` writes the condition that columns are in a list.
 */
export function bound(statements, scenario, make, among) {
  return { scenario, ...BINDINGS[scenario.name](statements, scenario, make, among) };
}

const BINDINGS = {
  insert_one: (s, of, make) => ({ by: remembered((given) => make(s.insert(of.table, given, of.columns))) }),
  bulk_insert: (s, of, make) => ({ by: remembered((given) => make(s.bulk(of.table, given))) }),
  upsert: (s, of, make) => ({ by: remembered((given) => make(s.upsert(of, given))) }),
  point_read: (s, of, make) => ({ run: make(s.read(of)) }),
  update_one: (s, of, make) => ({ run: make(s.update(of)) }),
  filtered_list: (s, of, make) => ({ run: make(s.filtered(of)) }),
  keyset_page: (s, of, make) => ({ run: make(s.page(of)) }),
  json_filter: (s, of, make) => ({ run: make(s.document(of)) }),
  aggregate: (s, of, make) => ({ run: make(s.aggregate(of)) }),
  list_to_one: (s, of, make) => ({ run: make(s.joined(of)) }),
  nested_include: including,
  deep_include: including,
  delete_cascade: (s, of, make) => ({ all: s.deletions(of).map(make) }),
  transaction: (s, of, make) => ({
    read: make(s.read(of, s.lock)),
    update: make(s.update(of)),
    by: remembered((given) => make(s.insert(of.insert.table, given))),
  }),
};

function including(s, of, make, among) {
  const key = s.key(of.table);
  const reading = (link) => link && make(s.included(whole(link), sides(link.pairs)[1], link.order, among));
  return {
    run: make(s.included(whole(of), key, key, among)),
    key,
    children: reading(of.children),
    below: reading(of.children.children),
  };
}

/** A table with the columns that its rows are put together by, besides those that are asked for. */
function whole({ table, columns, pairs = [], children }) {
  const [above] = sides(children?.pairs ?? []);
  return { table, columns: [...new Set([...columns, ...sides(pairs)[1], ...above])] };
}

/** Return the statement for the columns that a row gives, made once for each set of them. */
function remembered(make) {
  const known = new Map();
  return (row) => {
    const given = Object.keys(row);
    const key = given.join("\u0000");
    if (!known.has(key)) known.set(key, make(given));
    return known.get(key);
  };
}
