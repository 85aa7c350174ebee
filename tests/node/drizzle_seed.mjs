// What drizzle-seed takes to fill the benchmark's table of users, from making the values to the last INSERT.
// node drizzle_seed.mjs URL ROWS  prints {rows, seconds}; the start of Node and the connecting are left out
import { drizzle } from 'drizzle-orm/node-postgres'
import { bigint, boolean, integer, pgTable, timestamp, varchar } from 'drizzle-orm/pg-core'
import { seed } from 'drizzle-seed'
import pg from 'pg'

const [url, count] = process.argv.slice(2)
const users = pgTable('users', {
  id: bigint('id', { mode: 'number' }).primaryKey(),
  firstName: varchar('first_name', { length: 40 }).notNull(),
  lastName: varchar('last_name', { length: 40 }).notNull(),
  email: varchar('email', { length: 120 }).notNull().unique(),
  city: varchar('city', { length: 60 }).notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  isActive: boolean('is_active').notNull(),
  logins: integer('logins').notNull(),
})

const pool = new pg.Pool({ connectionString: url, max: 1 })
await pool.query('SELECT 1')
const start = performance.now()
await seed(drizzle(pool), { users }, { count: Number(count), seed: 7 }).refine((make) => ({
  users: {
    columns: {
      firstName: make.firstName(),
      lastName: make.lastName(),
      email: make.email(),
      city: make.city(),
      createdAt: make.date({ minDate: '2024-01-01', maxDate: '2026-01-01' }),
      isActive: make.boolean(),
      logins: make.int({ minValue: 0, maxValue: 10000 }),
    },
  },
}))
const seconds = (performance.now() - start) / 1000
const { rows: [{ rows }] } = await pool.query('SELECT count(*)::int AS rows FROM users')
console.log(JSON.stringify({ rows, seconds }))
await pool.end()
