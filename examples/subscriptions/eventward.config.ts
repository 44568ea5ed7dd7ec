import { defineConfig } from '../../src/index.js'
import { dispatcher } from './dispatcher.js'
import { Subscription } from './subscription.js'

export default defineConfig({ aggregates: [Subscription], dispatcher })
