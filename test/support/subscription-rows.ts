/** SQL that fills `subscriptions` with rows of every status, one after the other. */
export function manySubscriptions(from: number, to: number): string {
  return `
    insert into public.subscriptions
    select i, i % 1000, i % 10, 'pm_' || i,
      (array['unpaid', 'active', 'inactive'])[1 + i % 3]::public.subscription_status,
      case when i % 3 > 0 then 'sub_' || i end,
      timestamptz '2018-01-01 00:00:00+00' + i * interval '1 minute',
      case when i % 3 > 0 then timestamptz '2018-01-02 00:00:00+00' + i * interval '1 minute' end,
      case when i % 3 = 2 then timestamptz '2019-01-02 00:00:00+00' + i * interval '1 minute' end
    from generate_series(${from}, ${to}) i;
  `
}
