/** A table as the command line and the configuration name it: bare in `public`, else with its schema. */
export function tableName({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return schema === 'public' ? name : `${schema}.${name}`
}
