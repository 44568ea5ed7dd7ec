import type { CatalogTable } from './catalog-table.js'

/** Why a table can't be moved: a code, what is wrong with it, and what to do. */
export interface UnsupportedReason {
  readonly code: `EW_${string}`
  readonly message: string
  readonly next: string
}

/** Says why a table can't be moved to events; empty where it can. The kind of the table is said before its key. */
export function unsupportedReasons(table: CatalogTable): readonly UnsupportedReason[] {
  const kind = kindReason(table)
  if (kind !== null) return [kind]
  return [persistenceReason(table), keyReason(table)].filter((reason) => reason !== null)
}

function kindReason(table: CatalogTable): UnsupportedReason | null {
  switch (table.kind) {
    case 'plain':
      return table.hasInheritanceChildren ? inheritance('has children made with INHERITS') : null
    case 'partitioned':
      return null
    case 'inherits':
      return inheritance('inherits from another table')
    case 'partition':
      return {
        code: 'EW_TABLE_PARTITION',
        message: 'is a partition and moves with its parent',
        next: 'Define an aggregate for the partitioned table instead.',
      }
    case 'view':
      return {
        code: 'EW_TABLE_VIEW',
        message: 'is a view: it has no rows of its own',
        next: 'Define aggregates for the tables that it reads.',
      }
    case 'foreign':
      return {
        code: 'EW_TABLE_FOREIGN',
        message: 'is a foreign table: its rows and their events could not share a transaction',
        next: 'Run eventward on the server that holds the rows.',
      }
    case 'other':
      return { code: 'EW_TABLE_KIND', message: 'is not a table', next: 'Leave it out of the configuration.' }
  }
}

/** Rows of a child are seen through its parent, and each member of the tree may be written directly (hazard A9). */
function inheritance(what: string): UnsupportedReason {
  return {
    code: 'EW_TABLE_INHERITS',
    message: `${what}: a row could be written past the triggers of its table`,
    next: 'Turn the tree into a partitioned table, or leave it out.',
  }
}

function persistenceReason(table: CatalogTable): UnsupportedReason | null {
  if (table.unloggedLeaf !== null) {
    return {
      code: 'EW_TABLE_UNLOGGED',
      message: `has an unlogged partition (${table.unloggedLeaf}): a crash empties it, but not its events`,
      next: `Run \`alter table ${table.unloggedLeaf} set logged\`, or leave the table out.`,
    }
  }
  if (table.persistence === 'permanent') return null
  return table.persistence === 'temporary'
    ? {
        code: 'EW_TABLE_TEMPORARY',
        message: 'is temporary: no other session sees its rows',
        next: 'Leave it out of the configuration.',
      }
    : {
        code: 'EW_TABLE_UNLOGGED',
        message: 'is unlogged: a crash empties it, but not its events',
        next: 'Run `alter table ... set logged`, or leave it out.',
      }
}

/** A deferrable key lets two rows of one key live inside a transaction: events would be out of order (hazard A3). */
function keyReason(table: CatalogTable): UnsupportedReason | null {
  if (table.key === null) {
    return {
      code: 'EW_KEY_MISSING',
      message: 'has no key: nothing tells which row an event belongs to',
      next: 'Add a primary key, or a unique index on NOT NULL columns that are not generated.',
    }
  }
  if (!table.key.deferrable) return table.key.walkable ? null : orderReason(table.key.index)
  return {
    code: 'EW_KEY_DEFERRABLE',
    message: `has a deferrable key only (${table.key.index}): two rows may share it inside a transaction`,
    next: 'Make the constraint NOT DEFERRABLE, or add a unique index on NOT NULL columns.',
  }
}

/** Keys are walked by `order by k using <`, which an index with NULLS FIRST or of mixed directions doesn't serve. */
function orderReason(index: string): UnsupportedReason {
  return {
    code: 'EW_KEY_ORDER',
    message: `has a key only whose index (${index}) mixes directions or NULLS FIRST: its rows can't be walked in the order of their keys`,
    next: 'Add a primary key, or a unique index on the same columns all in one direction.',
  }
}
