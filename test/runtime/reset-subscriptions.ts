import type pg from 'pg'
import { insertSubscriptions } from '../support/subscription.js'

/** The two rows of the slide, just inserted, and no event from before. */
export async function resetSubscriptions(admin: pg.Client): Promise<void> {
  await admin.query(`
    begin;
    delete from public.subscriptions;
    alter table public.events_subscription disable trigger eventward_append_only,
      disable trigger eventward_append_only_own;
    delete from public.events_subscription;
    alter table public.events_subscription enable always trigger eventward_append_only,
      enable always trigger eventward_append_only_own;
    ${insertSubscriptions}
    commit`)
}
