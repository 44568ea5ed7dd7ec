import pg from 'pg'
import { type CommandForm, STRIPE_KEY } from './command-form.js'

/** Tables of their own, and all of it as one function: the least that the server can do. */
export const INSTALL_BY_HAND = `
create table bench.hand_subscriptions (like public.subscriptions including all);
insert into bench.hand_subscriptions table public.subscriptions;
create table bench.hand_events (
  position bigint generated always as identity primary key,
  stream bigint not null,
  version integer not null,
  type text not null,
  data jsonb not null,
  metadata jsonb not null,
  recorded_at timestamptz not null default clock_timestamp(),
  unique (stream, version)
);
insert into bench.hand_events (stream, version, type, data, metadata)
select id, 1, 'Created', jsonb_build_object('user_id', user_id, 'reward_id', reward_id), '{}'
from bench.hand_subscriptions;
create function bench.flip(subscription bigint, key text, metadata jsonb) returns text
language plpgsql as $$
declare
  was public.subscription_status;
  now timestamptz := clock_timestamp();
  kind text;
begin
  select status into was from bench.hand_subscriptions where id = subscription for no key update;
  kind := case when was = 'active' then 'Deactivated' else 'Activated' end;
  insert into bench.hand_events (stream, version, type, data, metadata)
  select subscription, max(version) + 1, kind,
    case when was = 'active' then '{}' else jsonb_build_object('stripe_key', key) end, flip.metadata
  from bench.hand_events where stream = subscription;
  if was = 'active' then
    update bench.hand_subscriptions set status = 'inactive', deactivated_at = now where id = subscription;
  else
    update bench.hand_subscriptions set status = 'active', activated_at = now, stripe_key = key where id = subscription;
  end if;
  return kind;
end $$`

const METADATA = JSON.stringify({ command: 'Flip' })

/** One SQL function, called in one round trip. */
export function oneFunction(url: string, connections: number): CommandForm {
  const pool = new pg.Pool({ connectionString: url, max: connections })
  const text = 'select bench.flip($1::bigint, $2::text, $3::jsonb)'
  return {
    flip: (id) => pool.query({ name: 'flip', text, values: [id, STRIPE_KEY, METADATA] }),
    close: () => pool.end(),
  }
}

/** As one writes it in an application without a library: begin, load, append, update, commit; each prepared. */
export function roundTrips(url: string, connections: number): CommandForm {
  const pool = new pg.Pool({ connectionString: url, max: connections })
  return {
    flip: async (id) => {
      const client = await pool.connect()
      try {
        await client.query('begin')
        const { rows } = await client.query<{ status: string }>({
          name: 'load',
          text: 'select status from bench.hand_subscriptions where id = $1::bigint for no key update',
          values: [id],
        })
        const active = rows[0]?.status === 'active'
        // The version in a statement of its own: one that waited for the row's lock still has its older snapshot.
        await client.query({
          name: 'append',
          text: `insert into bench.hand_events (stream, version, type, data, metadata)
            select $1::bigint, max(version) + 1, $2::text, $3::jsonb, $4::jsonb
            from bench.hand_events where stream = $1::bigint`,
          values: [
            id,
            active ? 'Deactivated' : 'Activated',
            active ? '{}' : JSON.stringify({ stripe_key: STRIPE_KEY }),
            METADATA,
          ],
        })
        await client.query(active ? deactivate(id) : activate(id))
        await client.query('commit')
      } catch (error) {
        await client.query('rollback')
        throw error
      } finally {
        client.release()
      }
    },
    close: () => pool.end(),
  }
}

const activate = (id: number) => ({
  name: 'activate',
  text: `update bench.hand_subscriptions
    set status = 'active', activated_at = clock_timestamp(), stripe_key = $2::text where id = $1::bigint`,
  values: [id, STRIPE_KEY],
})
const deactivate = (id: number) => ({
  name: 'deactivate',
  text: `update bench.hand_subscriptions
    set status = 'inactive', deactivated_at = clock_timestamp() where id = $1::bigint`,
  values: [id],
})
