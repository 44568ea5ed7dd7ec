import type { BoundColumn, BoundEvent, BoundModel, EventShape, Row } from '../definition/index.js'
import { compareInstants, localOfUtc } from '../encode/index.js'
import { compileFold } from '../fold/index.js'
import { type Draft, dataOf } from './draft.js'
import { holds, text } from './holds.js'
import { instantOf } from './instant-of.js'
import type { RecogniseContext, RecognisedEvent } from './recognised-event.js'
import { isRecognisable, laterColumns } from './residue-place.js'
import { streamOf } from './stream-of.js'

/** The creating event first, then what else the row tells, by time; residue last. */
export function recogniseCreation(
  model: BoundModel,
  after: Row,
  context: RecogniseContext,
): readonly RecognisedEvent[] {
  const creating = creatingEvent(model, after)
  const now = timeOfUndated(model, creating, after, context)
  const write = new Write(model, null, after, { ...context, now })
  const later = laterColumns(model)
  write.add(creating, (column) => !later.has(column.name))
  return write.finish()
}

/** The events that an update of one row means, by time; residue last. */
export function recogniseUpdate(
  model: BoundModel,
  before: Row,
  after: Row,
  context: RecogniseContext,
): readonly RecognisedEvent[] {
  return new Write(model, before, after, context).finish()
}

/** The first creating event whose condition holds, else the last declared: what it can't explain is residue. */
function creatingEvent(model: BoundModel, after: Row): BoundEvent {
  const creating = model.events.filter((event) => event.effect === 'creates' && isRecognisable(event))
  const event = creating.find(({ condition }) => holds(condition, null, after)) ?? creating.at(-1)
  if (event === undefined) throw new RangeError(`${model.name} has no creating event: it was never bound`)
  return event
}

/** Backfill: `updatedAt`, else the time of creation, else the start of the run. Live: the clock. */
function timeOfUndated(
  model: BoundModel,
  creating: BoundEvent,
  after: Row,
  context: RecogniseContext,
): string {
  if (context.backfill !== true) return context.now
  const stamp = instantOf(model, after, model.updatedAt, context)
  const created = instantOf(model, after, creating.bound[0], context)
  return stamp?.utc ?? created?.utc ?? context.now
}

/** One write being explained: events are drafted and folded until nothing but residue is left. */
class Write {
  readonly #fold
  readonly #columns: ReadonlyMap<string, BoundColumn>
  readonly #drafts: Draft[] = []
  #row: Row | null

  constructor(
    readonly model: BoundModel,
    readonly before: Row | null,
    readonly after: Row,
    readonly context: RecogniseContext,
  ) {
    this.#fold = compileFold(model)
    this.#columns = new Map(model.columns.map((column) => [column.name, column]))
    this.#row = before
  }

  /** Drafts an event; `takes` says which columns it also carries where its fold would not give them. */
  add(event: BoundEvent, takes: (column: BoundColumn) => boolean): void {
    const further = event.bound.slice(1).flatMap((name) => this.#columns.get(name) ?? [])
    const draft: Draft = { shape: event, time: this.#timeOf(event), extra: further }
    const taken = this.#unexplained(this.#folded(draft)).filter(
      (column) => takes(column) && column.name !== this.model.updatedAt,
    )
    this.#push({ ...draft, extra: [...further, ...taken] })
  }

  finish(): readonly RecognisedEvent[] {
    const recognised = this.model.events
      .filter(({ effect, condition }) => effect === 'changes' && holds(condition, this.before, this.after))
      .map((event) => ({ event, utc: this.#timeOf(event).utc }))
      .sort((a, b) => compareInstants(a.utc, b.utc)) // stable: ties keep the order of declaration
    for (const { event } of recognised) this.add(event, () => false)
    this.#explainRest()
    return this.#drafts.map((draft) => this.#event(draft))
  }

  /** One `Changed` for what is left; `updatedAt` travels in the last event, alone it is a `Changed`. */
  #explainRest(): void {
    const left = this.#unexplained(this.#row)
    const last = this.#drafts.at(-1)
    if (left.length === 0) return
    if (last !== undefined && left.every(({ name }) => name === this.model.updatedAt)) {
      this.#drafts[this.#drafts.length - 1] = { ...last, extra: [...last.extra, ...left] }
      return
    }
    this.#push({ shape: changedShape(this.model), time: this.#undated(), extra: left })
  }

  #push(draft: Draft): void {
    this.#row = this.#folded(draft)
    this.#drafts.push(draft)
  }

  #folded(draft: Draft): Row | null {
    const event = this.#event(draft)
    return this.#fold(this.#row, {
      ...event,
      aggregateId: event.streamId,
      version: 1,
      localTime: draft.time.local,
    })
  }

  #event({ shape, time, ...draft }: Draft): RecognisedEvent {
    return {
      streamId: streamOf(this.model, this.after),
      type: shape.type,
      schemaVersion: shape.schemaVersion,
      data: dataOf({ shape, time, ...draft }, this.#columns, this.after),
      occurredAt: time.utc,
      inferred: time.inferred,
    }
  }

  #unexplained(row: Row | null): readonly BoundColumn[] {
    return this.model.columns.filter(({ name }) => text(row, name) !== text(this.after, name))
  }

  #timeOf(event: BoundEvent): Draft['time'] {
    const instant = instantOf(this.model, this.after, event.bound[0], this.context)
    return instant === null ? this.#undated() : { ...instant, inferred: false }
  }

  #undated(): Draft['time'] {
    const { now } = this.context
    return { utc: now, local: localOfUtc(now), inferred: true }
  }
}

function changedShape(model: BoundModel): EventShape {
  const type = model.residue.changed
  return { type, schemaVersion: 1, effect: 'changes', data: [], facts: [], constants: [], bound: [] }
}
