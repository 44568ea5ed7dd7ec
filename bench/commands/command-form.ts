/** One way to carry out a command: load, decide, append the event, write the row; all or nothing. */
export interface CommandForm {
  /** Activates the subscription, or deactivates it where it is active. */
  flip(id: number): Promise<unknown>
  close(): Promise<void>
}

/** What each form appends and writes. */
export const STRIPE_KEY = 'sub_66123'
