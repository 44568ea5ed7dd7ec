/** As the command line names a table: `name` in public, `schema.name` elsewhere. */
export function tableName({ schema, table }: { readonly schema: string; readonly table: string }): string {
  return schema === 'public' ? table : `${schema}.${table}`
}
