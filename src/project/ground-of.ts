import { type CallerConnection, type EventGround, readGround } from '../runtime/index.js'
import type { Projection } from './define-projection.js'

/** What is needed to read a projection's events. Takes no lock. @throws as `readGround` */
export function groundOf(
  connection: CallerConnection,
  { rules }: Pick<Projection, 'rules'>,
): Promise<EventGround> {
  return readGround(
    connection,
    rules.map(({ aggregate }) => aggregate),
  )
}
