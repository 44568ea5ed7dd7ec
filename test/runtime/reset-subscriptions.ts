import type pg from 'pg'
import { insertSubscriptions } from '../support/subscription.js'

/** No row, and no event from before. */
export async function forgetSubscriptions(admin: pg.Client): Promise<void> {
  await admin.query(`
    begin;
    delete from public.subscriptions;
    alter table public.events_subscription disable trigger eventward_append_only,
      disable trigger eventward_append_only_own;
    delete from public.events_subscription;
    alter table public.events_subscription enable always trigger eventward_append_only,
      enable always trigger eventward_append_only_own;
    commit`)
}

/** The two rows of the slide, just inserted. */
export async function resetSubscriptions(admin: pg.Client): Promise<void> {
  await forgetSubscriptions(admin)
  await admin.query(insertSubscriptions)
}
