/** What requests may bring. The application had these before; the commands take them as they are. */
import { z } from 'zod'

export const NewReward = z.object({
  title: z.string().min(1),
  price: z.number().positive(),
  places: z.int().nonnegative(),
})
export const NewPrice = z.object({ price: z.number().positive() })
export const NewSubscription = z.object({ user_id: z.int(), reward_id: z.int() })
export const Activation = z.object({ stripe_key: z.string().min(1) })
export const Deactivation = z.object({ reason: z.string().default('not said') })
