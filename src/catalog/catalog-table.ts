/** What `pg_catalog` says about a table, as plain data. OIDs and estimates are text. */
export interface CatalogTable {
  readonly oid: string
  readonly schema: string
  readonly name: string
  /** `partition` is a leaf or branch of a partitioned table; it moves with its parent. */
  readonly kind: 'plain' | 'partitioned' | 'partition' | 'inherits' | 'view' | 'foreign' | 'other'
  /** True where other tables inherit from this one by INHERITS (not partitions). */
  readonly hasInheritanceChildren: boolean
  readonly columns: readonly CatalogColumn[]
  /**
   * The primary key, else the usable unique index of fewest columns (then by name), else a deferrable one, else null.
   * A deferrable key, or one not walkable, is given so that it can be named; it must be refused (see `unsupportedReasons`).
   */
  readonly key: CatalogKey | null
  /** All unique indexes that could be the key, in that order. A definition may have been written for another one. */
  readonly keys: readonly CatalogKey[]
  readonly persistence: 'permanent' | 'unlogged' | 'temporary'
  /** Of a partitioned table: its first leaf that is not permanent, as `schema.name`; null where there is none. */
  readonly unloggedLeaf: string | null
  /** `pg_class.reltuples` rounded, or null where it was never analysed. */
  readonly rowEstimate: string | null
  /** Heap and TOAST, in bytes. */
  readonly bytes: string
  readonly hasRules: boolean
}

export interface CatalogColumn {
  readonly name: string
  readonly attnum: number
  readonly typeOid: string
  /** `format_type(atttypid, atttypmod)` under search_path pg_catalog: `numeric(10,2)`, `public.mpaa_rating`. */
  readonly type: string
  /**
   * What to cast a text to when decoding: domains resolved, no modifiers, quoted and qualified: `pg_catalog."numeric"`.
   * Leads through bpchar where the cast from text is not the type's input.
   */
  readonly castType: string
  /** `pg_type.typname` of the base type, domains resolved: `int4`, `_text`, `mpaa_rating`. */
  readonly baseTypeName: string
  /** Schema of the base type. */
  readonly baseTypeSchema: string
  /** `pg_type.typtype` of the base type: b base, c composite, e enum, p pseudo, r range, m multirange. */
  readonly baseTypeKind: string
  /** `pg_type.typcategory` of the base type; `A` is an array. */
  readonly baseTypeCategory: string
  /** True where the declared type is a domain. */
  readonly domain: boolean
  readonly nullable: boolean
  readonly generated: boolean
  readonly identity: boolean
  /** The default expression as SQL text, or null. */
  readonly default: string | null
  /** Labels in sort order, where the base type is an enum. */
  readonly enumLabels: readonly string[] | null
  /** False where the column's collation is not deterministic. */
  readonly deterministic: boolean
}

export interface CatalogKey {
  readonly index: string
  readonly primary: boolean
  readonly deferrable: boolean
  /** False where the index mixes directions or NULLS FIRST: no scan of it gives the keys from the least upwards. */
  readonly walkable: boolean
  readonly columns: readonly CatalogKeyColumn[]
}

export interface CatalogKeyColumn {
  readonly name: string
  /** The operators of the index's operator class, as `operator(pg_catalog.<)`: never found by search_path. */
  readonly less: string
  readonly greater: string
  readonly equal: string
  /** True where the three are pg_catalog's `<`, `>` and `=`, so that a row comparison may be used. */
  readonly builtIn: boolean
  /** True for a domain over an enum, array, range or composite: the operators take its base type only. */
  readonly asBase: boolean
}
