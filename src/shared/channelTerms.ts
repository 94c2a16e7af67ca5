// What the channels of all areas are written with.
import { z } from 'zod'

// The page's policy forbids eval, which zod would otherwise use to speed itself up.
z.config({ jitless: true })

export const none = z.object({})
export const count = z.number().int().nonnegative()
